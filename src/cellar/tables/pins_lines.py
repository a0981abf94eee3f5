"""Which experiment makes which line of the small-dataset study's tables, and what can be compared with what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from cellar.config import Experiment, Line, Params
from cellar.models import parse
from cellar.tables import reference
from cellar.tables.runs import Runs, experiment_lines, runs_of

DATASET = "pins"
TABLES = [f"pins_table_{number}" for number in range(1, 7)]
NETWORKS = {  # printed name -> cellar.models name
    "ConvNet-9": "convnet9",
    "ResNet-50": "resnet50_vggface2",
    "ResNet-18": "resnet18",
    "InceptionV3": "inception_v3",
    "MobileNet": "mobilenet_v1",
}
ROWS = {  # row of params.yaml -> its table, and the printed name that its id ends with
    "oneshot_convnet9": ("pins_table_1", "ConvNet-9"),
    "oneshot_resnet50": ("pins_table_1", "ResNet-50"),
    "meta_convnet9": ("pins_table_1", "ConvNet-9"),
    "scratch_resnet50": ("pins_table_2", "ResNet-50"),
    "scratch_resnet18": ("pins_table_2", "ResNet-18"),
    "scratch_convnet9": ("pins_table_2", "ConvNet-9"),
    "scratch_inceptionv3": ("pins_table_2", "InceptionV3"),
    "scratch_mobilenet": ("pins_table_2", "MobileNet"),
    "transfer_resnet50": ("pins_table_3", "ResNet-50"),
    "transfer_inceptionv3": ("pins_table_3", "InceptionV3"),
    "transfer_mobilenet": ("pins_table_3", "MobileNet"),
    "labels_convnet9": ("pins_table_4", "ConvNet-9"),
    "mse_convnet9": ("pins_table_5", "ConvNet-9"),
    "mse_resnet18": ("pins_table_5", "ResNet-18"),
    "mse_convnet9_features": ("pins_table_5", "ConvNet-9"),
    "mse_resnet18_features": ("pins_table_5", "ResNet-18"),
    "mse_resnet18_features_lr4": ("pins_table_5", "ResNet-18"),
    "mse_resnet18_features_lr5": ("pins_table_5", "ResNet-18"),
    "bce_resnet18": ("pins_table_6", "ResNet-18"),
    "bce_convnet9": ("pins_table_6", "ConvNet-9"),
    "bce_resnet18_unfrozen": ("pins_table_6", "ResNet-18"),
    "bce_convnet9_unfrozen": ("pins_table_6", "ConvNet-9"),
    "bce_resnet18_features": ("pins_table_6", "ResNet-18"),
    "bce_convnet9_features": ("pins_table_6", "ConvNet-9"),
}
PRETRAINING = "_features"  # in the row of every first step of feature KD; what is printed of it stands in the text
OURS = {"meta_convnet9", "mse_resnet18", "bce_resnet18_unfrozen", "bce_convnet9_unfrozen"}  # no printed value
TEXT_R2 = {  # pre-training -> the key of its R2 in the study's text, and which of our figures that is
    "mse_convnet9_features": ("r2_convnet9_mse", "r2_last"),
    "mse_resnet18_features": ("r2_resnet18_mse", "r2"),
}
BY_METHOD = {"triplets": "pins_table_1", "tasks": "pins_table_1", "logits": "pins_table_4"}
BY_LOSS = {"mse": "pins_table_5", "bce": "pins_table_6"}

Kind = Literal["classes", "triplets", "tasks", "features"]


@dataclass(frozen=True)
class Shown:
    """A line of a table: what the study prints of it, and the experiment that makes it here, if one does."""

    row: str
    label: str
    kind: Kind
    network: str | None = None  # the cellar.models name of what the study used
    printed: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    line: Experiment | None = None
    runs: Runs | None = None


def shown(params: Params, table: str) -> list[Shown]:
    """The study's lines in its order, then our own of the same methods, then a user's."""
    found = {line.row: (key, line) for key, line in lines_of(params, table)}
    rows = [row for row, (place, _) in ROWS.items() if place == table]
    return [one_of(params, table, row, found.get(row)) for row in dict.fromkeys([*rows, *found])]


def lines_of(params: Params, table: str) -> Iterator[tuple[str, Experiment]]:
    for key, line in experiment_lines(params, DATASET).items():
        if table_of(params, line) == table:
            yield key, line


def table_of(params: Params, line: Experiment) -> str:
    """By its row if the study has it, else by its method; what follows a pre-training stands beside it."""
    if line.row in ROWS:
        return ROWS[line.row][0]
    before = params.experiments[line.start.experiment] if line.start and line.start.experiment else line
    if before.features:
        return BY_LOSS[before.features.loss]
    return BY_METHOD.get(line.method, "pins_table_3" if line.start else "pins_table_2")


def one_of(params: Params, table: str, row: str, found: tuple[str, Experiment] | None) -> Shown:
    key, line = found or ("", None)
    runs = runs_of(params, key, line) if line else None
    name = ROWS[row][1] if row in ROWS else None
    network = NETWORKS[name] if name else None
    label = label_of(row, name, line, network)
    return Shown(row, label, kind_of(row, line), network, printed_of(table, row, name), key, line, runs)


def kind_of(row: str, line: Experiment | None) -> Kind:
    if line is None:
        ways: dict[str, Kind] = {"oneshot": "triplets", "meta": "tasks"}
        return "features" if PRETRAINING in row else ways.get(row.split("_")[0], "classes")
    methods: dict[str, Kind] = {"triplets": "triplets", "tasks": "tasks", "features": "features"}
    return methods.get(line.method, "classes")


def label_of(row: str, name: str | None, line: Experiment | None, network: str | None) -> str:
    """The printed name, with what tells lines of one network apart; a user's own row with its model."""
    if name is None:
        return f"{row}: {line.model if line else ''}"
    here = f" (here {line.model})" if line and parse(line.model)[0] != network else ""
    marks = {"meta_": ", MAML", "_unfrozen": ", not frozen", PRETRAINING: ", pre-training", **rates()}
    return name + "".join(said for part, said in marks.items() if part in row) + here


