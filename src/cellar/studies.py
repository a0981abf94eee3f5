"""Papers as folders: what `studies/<key>/study.py` may declare, and how the engine finds it. Nothing here names a paper.

`study.py` is the only file the engine looks for; it defines STUDY and imports what it needs from its own folder.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cellar import paths
from cellar.config import Config, Params, Sweep
from cellar.errors import CellarError, reason

if TYPE_CHECKING:
    from cellar.tables.cells import Table
    from cellar.tables.checks import Check
    from cellar.tables.claims import Claim
    from cellar.tables.comparable import PrintedTraining
    from cellar.tables.runs import Runs

PACKAGE = "studies"
ALL_STUDIES = "all_studies"  # `study` of a table that is collected over the studies
AUDIT = "audit"  # of a table about the data sets
CUSTOM = "custom"  # of a table about a data set of the user's own
TORCHVISION = "torchvision:"  # begins the name of a network that torchvision builds
ImageCounts = Mapping[str, Mapping[str, int]]  # data set -> {"learnt": training and validation images, "test": images}


def only_scale(params: Params) -> list[str]:
    """The parameters that every table and figure shows."""
    return ["scale"]


def always(params: Params) -> bool:
    return True


def none_judged(params: Params) -> "Iterable[Runs]":
    return ()


def no_tables(params: Params) -> "tuple[TableSpec, ...]":
    return ()


def none_printed(dataset: str, row: str | None) -> "PrintedTraining | None":
    return None


@dataclass(frozen=True)
class TableSpec:
    """One table of a paper; `id` is its name within the study.

    `inputs`: the files that it reads; `shown_params`: keys of params.yaml whose values it prints (everything else
    reaches it through its inputs); `judged`: the runs whose accuracies it judges by the printed ones; `code`: files and
    folders below the study's folder that build it.
    """

    id: str
    build: Callable[[Params], "Table"]
    inputs: Callable[[Params], list[str]]
    shown_params: Callable[[Params], list[str]] = only_scale
    judged: "Callable[[Params], Iterable[Runs]]" = none_judged
    is_known: Callable[[Params], bool] = always
    code: tuple[str, ...] = ("tables.py",)


@dataclass(frozen=True)
class FigureSpec:
    """One figure of a paper; `id` is its name within the study, `caption` stands under it in the report.

    `draw`: "module:function" in the study's folder, a function of Params that returns a matplotlib figure. It is
    imported only to draw: planning must not wait for matplotlib. `is_known`: whether there is something to show.
    """

    id: str
    caption: str
    draw: str
    inputs: Callable[[Params], list[str]]
    is_known: Callable[[Params], bool] = always
    shown_params: Callable[[Params], list[str]] = only_scale
    code: tuple[str, ...] = ("figures.py",)


def no_notes(sweep: Sweep) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class SweepText:
    """What a study says about its grids: its name for task_weight, notes, how the paper chose on the test images."""

    weight: str = "CE weight"
    notes: Callable[[Sweep], Iterable[str]] = no_notes
    chosen_on_test: str = ""


@dataclass(frozen=True)
class Comparison:
    """What the report sets side by side: all tables of a study that have these columns. A table is a column there, and
    each of `columns` a part; `rows` says what a row is."""

    title: str
    rows: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """Everything the engine knows about a paper.

    key: the name of its folder. name: short, for headings. order: its place on pages.
    more_tables: those beside `tables` that depend on what params.yaml lists, such as one for each pair of networks.
    claims: key under `derived_claims` of printed.yaml -> the printed values that it is made of.
    networks: architecture -> classes with which its parameters are counted. "name(classes)" counts a name a second
    time, "torchvision:name(classes)" one of torchvision's.
    printed_networks: key under `models` of printed.yaml -> the counted architecture.
    datasets: names of the data sets in params.yaml. images: what these show, in words.
    printed_images: the image counts that the paper prints.
    trainings: data set, and row of experiments or None for its teacher -> what the paper prints of that training; a
    printed accuracy of a row without one is not judged.
    curves: whether its runs share a figure of training curves for each data set.
    comparison: what the report compares over several of its tables.
    short_ids: its tables and figures are called by `id` alone, without the study's key.
    """

    key: str
    title: str
    name: str
    tables: tuple[TableSpec, ...] = ()
    more_tables: Callable[[Params], tuple[TableSpec, ...]] = no_tables
    figures: tuple[FigureSpec, ...] = ()
    checks: "tuple[Check, ...]" = ()
    claims: "Mapping[str, Claim]" = field(default_factory=dict)
    networks: Mapping[str, int] = field(default_factory=dict)
    printed_networks: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[str, ...] = ()
    images: str = "images"
    printed_images: Callable[[], ImageCounts] = dict
    trainings: "Callable[[str, str | None], PrintedTraining | None]" = none_printed
    sweeps: SweepText = SweepText()
    curves: bool = True
    comparison: Comparison | None = None
    short_ids: bool = False
    order: int = 100

    def full_id(self, name: str) -> str:
        """The project-wide id of a table or figure: results/tables/<full id>.md."""
        return name if self.short_ids else f"{self.key}/{name}"


def known() -> dict[str, Study]:
    """All studies of the project, in their order. Raises CellarError, one line, for a study.py that does not load."""
    root = paths.STUDIES.resolve()
    return load_all(root, tuple((file, file.stat().st_mtime_ns) for file in sorted(root.glob("*/study.py"))))


@lru_cache(maxsize=1)
def load_all(root: Path, declared: tuple[tuple[Path, int], ...]) -> dict[str, Study]:
    """`declared`: the files study.py below `root` with the times of their last change."""
    found = sorted((load(root, file) for file, _ in declared), key=lambda study: (study.order, study.key))
    check_unique(found)
    return {study.key: study for study in found}


def load(root: Path, file: Path) -> Study:
    key, shown = file.parent.name, paths.STUDIES / file.parent.name / file.name
    try:
        study = module(root, f"{key}.{file.stem}").STUDY
    except Exception as error:
        raise CellarError(f"{shown} cannot be loaded ({type(error).__name__}: {reason(error)}); mend it") from None
    if not isinstance(study, Study) or study.key != key:
        raise CellarError(f"{shown}: STUDY must be a Study whose key is the folder's name, {key!r}")
    return study


def module(root: Path, name: str) -> ModuleType:
    """The module studies.<name>. Modules of another project's folder, as tests have them, are forgotten first."""
    package = sys.modules.get(PACKAGE)
    if package is None or list(package.__path__) != [str(root)]:
        for loaded in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
            del sys.modules[loaded]
        package = ModuleType(PACKAGE)
        package.__path__ = [str(root)]
        sys.modules[PACKAGE] = package
        importlib.invalidate_caches()
    return importlib.import_module(f"{PACKAGE}.{name}")


