"""The tables: which there are, what each reads, and how each is built."""

from types import ModuleType
from typing import Any

from cellar.errors import CellarError
from cellar.mistakes import likely
from cellar.params import Params
from cellar.tables import (
    all_contradictions,
    all_verdicts,
    audit,
    audit_accuracy,
    cifar100_table_1,
    cifar100_table_2,
    custom,
    pins_tables,
    sweep,
    table_i,
    table_ii,
    table_iii,
    table_iv,
    table_v,
    table_vi,
)
from cellar.tables.cells import Table

PRINTED: dict[str, ModuleType] = {
    "table_i": table_i,
    "table_ii": table_ii,
    "table_iii": table_iii,
    "table_iv": table_iv,
    "table_v": table_v,
    "table_vi": table_vi,
    "cifar100_table_1": cifar100_table_1,
    "cifar100_table_2": cifar100_table_2,
}
COLLECTED: dict[str, ModuleType] = {all_verdicts.ID: all_verdicts, all_contradictions.ID: all_contradictions}
AUDITS: dict[str, ModuleType] = {"audit": audit, "audit_accuracy": audit_accuracy}
SHOWING_PARAMS = {"table_iv": table_iv.param_keys, "cifar100_table_2": cifar100_table_2.param_keys}


def known(params: Params) -> list[str]:
    """Ids of the printed tables, of what is collected over them, of the audits, of one for each data set of the user's own,
    and of the sweeps."""
    sweeps = [name for name, line in params.sweeps.items() if params.is_on(line)]
    own = [f"custom_{name}" for name in custom.datasets(params)]
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
    if table in SHOWING_PARAMS:
        return SHOWING_PARAMS[table](params)
    if table in pins_tables.known(params):
        return pins_tables.param_keys(params, table)
    if table == "table_v":
        return ["scale", "costs"]
    return ["scale", f"sweeps.{table}"] if table in params.sweeps else ["scale"]


def build(table: str, params: Params) -> Table:
    built: Table = ask(table, params, "build")
    return built


def ask(table: str, params: Params, function: str) -> Any:
    """Call a function of the module that knows `table`. Raises CellarError that suggests the likely table."""
    if table in PRINTED | AUDITS:
        return getattr((PRINTED | AUDITS)[table], function)(params)
    if table in COLLECTED:
        return getattr(COLLECTED[table], function)(params, of_papers(params))
    if table in params.sweeps:
        return getattr(sweep, function)(params, table)
    if table in pins_tables.known(params):
        return getattr(pins_tables, function)(params, table)
    if table in known(params):
        return getattr(custom, function)(params, table.removeprefix("custom_"))
    raise CellarError(f"there is no table {table!r}{likely(table, known(params))}; known: {', '.join(known(params))}")
