"""Composition of params.yaml: each study's base.yaml, the paper's recipe, and the overrides that a name stands for.

An override states only what differs: a value replaces the one below it, a new key is added, null takes a key out.
Two directives stand at its top: `base`, the file or files that it builds on (base.yaml unless given), and `keep`, which
leaves of a section only the names listed. `only_by_name: true` in a study's base.yaml keeps it out of what a name without a
study stands for. `pairs` and `methods` stand for experiments (cellar.config.pairs). Where one of several forms is given (`ONE_OF`), the override's replaces the
other; so does a method with another name.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cellar.config import pairs, validate
from cellar.config.params import Settings, StudySections
from cellar.config.study_file import Entry, StudyFile, Tree, plain, read_study_file
from cellar.config.validation_errors import likely
from cellar.config.writing import document
from cellar.errors import CellarError

STUDIES = Path("studies")
ONE_OF = ("schedule", "source", "start", "augmentation")
ONLY_BY_NAME = "only_by_name"
DIRECTIVES = ("base", "keep")
SETTINGS = list(Settings.model_fields)
SECTIONS = [*StudySections.model_fields, pairs.PAIRS, pairs.METHODS]


@dataclass(frozen=True)
class Composition:
    """`names`: `<study>/<file>` of every study; `root`: params.yaml as a tree."""

    names: list[str]
    root: Entry

    @property
    def values(self) -> dict[str, Any]:
        values: dict[str, Any] = plain(self.root)
        return values

    @property
    def text(self) -> str:
        """The content of params.yaml, without its header."""
        return document(self.root.value)

    def source_of(self, key: str) -> Path:
        """The file that the value at a dotted key came from; of a key that is not there, what it would be part of."""
        return nearest(self.root, key)[1].source


def compose(names: list[str]) -> Composition:
    """Compose and check. Raises CellarError, one line, that names the study's file where something is wrong."""
    composition = merge_studies(resolve_names(names))
    validate(composition.values, composition.source_of)
    return composition


def study_keys() -> list[str]:
    """The studies that have parameter files."""
    return sorted({path.parent.parent.name for path in STUDIES.glob("*/params/*.yaml")})


def file_of(study: str, name: str) -> Path:
    return STUDIES / study / "params" / f"{name}.yaml"


def files_of(study: str) -> list[str]:
    return sorted(path.stem for path in STUDIES.glob(f"{study}/params/*.yaml"))


def resolve_names(names: list[str]) -> dict[str, str]:
    """Study -> its file, in alphabetical order of studies: `sample` is every study's but of those that are composed only by
    name, `cifar100_kd/sample` one's."""
    chosen: dict[str, str] = {}
    for name in names:
        for study, file in expand(name):
            if study in chosen:
                raise CellarError(
                    f"{study} is named twice: {study}/{chosen[study]} and {study}/{file}; name one of them"
                )
            chosen[study] = file
    return dict(sorted(chosen.items()))


def expand(name: str) -> list[tuple[str, str]]:
    """(study, file) pairs of one name. Raises CellarError with the likely name where there is none."""
    study, slash, file = name.rpartition("/")
    if not slash:
        found = [(study, name) for study in study_keys() if file_of(study, name).exists() and not only_by_name(study)]
        if not found and name in study_keys():
            raise CellarError(
                f"{name} is a study; name one of its files: {', '.join(f'{name}/{f}' for f in files_of(name))}"
            )
        known = sorted({file for study in study_keys() if not only_by_name(study) for file in files_of(study)})
        if not found:
            raise CellarError(
                f"no study has {STUDIES}/…/params/{name}.yaml{likely(name, known)}; known: {', '.join(known)}"
            )
        return found
    if study not in study_keys():
        raise CellarError(f"{STUDIES} has no {study!r}{likely(study, study_keys())}; known: {', '.join(study_keys())}")
    if not file_of(study, file).exists():
        known = files_of(study)
        raise CellarError(f"{study} has no params/{file}.yaml{likely(file, known)}; known: {', '.join(known)}")
    return [(study, file)]


def only_by_name(study: str) -> bool:
    """Whether a study is composed only where it is named. Raises CellarError for a value that is neither true nor false."""
    path = file_of(study, "base")
    stated = read_study_file(path).tree.get(ONLY_BY_NAME) if path.exists() else None
    if stated and not isinstance(stated.value, bool):
        raise CellarError(f"{path}: {ONLY_BY_NAME}: {stated.text} is neither true nor false; write one of them")
    return bool(stated and stated.value)


def merge_studies(chosen: dict[str, str]) -> Composition:
    """Settings and data sets side by side, every other section below its study. Raises CellarError where two studies
    state different values for what they share."""
    shared: Tree = {}
    studies: Tree = {}
    for study, name in chosen.items():
        tree = pairs.expanded(load_study(study, name), merge)
        for key in (*SETTINGS, "datasets"):
            if key in tree:
                shared[key] = agree(shared.get(key), tree[key], key)
        sections = {key: tree[key] for key in SECTIONS if key in tree and tree[key].value != {}}
        path = file_of(study, name)
        studies[study] = Entry(sections, path, above=read_study_file(path).header)
    ordered = {key: shared[key] for key in (*SETTINGS, "datasets") if key in shared}
    root = {**ordered, "studies": Entry(studies, STUDIES)}
    last = max((entry.source for entry in studies.values()), default=STUDIES)
    return Composition([f"{study}/{name}" for study, name in chosen.items()], Entry(root, last))


