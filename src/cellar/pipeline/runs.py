"""From lines of params.yaml to the resolved settings of trainings and evaluations, and the files that these read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from cellar import models, paths
from cellar.config import Config, Experiment, ExperimentTeacher, Line, Params, Teacher, composed
from cellar.config.resolved import (
    EvaluationSettings,
    InputSettings,
    RunSettings,
    TeacherSettings,
    TrainingSettings,
)
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.pipeline import code
from cellar.pipeline.stage import Job

Kind = Literal["teachers", "students"]
WEIGHTS, LAST, HISTORY, LOSSES = "weights.safetensors", "last.safetensors", "history.csv", "losses.npz"


def trained(kind: str, curve: str = "validation_loss") -> tuple[tuple[str, ...], dict[str, dict[str, str]]]:
    """The outs and plots of a stage that fills a folder below results/<kind>; `curve`: the column that is plotted."""
    folder = f"results/{kind}/{{item}}"
    outs = tuple(f"{folder}/{name}" for name in (WEIGHTS, LAST, LOSSES))
    return outs, {f"{folder}/{HISTORY}": {"x": "epoch", "y": curve}}


def teachers(config: Config) -> Iterator[tuple[Params, str, Teacher, int]]:
    """(study, name, line, seed) of every teacher that runs; one that two studies declare, once."""
    for name, params in config.declaring("teachers").items():
        line = params.teachers[name]
        if params.is_on(line):
            yield from ((params, name, line, seed) for seed in params.seeds_of(line))


def experiments(config: Config) -> Iterator[tuple[Params, str, Experiment, int, bool]]:
    """(study, name, line, seed, whether it is a point of a sweep) of every experiment that runs."""
    for params in config.studies.values():
        points = [(name, line) for key, sweep in params.sweeps.items() for name, line in sweep.experiments(key).items()]
        for name, line, sweep in [
            *((*item, False) for item in params.experiments.items()),
            *((*item, True) for item in points),
        ]:
            if params.is_on(line):
                yield from ((params, name, line, seed, sweep) for seed in params.seeds_of(line))


def training(params: Params, kind: Kind, key: str, line: Line, seed: int) -> TrainingSettings:
    """The settings of one training. The method's own parameters are checked when they are resolved (pipeline.resolved)."""
    check_teacher(params, key, line)
    teacher = teacher_of(params, line)
    start = params.start_file(line, seed)
    return TrainingSettings(
        **common(params, kind, key, line, seed),
        recipe=params.recipes[line.recipe],
        start=str(start) if start else None,
        start_key=line.start.weights_key if line.start else None,
        freeze=line.freeze,
        frozen_batch_norm=line.frozen_batch_norm,
        teacher_cache=params.teacher_cache if teacher else None,
    )


def evaluation(params: Params, kind: Kind, key: str, line: Line, seed: int) -> EvaluationSettings:
    """The settings of one evaluation; the teacher matters to one of features alone."""
    shared = common(params, kind, key, line, seed)
    return EvaluationSettings(
        **(shared if shared["faces"] else shared | {"teacher": None}),
        batch_size=params.evaluation.batch_size,
    )


def common(params: Params, kind: Kind, key: str, line: Line, seed: int) -> dict[str, Any]:
    """The fields of RunSettings."""
    method = getattr(line, "method", None) or {"name": "labels"}
    faces = getattr(line, "faces", None)
    return {
        "kind": kind,
        "key": key,
        "seed": seed,
        "dataset": line.dataset,
        "model": line.model,
        "model_file": network_file(params, kind, key, line),
        "input": input_of(params, line),
        "threads": params.threads,
        "precision": params.precision,
        "method": dict(method),
        "method_file": method_file(params, key, str(method["name"])),
        "teacher": teacher_of(params, line),
        "faces": str(paths.faces(faces)) if faces else None,
        "face_count": params.faces_of(faces).count if faces else None,
    }


def network_file(params: Params, kind: Kind, key: str, line: Line) -> str:
    """Raises CellarError, with the key in params.yaml, for a network that is not known."""
    try:
        return str(models.file_of(line.model, params.study))
    except CellarError as error:
        section, name = "teachers" if kind == "teachers" else "experiments", key.removeprefix(f"{params.study}/")
        raise mistake(params.place(section, name, "model"), error) from None


