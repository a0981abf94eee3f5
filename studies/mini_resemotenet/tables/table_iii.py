"""Table III: images per class and split, counted from the prepared data; the printed rows are permuted.

A data set's classes are found by what their names mean; one that the paper does not have gets a row of its own.
"""

from collections import Counter
from typing import Any

from cellar import files, paths
from cellar.config import Params
from cellar.data.class_names import meaning
from cellar.tables import verdicts
from cellar.tables.cells import NOT_RUN, NOTHING, Cell, Column, Row, Table, keyed_row
from cellar.tables.checks.counts import moved_rows
from cellar.tables.runs import is_on, manifest

from ..printed import DATASETS, KEY, table

CLASSES = {
    "Happy": "happy",
    "Surprise": "surprise",
    "Sad": "sad",
    "Angry": "anger",
    "Disgust": "disgust",
    "Fear": "fear",
    "Neutral": "neutral",
}
COLUMNS = {  # column -> label, data set, splits that make it up
    "fer_train": ("FER2013 training", "fer2013", ("train",)),
    "fer_public": ("FER2013 public test", "fer2013", ("validation",)),
    "fer_private": ("FER2013 private test", "fer2013", ("test",)),
    "raf_train": ("RAF-DB training", "raf_db", ("train", "validation")),
    "raf_test": ("RAF-DB test", "raf_db", ("test",)),
}

Counts = dict[str, dict[str, int]]  # column -> class (of the paper by the name above, others by their own) -> images


def inputs(params: Params) -> list[str]:
    return [str(paths.printed(KEY)), *(str(manifest(dataset)) for dataset in DATASETS if is_on(params, dataset))]


def shown_params(params: Params) -> list[str]:
    """Whether the images are synthetic decides whether they are judged."""
    return ["scale", *(f"datasets.{dataset}.source" for dataset in DATASETS if is_on(params, dataset))]


def build(params: Params) -> Table:
    counted = {
        column: count(dataset, splits) for column, (_, dataset, splits) in COLUMNS.items() if is_on(params, dataset)
    }
    rows = [Row(name, label, row_cells(label, name, counted, params)) for label, name in CLASSES.items()]
    others = {name for counts in counted.values() for name in counts} - set(CLASSES.values())
    rows += [Row(f"other_{name}", name, other_cells(name, counted)) for name in sorted(others)]
    rows.append(Row("total", "Total per set", row_cells("Total", None, counted, params)))
    columns = [Column(column, label, "count") for column, (label, _, _) in COLUMNS.items()]
    title = "Table III. Images per class"
    return Table("table_iii", title, KEY, params.scale.model_dump(), notes(), columns, rows)


def count(dataset: str, splits: tuple[str, ...]) -> dict[str, int]:
    counts = files.read_json(manifest(dataset))["counts"]
    found: Counter[str] = Counter()
    for split in splits:
        for name, images in counts.get(split, {}).items():
            found[meaning(name) if meaning(name) in CLASSES.values() else name] += images
    return dict(found)


def row_cells(label: str, name: str | None, counted: Counts, params: Params) -> dict[str, Cell]:
    printed = table("table_III")["rows_as_printed"][label]
    cells = {}
    for column, (_, dataset, _) in COLUMNS.items():
        if column not in counted:
            cells[column] = Cell("not_run", paper=printed[column], reason=NOT_RUN.reason)
            continue
        ours = counted[column].get(name) if name else sum(counted[column].values())
        verdict, reason = judge(column, ours, printed[column], counted, params)
        cells[column] = Cell("counted", ours, "count", printed[column], None, verdict, reason, **sources(dataset))
    return keyed_row(cells, "tables", "table_III", "rows_as_printed", label)


def other_cells(name: str, counted: Counts) -> dict[str, Cell]:
    """Of a class that the paper does not have."""
    cells = {}
    for column, (_, dataset, _) in COLUMNS.items():
        ours = counted.get(column, {}).get(name)
        cells[column] = NOTHING if ours is None else Cell("counted", ours, "count", **sources(dataset))
    return cells


def sources(dataset: str) -> dict[str, Any]:
    """The stage and the file that a count comes from."""
    return {"stage": [paths.stage_address("prepare", dataset)], "metrics": [str(manifest(dataset))]}


def judge(column: str, ours: int | None, printed: int, counted: Counts, params: Params) -> verdicts.Judgement:
    """Real data: equal, or printed in another class's row (the paper's slip), or different. Synthetic data: none."""
    if ours is None:
        return "not comparable", f"{COLUMNS[column][1]} has no class of this name"
    if params.datasets[COLUMNS[column][1]].is_synthetic:
        return "not comparable", "synthetic images"
    verdict, reason = verdicts.of_count(ours, printed)
    others = [name for name, images in counted[column].items() if images == printed]
    if verdict == "differs" and others:
        return "paper inconsistent", f"the printed number is that of {others[0]}"
    return verdict, reason


def notes() -> list[str]:
    """Which printed rows belong to another class, by comparison with the public counts."""
    printed, public = (table("table_III")[rows] for rows in ("rows_as_printed", "rows_true"))
    permuted = []
    for column, (label, _, _) in COLUMNS.items():
        moved = moved_rows(printed, public, column)
        if moved:
            permuted.append(
                f"{label}: the paper's rows are permuted: {', '.join(f'printed {a} is true {b}' for a, b in moved)}."
            )
    return [
        *permuted,
        "RAF-DB comes without a validation split; its training column counts the tenth that is held out here.",
    ]
