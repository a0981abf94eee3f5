"""Tables as the page shows them: which columns have the paper's beside them, what is folded, what a cell says."""

from pathlib import Path

import pytest

from cellar.report.chains import Chains
from cellar.report.grid import LONG, Grid, grid
from cellar.tables.cells import NOT_RUN, Cell, Column, Row, Table

OURS = Cell("measured", 41.0, "%", 76.33, [76.42], "differs", "too low", interval=[36.2, 45.9], n=400)
SCALE = {"name": "sample", "synthetic": True, "note": "a sample"}


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(cells: list[Cell], study: str = "mini_resemotenet") -> Grid:
    rows = [Row(f"r{i}", f"row {i}", {"a": cell}) for i, cell in enumerate(cells)]
    return grid(Table("t", "T", study, SCALE, [], [Column("a", "A", "%")], rows), Chains())


def test_the_paper_stands_beside_ours() -> None:
    found = shown([OURS])
    assert [(head.label, head.kind) for head in found.heads] == [("A", ""), ("paper", "paper")]
    [(label, [cell])] = found.lines
    assert (label, cell.text, cell.interval, cell.paper) == ("row 0", "41.00", "[36.20, 45.90]", "76.33 or 76.42 ✗")
    assert cell.verdict == "differs"
    assert cell.facts["n"] == "400" and cell.facts["reason"] == "too low"


def test_a_list_over_all_studies_has_no_column_of_the_papers() -> None:
    assert [head.label for head in shown([OURS], "all_studies").heads] == ["A"]


def test_words_make_a_column_of_words_and_lists_of_numbers_do_not() -> None:
    assert shown([Cell("derived", "see there")]).heads[0].kind == "words"
    assert shown([Cell("reported", "64, 128, 256")]).heads[0].kind == ""


def test_only_long_tables_are_folded() -> None:
    assert not shown([OURS] * LONG).long
    assert shown([OURS] * (LONG + 1)).long


def test_a_table_is_not_made_when_nothing_of_it_was_run() -> None:
    assert shown([NOT_RUN, OURS]).made
    absent = shown([NOT_RUN, Cell("derived")])
    assert not absent.made and absent.why == NOT_RUN.reason
    assert shown([Cell("derived", 1.0)]).made  # nothing is missing
