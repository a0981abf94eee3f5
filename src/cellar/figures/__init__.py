"""Which figures there are, what each reads, and what draws it, imported only to draw.

Figures of papers are declared by their studies (cellar.studies). Training curves, the sweeps' heat maps and the
audits' pairs are here: any study can have them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from cellar import paths, studies
from cellar.config import Params
from cellar.config.validation_errors import likely
from cellar.errors import CellarError
from cellar.figures.runs import curves_of, history, images, teachers
from cellar.studies import FigureSpec, Study
from cellar.tables import sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CODE = ("src/cellar/figures", "src/cellar/tables/runs.py")  # of every figure
AUDIT = "audit_"


@dataclass(frozen=True)
class Entry:
    """A figure under its project-wide id. study: the key of the study that it belongs to, "audit" or "custom"."""

    study: str
    caption: str
    draw: Callable[[Params], "Figure"]
    inputs: Callable[[Params], list[str]]
    shown_params: Callable[[Params], list[str]]
    code: tuple[str, ...]
    of_paper: bool = False


def known(params: Params) -> list[str]:
    """The figures that have something to show: those of papers, then training curves and audits."""
    return [figure for figure in catalogue(params) if figure not in of_sweeps(params)]


def of_sweeps(params: Params) -> list[str]:
    """The heat maps, called like their sweeps."""
    return [studies.full_id(params, name) for name, line in params.sweeps.items() if params.is_on(line)]


def inputs(figure: str, params: Params) -> list[str]:
    """The files that a figure reads, one by one."""
    return find(figure, params).inputs(params)


def param_keys(figure: str, params: Params) -> list[str]:
    """The keys of params.yaml that a figure shows."""
    return find(figure, params).shown_params(params)


def code_of(figure: str, params: Params) -> list[str]:
    """The files and folders of the repository that draw a figure."""
    return list(find(figure, params).code)


def find(figure: str, params: Params) -> Entry:
    """Raises CellarError that suggests the likely figure."""
    entries = catalogue(params)
    if figure not in entries:
        raise CellarError(f"there is no figure {figure!r}{likely(figure, list(entries))}; known: {', '.join(entries)}")
    return entries[figure]


def catalogue(params: Params) -> dict[str, Entry]:
    return {name: entry for group in (of_papers, of_trainings, of_audits, of_grids) for name, entry in group(params)}


def of_papers(params: Params) -> Iterator[tuple[str, Entry]]:
    for study in studies.shown_by(params):
        for spec in study.figures:
            if spec.is_known(params):
                yield study.full_id(spec.id), declared(study, spec)


def declared(study: Study, spec: FigureSpec) -> Entry:
    code = tuple(str(studies.folder(study) / name) for name in ("study.py", *spec.code))
    draw = partial(draw_declared, study, spec.draw)
    return Entry(study.key, spec.caption, draw, spec.inputs, spec.shown_params, CODE + code, of_paper=True)


def draw_declared(study: Study, address: str, params: Params) -> "Figure":
    figure: Figure = studies.function(study, address)(params)
    return figure


def generic(module: str, function: str, **arguments: str) -> Callable[[Params], "Figure"]:
    """A function of cellar.figures.<module>, imported only to draw."""

    def draw(params: Params) -> "Figure":
        figure: Figure = getattr(import_module(f"cellar.figures.{module}"), function)(params, **arguments)
        return figure

    return draw


def of_trainings(params: Params) -> Iterator[tuple[str, Entry]]:
    """Of every data set whose teachers have students."""
    for dataset in params.datasets:
        study = studies.of_dataset(params, dataset)
        runs = curves_of(params, dataset)
        if (study is None or study.curves) and teachers(params, dataset) and runs:
            caption, draw = f"Training curves of {dataset}.", generic("curves", "curves", dataset=dataset)
            read = [str(history(each)) for each in runs]
            key = study.key if study else "custom"
            yield studies.full_id(params, f"curves_{dataset}"), entry(key, caption, draw, read)


def of_audits(params: Params) -> Iterator[tuple[str, Entry]]:
    for dataset, section in params.datasets.items():
        if section.enabled:
            caption, draw = (
                f"Audit of {dataset}: the likest pairs.",
                generic("audit_pairs", "audit_pairs", dataset=dataset),
            )
            read = [str(paths.audit_pairs(dataset)), *(str(path) for path in images(dataset))]
            yield f"{AUDIT}{dataset}", entry("audit", caption, draw, read)


def of_grids(params: Params) -> Iterator[tuple[str, Entry]]:
    for name, line in params.sweeps.items():
        if params.is_on(line):
            study = studies.of_dataset(params, line.dataset)
            caption = f"{name.replace('_', ' ')}: accuracy over temperature and weight."
            draw, read = generic("grids", "heat_maps", sweep=name), sweep.metrics_files(params, name)
            made = entry(study.key if study else "custom", caption, draw, read, "scale", f"sweeps.{name}")
            yield studies.full_id(params, name), made


def entry(
    study: str, caption: str, draw: Callable[[Params], "Figure"], read: list[str], *keys: str
) -> Entry:  # fmt: skip
    return Entry(study, caption, draw, lambda params: read, lambda params: list(keys) or ["scale"], CODE)
