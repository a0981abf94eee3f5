"""What no single line of params.yaml can know: how it goes with the others. Each check raises CellarError, one line."""

from pathlib import Path

from cellar.config import Params
from cellar.errors import CellarError
from cellar.models import file_of

ONE_PROCESS = "processes: 1 in its recipe, or give it one of its own"


def check(params: Params, path: Path) -> None:
    check_data(params, path)
    check_methods(params, path)
    check_starts(params, path)
    check_lines(params, path)


def check_data(params: Params, path: Path) -> None:
    """Where drawn sets are kept, and names that `cellar download` could take for two things."""
    for name in params.published.keys() & params.datasets.keys():
        raise CellarError(f"{path}: published.{name}: a data set is called so too; rename one of them")
    for name, dataset in params.datasets.items():
        if dataset.source.draw and dataset.path != f"data/raw/sample/{name}":
            raise CellarError(
                f"{path}: datasets.{name}.path: a drawn set is kept in data/raw/sample/{name}; write that"
            )
        if dataset.source.draw and dataset.layout == "image_folder":
            raise CellarError(
                f"{path}: datasets.{name}: faces are drawn in the layouts fer2013 and raf_db only; choose one"
            )


def check_lines(params: Params, path: Path) -> None:
    """Two experiments in one place, a model that is not known, a teacher of another data set."""
    rows: dict[tuple[str, str], str] = {}
    for key, line in params.experiments.items():
        other = rows.setdefault((line.dataset, line.row), key)
        if other != key:
            raise CellarError(
                f"{path}: experiments.{key} and experiments.{other} are both row {line.row} of {line.dataset}; rename one row"
            )
    for section in ("teachers", "experiments", "sweeps"):
        for key, line in getattr(params, section).items():
            try:
                file_of(line.model)
            except CellarError as error:
                raise CellarError(f"{path}: {section}.{key}.model: {error}") from None
            teacher, features = getattr(line, "teacher", None), getattr(line, "features", None)
            if teacher and not features and params.teachers[teacher].dataset != line.dataset:
                raise CellarError(
                    f"{path}: {section}.{key}: teacher {teacher} knows {params.teachers[teacher].dataset}, not {line.dataset}; give it a teacher of its own data set"
                )


def check_methods(params: Params, path: Path) -> None:
    """What a method asks of its recipe and of its teacher."""
    for key, line in params.experiments.items():
        size = 3 if line.triplets else line.tasks.images if line.tasks else 1
        if params.recipes[line.recipe].batch_size % size:
            raise CellarError(
                f"{path}: experiments.{key}: a batch of recipes.{line.recipe} would cut a {'triplet' if line.triplets else 'task'} "
                f"in two; make its batch_size a multiple of {size}"
            )
        if line.tasks and params.recipes[line.recipe].processes > 1:
            raise CellarError(f"{path}: experiments.{key}: a task is not shared by processes; set {ONE_PROCESS}")
        bounded = line.teacher is not None and params.teachers[line.teacher].model.endswith("+sigmoid")
        if line.features and (line.features.loss == "bce") != bounded:
            raise CellarError(
                f"{path}: experiments.{key}: features.loss bce goes with a teacher whose features lie between 0 and 1 "
                "(model: NAME+sigmoid), mse with another; mend one of them"
            )

    for key, generator in params.generators.items():
        if params.recipes[generator.recipe].processes > 1:
            raise CellarError(f"{path}: generators.{key}: its two networks play in one process; set {ONE_PROCESS}")


def check_starts(params: Params, path: Path) -> None:
    """A training that starts from another's weights, and that from another's, must begin somewhere."""
    for section in ("teachers", "experiments"):
        for key in getattr(params, section):
            seen = [(section, key)]
            while (start := getattr(params, seen[-1][0])[seen[-1][1]].start) and not start.weights:
                following = ("teachers", start.teacher) if start.teacher else ("experiments", start.experiment)
                if following in seen:
                    raise CellarError(
                        f"{path}: {section}.{key}.start leads back to {following[1]}; begin somewhere else"
                    )
                seen.append(following)
