"""Whether a printed accuracy may be judged by ours: what the paper prints of the training, beside the training here.

Each difference prevents a verdict and is its reason, such as "5 epochs, printed 80". What the paper leaves open does
not prevent one, nor does precision, which is named beside it. docs/cells.md has the rules on one screen.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cellar import files, studies
from cellar.config import Experiment, Params, Teacher
from cellar.metrics import intervals
from cellar.models import parse
from cellar.tables.runs import Runs, manifest, runs_of, teacher_runs_of

NAMES = {  # of settings that their own key does not name
    "recipe.schedule.plateau.factor": "factor of the plateau schedule",
    "recipe.schedule.step.every": "epochs between steps of the learning rate",
    "recipe.schedule.step.factor": "factor of the step schedule",
    "recipe.schedule.milestones.epochs": "milestones of the learning rate",
    "recipe.schedule.milestones.factor": "factor of the milestones",
    "recipe.schedule.inverse_sqrt": "schedule 1 / sqrt(1 + t)",
    "recipe.class_weighting": "class weights",
    "faces.count": "images without labels",
}


@dataclass(frozen=True)
class PrintedTraining:
    """What a paper prints of one training.

    settings: key of params.yaml below the line, such as `recipe.epochs`, `dataset.augmentation`, `method.temperature`
    or `model` -> the printed value; a tuple where the paper prints several. What it leaves open is not in it.
    images: split, or splits joined by " and " -> their number of images.
    teacher: of a student whose teacher the paper trained. teacher_accuracy: in percent, of a teacher that the paper took
    from others; ours has to reach it.
    """

    settings: Mapping[str, Any]
    images: Mapping[str, int] = field(default_factory=dict)
    teacher: "PrintedTraining | None" = None
    teacher_accuracy: float | None = None


def obstacles(params: Params, runs: Runs) -> list[str]:
    """Why the accuracy of runs cannot be compared with the printed one; nothing if it can."""
    line = line_of(params, runs)
    if params.datasets[line.dataset].is_synthetic:
        return ["synthetic images"]
    printed = printed_training(params, line)
    if printed is None:
        return ["the study states no printed training of this row (Study.trainings)"]
    return [*differences(params, line, printed), *teacher_obstacles(params, line, printed)]


def of_difference(params: Params, runs: Runs, baseline: Runs) -> list[str]:
    """Why a printed difference of two accuracies cannot be compared with ours."""
    own, other = obstacles(params, runs), obstacles(params, baseline)
    return own + [f"without the teacher: {reason}" for reason in other if reason not in own]


def evidence(params: Params, judged: Iterable[Runs]) -> list[str]:
    """Files that `obstacles` reads: image counts, and metrics of teachers that stand for published ones."""
    needed = dict[str, None]()
    for runs in judged:
        line = line_of(params, runs)
        if not params.datasets[line.dataset].is_synthetic:
            printed = printed_training(params, line)
            teacher = teacher_of(params, line) if printed and printed.teacher_accuracy else None
            needed |= dict.fromkeys([str(manifest(line.dataset)), *(teacher.metrics_files() if teacher else [])])
    return list(needed)


def params_read(params: Params, judged: Iterable[Runs]) -> list[str]:
    """Keys of the parameters that `obstacles` reads; of synthetic images only that they are."""
    needed = dict[str, None]()
    for runs in judged:
        line = line_of(params, runs)
        if params.datasets[line.dataset].is_synthetic:
            needed[f"datasets.{line.dataset}.source"] = None
        else:
            teacher = teacher_of(params, line)
            keys = [key for each in (runs, *([teacher] if teacher else [])) for key in keys_of(params, each)]
            needed |= dict.fromkeys([*keys, "precision"])
    return list(needed)


def keys_of(params: Params, runs: Runs) -> list[str]:
    line = line_of(params, runs)
    faces = [f"faces.{line.faces}"] if isinstance(line, Experiment) and line.faces else []
    section = "teachers" if isinstance(line, Teacher) else "experiments"
    return [f"{section}.{runs.key}", f"recipes.{line.recipe}", f"datasets.{line.dataset}", *faces]


def line_of(params: Params, runs: Runs) -> Teacher | Experiment:
    return params.teacher(runs.key) if runs.kind == "teachers" else params.experiment(runs.key)


def printed_training(params: Params, line: Teacher | Experiment) -> PrintedTraining | None:
    study = studies.known().get(params.study)
    row = line.row if isinstance(line, Experiment) else None
    return study.trainings(line.dataset, row) if study else None


def differences(params: Params, line: Teacher | Experiment, printed: PrintedTraining) -> Iterator[str]:
    """Settings and image counts that are not the printed ones. Of given weights, no training is compared."""
    trained = not (isinstance(line, Teacher) and line.weights)
    for key, value in printed.settings.items():
        ours = value_at(params, line, key)
        if ours not in (value if isinstance(value, tuple) else (value,)) and (trained or key == "model"):
            yield difference(key, ours, value)
    if printed.images:
        counts = files.read_json(manifest(line.dataset))["counts"]
        for splits, value in printed.images.items():
            number = sum(sum(counts.get(split, {}).values()) for split in splits.split(" and "))
            if number != value:
                yield f"{number:,} {splits} images, printed {value:,}"


def value_at(params: Params, line: Teacher | Experiment, key: str) -> Any:
    """Our value of a setting, as plain data; None if there is no such setting."""
    section, _, rest = key.partition(".")
    if section == "model":
        return parse(line.model)[0]
    value: Any = section_of(params, line, section)
    for part in rest.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def section_of(params: Params, line: Teacher | Experiment, section: str) -> dict[str, Any]:
    if section == "recipe":
        return params.recipes[line.recipe].model_dump(mode="json")
    if section == "dataset":
        return params.datasets[line.dataset].model_dump(mode="json") | params.input_of(line)
    if isinstance(line, Teacher):
        return {}
    if section == "faces":
        return params.faces_of(line.faces).model_dump(mode="json") if line.faces else {}
    return line.method


def difference(key: str, ours: Any, printed: Any) -> str:
    values = " or ".join(map(text, printed)) if isinstance(printed, tuple) else text(printed)
    if key == "recipe.epochs":
        return f"{ours} epochs, printed {values}"
    if key == "model":
        return f"another network: {ours}, printed {values}"
    name = NAMES.get(key, key.rpartition(".")[2].replace("_", " "))
    return f"no {name}, printed {values}" if ours in (None, False) else f"{name} {text(ours)}, printed {values}"


def text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def teacher_obstacles(params: Params, line: Teacher | Experiment, printed: PrintedTraining) -> list[str]:
    """A teacher must be as the paper's: trained by the printed recipe or, if the paper took it from others, as accurate."""
    if printed.teacher is None and printed.teacher_accuracy is None:
        return []
    teacher = teacher_of(params, line)
    if teacher is None:
        return ["no teacher"]
    if printed.teacher:
        found = differences(params, line_of(params, teacher), printed.teacher)
        return [f"its teacher: {reason}" for reason in found]
    return not_reached(teacher, float(printed.teacher_accuracy or 0))


def teacher_of(params: Params, line: Teacher | Experiment) -> Runs | None:
    """The one run that a student learns from: a teacher's or an experiment's, by its first seed."""
    if isinstance(line, Teacher) or line.teacher is None:
        return None
    key = line.teacher if isinstance(line.teacher, str) else line.teacher.experiment
    teacher = params.teacher_of(line)
    runs = (
        teacher_runs_of(params, key, teacher) if isinstance(teacher, Teacher) else runs_of(params, key, teacher)  # type: ignore[arg-type]
    )
    return runs.first()


def not_reached(teacher: Runs, printed: float) -> list[str]:
    """The reason, if all of the interval of the teacher's accuracy lies below the printed one."""
    score = teacher.read()[0]
    low, high = intervals.wilson(round(score["accuracy"] * score["n"] / 100), score["n"])
    if high >= printed:
        return []
    return [f"its teacher has {score['accuracy']:.2f} [{low:.2f}, {high:.2f}] %, the paper's {printed:.2f}"]
