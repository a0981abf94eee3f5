"""What dvc.lock says: which stage made a file, from which files, by which command; now, or at a commit.

Paths in both locks are relative to the project's root: the sweeps' stages run there too (wdir: ..).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

import yaml

from cellar import paths
from cellar.errors import CellarError
from cellar.provenance import git

Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast, and not everywhere


class Loader(Base):  # type: ignore[misc]  # either of two
    """YAML as DVC writes it: 1e-05 is a number there, as in YAML 1.2, and text to PyYAML."""


Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), [*"-+0123456789"])


@dataclass(frozen=True)
class File:
    """A file or folder as the lock knows it; the md5 of a folder ends in .dir. `size` is in bytes, None if it is not said."""

    path: str
    md5: str
    size: int | None = None


@dataclass(frozen=True)
class Stage:
    """One stage as it last ran. `target` is what `dvc repro` calls it."""

    name: str
    target: str
    lock: Path
    command: str
    params: dict[str, Any]
    reads: tuple[File, ...]
    makes: tuple[File, ...]

    @property
    def code(self) -> tuple[File, ...]:
        """Source files, and the list of others."""
        return tuple(file for file in self.reads if is_code(file.path))

    @property
    def data(self) -> tuple[File, ...]:
        return tuple(file for file in self.reads if not is_code(file.path))

    @property
    def record(self) -> Path | None:
        """The run.json beside what it made; None for stages that keep none."""
        return next((Path(file.path) for file in self.makes if file.path.endswith("run.json")), None)


@dataclass(frozen=True)
class Lineage:
    stages: tuple[Stage, ...]
    made: dict[str, tuple[Stage, File]]  # path -> its stage, and what the lock says of it

    def maker(self, path: str) -> tuple[Stage, File] | None:
        return self.made.get(path)

    def chain(self, targets: Iterable[str]) -> list[Stage]:
        """The stages behind some files, each once: those near the files first, raw data last, none before its use."""
        found: dict[str, Stage] = {}

        def visit(path: str) -> None:
            made = self.maker(path)
            if made and made[0].target not in found:
                for file in reversed(made[0].data):
                    visit(file.path)
                found[made[0].target] = made[0]

        for path in reversed(list(targets)):
            visit(path)
        return list(reversed(found.values()))


def is_code(path: str) -> bool:
    return path.startswith("src/") or is_list(path)


def is_list(path: str) -> bool:
    return Path(path).parent == paths.CODE


def sources(stage: Stage, commit: str | None = None) -> dict[str, str]:
    """Source file -> md5 of all that a stage's code consists of, now or at a commit; a list that has been lost since
    counts as one file."""
    found: dict[str, str] = {}
    for file in stage.code:
        text = None
        if is_list(file.path):
            text = git.file_at(commit, file.path) if commit else text_of(Path(file.path))
        if text is not None and md5_of(text) == file.md5:
            found |= {path: digest for digest, _, path in (line.partition("  ") for line in text.splitlines())}
        else:
            found[file.path] = file.md5
    return dict(sorted(found.items()))


def md5_of(text: str) -> str:
    """As DVC would name a file of that text."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def load() -> Lineage:
    """Both locks; what is not here is empty. Raises CellarError for a lock that cannot be read."""
    return lineage({lock: read(lock) for lock in paths.LOCKS if lock.exists()})


def at(commit: str) -> Lineage:
    """Both locks as they were at a commit."""
    found = {lock: git.file_at(commit, lock) for lock in paths.LOCKS}
    return lineage({lock: text for lock, text in found.items() if text is not None}, f" of commit {commit[:7]}")


def lineage(locks: dict[Path, str], of: str = "") -> Lineage:
    stages = tuple(stage for lock, text in locks.items() for stage in parsed(text, lock, of))
    made = {file.path: (stage, file) for stage in stages for file in stage.makes}
    return Lineage(stages, made)


def read(lock: Path) -> str:
    try:
        return lock.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise unreadable(lock, error) from None


def parsed(text: str, lock: Path, of: str) -> Iterator[Stage]:
    try:
        for name, stage in yaml.load(text, Loader=Loader)["stages"].items():
            yield stage_of(name, stage, lock)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(lock, error, of) from None


def unreadable(lock: Path, error: Exception, of: str = "") -> CellarError:
    what = " ".join(str(error).split())
    return CellarError(f"{lock}{of} cannot be read ({what}); take it back: git checkout {lock}")


def stage_of(name: str, stage: dict[str, Any], lock: Path) -> Stage:
    target = name if lock.parent == Path() else f"{lock.with_suffix('.yaml')}:{name}"
    params = {key: value for group in stage.get("params", {}).values() for key, value in group.items()}
    command = " ".join(stage["cmd"].split())
    return Stage(name, target, lock, command, params, files_of(stage.get("deps", [])), files_of(stage.get("outs", [])))


def files_of(entries: list[dict[str, Any]]) -> tuple[File, ...]:
    return tuple(File(entry["path"], entry["md5"], entry.get("size")) for entry in entries)
