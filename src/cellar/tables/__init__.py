"""The tables: which there are, what each reads, and how each is built.

Tables of papers are declared by their studies (cellar.studies); those that any paper can have are here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cellar import studies
from cellar.config import Config, Params
from cellar.config.validation_errors import likely
from cellar.errors import CellarError
from cellar.studies import Study, TableSpec, shown_values
from cellar.tables import (
    audit,
    audit_accuracy,
    comparable,
    contradictions,
    custom,
    exports,
    leakage,
    sweep,
    verdicts_of_all,
)

if TYPE_CHECKING:
    from cellar.tables.cells import Table


@dataclass(frozen=True)
class Entry:
    """A table under its project-wide id. `study`: the key of the one that it belongs to, "" for all of them.

    `inputs`: the files that it reads, one by one; `shown`: the values of params.yaml that it prints (everything else reaches
    it through its inputs); `code`: files and folders that build it, beside the engine's.
    """

    id: str
    study: str
    build: Callable[[], "Table"]
    inputs: Callable[[], list[str]]
    shown: Callable[[], dict[str, Any]]
    code: tuple[str, ...] = ()
    of_paper: bool = False
    sweep: bool = False


def known(config: Config) -> list[str]:
    """Ids of the papers' tables, of one for each data set of the user's own and for each without its leaked images, of the
    sweeps, of those collected over all papers, and of the audits."""
    return list(catalogue(config))


def build(table: str, config: Config) -> "Table":
    entry = find(table, config)
    built = entry.build()
    return replace(built, id=table, study=entry.study) if entry.of_paper else replace(built, id=table)


def find(table: str, config: Config) -> Entry:
    """Raises CellarError that suggests the likely table."""
    entries = catalogue(config)
    if table not in entries:
        raise CellarError(f"there is no table {table!r}{likely(table, list(entries))}; known: {', '.join(entries)}")
    return entries[table]


def catalogue(config: Config) -> dict[str, Entry]:
    papers = [entry for params in config.all_params() for entry in of_paper(params)]
    own = [entry for params in config.all_params() for entry in generic(params)]
    return distinct([*papers, *collected(config, [entry.id for entry in papers]), *audits(config), *own])


def distinct(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries by id. Names of sweeps and experiments belong to their study: where an id is taken, the study stands before it."""
    known: dict[str, Entry] = {}
    for entry in entries:
        name = f"{entry.study}/{entry.id}" if entry.id in known else entry.id
        known[name] = replace(entry, id=name)
    return known


def of_paper(params: Params) -> Iterator[Entry]:
    """The tables that a study declares."""
    study = studies.known().get(params.study)
    for spec in (*study.tables, *study.more_tables(params)) if study else ():
        if study and spec.is_known(params):
            code = tuple(str(studies.folder(study) / name) for name in ("study.py", *spec.code))
            build, inputs = partial(spec.build, params), partial(inputs_of, spec, params)
            shown = partial(shown_values, params, partial(shown_params_of, spec))
            yield Entry(study.full_id(spec.id), study.key, build, inputs, shown, code, of_paper=True)


def inputs_of(spec: TableSpec, params: Params) -> list[str]:
    """The files that a study's table reads, those among them that its verdicts rest on."""
    return sorted({*spec.inputs(params), *comparable.evidence(params, spec.judged(params))})


def shown_params_of(spec: TableSpec, params: Params) -> list[str]:
    """The parameters that a study's table prints, or that its verdicts rest on."""
    return list(dict.fromkeys([*spec.shown_params(params), *comparable.params_read(params, spec.judged(params))]))


def collected(config: Config, shown: list[str]) -> Iterator[Entry]:
    """`shown`: the papers' tables."""
    code = tuple(file for study in studies.used(config) for file in studies.code_files(study))
    build, inputs = (
        partial(verdicts_of_all.build, config, shown=shown),
        partial(verdicts_of_all.inputs, config, shown=shown),
    )
    yield Entry(verdicts_of_all.ID, "", build, inputs, partial(scale, config), code)
    build, inputs = partial(contradictions.build, config), partial(contradictions.inputs, config)
    yield Entry(contradictions.ID, "", build, inputs, partial(scale, config), code)


def audits(config: Config) -> Iterator[Entry]:
    printing = [study for study in studies.used(config) if study.printed_images is not dict]
    printed = tuple(file for study in printing for file in studies.code_files(study))
    if any(section.enabled for section in config.datasets.values()):
        functions = partial(audit.build, config), partial(audit.inputs, config)
        yield Entry("audit", "", *functions, partial(audit.shown, config), printed)
    if audit_accuracy.shown(config):
        functions = partial(audit_accuracy.build, config), partial(audit_accuracy.inputs, config)
        yield Entry("audit_accuracy", "", *functions, partial(scale, config))


def generic(params: Params) -> Iterator[Entry]:
    """One for each data set of the user's own, for each without its leaked images, for all exports, and for each sweep."""
    study = studies.known().get(params.study)
    code = tuple(studies.code_files(study)) if study else ()
    for dataset in custom.datasets(params):
        yield own(params, study, f"custom_{dataset}", custom, dataset=dataset)
    for dataset in leakage.datasets(params):
        yield own(params, study, f"leakage_{dataset}", leakage, dataset=dataset)
    if exports.shown(params):
        yield own(params, study, exports.ID, exports)
    for key, line in params.sweeps.items():
        if params.is_on(line):
            yield replace(own(params, study, key, sweep, code, sweep=key), sweep=True)


def own(
    params: Params, study: Study | None, name: str, module: Any, code: tuple[str, ...] = (), **arguments: str
) -> Entry:
    """A table of a generic module, for one data set or sweep of a study."""
    table = study.full_id(name) if study else name
    build, inputs = (partial(function, params, **arguments) for function in (module.build, module.inputs))
    shown = partial(shown_values, params, partial(module.shown_params, **arguments))
    return Entry(table, params.study, build, inputs, shown, code)


def scale(config: Config) -> dict[str, Any]:
    """What every table prints."""
    return {"scale": config.scale.model_dump(mode="json")}


def read_by_any(config: Config) -> set[str]:
    """The files that some table reads."""
    return {path for entry in catalogue(config).values() for path in entry.inputs()}
