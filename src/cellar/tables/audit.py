"""Table `audit`: duplicates, label conflicts and blank images, one row for each data set.

No paper has such a table; the counts of images stand beside those that papers print.
"""

from dataclasses import replace
from typing import Any

from cellar import files, paths, studies
from cellar.config import Config
from cellar.studies import AUDIT
from cellar.tables import verdicts
from cellar.tables.cells import NOT_RUN, Cell, Column, Row, Table

COUNTED = {  # column -> label, splits that make it up
    "learnt": ("training and validation images", ("train", "validation")),
    "test": ("test images", ("test",)),
}
PROBLEMS = {  # column -> label, dotted key of the metrics
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


def inputs(config: Config) -> list[str]:
    printed = [str(paths.printed(study.key)) for study in studies.used(config) if study.printed_images is not dict]
    enabled = [name for name, section in config.datasets.items() if section.enabled]
    return [*printed, *(str(paths.audit_metrics(name)) for name in enabled)]


def shown(config: Config) -> dict[str, Any]:
    """The parameters that the table prints or judges by."""
    return {"scale": config.scale.model_dump(mode="json"), "synthetic": synthetic_sets(config)}


def synthetic_sets(config: Config) -> list[str]:
    return [name for name, section in config.datasets.items() if section.is_synthetic]


def build(config: Config) -> Table:
    columns = [Column(key, label, "count") for key, (label, _) in (COUNTED | PROBLEMS).items()]
    rows = [Row(name, name, row_cells(name, config)) for name in config.datasets]
    title = "Audit of the data sets: images, duplicates within and across splits, label conflicts"
    return Table("audit", title, AUDIT, config.scale.model_dump(), notes(), columns, rows)


def row_cells(dataset: str, config: Config) -> dict[str, Cell]:
    printed = printed_counts(dataset, config)
    if not config.datasets[dataset].enabled:
        absent = {key: Cell("not_run", paper=printed.get(key), reason=NOT_RUN.reason) for key in COUNTED}
        return absent | dict.fromkeys(PROBLEMS, NOT_RUN)
    audit = files.read_json(paths.audit_metrics(dataset))
    synthetic = dataset in synthetic_sets(config)
    images = {key: images_cell(audit, splits, printed.get(key), synthetic) for key, (_, splits) in COUNTED.items()}
    problems = {key: problem_cell(audit, dotted) for key, (_, dotted) in PROBLEMS.items()}
    stages, metrics = [paths.stage_address("audit", dataset)], [str(paths.audit_metrics(dataset))]
    return {key: replace(cell, stage=stages, metrics=metrics) for key, cell in (images | problems).items()}


def images_cell(audit: dict[str, Any], splits: tuple[str, ...], printed: int | None, synthetic: bool) -> Cell:
    ours = sum(audit["images"].get(split, 0) for split in splits)
    verdict, reason = judge(ours, printed, synthetic)
    return Cell("counted", ours, "count", printed, None, verdict, reason)


def problem_cell(audit: dict[str, Any], dotted: str) -> Cell:
    value = pairs_of_kind(audit, dotted) if dotted in KINDS else pick(audit, dotted)
    return NO_PLACEHOLDERS if value is None else Cell("counted", value, "count")


def printed_counts(dataset: str, config: Config) -> dict[str, int]:
    """What a paper prints, as the columns of COUNTED; nothing for a data set of no paper."""
    for study in studies.used(config):
        if dataset in study.datasets and dataset in (images := study.printed_images()):
            return dict(images[dataset])
    return {}


def judge(ours: int, printed: int | None, synthetic: bool) -> verdicts.Judgement:
    if printed is not None and synthetic:
        return "not comparable", "synthetic images"
    return verdicts.of_count(ours, printed)


def pairs_of_kind(audit: dict[str, Any], kind: str) -> int:
    return sum(pairs[kind] for pairs in audit["pairs"].values())


def pick(audit: Any, dotted: str) -> int | None:
    """None where it was not looked for."""
    for key in dotted.split("."):
        if key not in audit:
            return None
        audit = audit[key]
    return int(audit)


def notes() -> list[str]:
    return [
        "An exact copy has the bytes of an earlier image. A near pair is one picture twice, in another size, brightness, "
        "contrast, crop or compression; mirrored: left for right. A group is what pairs link. How they are found, and how "
        "often rightly: docs/audit.md.",
        "Leaked: a test image in one group with an image that is trained or validated on.",
        "Images per class and split: results/metrics/audit; every pair: results/audit; pictures: "
        "results/figures/audit_<data set>.png.",
    ]
