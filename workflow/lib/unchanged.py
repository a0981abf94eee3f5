"""Stages whose files are as they were when DVC last found them up to date: DVC need not be asked about these again, which
takes most of the time of a plan.

A file counts as unchanged by its time, size and inode, as for DVC itself. Compared are a stage's inputs, outputs, settings,
the copies of its outputs in DVC's cache, and the pipeline file and lock that it stands in.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cellar.pipeline.stage import Stage

Times = dict[str, tuple[int, int, int]]  # path -> time (ns), size, inode

OF_DVC = (".dvc/config", ".dvc/config.local", ".dvcignore")
CLOCK = 100_000_000  # ns; the times that a file system gives may be as late as this


def changed(stages: Sequence[Stage], notes: Callable[[Stage], Path]) -> list[Stage]:
    """The stages that DVC is to be asked about, in their order: those not as noted, and those that read outputs of such a
    one, whose times may be set. `stages`: each after those that it depends on."""
    seen = cache(times_of)
    found, asked_for = [], set[str]()
    for stage in stages:
        if not asked_for.isdisjoint(stage.inputs) or not is_as_noted(stage, notes(stage), seen):
            found.append(stage)
            asked_for.update(stage.outputs)
    return found


def is_as_noted(stage: Stage, path: Path, seen: Callable[[str], Times]) -> bool:
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        cached, digest = noted["cached"], noted["digest"]
    except (OSError, ValueError, KeyError):  # no note, or the reason why the stage is to run
        return False
    return digest is not None and digest == digest_of(seen, [*files_of(stage), *cached], time.time_ns())


def note(stage: Stage, cached: Sequence[str], asked: int) -> str:
    """What to keep of a stage that DVC found up to date. `cached`: its outputs' files in DVC's cache; `asked`: when DVC was
    asked (ns): a file that is no older may have changed since, and the stage will be asked about again."""
    digest = digest_of(times_of, [*files_of(stage), *cached], asked - CLOCK)
    return json.dumps({"cached": list(cached), "digest": digest}, indent=1)


def digest_of(seen: Callable[[str], Times], names: Iterable[str], latest: int) -> str | None:
    """Of the times of all files; None if one is later than `latest`."""
    found = {path: times for name in names for path, times in seen(name).items()}
    if any(changed > latest for changed, _, _ in found.values()):
        return None
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def files_of(stage: Stage) -> list[str]:
    settings = [str(stage.resolved)] if stage.has_settings else []
    pipeline = [str(stage.file), str(stage.file.with_suffix(".lock"))]
    return [*OF_DVC, *pipeline, *settings, *stage.inputs, *stage.outputs]


def times_of(name: str) -> Times:
    """Of a file, or of the files in a folder; of nothing that does not exist."""
    stats = ((path, path.stat()) for path in files_below(Path(name)))
    return {str(path): (stat.st_mtime_ns, stat.st_size, stat.st_ino) for path, stat in stats}


def files_below(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    elif path.exists():
        yield path


def cached_files(stage: Any) -> list[str]:
    """The files in DVC's cache of the outputs of a stage, as DVC has it; of a folder, those of its files too."""
    found = []
    for out in stage.outs:
        content = out.get_obj() if out.use_cache else None
        if content:
            hashes = (
                [content.hash_info, *(entry for _, _, entry in content)] if out.hash_info.isdir else [out.hash_info]
            )
            found += [out.cache.oid_to_path(entry.value) for entry in hashes]
    return found
