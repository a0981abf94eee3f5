"""What is in two places, or in none: duplicates, label conflicts and images of nothing, a line a data set.

Ours, of no paper; the counts of images stand beside those that the papers print.
"""

from dataclasses import replace
from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.tables import reference, verdicts
from cellar.tables.cells import NOT_RUN, Cell, Column, Row, Table

STUDY = "audit"
COUNTED = {  # column -> label, splits that make it up
    "learnt": ("training and validation images", ("train", "validation")),
    "test": ("test images", ("test",)),
}
FOUND = {  # column -> label, dotted key of the metrics
    "exact": ("exact copies", "exact"),
    "near": ("near pairs", "near"),
    "mirrored": ("mirrored pairs", "mirrored"),
    "groups": ("groups of them", "groups.count"),
    "conflicts": ("groups of several classes", "groups.of_several_classes"),
    "across": ("groups across splits", "groups.across_splits"),
    "leaked": ("leaked test images", "leaked.test"),
    "leaked_conflicts": ("leaked under another class", "leaked.test_of_other_class"),
    "empty": ("nearly constant", "content.nearly_constant.count"),
    "placeholders": ("placeholders", "content.placeholders.count"),
}
KINDS = ("exact", "near", "mirrored")
NO_PLACEHOLDERS = Cell("counted", reason="looked for among faces only: an object may stand on one grey")


def inputs(params: Params) -> list[str]:
    on = [name for name, section in params.datasets.items() if section.enabled]
    return [str(paths.REFERENCE), *(str(paths.audit_metrics(name)) for name in on)]


def build(params: Params) -> Table:
    columns = [Column(key, label, "count") for key, (label, _) in (COUNTED | FOUND).items()]
    rows = [Row(name, name, row_cells(name, params)) for name in params.datasets]
    title = "Audit of the data sets: images, duplicates within and across splits, label conflicts"
    return Table("audit", title, STUDY, params.scale.model_dump(), notes(), columns, rows)


def row_cells(dataset: str, params: Params) -> dict[str, Cell]:
    printed = printed_counts(dataset)
    if not params.datasets[dataset].enabled:
        absent = {key: Cell("not_run", paper=printed.get(key), reason=NOT_RUN.reason) for key in COUNTED}
        return absent | dict.fromkeys(FOUND, NOT_RUN)
    said = files.read_json(paths.audit_metrics(dataset))
    counted = {key: images_cell(said, splits, printed.get(key), params) for key, (_, splits) in COUNTED.items()}
    found = {key: found_cell(said, dotted) for key, (_, dotted) in FOUND.items()}
    source = [f"audit@{dataset}"], [str(paths.audit_metrics(dataset))]
    return {key: replace(cell, stage=source[0], metrics=source[1]) for key, cell in (counted | found).items()}


def images_cell(said: dict[str, Any], splits: tuple[str, ...], printed: int | None, params: Params) -> Cell:
    ours = sum(said["images"].get(split, 0) for split in splits)
    verdict, reason = judge(ours, printed, params)
    return Cell("counted", ours, "count", printed, None, verdict, reason)


def found_cell(said: dict[str, Any], dotted: str) -> Cell:
    value = pairs_of_kind(said, dotted) if dotted in KINDS else pick(said, dotted)
    return NO_PLACEHOLDERS if value is None else Cell("counted", value, "count")


def printed_counts(dataset: str) -> dict[str, int]:
    """What the papers print, as the columns of COUNTED; nothing for a data set of no paper."""
    if dataset == "cifar100":
        rows = reference.table("table_1", reference.CIFAR100_KD)["rows"]
        return {"learnt": rows["train"], "test": rows["test"]}
    if dataset == "pins":
        known = reference.study(reference.SMALL_DATASET_KD)["dataset"]
        return {"learnt": known["train_total"], "test": known["test_total"]["value"]}
    total = reference.table("table_III")["rows_as_printed"]["Total"]
    if dataset == "fer2013":
        return {"learnt": total["fer_train"] + total["fer_public"], "test": total["fer_private"]}
    return {"learnt": total["raf_train"], "test": total["raf_test"]} if dataset == "raf_db" else {}


def judge(ours: int, printed: int | None, params: Params) -> verdicts.Judgement:
    if printed is not None and params.scale.drawn:
        return "not comparable", f"scale {params.scale.name}: {params.scale.note}"
    return verdicts.of_count(ours, printed)


def pairs_of_kind(said: dict[str, Any], kind: str) -> int:
    return sum(found[kind] for found in said["pairs"].values())


def pick(said: Any, dotted: str) -> int | None:
    """None where it was not looked for."""
    for key in dotted.split("."):
        if key not in said:
            return None
        said = said[key]
    return int(said)


def notes() -> list[str]:
    return [
        "An exact copy has the bytes of an earlier image. A near pair is one picture twice, in another size, brightness, "
        "contrast, crop or compression; mirrored: left for right. A group is what pairs link. How they are found, and how "
        "often rightly: docs/audit.md.",
        "Leaked: a test image in one group with an image that is trained or validated on.",
        "Images per class and split: results/metrics/audit, and Table III; every pair: results/audit; pictures: "
        "results/figures/audit_<data set>.png.",
    ]
