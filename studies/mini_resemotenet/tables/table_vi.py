"""Table VI: accuracy and parameters beside prior work, and the students alone, which the paper left out."""

from collections.abc import Iterator, Sequence

from cellar import files, paths
from cellar.config import Params
from cellar.config.lines import Line
from cellar.tables import verdicts
from cellar.tables.cells import NOTHING, Cell, Column, Row, Table, keyed_row
from cellar.tables.run_cells import accuracy_cell
from cellar.tables.runs import Runs, row_runs

from ..printed import DATASETS, KEY, VI_COLUMNS, table, variants
from .table_i import row_id

OURS = {  # printed label -> row id, row of experiments (None: the teacher), model
    "ResEmoteNet": ("resemotenet", None, "resemotenet"),
    "Student Model A(E1)": ("E1", "E1", "resemotenet_a"),
    "Student Model B(E4)": ("E4", "E4", "resemotenet_b"),
}
ALONE = {  # rows the paper left out
    "Student Model A alone": ("scratch_a", "scratch_a", "resemotenet_a"),
    "Student Model B alone": ("scratch_b", "scratch_b", "resemotenet_b"),
}
IN_COLUMN = {VI_COLUMNS[name]: dataset for dataset, name in DATASETS.items()}  # column -> data set


def inputs(params: Params) -> list[str]:
    needed = {str(paths.printed(KEY)), str(paths.model_counts(KEY))}
    for dataset in DATASETS:
        for _, row, _ in [*OURS.values(), *ALONE.values()]:
            runs = row_runs(params, dataset, row)
            needed |= set(runs.metrics_files()) if runs else set()
    return sorted(needed)


def judged(params: Params) -> Iterator[Runs]:
    for dataset in DATASETS:
        for _, row, _ in OURS.values():
            if runs := row_runs(params, dataset, row):
                yield runs


def recipes(params: Params) -> dict[str, list[str]]:
    """Printed label of a network trained here -> names of its recipes, one unless data sets differ; none of a given file."""
    found: dict[str, list[str]] = {}
    for label, (_, row, _) in OURS.items():
        taught = [line for line in params.experiments.values() if line.row == row]
        trained = [line for line in params.teachers.values() if line.weights is None]
        lines: Sequence[Line] = trained if row is None else taught
        found[label] = sorted({line.recipe for line in lines if line.dataset in DATASETS and params.is_on(line)})
    return found


def shown_params(params: Params) -> list[str]:
    """The note on budgets prints epochs."""
    return ["scale", *sorted({f"recipes.{recipe}.epochs" for names in recipes(params).values() for recipe in names})]


def build(params: Params) -> Table:
    counts, printed = files.read_json(paths.model_counts(KEY)), table("table_VI")["rows"]
    rows = []
    for label, values in printed.items():
        if label in OURS:
            row = our_row(params, counts, label, OURS[label], values)
        else:
            row = Row(row_id(label), label, {column: cited(values[column], column) for column in (*IN_COLUMN, "parameters")})  # fmt: skip
        rows.append(Row(row.id, label, keyed_row(row.cells, "tables", "table_VI", "rows", label)))
    rows += [our_row(params, counts, label, ids, {}) for label, ids in ALONE.items()]
    columns = [
        Column("fer2013_accuracy", "FER2013 accuracy (%)", "%"),
        Column("raf_db_accuracy", "RAF-DB accuracy (%)", "%"),
        Column("parameters", "parameters", "count"),
    ]
    title = "Table VI. Test accuracy and parameters beside prior work"
    return Table("table_vi", title, KEY, params.scale.model_dump(), notes(params), columns, rows)


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
    cells = {}
    for column, dataset in IN_COLUMN.items():
        value = printed.get(column)
        cells[column] = accuracy_cell(row_runs(params, dataset, row), params, value, elsewhere(row, column, value))
    verdict, reason = verdicts.of_count(counts[model]["parameters"], printed.get("parameters"))
    cells["parameters"] = Cell(
        "counted", counts[model]["parameters"], "count", printed.get("parameters"), None, verdict, reason,
        stage=[paths.stage_address("count_models", "", KEY)], metrics=[str(paths.model_counts(KEY))],
    )  # fmt: skip
    return Row(identifier, label, cells)


def elsewhere(row: str | None, column: str, printed: float | None) -> list[float]:
    """What the paper prints elsewhere for the number of one of our rows."""
    return [] if printed is None else variants(DATASETS[IN_COLUMN[column]], row or "teacher", printed)


def budgets(params: Params) -> Iterator[str]:
    """Epochs of each network, such as "Student Model A(E1) 5"."""
    for label, names in recipes(params).items():
        if names:
            yield f"{label} {' or '.join(str(params.recipes[name].epochs) for name in names)}"


def notes(params: Params) -> list[str]:
    rows, printed_twice = table("table_VI")["rows"], []
    for label, (_, row, _) in OURS.items():
        for column, dataset in IN_COLUMN.items():
            others = " and ".join(f"{value:.2f}" for value in elsewhere(row, column, rows[label][column]))
            if others:
                here = f"this table prints {rows[label][column]:.2f}, the paper elsewhere {others}"
                printed_twice.append(f"{label} on {DATASETS[dataset]}: {here}.")
    averages = [label for label, row in rows.items() if row.get("note") == "average accuracy"]
    return [
        *printed_twice,
        f"{' and '.join(averages)}: average accuracy, as the paper notes.",
        "Student Model A alone, B alone: the same student and recipe without a teacher; the paper has no such rows.",
        *([f"Epochs, at most: {', '.join(epochs)}."] if (epochs := list(budgets(params))) else []),
    ]
