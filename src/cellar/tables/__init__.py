"""The tables: which there are, what each reads, and how each is built.

A table is a module, imported when it is asked for, so that a stage depends on the code of its own table alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cellar.config import Params
from cellar.config.validation_errors import likely
from cellar.errors import CellarError
from cellar.tables import audit_accuracy, custom, leakage, pins_tables

if TYPE_CHECKING:
    from cellar.tables.cells import Table

PRINTED = [
    *(f"table_{number}" for number in ("i", "ii", "iii", "iv", "v", "vi")),
    "cifar100_table_1",
    "cifar100_table_2",
]
COLLECTED = {"verdicts": "all_verdicts", "contradictions": "all_contradictions"}  # table -> its module
AUDITS = ["audit", "audit_accuracy"]
FAMILIES = {"custom": custom, "leakage": leakage}  # <family>_<data set>


def known(params: Params) -> list[str]:
    """Ids of the printed tables, of what is collected over them, of the audits, of one for each data set of the user's own
    and for each that leaves its leaks out, and of the sweeps."""
    sweeps = [name for name, line in params.sweeps.items() if params.is_on(line)]
    own = [f"{family}_{name}" for family, module in FAMILIES.items() for name in module.datasets(params)]
    audits = ["audit"] if any(section.enabled for section in params.datasets.values()) else []
    audits += ["audit_accuracy"] if audit_accuracy.shown(params) else []
    return [*of_papers(params), *COLLECTED, *audits, *own, *sweeps]


def of_papers(params: Params) -> list[str]:
    """The tables that the papers print."""
    return [*PRINTED, *pins_tables.known(params)]


def inputs(table: str, params: Params) -> list[str]:
    """The files that a table reads, one by one."""
    found: list[str] = ask(table, params, "inputs")
    return found


def param_keys(table: str, params: Params) -> list[str]:
    """The keys of params.yaml that a table shows; everything else reaches it through the files it reads."""
    module = import_module(module_of(table, params))
    found: list[str] = ask(table, params, "param_keys") if hasattr(module, "param_keys") else ["scale"]
    return found


def build(table: str, params: Params) -> "Table":
    built: Table = ask(table, params, "build")
    return built


def ask(table: str, params: Params, function: str) -> Any:
    """Call a function of the module that knows `table`. Raises CellarError that suggests the likely table."""
    answer = getattr(import_module(module_of(table, params)), function)
    if table in PRINTED or table in AUDITS:
        return answer(params)
    if table in COLLECTED:
        return answer(params, of_papers(params))
    family, _, dataset = table.partition("_")
    return answer(params, dataset if family in FAMILIES else table)


def module_of(table: str, params: Params) -> str:
    """The module of a table. Raises CellarError that suggests the likely table."""
    if table in params.sweeps:
        name = "sweep"
    elif table in pins_tables.known(params):
        name = "pins_tables"
    elif table not in known(params):
        raise CellarError(
            f"there is no table {table!r}{likely(table, known(params))}; known: {', '.join(known(params))}"
        )
    else:
        family = table.partition("_")[0]
        name = family if family in FAMILIES else COLLECTED.get(table, table)
    return f"cellar.tables.{name}"
