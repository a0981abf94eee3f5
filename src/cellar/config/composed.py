"""params.yaml as a composed file: its header, what was edited since, and the study's file that a value came from.

The header lists the names that the file was composed from, and a digest of them and of all that follows, so edits are
noticed without any other file. They are named by composing the same names once more.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellar.config import Config, validate
from cellar.config.compose import STUDIES, Composition, compose, merge_studies, nearest, resolve_names
from cellar.config.params import PARAMS_FILE
from cellar.config.strict_yaml import read_text, read_yaml
from cellar.config.study_file import FOR_EDITORS, Entry, plain
from cellar.errors import CellarError
from cellar.files import write_text

Reduce = Callable[[Composition, Config], None]

MODELINE = f"{FOR_EDITORS} $schema=params.schema.json"
TOP = "# Composed by `cellar use` from these files of studies/<study>/params:"
BOTTOM = "# Complete, and all that runs: edit it as you like; `cellar use` overwrites no edits. SHA-256 of names and content:"
HEADER = re.compile(
    rf"(?:{FOR_EDITORS}.*\n)?{re.escape(TOP)}\n((?:#   \S+/\S+\n)+){re.escape(BOTTOM)}\n#   ([0-9a-f]{{64}})\n\n"
)


@dataclass(frozen=True)
class Header:
    names: list[str]
    digest: str
    body: str  # what follows the header

    @property
    def edited(self) -> bool:
        return digest_of(self.names, self.body) != self.digest


def digest_of(names: list[str], body: str) -> str:
    return hashlib.sha256("\n".join([*names, body]).encode()).hexdigest()


def with_header(composition: Composition) -> str:
    """The whole text of params.yaml."""
    body = composition.text
    names = [f"#   {name}" for name in composition.names]
    return "\n".join([MODELINE, TOP, *names, BOTTOM, f"#   {digest_of(composition.names, body)}", "", body])


def without_modeline(text: str) -> str:
    """For a copy in another folder, where the schema is not, or is of another version."""
    return text.removeprefix(f"{MODELINE}\n")


def read_header(text: str) -> Header | None:
    """None where the file was not written by `use`, or its header was edited."""
    match = HEADER.match(text)
    if match is None:
        return None
    names = [line.removeprefix("#   ") for line in match.group(1).splitlines()]
    return Header(names, match.group(2), text[match.end() :])


def use(names: list[str], force: bool = False, path: Path = PARAMS_FILE, reduce: Reduce | None = None) -> list[str]:
    """Compose `names` and write params.yaml; returns `<study>/<file>` of what it was composed from. `reduce` takes out of
    the composition what is not wanted.

    Raises CellarError, one line: where `path` has edits that would be lost, unless `force`; or where a study's file is
    wrong, with that file's name.
    """
    composition = compose(names)
    if path.exists() and not force:
        refuse_edits(path, composition)
    if reduce:
        reduce(composition, validate(composition.values, composition.source_of))
        validate(composition.values, composition.source_of)
    write_text(path, with_header(composition))
    return composition.names


def refuse_edits(path: Path, composition: Composition) -> None:
    """Raises CellarError where `path` is not as it was composed, with the edited keys and both values."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    header = read_header(text)
    if text == with_header(composition) or (header and not header.edited):
        return
    if header is None:
        raise CellarError(f"{path} has no header of `cellar use`, so it was made by hand; overwrite it with --force")
    before = recompose(header.names)
    if before is None:
        raise CellarError(
            f"{path} was edited since it was composed of {', '.join(header.names)}, which cannot be composed any more, "
            "so what was edited is not known; keep a copy, then overwrite it with --force"
        )
    edits = list(differences(before.values, read_yaml(path)))
    since = "" if digest_of(before.names, before.text) == header.digest else f" ({STUDIES}/*/params changed since, too)"
    what = "; ".join(edits) or "comments or layout"
    raise CellarError(f"{path} was edited since it was composed{since}: {what}; overwrite it with --force")


def recompose(names: list[str]) -> Composition | None:
    """What `names` compose to now, without those of studies that are gone; None where they no longer compose."""
    present = [name for name in names if (STUDIES / name.partition("/")[0]).is_dir()]
    try:
        return merge_studies(resolve_names(present))
    except CellarError:
        return None


def differences(composed: Any, here: Any, key: str = "") -> Iterator[str]:
    """`key: 3 composed, 4 here` of every value that differs, and of keys that came or went."""
    if not (isinstance(composed, dict) and isinstance(here, dict)):
        if composed != here or type(composed) is not type(here):
            yield f"{key}: {shown(composed)} composed, {shown(here)} here"
        return
    for name in [*composed, *(name for name in here if name not in composed)]:
        place = f"{key}.{name}".lstrip(".")
        if name not in here:
            yield f"{place}: {shown(composed[name])} composed, removed here"
        elif name not in composed:
            yield f"{place}: not composed, {shown(here[name])} here"
        else:
            yield from differences(composed[name], here[name], place)


def shown(value: Any) -> str:
    """A value in a message; of a mapping only how many keys it has."""
    return f"{{{len(value)} keys}}" if isinstance(value, dict) else str(value)


def at_fault(key: str, path: Path) -> Path:
    """The file to mend for a problem at a dotted key: `path` where what it was composed from has none, for then an edit
    brought it, perhaps of what the key names; else the file that its value came from."""
    header = read_header(read_text(path))
    composition = recompose(header.names) if header else None
    return path if composition and is_sound(composition) else source_of(key, path)


def is_sound(composition: Composition) -> bool:
    try:
        validate(composition.values, composition.source_of)
    except CellarError:
        return False
    return True


def source_of(key: str, path: Path = PARAMS_FILE) -> Path:
    """The study's file that the value at a dotted key of `path` came from; `path` itself where the value was edited
    since, or where the file was not composed. Of a key that is missing: of what it would be part of."""
    header = read_header(read_text(path))
    composition = recompose(header.names) if header else None
    if composition is None:
        return path
    place, entry = nearest(composition.root, key)
    here_place, here = nearest(entries(read_yaml(path), path), key)
    composed_value = next(differences(plain(entry), plain(here)), None) is None
    return entry.source if place == here_place and composed_value else path


def entries(value: Any, path: Path) -> Entry:
    """Plain values as a tree, all of one file."""
    if isinstance(value, dict):
        return Entry({str(name): entries(child, path) for name, child in value.items()}, path)
    return Entry(value, path)
