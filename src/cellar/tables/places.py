"""Where the figure that stands beside a cell is printed: from a table of ours to the file of printed values."""

from cellar.tables import cifar100_table_2, table_iv, table_v
from cellar.tables.cells import Cell, Row, Table
from cellar.tables.pins_cells import TRAIN
from cellar.tables.pins_lines import ROWS, TEXT_R2
from cellar.tables.pins_tables import LOWEST_RATES
from cellar.tables.printed import Place

CIFAR_ROWS = cifar100_table_2.ROWS


def of(table: Table, row: Row, column: str) -> Place | None:
    """None for a figure that no paper prints: a difference of two printed ones."""
    number = table.id.rpartition("table_")[2]
    if table.id.startswith("pins_"):
        return in_pins(number, row.id, column)
    if table.id == "cifar100_table_2":
        place = ("tables", "table_2", "rows", CIFAR_ROWS[row.id], column)
        return ("derived_claims", "kd_gain") if column == "gain" else place
    if table.id == "cifar100_table_1":
        return ("tables", "table_1", "rows", row.id)
    if table.id == "table_iv":
        dataset, _, line = row.id.rpartition("-")
        name = "teacher" if line == "resemotenet" else line
        return ("tables", "table_IV", table_iv.DATASETS[dataset], name, column)
    if table.id == "table_v":
        return ("tables", "table_V", "rows", printed_cost(row.id), table_v.COLUMNS[column][0])
    if table.id == "table_iii":
        return ("tables", "table_III", "rows_as_printed", row.label.removesuffix(" per set"), column)
    return ("tables", f"table_{number.upper()}", "rows", row.label, column)


def printed_cost(row: str) -> str:
    """fer2013_memory_mb is FER2013.memory_mb."""
    for dataset, name in table_v.DATASETS.items():
        if row.startswith(f"{dataset}_"):
            return f"{name}.{row.removeprefix(f'{dataset}_')}"
    return row


def in_pins(number: str, row: str, column: str) -> Place | None:
    line, _, figure = row.rpartition("-")
    if column == "gain":
        return None
    if line == f"{LOWEST_RATES}_highest":
        return ("text_values", "r2_resnet18_mse_best")
    if line in TEXT_R2:
        return ("text_values", TEXT_R2[line][0], *(["at_epoch"] if figure == "epoch" else []))
    split = [] if figure == "epoch" or number == "1" else [TRAIN if column == TRAIN else "test"]
    return ("tables", f"table_{number}", "rows", ROWS[line][1], *split, figure)


def has_figure(cell: Cell) -> bool:
    """Whether a figure of the paper stands in or beside a cell."""
    return cell.paper is not None or (cell.kind == "reported" and cell.value is not None)
