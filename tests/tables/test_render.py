"""The Markdown: made from the JSON alone, valid, and honest in its first line about synthetic images."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellar import files
from cellar.errors import CellarError
from cellar.tables import numbers, render
from cellar.tables.cells import Cell, Column, Row, Table, as_json, from_json
from cellar.tables.runs import SEVERAL_PROCESSORS
from tests.table_project import Project

from .test_table_files import ALL

TABLES = Path("results/tables")


def floats(value: object) -> Iterator[float]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from floats(inner)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize("table", ALL)
class TestEveryTable:
    def test_markdown_follows_from_the_json(self, project: Project, table: str) -> None:
        project.tabulate(table)
        kept = (TABLES / f"{table}.md").read_text(encoding="utf-8")
        assert render.markdown(from_json(files.read_json(TABLES / f"{table}.json"))) == kept

    def test_the_json_loses_nothing(self, project: Project, table: str) -> None:
        built = project.build(table)
        assert from_json(json.loads(json.dumps(as_json(built), allow_nan=False))) == built

    def test_floats_have_at_most_four_digits_and_no_exponent(self, project: Project, table: str) -> None:
        found = [repr(one) for one in floats(as_json(project.build(table)))]
        assert [one for one in found if not re.fullmatch(r"-?\d+\.\d{1,4}", one)] == []

    def test_building_again_gives_the_same_bytes(self, project: Project, table: str) -> None:
        kept = []
        for _ in range(2):
            project.tabulate(table)
            kept.append([(TABLES / f"{table}.{ending}").read_bytes() for ending in ("md", "json")])
        assert kept[0] == kept[1]

    def test_the_pipe_table_is_valid(self, project: Project, table: str) -> None:
        text = render.markdown(project.build(table))
        lines = [line for line in text.splitlines() if line.startswith("|")]
        assert len(lines) == len(project.build(table).rows) + 2
        assert len({line.count("|") for line in lines}) == 1
        assert len({len(line) for line in lines}) == 1
        cells = lines[1].strip("|").split("|")
        assert all(re.fullmatch(" -{3,} | -{2,}: ", cell) for cell in cells)
        assert f"\n\n{lines[0]}\n" in text
        assert f"{lines[-1]}\n\n" in text

    def test_the_first_line_says_what_was_drawn(self, project: Project, table: str) -> None:
        first, second, third, *_ = render.markdown(project.build(table)).splitlines()
        what = {"cifar100": "objects", "audit": "images", "custom": "images"}.get(re.split("_", table)[0], "faces")
        assert f"come from synthetic {what}, not from photographs" in first
        assert second == ""
        assert third.startswith("# ")

    def test_photographs_need_no_warning(self, project: Project, table: str) -> None:
        project.real()
        text = render.markdown(project.build(table))
        assert text.startswith("# ")
        assert "synthetic" not in text.splitlines()[0]
        assert "Scale: paper (the papers' data, recipes and epochs)." in text

    def test_every_note_is_below(self, project: Project, table: str) -> None:
        built = project.build(table)
        assert built.notes
        for i, note in enumerate(built.notes, 1):
            assert f"\n{i}. {note}\n" in render.markdown(built)


def test_what_is_off_reads_not_run(without_raf_db: Project) -> None:
    text = render.markdown(without_raf_db.build("table_iv"))
    row = next(line for line in text.splitlines() if line.startswith("| RAF-DB E1"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["RAF-DB E1: Student Model A", "–", "3", "–", "0.2", "not run", "85.00 or 84.21", "not run",
                     "not run", "not run", "0.5213"]  # fmt: skip


def small(**cell: object) -> Table:
    scale = {"name": "paper", "synthetic": False, "note": "as printed"}
    columns = [Column("a", "accuracy (%)", "%"), Column("n", "images", "count")]
    rows = [
        Row("x", "ours", {"a": Cell(**cell), "n": Cell("counted", 1234567)}),  # type: ignore[arg-type]
        Row("y", "theirs", {"a": Cell("reported", 7.125), "n": Cell("reported")}),
    ]
    return Table("small", "Small", "none", scale, [], columns, rows)


def test_a_table_to_the_letter() -> None:
    table = small(kind="measured", value=75.0, interval=[59.8133, 85.8118], paper=76.42, paper_variants=[76.33],
                  verdict="paper inconsistent")  # fmt: skip
    assert render.markdown(table).split("\n\n")[:3] == [
        "# Small",
        "Scale: paper (as printed).",
        "|        |         accuracy (%) |            paper |    images |\n"
        "| ------ | -------------------: | ---------------: | --------: |\n"
        "| ours   | 75.00 [59.81, 85.81] | 76.42 or 76.33 ‡ | 1,234,567 |\n"
        "| theirs |               *7.12* |                – |         – |",
    ]


@pytest.mark.parametrize(
    ("verdict", "shown"),
    [("reproduced", "76.42 ✓"), ("differs", "76.42 ✗"), ("not comparable", "76.42"), (None, "76.42")],
)
def test_a_verdict_is_a_mark(verdict: str | None, shown: str) -> None:
    text = render.markdown(small(kind="measured", value=75.0, paper=76.42, verdict=verdict))
    assert f"| {shown} |" in text


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [
        ("points", 2.5, "+2.50"),
        ("points", -2.5, "-2.50"),
        ("MB", 10102.94, "10,102.94"),
        ("ms", 0.146, "0.15"),
        ("nats", 0.7590, "0.7590"),
        ("count", 80238599, "80,238,599"),
        (None, 0.15, "0.15"),
        (None, "64, 128", "64, 128"),
        (None, 0.00001, "0.00001"),
        (None, -4062.0, "-4062"),
        (None, 80238599, "80238599"),
    ],
)
def test_each_unit_has_its_digits(unit: str | None, value: float | str, shown: str) -> None:
    assert numbers.number_text(value, unit) == shown


def test_a_cell_keeps_only_what_it_knows() -> None:
    first = as_json(small(kind="not_run", paper=76.42))["rows"][0]["cells"]["a"]
    assert first == {"value": None, "kind": "not_run", "paper": 76.42}


@pytest.mark.parametrize("wrong", [{}, [], None, {"columns": [{"colour": 1}], "rows": []}])
def test_another_json_is_refused(wrong: object) -> None:
    with pytest.raises(CellarError, match=r"^this is not a table of cells [^\n]+$"):
        from_json(wrong)


def test_a_training_on_two_types_of_processor_is_named_below() -> None:
    plain, mixed = (render.markdown(small(kind="measured", value=75.0, reason=reason)) for reason in (
        "5 epochs, printed 80", f"5 epochs, printed 80; {SEVERAL_PROCESSORS} (seed 0)"))  # fmt: skip
    assert "processor" not in plain
    assert f"1. ours, accuracy (%): {SEVERAL_PROCESSORS}." in mixed.splitlines()
