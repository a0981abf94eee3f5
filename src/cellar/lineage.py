"""What dvc.lock says: which stage made a file, from which files, by which command. Read, never written, here.

Paths in both locks are relative to the project's root: the sweeps' stages run there too (wdir: ..).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cellar import paths
from cellar.errors import CellarError

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast, and not everywhere


@dataclass(frozen=True)
class File:
    """A file or folder as the lock knows it; the md5 of a folder ends in .dir."""

    path: str
    md5: str


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
        return tuple(file for file in self.reads if file.path.startswith("src/"))

    @property
    def data(self) -> tuple[File, ...]:
        return tuple(file for file in self.reads if not file.path.startswith("src/"))

    @property
    def record(self) -> Path | None:
        """The run.json beside what it made; None for stages that keep none."""
        return next((Path(file.path) for file in self.makes if Path(file.path).name == "run.json"), None)


@dataclass(frozen=True)
class Lineage:
    stages: tuple[Stage, ...]
    made: dict[str, tuple[Stage, File]]  # path -> its stage, and what the lock says of it

    def maker(self, path: str) -> tuple[Stage, File] | None:
        return self.made.get(path)

    def chain(self, targets: Iterable[str]) -> list[Stage]:
        """The stages behind some files, nearest first, each once."""
        found: dict[str, Stage] = {}
        level = list(targets)
        while level:
            makers = [made[0] for path in level if (made := self.maker(path))]
            new = {stage.target: stage for stage in makers if stage.target not in found}
            found |= new
            level = [file.path for stage in new.values() for file in stage.data]
        return list(found.values())


def load() -> Lineage:
    """Both locks; what is not here is empty. Raises CellarError for a lock that cannot be read."""
    stages = tuple(stage for lock in paths.LOCKS if lock.exists() for stage in read(lock))
    made = {file.path: (stage, file) for stage in stages for file in stage.makes}
    return Lineage(stages, made)


def read(lock: Path) -> Iterator[Stage]:
    try:
        found = yaml.load(lock.read_text(encoding="utf-8"), Loader=Loader)["stages"]
        for name, stage in found.items():
            yield stage_of(name, stage, lock)
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        what = " ".join(str(error).split())
        raise CellarError(f"{lock} cannot be read ({what}); take it back: git checkout {lock}") from None


def stage_of(name: str, stage: dict[str, Any], lock: Path) -> Stage:
    target = name if lock.parent == Path() else f"{lock.with_suffix('.yaml')}:{name}"
    params = {key: value for group in stage.get("params", {}).values() for key, value in group.items()}
    command = " ".join(stage["cmd"].split())
    return Stage(name, target, lock, command, params, files_of(stage.get("deps", [])), files_of(stage.get("outs", [])))


def files_of(entries: list[dict[str, Any]]) -> tuple[File, ...]:
    return tuple(File(entry["path"], entry["md5"]) for entry in entries)
