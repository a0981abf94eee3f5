"""The tables: which there are, what each reads, and how each is built.

Tables of papers are declared by their studies (cellar.studies); those that any paper can have are here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from cellar import studies
from cellar.config import Params
from cellar.config.validation_errors import likely
from cellar.errors import CellarError
from cellar.studies import Study, TableSpec
from cellar.tables import audit, audit_accuracy, contradictions, custom, leakage, sweep, verdicts_of_all

if TYPE_CHECKING:
    from cellar.tables.cells import Table

Result = TypeVar("Result")
CODE = ("src/cellar/tables", "src/cellar/metrics", "src/cellar/studies.py")  # of every table
AUDIT_CODE = ("src/cellar/data/audit",)


@dataclass(frozen=True)
class Entry:
    """A table under its project-wide id; `study` if a paper has it; `code`: repository paths that build it."""

    spec: TableSpec
    study: Study | None
    code: tuple[str, ...]


def known(params: Params) -> list[str]:
    """Ids of the papers' tables, of those collected over them, of the audits, of one for each data set of the user's
    own and for each without its leaked images, and of the sweeps."""
    return list(catalogue(params))


def of_papers(params: Params) -> list[str]:
    """The tables that the papers print."""
    return [table for table, entry in catalogue(params).items() if entry.study]


def inputs(table: str, params: Params) -> list[str]:
    """The files that a table reads, one by one."""
    return find(table, params).spec.inputs(params)


def param_keys(table: str, params: Params) -> list[str]:
    """The keys of params.yaml that a table shows; everything else reaches it through the files it reads."""
    return find(table, params).spec.shown_params(params)


def code_of(table: str, params: Params) -> list[str]:
    """The files and folders of the repository that build a table."""
    return list(find(table, params).code)


def build(table: str, params: Params) -> "Table":
    entry = find(table, params)
    built = entry.spec.build(params)
    return replace(built, id=table, study=entry.study.key) if entry.study else replace(built, id=table)


def find(table: str, params: Params) -> Entry:
    """Raises CellarError that suggests the likely table."""
    entries = catalogue(params)
    if table not in entries:
        raise CellarError(f"there is no table {table!r}{likely(table, list(entries))}; known: {', '.join(entries)}")
    return entries[table]


def catalogue(params: Params) -> dict[str, Entry]:
    papers = dict(tables_of_papers(params))
    return papers | dict(collected(list(papers))) | dict(audits(params)) | dict(own(params))


def tables_of_papers(params: Params) -> Iterator[tuple[str, Entry]]:
    for study in studies.shown_by(params):
        folder = studies.folder(study)
        for spec in study.tables:
            if spec.is_known(params):
                code = (*CODE, *(str(folder / name) for name in ("study.py", *spec.code)))
                yield study.full_id(spec.id), Entry(spec, study, code)


def collected(shown: list[str]) -> Iterator[tuple[str, Entry]]:
    """`shown`: the papers' tables."""
    code = (*CODE, *(file for study in studies.known().values() for file in studies.code_files(study)))
    build, read = partial(verdicts_of_all.build, shown=shown), partial(verdicts_of_all.inputs, shown=shown)
    yield verdicts_of_all.ID, Entry(TableSpec(verdicts_of_all.ID, build, read), None, code)
    spec = TableSpec(contradictions.ID, contradictions.build, contradictions.inputs)
    yield contradictions.ID, Entry(spec, None, code)


def audits(params: Params) -> Iterator[tuple[str, Entry]]:
    printing = [study for study in studies.known().values() if study.printed_images is not dict]
    printed = tuple(file for study in printing for file in studies.code_files(study))
    if any(section.enabled for section in params.datasets.values()):
        yield "audit", Entry(TableSpec("audit", audit.build, audit.inputs), None, CODE + printed)
    if audit_accuracy.shown(params):
        spec = TableSpec("audit_accuracy", audit_accuracy.build, audit_accuracy.inputs)
        yield "audit_accuracy", Entry(spec, None, CODE + AUDIT_CODE)


def own(params: Params) -> Iterator[tuple[str, Entry]]:
    """One for each data set of the user's own, for each without its leaked images, and for each sweep."""
    for dataset in custom.datasets(params):
        yield generic(params, custom, f"custom_{dataset}", dataset)
    for dataset in leakage.datasets(params):
        yield generic(params, leakage, f"leakage_{dataset}", dataset, AUDIT_CODE)
    for name, line in params.sweeps.items():
        if params.is_on(line):
            study = studies.of_dataset(params, line.dataset)
            yield generic(params, sweep, name, name, tuple(studies.code_files(study)) if study else ())


def generic(
    params: Params, module: ModuleType, name: str, subject: str, code: tuple[str, ...] = ()
) -> tuple[str, Entry]:
    """The table of a module whose functions take a data set or a sweep beside the parameters."""

    def about(function: Callable[[Params, str], Result]) -> Callable[[Params], Result]:
        return lambda params: function(params, subject)

    spec = TableSpec(name, about(module.build), about(module.inputs), about(module.shown_params))
    return studies.full_id(params, name), Entry(spec, None, CODE + code)