def agree(first: Entry | None, second: Entry, key: str) -> Entry:
    """What two studies both state, with the comments of both. A data set must be the same key by key."""
    if first is None:
        return second
    above = (*first.above, *(line for line in second.above if line not in first.above))
    if not (first.is_mapping and second.is_mapping):
        if first.value != second.value:
            raise CellarError(
                f"{key} is {first.text} in {first.source}, {second.text} in {second.source}; "
                "studies that are composed together share it: make both the same, or use one at a time"
            )
        return replace(first, above=above, beside=first.beside or second.beside)
    if key.startswith("datasets."):
        for name in sorted(first.value.keys() ^ second.value.keys()):
            stating, other = (first, second) if name in first.value else (second, first)
            raise CellarError(
                f"{key}.{name} is stated in {stating.source}, not in {other.source}; "
                "a data set that two studies declare must be the same in both"
            )
    children = dict(first.value)
    for name, entry in second.value.items():
        children[name] = agree(children.get(name), entry, f"{key}.{name}")
    return replace(first, value=children, above=above, beside=first.beside or second.beside)


def load_study(study: str, name: str, trail: tuple[str, ...] = ()) -> Tree:
    """A study's file, merged onto those that it builds on. Raises CellarError, one line, with the file's name."""
    path = file_of(study, name)
    if name in trail:
        raise CellarError(f"{path}: base leads back to {name}.yaml ({' -> '.join((*trail, name))}); begin elsewhere")
    file = read_study_file(path)
    directives = (*DIRECTIVES, ONLY_BY_NAME) if name == "base" else DIRECTIVES
    known = [*SETTINGS, "datasets", *SECTIONS, *directives]
    for key in file.tree:
        if key not in known:
            raise CellarError(f"{path}: {key}: unknown key{likely(key, known)}; correct it or take it out")
    tree: Tree = {}
    for base in bases_of(study, name, file):
        tree = merge(tree, load_study(study, base, (*trail, name)), "")
    own = {key: entry for key, entry in file.tree.items() if key not in directives}
    return merge(keep(tree, file, path), own, "")


def bases_of(study: str, name: str, file: StudyFile) -> list[str]:
    """The files that one builds on: those it states, else base.yaml where the study has one."""
    if "base" not in file.tree:
        return ["base"] if name != "base" and file_of(study, "base").exists() else []
    stated = file.tree["base"].value
    names = stated if isinstance(stated, list) else [stated]
    for base in names:
        if not isinstance(base, str) or not file_of(study, base).exists():
            known = files_of(study)
            hint = likely(str(base), known)
            raise CellarError(
                f"{file_of(study, name)}: base: {study} has no params/{base}.yaml{hint}; known: {', '.join(known)}"
            )
    return names


def keep(tree: Tree, file: StudyFile, path: Path) -> Tree:
    """`tree` with only those names of a section that `keep` lists for it; a section without a list stays whole."""
    listed = plain(file.tree["keep"]) if "keep" in file.tree else {}
    if not isinstance(listed, dict) or not all(isinstance(names, list) for names in listed.values()):
        raise CellarError(f"{path}: keep: give a list of names for each section, such as experiments: [E1, E2]")
    result = dict(tree)
    for section, names in listed.items():
        place = f"{path}: keep.{section}"
        if section not in tree or not tree[section].is_mapping:
            raise CellarError(f"{place}: there is no such section below{likely(section, list(tree))}; correct the name")
        for name in names:
            if name not in tree[section].value:
                raise CellarError(
                    f"{place}: no {name!r} below{likely(str(name), list(tree[section].value))}; correct the name"
                )
        children = {name: entry for name, entry in tree[section].value.items() if name in names}
        result[section] = replace(tree[section], value=children)
    return result


def merge(below: Tree, over: Tree, place: str) -> Tree:
    """`over` merged onto `below`: what is in both keeps its position, what is new comes last."""
    result = dict(below)
    for name, entry in over.items():
        key = f"{place}.{name}" if place else name
        if entry.value is not None:
            result[name] = overlay(result.get(name), entry, key)
        elif name in result:
            del result[name]
        else:
            hint = likely(name, list(below))
            raise CellarError(
                f"{entry.source}: {key}: null takes out a key, but there is none{hint}; correct or remove it"
            )
    return result


def overlay(below: Entry | None, entry: Entry, key: str) -> Entry:
    """`entry` in place of `below`, merged with it where both are mappings. Comments stay unless there are new ones."""
    if below is None:
        below = Entry({}, entry.source)
    if entry.is_mapping:
        onto = below.value if below.is_mapping and not replaces(key.rpartition(".")[2], below, entry) else {}
        entry = replace(entry, value=merge(onto, entry.value, key))
    return replace(entry, above=entry.above or below.above, beside=entry.beside or below.beside)


def replaces(name: str, below: Entry, entry: Entry) -> bool:
    """Whether a mapping takes the place of the one below it, instead of being merged with it."""
    if name == "method" and {"name"} <= below.value.keys() & entry.value.keys():
        return bool(below.value["name"].value != entry.value["name"].value)
    return name in ONE_OF


def nearest(root: Entry, key: str) -> tuple[str, Entry]:
    """The longest part of a dotted key that is there, and its entry. Names may have dots themselves."""
    entry, path, rest = root, "", key
    while entry.is_mapping and rest:
        names = [name for name in entry.value if rest == name or rest.startswith(f"{name}.")]
        if not names:
            break
        name = max(names, key=len)
        entry, path, rest = entry.value[name], f"{path}.{name}".lstrip("."), rest[len(name) + 1 :]
    return path, entry
