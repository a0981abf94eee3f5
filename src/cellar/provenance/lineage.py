"""The locks: which stage made a file, from which files, by which command and settings; now, or at a commit.

Each dvc.yaml has its dvc.lock beside it. The paths in a lock are relative to the project's root, where all stages run.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cellar import paths
from cellar.config.strict_yaml import FLOAT, FLOAT_BEGINS
from cellar.errors import CellarError
from cellar.pipeline import records
from cellar.pipeline.stage import Stage as PlannedStage
from cellar.provenance import git

Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast, and not everywhere

YAML_1_2 = {  # tag -> its form, and the characters that it begins with; ints before floats
    "bool": (r"(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "int": (r"[-+]?\d+$", "+-0123456789"),
    "float": (FLOAT, FLOAT_BEGINS),
}
TAG = "tag:yaml.org,2002:"


class Loader(Base):  # type: ignore[misc]  # either of two
    """YAML 1.2, as DVC writes it. By YAML 1.1, which PyYAML reads, 1e-05 is text, off is false and 1:30 is ninety."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own attribute
        first: [(tag, form) for tag, form in resolvers if tag.removeprefix(TAG) not in YAML_1_2]
        for first, resolvers in Base.yaml_implicit_resolvers.items()
    }


for tag, (form, first) in YAML_1_2.items():
    Loader.add_implicit_resolver(f"{TAG}{tag}", re.compile(form), list(first))


@dataclass(frozen=True)
class File:
    """A file or folder as the lock knows it; the md5 of a folder ends in .dir. `size` is in bytes, None if it is not said."""

    path: str
    md5: str
    size: int | None = None


@dataclass(frozen=True)
class Stage:
    """One stage as it last ran. `target` is what `dvc repro` calls it; `params` are its resolved settings."""

    name: str
    target: str
    lock: Path
    command: str
    params: dict[str, Any]
    reads: tuple[File, ...]
    makes: tuple[File, ...]

    @property
    def study(self) -> str:
        """Whose dvc.yaml it stands in; "" for the root's."""
        return self.lock.parts[1] if self.lock.is_relative_to(paths.STUDIES) else ""

    @property
    def code(self) -> tuple[File, ...]:
        """Source files, and folders of them."""
        return tuple(file for file in self.reads if is_code(file.path))

    @property
    def data(self) -> tuple[File, ...]:
        return tuple(file for file in self.reads if not is_code(file.path))

    @property
    def record(self) -> Path:
        """Where the record of the run is, if it is here, that made these outputs from these inputs."""
        inputs, outputs = ({file.path: file.md5 for file in files} for files in (self.reads, self.makes))
        return records.place(self.study, self.name, records.digest(self.command, self.params, inputs, outputs))


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
    """Source files of the engine and of studies. What a study prints in its paper is data."""
    return path.startswith("src/") or (path.startswith("studies/") and Path(path).suffix in ("", ".py"))


def locks() -> list[Path]:
    return paths.pipeline_files("dvc.lock")


def locks_at(commit: str) -> list[Path]:
    listed = git.git(
        "ls-tree", "-r", "--name-only", commit, "--", "dvc.lock", "results/dvc.lock", "studies"
    ).splitlines()
    return [Path(path) for path in listed if Path(path).name == "dvc.lock"]


def load() -> Lineage:
    """All locks; what is not here is empty. Raises CellarError for a lock that cannot be read."""
    return lineage({lock: read(lock) for lock in locks()})


def at(commit: str) -> Lineage:
    """All locks as they were at a commit."""
    texts = {lock: git.file_at(commit, lock) for lock in locks_at(commit)}
    return lineage({lock: text for lock, text in texts.items() if text is not None}, f" of commit {commit[:7]}")


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
    params: dict[str, Any] = next(iter(stage.get("params", {}).values()), {})  # of its one file
    command = " ".join(stage["cmd"].split())
    return Stage(name, target, lock, command, params, files_of(stage.get("deps", [])), files_of(stage.get("outs", [])))


def files_of(entries: list[dict[str, Any]]) -> tuple[File, ...]:
    return tuple(File(entry["path"], entry["md5"], entry.get("size")) for entry in entries)


def cached_outputs(planned: Iterable[PlannedStage], graph: Lineage) -> dict[str, File]:
    """The plan's outputs that DVC keeps in its cache, as the locks know them."""
    kept = (path for stage in planned for path in (*stage.outs, *stage.plots))
    return {path: made[1] for path in kept if (made := graph.maker(path))}
