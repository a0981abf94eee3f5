"""Which experiment makes which row of Tables 1 to 6, and what can be compared with what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from cellar.config import Experiment, ExperimentTeacher, Line, Params
from cellar.models import parse
from cellar.tables.printed_values import Place
from cellar.tables.runs import Runs, experiment_keys, experiment_lines, runs_of

from ..printed import DATASET, NETWORKS, data, rows

TABLES = [f"table_{number}" for number in range(1, 7)]
ROWS = {  # row of experiments -> its table, and the printed name of its network
    "oneshot_convnet9": ("table_1", "ConvNet-9"),
    "oneshot_resnet50": ("table_1", "ResNet-50"),
    "meta_convnet9": ("table_1", "ConvNet-9"),
    "scratch_resnet50": ("table_2", "ResNet-50"),
    "scratch_resnet18": ("table_2", "ResNet-18"),
    "scratch_convnet9": ("table_2", "ConvNet-9"),
    "scratch_inceptionv3": ("table_2", "InceptionV3"),
    "scratch_mobilenet": ("table_2", "MobileNet"),
    "transfer_resnet50": ("table_3", "ResNet-50"),
    "transfer_inceptionv3": ("table_3", "InceptionV3"),
    "transfer_mobilenet": ("table_3", "MobileNet"),
    "labels_convnet9": ("table_4", "ConvNet-9"),
    "mse_convnet9": ("table_5", "ConvNet-9"),
    "mse_resnet18": ("table_5", "ResNet-18"),
    "mse_convnet9_features": ("table_5", "ConvNet-9"),
    "mse_resnet18_features": ("table_5", "ResNet-18"),
    "mse_resnet18_features_lr4": ("table_5", "ResNet-18"),
    "mse_resnet18_features_lr5": ("table_5", "ResNet-18"),
    "bce_resnet18": ("table_6", "ResNet-18"),
    "bce_convnet9": ("table_6", "ConvNet-9"),
    "bce_resnet18_unfrozen": ("table_6", "ResNet-18"),
    "bce_convnet9_unfrozen": ("table_6", "ConvNet-9"),
    "bce_resnet18_features": ("table_6", "ResNet-18"),
    "bce_convnet9_features": ("table_6", "ConvNet-9"),
}
PRETRAINING = "_features"  # in the row of every first step of feature KD, whose printed values are in the text
OURS = {"meta_convnet9", "mse_resnet18", "bce_resnet18_unfrozen", "bce_convnet9_unfrozen"}  # no printed value
TEXT_R2 = {  # pre-training -> the key of its R2 in the text, and which of our figures that is
    "mse_convnet9_features": ("r2_convnet9_mse", "r2_last"),
    "mse_resnet18_features": ("r2_resnet18_mse", "r2"),
}
BY_METHOD = {"triplet": "table_1", "maml": "table_1", "logit_kd": "table_4"}
BY_LOSS = {"mse": "table_5", "bce": "table_6"}

Kind = Literal["classes", "triplets", "tasks", "features"]


@dataclass(frozen=True)
class Shown:
    """A line of a table: what the paper prints, and the experiment that makes it here, if one does.

    network: the cellar.models name of what the paper used. printed: figure -> value, of a classification by split;
    place: their keys in printed.yaml.
    """

    row: str
    label: str
    kind: Kind
    network: str | None = None
    printed: dict[str, Any] = field(default_factory=dict)
    place: Place = ()
    key: str = ""
    line: Experiment | None = None
    runs: Runs | None = None


def shown(params: Params, table: str) -> list[Shown]:
    """The paper's rows in its order, then our own of the same methods, then a user's."""
    listed = {line.row: (key, line) for key, line in lines_of(params, table)}
    printed = [row for row, (number, _) in ROWS.items() if number == table]
    return [line_of(params, table, row, listed.get(row)) for row in dict.fromkeys([*printed, *listed])]


def lines_of(params: Params, table: str) -> Iterator[tuple[str, Experiment]]:
    for key, line in experiment_lines(params, DATASET).items():
        if table_of(params, line) == table:
            yield key, line


def table_of(params: Params, line: Experiment) -> str:
    """By its row if the paper has it, else by its method; what follows a pre-training is listed beside it."""
    if line.row in ROWS:
        return ROWS[line.row][0]
    before = params.experiments[line.start.experiment] if line.start and line.start.experiment else line
    if before.method_name == "feature_kd":
        return BY_LOSS[before.method["loss"]]
    return BY_METHOD.get(line.method_name, "table_3" if line.start else "table_2")


def line_of(params: Params, table: str, row: str, listed: tuple[str, Experiment] | None) -> Shown:
    key, line = listed or ("", None)
    runs = runs_of(params, key, line) if line else None
    name = ROWS[row][1] if row in ROWS else None
    network = NETWORKS[name] if name else None
    label = label_of(row, name, line, network)
    place = place_of(table, row, name)
    return Shown(row, label, kind_of(row, line), network, printed_at(place, row), place, key, line, runs)


def kind_of(row: str, line: Experiment | None) -> Kind:
    if line is None:
        ways: dict[str, Kind] = {"oneshot": "triplets", "meta": "tasks"}
        return "features" if PRETRAINING in row else ways.get(row.split("_")[0], "classes")
    methods: dict[str, Kind] = {"triplet": "triplets", "maml": "tasks", "feature_kd": "features"}
    return methods.get(line.method_name, "classes")


def label_of(row: str, name: str | None, line: Experiment | None, network: str | None) -> str:
    """The printed name, with what tells rows of one network apart; a user's own row with its model."""
    if name is None:
        return f"{row}: {line.model if line else ''}"
    here = f" (here {line.model})" if line and parse(line.model)[0] != network else ""
    marks = {"meta_": ", MAML", "_unfrozen": ", not frozen", PRETRAINING: ", pre-training", **rates()}
    return name + "".join(mark for part, mark in marks.items() if part in row) + here


