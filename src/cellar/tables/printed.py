"""Every value that the papers print, one by one, as workflow/reference/paper_values.yaml holds them.

Not walked: recipes (`hyperparameters`), which params.yaml holds beside ours, and what authors' code or public sources say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cellar.tables import numbers
from cellar.tables.cells import Value
from cellar.tables.reference import CIFAR100_KD, MINI_RESEMOTENET, SMALL_DATASET_KD, study

ALL = (MINI_RESEMOTENET, SMALL_DATASET_KD, CIFAR100_KD)
Place = tuple[str, ...]  # keys below a study, without the last where that is only `value` or `printed`

ROOTS = ("rows", "rows_as_printed", "FER2013", "RAF-DB")  # of a table's printed rows
SILENT = {"rows", "rows_as_printed", "printed"}  # keys that a reader need not see
SETTINGS = {"T", "alpha", "lr", "lr_tried", "batch_size", "runs", "init", "teacher", "per_class_train", "image_size"}
PROSE = {"src", "note", "name", "model", "unit", "from"}  # about a value, no value
UNITS = {
    **dict.fromkeys(("accuracy", "fer2013_accuracy", "raf_db_accuracy", "accuracy_mean", "accuracy_sd"), "%"),
    **dict.fromkeys(("acc", "f1", "pre", "rec", "chance_accuracy", "related_work_covid_acc"), "%"),
    **dict.fromkeys(("total_parameters", "parameters", "params", "table_III", "epoch", "at_epoch", "images"), "count"),
    **dict.fromkeys(("model_size_mb", "memory_mb", "size_mb"), "MB"),
    "avg_inference_ms": "ms",
    "loss": "nats",
}
WORDS = {
    **{"acc": "ACC", "f1": "F1", "pre": "PRE", "rec": "REC", "lr": "learning rate", "rb": "residual blocks"},
    **{"model_size_mb": "size", "memory_mb": "memory", "avg_inference_ms": "time per image", "cnn": "convolutions"},
    **{"se": "squeeze-excite", "accuracy_mean": "accuracy, mean", "accuracy_sd": "accuracy, sd", "size_mb": "size"},
    **{"fer_train": "FER2013 training", "fer_public": "FER2013 public test", "fer_private": "FER2013 private test"},
    **{"raf_train": "RAF-DB training", "raf_test": "RAF-DB test", "r2": "R²"},
    **{"fer2013_accuracy": "FER2013 accuracy", "raf_db_accuracy": "RAF-DB accuracy", "params": "parameters"},
    **{"r2_convnet9_mse": "R² of ConvNet-9, MSE", "r2_resnet18_mse": "R² of ResNet-18, MSE"},
    **{"r2_resnet18_mse_best": "best R² of ResNet-18, MSE", "lr_tried": "learning rates tried"},
    **{"resnet50_vggface2_tpr": "ResNet-50 of VGGFace2, true positives (%)", "at_fpr": "at false positives of"},
    **{"related_work_covid_acc": "related work, ACC", "kd_labels": "label KD"},
    **{"kd_features_pretrain": "feature KD, pre-training", "kd_features_finetune": "feature KD, fine-tuning"},
    **{"kl_weight_best": "KL weight", "T_best": "T"},
    **{"params_text": "parameters, in the text", "conv": "convolutions"},
}


@dataclass(frozen=True)
class Printed:
    """One value at one place of a paper; the same quantity at another place is another one."""

    study: str
    place: Place
    value: Value
    unit: str | None = None

    @property
    def id(self) -> str:
        return ".".join((self.study, *self.place))

    @property
    def is_setting(self) -> bool:
        return self.place[-1] in SETTINGS

    @property
    def label(self) -> str:
        shown = {"%": " (%)", "MB": " (MB)", "ms": " (ms)", "points": " (points)"}
        return label(self.place) + shown.get(self.unit or "", "")


def values(of: str, data: Mapping[str, Any] | None = None) -> Iterator[Printed]:
    """Of one study, in the order of the file: tables, what the text claims of them, other text, networks, data.

    `data`: the study as data, if it is not the project's own.
    """
    found = study(of) if data is None else data
    for name, table in found["tables"].items():
        for root in [key for key in ROOTS if key in table]:
            yield from leaves(of, ("tables", name, root), table[root])
        for key, variant in table.get("text_variants", {}).items():
            place = ("text", *key.split("."))
            yield Printed(of, place, variant["value"], unit_of(place))
    for name, claim in found.get("derived_claims", {}).items():
        unit = "points" if claim["unit"] == "points" else "%"
        yield Printed(of, ("derived_claims", name), claim["printed"], unit)
    for root in ("text_values", "models", "dataset"):
        yield from leaves(of, (root,), printed_in(found.get(root, {}), root))


def printed_in(section: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Of networks what is printed, not what their code has; of data what is not derived."""
    if root != "models":
        return {key: value for key, value in section.items() if key != "test_total"}
    return {name: {"printed": one["printed"]} if "printed" in one else {"params": one["params"]} for name, one in section.items()}  # fmt: skip


def leaves(of: str, place: Place, value: Any) -> Iterator[Printed]:
    """The values in a tree of mappings; one named `value` stands for its mapping."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in PROSE:
                yield from leaves(of, place if key == "value" else (*place, str(key)), inner)
    elif value is not None:
        yield Printed(of, place, plain(value), unit_of(place))


def plain(value: Any) -> Value:
    """Lists as text."""
    if isinstance(value, list):
        return ", ".join(numbers.number_text(one, None) for one in value)
    return value if isinstance(value, int | float | str) else str(value)


def unit_of(place: Place) -> str | None:
    if place[-1] in SETTINGS:
        return None
    words = [word for key in reversed(place) for word in (key, key.rpartition(".")[2])]
    return next((UNITS[word] for word in words if word in UNITS), None)


def label(place: Place) -> str:
    """For people: Table IV: FER2013, E1, accuracy."""
    head, *rest = place
    if head == "tables":
        head, rest = f"Table {rest[0].rpartition('_')[2]}", rest[1:]
    named = {"derived_claims": "Text, on the tables", "text_values": "Text", "text": "Text, on Table IV"}
    head = named.get(head, {"models": "Networks", "dataset": "Data"}.get(head, head))
    return f"{head}: {', '.join(worded(key) for key in rest if key not in SILENT)}"


def worded(key: str) -> str:
    words = (WORDS.get(part, part.replace("_", " ")) for part in key.split("."))
    return " ".join(words)