def check_published(config: Config) -> None:
    """Raises CellarError, with the key in params.yaml, for a published file of a network that is not known."""
    for name, params in config.declaring("published").items():
        model = params.published[name].model
        try:
            models.file_of(model, params.study) if model else None
        except CellarError as error:
            raise mistake(params.place("published", name, "model"), error) from None


def method_file(params: Params, key: str, name: str) -> str:
    """Raises CellarError, with the key in params.yaml, for a method that is not known."""
    try:
        return str(registry.file_of(name, params.study))
    except CellarError as error:
        place = params.place("experiments", key.removeprefix(f"{params.study}/"), "method.name")
        raise mistake(place, error) from None


def mistake(key: str, error: CellarError) -> CellarError:
    """An error about the value at a dotted key, with the file that the value came from."""
    return CellarError(f"{composed.source_of(key)}: {key}: {error}")


def input_of(params: Params, line: Line) -> InputSettings:
    return InputSettings(**params.input_of(line))


def teacher_of(params: Params, line: Line) -> TeacherSettings | None:
    """What a student learns from: a teacher, or another experiment of its study."""
    if not isinstance(line, Experiment):
        return None
    teacher, folder = params.teacher_of(line), params.teacher_folder(line)
    if teacher is None or folder is None:
        return None
    return TeacherSettings(
        weights=str(folder / WEIGHTS),
        model=teacher.model,
        model_file=str(models.file_of(teacher.model, params.study)),
        input=input_of(params, teacher),
        features=str(paths.features(key_of_teacher(params, line))) if line.faces else None,
    )


def check_teacher(params: Params, key: str, line: Line) -> None:
    """Raises CellarError, with the key in params.yaml, for an experiment as teacher whose last layer learnt no classes.

    A student of faces without labels learns the features alone, for which any experiment will do.
    """
    if not isinstance(line, Experiment) or not isinstance(line.teacher, ExperimentTeacher) or line.faces:
        return
    name = line.teacher.experiment
    method = params.experiment(name).method_name
    if registry.prediction_kind(method_file(params, name, method)) != "classes":
        place = params.place("experiments", key.removeprefix(f"{params.study}/"), "teacher.experiment")
        raise mistake(place, CellarError(f"{name} learns by {method}, not classes; name an experiment that does"))


def key_of_teacher(params: Params, line: Experiment) -> str:
    """Its name, unique among the teachers of all studies."""
    if isinstance(line.teacher, ExperimentTeacher):
        return f"{params.study}-{line.teacher.experiment}"
    return str(line.teacher)


def data_files(dataset: str) -> tuple[str, ...]:
    folder = paths.prepared(dataset)
    return (str(folder / "arrays.npz"), str(folder / "manifest.json"))


def read_by_training(settings: TrainingSettings) -> tuple[str, ...]:
    teacher = [settings.teacher.weights] if settings.teacher else []
    return (
        *data_files(settings.dataset),
        *([settings.start] if settings.start else []),
        *teacher,
        *face_files(settings),
    )


def read_by_evaluation(settings: EvaluationSettings) -> tuple[str, ...]:
    folder = paths.trained(settings.kind, settings.key, settings.seed)
    return (
        *data_files(settings.dataset),
        *(str(folder / name) for name in (WEIGHTS, LAST, HISTORY)),
        *face_files(settings)[1:],
    )


def face_files(settings: RunSettings) -> tuple[str, ...]:
    """The faces that a student learns from, and its teacher's features of held-out images."""
    if settings.faces is None or settings.teacher is None:
        return ()
    return (settings.faces, str(Path(str(settings.teacher.features)) / "held_out.npz"))


def students(config: Config, wanted: Callable[[Experiment], bool]) -> Iterator[Job]:
    """The trainings of the experiments that `wanted` selects."""
    for params, name, line, seed, sweep in experiments(config):
        if wanted(line):
            settings = training(params, "students", f"{params.study}/{name}", line, seed)
            job, processes = f"{name}/seed-{seed}", params.recipes[line.recipe].processes
            reads, own = read_by_training(settings), code.of_run(settings, params.study)
            yield Job(job, f"{params.study}/{job}", settings, reads, own, params.study, sweep, processes)


def confusion(settings: EvaluationSettings) -> dict[str, dict[str, str]]:
    """The confusion matrix of a classifier, for `dvc plots`."""
    if registry.prediction_kind(settings.method_file) != "classes":
        return {}
    options = {"template": "confusion", "x": "actual", "y": "predicted"}
    return {str(paths.confusion(settings.kind, settings.key, settings.seed)): options}