def function(study: Study, address: str) -> Callable[..., Any]:
    """The function that "module:function" names in a study's folder."""
    name, _, attribute = address.partition(":")
    found: Callable[..., Any] = getattr(module(paths.STUDIES.resolve(), f"{study.key}.{name}"), attribute)
    return found


def check_unique(studies: list[Study]) -> None:
    for kind in ("tables", "figures"):
        owners: dict[str, str] = {}
        for study in studies:
            for spec in getattr(study, kind):
                other = owners.setdefault(study.full_id(spec.id), study.key)
                if other != study.key:
                    raise CellarError(
                        f"studies {other} and {study.key} both declare {kind[:-1]} {spec.id!r}; take short_ids out of one"
                    )


def used(config: Config) -> list[Study]:
    """The studies that params.yaml has, in their order."""
    return [study for key, study in known().items() if key in config.studies]


def shown_values(params: Params, shown_params: Callable[[Params], list[str]]) -> dict[str, Any]:
    """The values of the parameters that a table or figure prints, by their keys in the study's view."""
    return {key: value_at(params, key) for key in shown_params(params)}


def value_at(params: Params, key: str) -> Any:
    """The resolved value at a dotted key, as plain data; None for a parameter that a line's method does not have. A name
    of an experiment may have dots in it."""
    section, _, rest = key.partition(".")
    value: Any = getattr(params, section)
    if rest and isinstance(value, dict):
        name = max((name for name in value if rest == name or rest.startswith(f"{name}.")), key=len)
        value, rest = value[name], rest[len(name) + 1 :]
    for part in rest.split(".") if rest else ():
        value = value.get(part) if isinstance(value, dict) else getattr(value, part)
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def classes_of(config: Config, network: str) -> int:
    """The classes with which a study counts a network; its data set's own do not matter to costs."""
    counted = {name: classes for study in used(config) for name, classes in study.networks.items()}
    if network not in counted:
        raise CellarError(f"no study counts {network}, so its costs cannot be measured; add it to networks in study.py")
    return counted[network]


def folder(study: Study) -> Path:
    return paths.STUDIES / study.key


def code_files(study: Study) -> Iterator[str]:
    """Python files below a study's folder that can decide on a table: all but figures, networks and methods."""
    apart = {"figures", "models", "methods"}
    for file in sorted(folder(study).rglob("*.py")):
        if file.relative_to(folder(study)).parts[0].removesuffix(".py") not in apart:
            yield str(file)


def source_files(config: Config) -> list[str]:
    """All Python files of the studies that params.yaml has."""
    return [str(file) for study in used(config) for file in sorted(folder(study).rglob("*.py"))]
