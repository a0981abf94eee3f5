"""Table II: widths and parameters of the teacher and of students A, B, C."""

from cellar import files, paths
from cellar.config import Params
from cellar.tables.cells import Cell, Column, Row, Table, keyed_row

from ..printed import KEY, table
from .table_i import counted_cell

MODELS = {
    "ResEmoteNet": "resemotenet",
    "Student Model A": "resemotenet_a",
    "Student Model B": "resemotenet_b",
    "Student Model C": "resemotenet_c",
}


def inputs(params: Params) -> list[str]:
    return [str(paths.printed(KEY)), str(paths.model_counts(KEY))]


def build(params: Params) -> Table:
    counts, printed = files.read_json(paths.model_counts(KEY)), table("table_II")["rows"]
    rows = [Row(MODELS[label], label, cells(counts[MODELS[label]], label, row)) for label, row in printed.items()]
    columns = [
        Column("cnn", "convolutions"),
        Column("se", "squeeze-excite"),
        Column("rb", "residual blocks (inputs)"),
        Column("total_parameters", "parameters", "count"),
    ]
    notes = [
        "Widths are the paper's; the residual blocks' are input widths, the outputs are twice as wide. Read as outputs, the parameters would not come out.",
        "Only with these widths in the fully connected layers too, and with a squeeze-excite of C that does not squeeze, do all four counts agree to the unit.",
    ]
    title = "Table II. Architectures of teacher and students"
    return Table("table_ii", title, KEY, params.scale.model_dump(), notes, columns, rows)


def cells(counted: dict[str, float], label: str, printed: dict[str, object]) -> dict[str, Cell]:
    widths = {key: Cell("reported", text_of(printed[key])) for key in ("cnn", "se", "rb")}
    total = printed["total_parameters"]
    assert isinstance(total, int)
    shown = widths | {"total_parameters": counted_cell(counted, "parameters", "count", total)}
    return keyed_row(shown, "tables", "table_II", "rows", label)


def text_of(widths: object) -> str:
    return ", ".join(map(str, widths)) if isinstance(widths, list) else str(widths)