def rates() -> dict[str, str]:
    """How the ids of ResNet-18's further pre-trainings name their learning rates."""
    tried = data()["text_values"]["r2_resnet18_mse_best"]["lr_tried"]
    return {f"_lr{f'{rate:e}'[-1]}": f", lr {rate:f}".rstrip("0") for rate in tried}


def place_of(table: str, row: str, name: str | None) -> Place:
    """Where printed.yaml has the values of a row; () where the paper prints none."""
    if row in TEXT_R2:
        return ("text_values", TEXT_R2[row][0])
    return () if name is None or row in OURS or PRETRAINING in row else ("tables", table, "rows", name)


def printed_at(place: Place, row: str) -> dict[str, Any]:
    """What the paper prints of a row: of a classification {train, test, epoch}, of others one value a figure."""
    if not place:
        return {}
    if place[0] == "tables":
        return rows(place[1])[place[-1]]
    text = data()["text_values"][place[-1]]
    return {TEXT_R2[row][1]: text["value"], "epoch": text["at_epoch"]}


def scratch_of(params: Params, line: Experiment) -> Runs | None:
    """The same network trained from random weights on the same labels, with the same seeds; its recipe may differ."""
    for key, other in experiment_lines(params, DATASET).items():
        alike = parse(other.model)[0] == parse(line.model)[0] and params.seeds_of(other) == params.seeds_of(line)
        if alike and other is not line and other.method_name == "labels" and other.start is None:
            return runs_of(params, key, other)
    return None


def obstacle(params: Params, shown: Shown) -> str | None:
    """Why a row's figures cannot be those of the paper, whatever its own training: what it builds on."""
    return same_data(params, shown.line) if shown.line else None


def same_data(params: Params, line: Line) -> str | None:
    """The reason, where a row builds on a teacher or a start that was trained here and never published."""
    teacher = next(own_teachers(line), None)
    if teacher:
        known = published(params, params.teacher(teacher))
        return None if known else f"same-data teacher: {teacher} was trained here, on this data set alone"
    for how, experiment in own_experiments(line):
        before = params.experiment(experiment)
        return same_data(params, before) if before.teacher or before.start else f"{how} {experiment}, trained here"
    return None


def published(params: Params, teacher: Line) -> bool:
    """Whether a teacher's weights are a file, or grew out of one."""
    start = teacher.start
    if getattr(teacher, "weights", None) or (start and start.weights):
        return True
    return bool(start and start.teacher and published(params, params.teacher(start.teacher)))


def own_teachers(line: Line) -> Iterator[str]:
    """The teachers that an experiment itself names: to learn from, to start from."""
    named = (getattr(line, "teacher", None), line.start.teacher if line.start else None)
    return (name for name in named if isinstance(name, str))


def own_experiments(line: Line) -> Iterator[tuple[str, str]]:
    """(how, name) of the experiments that a line itself names: to learn from, to start from."""
    teacher = getattr(line, "teacher", None)
    if isinstance(teacher, ExperimentTeacher):
        yield "learns from", teacher.experiment
    if line.start and line.start.experiment:
        yield "starts from", line.start.experiment


def sources(params: Params, shown: Shown) -> Iterator[str]:
    """The parameters that decide on label, place and comparisons of a row; values come with the metrics."""
    if shown.line is None:
        return
    fields = ("row", "model", "recipe", "teacher", "start")
    yield from experiment_keys(shown.key, *(name for name in fields if getattr(shown.line, name) is not None))
    yield f"recipes.{shown.line.recipe}.select_on"
    for key in experiments_behind(params, shown.line):
        line = params.experiment(key)
        yield from experiment_keys(key, *(name for name in ("teacher", "start") if getattr(line, name) is not None))
    for teacher in teachers_behind(params, shown.line):
        for name in ("weights", "start"):
            if getattr(params.teacher(teacher), name) is not None:
                yield f"teachers.{teacher}.{name}"


def experiments_behind(params: Params, line: Line) -> Iterator[str]:
    """Every experiment that another learns from or starts from, directly or through others."""
    for _, experiment in own_experiments(line):
        yield experiment
        yield from experiments_behind(params, params.experiment(experiment))


def teachers_behind(params: Params, line: Line) -> Iterator[str]:
    """Every teacher that an experiment learns from or starts from, directly or through others."""
    for teacher in own_teachers(line):
        yield teacher
        yield from teachers_behind(params, params.teacher(teacher))
    for _, experiment in own_experiments(line):
        yield from teachers_behind(params, params.experiment(experiment))
