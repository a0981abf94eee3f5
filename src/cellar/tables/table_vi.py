"""Table VI: accuracy and parameters beside prior work, with the students alone, whom the paper left out."""

from cellar import files, paths
from cellar.config import Params
from cellar.tables import reference, verdicts
from cellar.tables.cells import NOTHING, Cell, Column, Row, Table
from cellar.tables.runs import Runs, accuracy_cell, student_runs, teacher_runs
from cellar.tables.table_i import row_id

DATASETS = {"fer2013_accuracy": "fer2013", "raf_db_accuracy": "raf_db"}
PRINTED_NAMES = {"fer2013_accuracy": "FER2013", "raf_db_accuracy": "RAF-DB"}
OURS = {  # printed label -> row id, row of experiments (None: the teacher), model
    "ResEmoteNet": ("resemotenet", None, "resemotenet"),
    "Student Model A(E1)": ("E1", "E1", "resemotenet_a"),
    "Student Model B(E4)": ("E4", "E4", "resemotenet_b"),
}
ALONE = {  # rows the paper left out
    "Student Model A alone": ("scratch_a", "scratch_a", "resemotenet_a"),
    "Student Model B alone": ("scratch_b", "scratch_b", "resemotenet_b"),
}


def runs(params: Params, dataset: str, row: str | None) -> Runs | None:
    return teacher_runs(params, dataset) if row is None else student_runs(params, dataset, row)


def inputs(params: Params) -> list[str]:
    needed = {str(paths.REFERENCE), str(paths.MODEL_COUNTS)}
    for dataset in DATASETS.values():
        for _, row, _ in [*OURS.values(), *ALONE.values()]:
            found = runs(params, dataset, row)
            needed |= set(found.metrics_files()) if found else set()
    return sorted(needed)


def build(params: Params) -> Table:
    counts, printed = files.read_json(paths.MODEL_COUNTS), reference.table("table_VI")["rows"]
    rows = []
    for label, values in printed.items():
        if label in OURS:
            rows.append(our_row(params, counts, label, OURS[label], values))
        else:
            rows.append(
                Row(
                    row_id(label),
                    label,
                    {column: cited(values[column], column) for column in (*DATASETS, "parameters")},
                )
            )
    rows += [our_row(params, counts, label, ids, {}) for label, ids in ALONE.items()]
    columns = [
        Column("fer2013_accuracy", "FER2013 accuracy (%)", "%"),
        Column("raf_db_accuracy", "RAF-DB accuracy (%)", "%"),
        Column("parameters", "parameters", "count"),
    ]
    title = "Table VI. Test accuracy and parameters beside prior work"
    return Table("table_vi", title, "mini_resemotenet", params.scale.model_dump(), notes(), columns, rows)


def cited(value: float | None, column: str) -> Cell:
    return NOTHING if value is None else Cell("reported", value, "count" if column == "parameters" else "%")


def our_row(
    params: Params,
    counts: dict[str, dict[str, float]],
    label: str,
    ids: tuple[str, str | None, str],
    printed: dict[str, float],
) -> Row:
    identifier, row, model = ids
    cells = {
        column: accuracy_cell(
            runs(params, dataset, row), params, printed.get(column), variants(row, column, printed.get(column))
        )
        for column, dataset in DATASETS.items()
    }
    verdict, reason = verdicts.of_count(counts[model]["parameters"], printed.get("parameters"))
    cells["parameters"] = Cell(
        "counted", counts[model]["parameters"], "count", printed.get("parameters"), None, verdict, reason,
        stage=["count_models"], metrics=[str(paths.MODEL_COUNTS)],
    )  # fmt: skip
    return Row(identifier, label, cells)


def variants(row: str | None, column: str, printed: float | None) -> list[float]:
    """What the paper prints elsewhere for the number of one of our rows."""
    if printed is None:
        return []
    return reference.variants(PRINTED_NAMES[column], row or "teacher", printed)


def notes() -> list[str]:
    found = []
    for label, (_, row, _) in OURS.items():
        for column, name in PRINTED_NAMES.items():
            printed = reference.table("table_VI")["rows"][label][column]
            others = " and ".join(f"{value:.2f}" for value in variants(row, column, printed))
            found += (
                [f"{label} on {name}: this table prints {printed:.2f}, the paper elsewhere {others}."] if others else []
            )
    averages = [
        label for label, row in reference.table("table_VI")["rows"].items() if row.get("note") == "average accuracy"
    ]
    return [
        *found,
        f"{' and '.join(averages)}: average accuracy, as the paper notes.",
        "Student Model A alone, B alone: the same student and recipe without a teacher; the paper has no such rows.",
    ]