def rates() -> dict[str, str]:
    """How the ids of ResNet-18's further pre-trainings name their learning rates."""
    tried = reference.study(reference.SMALL_DATASET_KD)["text_values"]["r2_resnet18_mse_best"]["lr_tried"]
    return {f"_lr{f'{rate:e}'[-1]}": f", lr {rate:f}".rstrip("0") for rate in tried}


def printed_of(table: str, row: str, name: str | None) -> dict[str, Any]:
    """What the study prints of a row: of a classification {train, test, epoch}, of others one value a figure."""
    study = reference.study(reference.SMALL_DATASET_KD)
    if row in TEXT_R2:
        key, figure = TEXT_R2[row]
        text = study["text_values"][key]
        return {figure: text["value"], "epoch": text["at_epoch"]}
    if name is None or row in OURS or PRETRAINING in row:
        return {}
    found: dict[str, Any] = study["tables"][table.removeprefix("pins_")]["rows"][name]
    return found


def scratch_of(params: Params, line: Experiment) -> Runs | None:
    """The same network trained from random weights on the same labels, with the same seeds; its recipe may differ."""
    for key, other in experiment_lines(params, DATASET).items():
        alike = parse(other.model)[0] == parse(line.model)[0] and params.seeds_of(other) == params.seeds_of(line)
        if alike and other is not line and other.method == "labels" and other.start is None:
            return runs_of(params, key, other)
    return None


def obstacle(params: Params, one: Shown) -> str | None:
    """Why a line's figures cannot be those of the study, at any scale."""
    if one.line is None:
        return None
    other = one.network is not None and parse(one.line.model)[0] != one.network
    found = [f"another network: {one.line.model}" if other else None, same_data(params, one.line)]
    return "; ".join(filter(None, found)) or None


def same_data(params: Params, line: Line) -> str | None:
    """Says so where what a line builds on, its teacher or its start, was trained here and never published."""
    teacher = next(own_teachers(line), None)
    if teacher:
        known = published(params, params.teacher(teacher))
        return None if known else f"same-data teacher: {teacher} was trained here, on this data set alone"
    if line.start and line.start.experiment:
        before = params.experiment(line.start.experiment)
        built_on = before.teacher or before.start
        return same_data(params, before) if built_on else f"starts from {line.start.experiment}, trained here"
    return None


def published(params: Params, teacher: Line) -> bool:
    """Whether a teacher's weights are a file, or grew out of one."""
    start = teacher.start
    if getattr(teacher, "weights", None) or (start and start.weights):
        return True
    return bool(start and start.teacher and published(params, params.teacher(start.teacher)))


def own_teachers(line: Line) -> Iterator[str]:
    """The teachers that a line itself names: to learn from, to start from."""
    named = (getattr(line, "teacher", None), line.start.teacher if line.start else None)
    return filter(None, named)


def sources(params: Params, one: Shown) -> Iterator[str]:
    """The parameters that decide on labels, places and comparisons of a line; values come with the metrics."""
    if one.line is None:
        return
    for name in ("row", "model", "recipe", "teacher", "start"):
        if getattr(one.line, name) is not None:
            yield f"experiments.{one.key}.{name}"
    yield f"recipes.{one.line.recipe}.select_on"
    for teacher in teachers_behind(params, one.line):
        for name in ("weights", "start"):
            if getattr(params.teacher(teacher), name) is not None:
                yield f"teachers.{teacher}.{name}"


def teachers_behind(params: Params, line: Line) -> Iterator[str]:
    """Every teacher that a line learns from or starts from, also by way of others."""
    for teacher in own_teachers(line):
        yield teacher
        yield from teachers_behind(params, params.teacher(teacher))
    if line.start and line.start.experiment:
        yield from teachers_behind(params, params.experiment(line.start.experiment))
