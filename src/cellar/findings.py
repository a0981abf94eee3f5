"""`cellar findings`: what came out on real data. The words are people's (docs/findings.j2); every number in them is read
from the tables that `cellar keep` left in docs/real_runs, so the page cannot say what no run has shown."""

import json
from pathlib import Path
from typing import Any

import jinja2

from cellar import files, paths
from cellar.errors import CellarError
from cellar.tables.cells import Cell, Column, Table, from_json
from cellar.tables.numbers import value_text
from cellar.tables.render import paper_text

TEMPLATE, PAGE = Path("docs/findings.j2"), Path("docs/findings.md")
HEAD = "<!-- Written by `cellar findings` from findings.j2 and the tables of real_runs: change those. -->\n\n"


def write() -> Path:
    """Raises CellarError when the template names a cell that no kept run has."""
    files.write_text(PAGE, page())
    return PAGE


def page() -> str:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    try:
        template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
        return HEAD + template.render(run=Run).strip() + "\n"
    except jinja2.TemplateError as error:
        line = f", line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else ""
        raise CellarError(f"{TEMPLATE}{line}: {error.message}; mend it, then run again") from None


class Run:
    """A kept run, as the template asks it: `run("fer2013_cpu").cell("table_iv", "fer2013-E1", "accuracy")`."""

    def __init__(self, name: str) -> None:
        self.name, self.folder = name, paths.REAL_RUNS / name
        if not self.folder.is_dir():
            kept = (
                ", ".join(sorted(path.name for path in paths.REAL_RUNS.iterdir())) if paths.REAL_RUNS.exists() else ""
            )
            raise CellarError(f"{TEMPLATE}: no run {name!r} is kept in {paths.REAL_RUNS}; kept: {kept or 'none'}")

    @property
    def note(self) -> str:
        """What its scale is, in the words of its params.yaml."""
        tables = sorted((self.folder / paths.TABLES).glob("*.json"))
        return str(self.table(tables[0].stem).scale["note"])

    @property
    def hours(self) -> str:
        """The recorded seconds of all stages, as hours and minutes."""
        records: dict[str, Any] = json.loads((self.folder / "records.json").read_text(encoding="utf-8"))
        minutes = round(sum(record.get("seconds") or 0 for record in records.values()) / 60)
        return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"

    def file(self, table: str) -> Path:
        return self.folder / paths.TABLES / f"{table}.json"

    def table(self, name: str) -> Table:
        return from_json(files.read_json(self.file(name)))

    def cell(self, table: str, row: str, column: str) -> str:
        """The value as its table shows it, with its interval."""
        return value_text(*self.found(table, row, column))

    def paper(self, table: str, row: str, column: str) -> str:
        """The printed figure beside it, with its mark."""
        return paper_text(*self.found(table, row, column))

    def runs(self, table: str, row: str, column: str) -> int:
        """How many trainings a cell is the mean of, or how many test images it is a share of."""
        return self.found(table, row, column)[0].n or 1

    def found(self, table: str, row: str, column: str) -> tuple[Cell, Column]:
        whole = self.table(table)
        for line in whole.rows:
            for head in whole.columns:
                if (line.id, head.id) == (row, column) and column in line.cells:
                    return line.cells[column], head
        raise CellarError(f"{TEMPLATE}: {self.file(table)} has no cell {row}, {column}; mend the template")
