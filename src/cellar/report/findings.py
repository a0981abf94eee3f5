"""`cellar findings`: what came out on real data. The words are people's (docs/findings.j2); every number in them is read
from the tables of archived runs (runs/), so the page cannot claim what no run has shown."""

from pathlib import Path
from typing import Any

import jinja2

from cellar import files, paths
from cellar.config.strict_yaml import read_yaml
from cellar.errors import CellarError, reason
from cellar.provenance import cell_names
from cellar.provenance.archive import layout
from cellar.provenance.archive.layout import Archive, archives
from cellar.report.head import spent
from cellar.tables.cells import Cell, Column
from cellar.tables.numbers import number_text, value_text
from cellar.tables.render import paper_text

TEMPLATE, PAGE = Path("docs/findings.j2"), Path("docs/findings.md")
HEAD = "<!-- Written by `cellar findings` from findings.j2 and the tables of ../runs: change those. -->\n\n"


def write() -> Path:
    """Raises CellarError if the template names a cell that no archived run has."""
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
    except (TypeError, ValueError, ArithmeticError) as error:  # a wrong number of arguments, a filter's
        raise CellarError(f"{TEMPLATE}: {reason(error)}; mend it, then run again") from None


class Run:
    """An archived run, as the template uses it: `run("fer2013_cpu").cell("table_iv", "fer2013-E1", "accuracy")`."""

    def __init__(self, name: str) -> None:
        self.archive = Archive(paths.RUNS / name)
        if not self.archive.folder.is_dir():
            names = ", ".join(archive.folder.name for archive in archives())
            raise CellarError(f"{TEMPLATE}: no run {name!r} is archived in {paths.RUNS}; archived: {names or 'none'}")

    @property
    def note(self) -> str:
        """The note of its scale, from its params.yaml."""
        return str(read_yaml(self.archive.folder / layout.PARAMS)["scale"]["note"])

    @property
    def time(self) -> str:
        """The recorded seconds of all stages."""
        return spent(sum(record.get("seconds") or 0 for record in self.archive.records.values()))

    def cell(self, table: str, row: str, column: str) -> str:
        """The value as its table shows it, with its interval."""
        return value_text(*self.find(table, row, column))

    def paper(self, table: str, row: str, column: str) -> str:
        """The printed value beside it, with its mark."""
        return paper_text(*self.find(table, row, column))

    def metric(self, path: str, *keys: str, unit: str = "%") -> str:
        """A scalar that no table shows: `metric("teachers/pins_resnet50/seed-0", "accuracy")`."""
        where = f"{self.archive.folder / layout.METRICS}, {path}"
        value = self.archive.metrics.get(str(paths.METRICS / f"{path}.json"))
        if value is None:
            raise CellarError(f"{TEMPLATE}: {where} is not archived; mend the template")
        for key in keys:
            if not isinstance(value, dict) or key not in value:
                raise CellarError(f"{TEMPLATE}: {where} has no {'.'.join(keys)}; mend the template")
            value = value[key]
        return number_text(value, unit)

    def n(self, table: str, row: str, column: str) -> int | str:
        """The number of trainings that a cell is the mean of, or of test images that it is a share of."""
        return self.find(table, row, column)[0].n or "–"

    def sorted_rows(self, table: str, column: str) -> list[tuple[str, str]]:
        """Ids and labels of the rows with a number in this column, from the highest to the lowest."""
        found = [
            (row["cells"].get(column, {}).get("value"), row["id"], row["label"]) for row in self.table(table)["rows"]
        ]
        numbers = [row for row in found if isinstance(row[0], int | float)]
        return [(name, label) for _, name, label in sorted(numbers, reverse=True)]

    def find(self, table: str, row: str, column: str) -> tuple[Cell, Column]:
        _, head, cell = cell_names.find(self.table(table), row, column, f"{TEMPLATE}: {self.file(table)}")
        return Cell(**cell), Column(**head)

    def table(self, table: str) -> dict[str, Any]:
        if not self.file(table).is_file():
            raise CellarError(f"{TEMPLATE}: {self.file(table)} is not archived; mend the template")
        return cell_names.read_table(self.file(table))

    def file(self, table: str) -> Path:
        return self.archive.folder / layout.TABLES / f"{table}.json"
