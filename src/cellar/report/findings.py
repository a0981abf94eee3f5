"""`cellar findings`: what came out on real data. The words are people's (docs/findings.j2); every number in them is read
from the tables that `cellar keep` left in docs/real_runs, so the page cannot say what no run has shown."""

from pathlib import Path

import jinja2

from cellar import files, paths
from cellar.config.strict_yaml import read_yaml
from cellar.errors import CellarError, reason
from cellar.provenance import cell_names
from cellar.report.head import spent
from cellar.tables.cells import Cell, Column
from cellar.tables.numbers import number_text, value_text
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
    except (TypeError, ValueError, ArithmeticError) as error:  # a wrong number of arguments, a filter's
        raise CellarError(f"{TEMPLATE}: {reason(error)}; mend it, then run again") from None


class Run:
    """A kept run, as the template asks it: `run("fer2013_cpu").cell("table_iv", "fer2013-E1", "accuracy")`."""

    def __init__(self, name: str) -> None:
        self.folder = paths.REAL_RUNS / name
        if not self.folder.is_dir():
            kept = ", ".join(sorted(path.parent.name for path in paths.REAL_RUNS.glob("*/records.json")))
            raise CellarError(f"{TEMPLATE}: no run {name!r} is kept in {paths.REAL_RUNS}; kept: {kept or 'none'}")

    @property
    def note(self) -> str:
        """What its scale is, in the words of its params.yaml."""
        return str(read_yaml(self.folder / "params.yaml")["scale"]["note"])

    @property
    def time(self) -> str:
        """The recorded seconds of all stages."""
        records = files.read_json(self.folder / "records.json")
        return spent(sum(record.get("seconds") or 0 for record in records.values()))

    def cell(self, table: str, row: str, column: str) -> str:
        """The value as its table shows it, with its interval."""
        return value_text(*self.found(table, row, column))

    def paper(self, table: str, row: str, column: str) -> str:
        """The printed figure beside it, with its mark."""
        return paper_text(*self.found(table, row, column))

    def metric(self, path: str, *keys: str, unit: str = "%") -> str:
        """A number of a metrics file, for what no table shows: `metric("teachers/pins_resnet50/seed-0", "accuracy")`."""
        where = self.kept(paths.METRICS / f"{path}.json")
        found = files.read_json(where)
        for key in keys:
            if not isinstance(found, dict) or key not in found:
                raise CellarError(f"{TEMPLATE}: {where} has no {'.'.join(keys)}; mend the template")
            found = found[key]
        return number_text(found, unit)

    def n(self, table: str, row: str, column: str) -> int | str:
        """How many trainings a cell is the mean of, or how many test images it is a share of."""
        return self.found(table, row, column)[0].n or "–"

    def found(self, table: str, row: str, column: str) -> tuple[Cell, Column]:
        path = self.kept(paths.TABLES / f"{table}.json")
        _, head, cell = cell_names.find(cell_names.read_table(path), row, column, f"{TEMPLATE}: {path}")
        return Cell(**cell), Column(**head)

    def kept(self, path: Path) -> Path:
        if not (self.folder / path).is_file():
            raise CellarError(f"{TEMPLATE}: {self.folder / path} is not kept; mend the template")
        return self.folder / path
