"""Which figures there are, what each reads, and what draws it, imported only to draw.

Figures of papers are declared by their studies (cellar.studies). Training curves, the sweeps' heat maps and the
audits' pairs are here: any study can have them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cellar import paths, studies
from cellar.config import Config, Params
from cellar.figures.runs import curves_of, history, images, teachers
from cellar.studies import FigureSpec, Study, only_scale, shown_values
from cellar.tables import sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AUDIT = "audit_"
LOCAL = "cellar.figures"


@dataclass(frozen=True)
class Entry:
    """A figure under its project-wide id. `study`: the key of the one that it belongs to, "" for the audits."""

    id: str
    study: str
    caption: str
    draw: Callable[[], "Figure"]
    inputs: Callable[[], list[str]]
    shown: Callable[[], dict[str, Any]]
    code: tuple[str, ...] = ()
    of_paper: bool = False
    sweep: bool = False


def known(config: Config) -> list[str]:
    """The figures that have something to show."""
    return list(catalogue(config))


def catalogue(config: Config) -> dict[str, Entry]:
    groups = (of_paper, of_trainings, of_grids)
    entries = [entry for group in groups for params in config.all_params() for entry in group(params)]
    return distinct([*entries, *of_audits(config)])


def distinct(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries by id; where one is taken, the study stands before it, as for tables."""
    known: dict[str, Entry] = {}
    for entry in entries:
        name = f"{entry.study}/{entry.id}" if entry.id in known else entry.id
        known[name] = replace(entry, id=name)
    return known


def of_paper(params: Params) -> Iterator[Entry]:
    study = studies.known().get(params.study)
    for spec in study.figures if study else ():
        if study and spec.is_known(params):
            yield declared(study, spec, params)


def declared(study: Study, spec: FigureSpec, params: Params) -> Entry:
    code = tuple(str(studies.folder(study) / name) for name in ("study.py", *spec.code))
    draw, inputs = partial(draw_declared, study, spec.draw, params), partial(spec.inputs, params)
    shown = partial(shown_values, params, spec.shown_params)
    return Entry(study.full_id(spec.id), study.key, spec.caption, draw, inputs, shown, code, of_paper=True)


def draw_declared(study: Study, address: str, params: Params) -> "Figure":
    figure: Figure = studies.function(study, address)(params)
    return figure


def draw_generic(module: str, function: str, params: Params | Config, **arguments: str) -> "Figure":
    """A function of cellar.figures.<module>, imported only to draw."""
    figure: Figure = getattr(import_module(f"{LOCAL}.{module}"), function)(params, **arguments)
    return figure


def of_trainings(params: Params) -> Iterator[Entry]:
    """Training curves of every data set on which a study has teachers and students."""
    study = studies.known().get(params.study)
    for dataset in params.datasets:
        runs = curves_of(params, dataset)
        if (study is None or study.curves) and teachers(params, dataset) and runs:
            name = study.full_id(f"curves_{dataset}") if study else f"curves_{dataset}"
            draw = partial(draw_generic, "curves", "curves", params, dataset=dataset)
            read, shown = [str(history(each)) for each in runs], partial(shown_values, params, only_scale)
            caption = f"Training curves of {dataset}."
            yield Entry(name, params.study, caption, draw, partial(list, read), shown)


def of_grids(params: Params) -> Iterator[Entry]:
    """The heat maps, called like their sweeps."""
    study = studies.known().get(params.study)
    for key, line in params.sweeps.items():
        if params.is_on(line):
            name = study.full_id(key) if study else key
            draw = partial(draw_generic, "grids", "heat_maps", params, sweep=key)
            inputs = partial(sweep.metrics_files, params, key)
            shown = partial(shown_values, params, partial(sweep.shown_params, sweep=key))
            caption = f"{key.replace('_', ' ')}: accuracy over temperature and weight."
            yield Entry(name, params.study, caption, draw, inputs, shown, sweep=True)


def of_audits(config: Config) -> Iterator[Entry]:
    for dataset, section in config.datasets.items():
        if section.enabled:
            draw = partial(draw_generic, "audit_pairs", "audit_pairs", config, dataset=dataset)
            read = [str(paths.audit_pairs(dataset)), *(str(path) for path in images(dataset))]
            shown: Callable[[], dict[str, Any]] = partial(dict, scale=config.scale.model_dump(mode="json"))
            caption = f"Audit of {dataset}: the most similar pairs."
            yield Entry(f"{AUDIT}{dataset}", "", caption, draw, partial(list, read), shown)


def read_by_any(config: Config) -> set[str]:
    """The files that some figure reads."""
    return {path for entry in catalogue(config).values() for path in entry.inputs()}
