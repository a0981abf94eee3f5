"""File times set to agree with DVC's hashes, so that Snakemake plans what DVC would run.

File times are arbitrary after `git clone`, `dvc pull`, `dvc checkout`. Where DVC finds a stage up to date,
its outputs get a time no older than that of its inputs. For any other stage, its marker under .snakemake/stale/ is
rewritten: an input of the rule, newer than the outputs, which holds DVC's reason.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import mend
import unchanged

from cellar.errors import CellarError
from cellar.pipeline import dvc
from cellar.pipeline.stage import Stage

FOLDER = Path(".snakemake/stale")
FOLDER_STAMP = ".snakemake_timestamp"  # Snakemake keeps the time of an output folder in this file


def marker(address: str) -> str:
    """The marker file of a stage, by its DVC address."""
    return str(FOLDER / address.replace("/", "_"))


def refresh(stages: Sequence[Stage]) -> None:
    """Ask DVC about the stages that changed since it last found them up to date, each after those it depends on; write
    markers and set the times of outputs that are up to date.

    Waits while DVC runs a stage in this project (for a Snakemake that was killed, say): its outputs are incomplete.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    mend.clear_half_written_notes()
    now, asked = time.time_ns(), unchanged.changed(stages, lambda stage: Path(marker(stage.address)))
    if not asked:
        return
    from dvc.exceptions import DvcException  # which takes half a second to import
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        with Repo(".", _wait_for_lock=True) as repo:
            found = wait_for(lambda: status(repo, asked), LockError)
            # Settings are parameters of every stage. DVC resolves them before it runs a stage; Snakemake would plan to run
            # all that reads the resolved files, so they are brought up to date before it plans.
            if any(reason and stage.address == dvc.RESOLVE for stage, _, reason in found):
                dvc.resolve()
                now = time.time_ns()
                found = wait_for(lambda: status(repo, stages), LockError)
            clamp_future_times({Path(item.fs_path) for _, one, _ in found for item in [*one.deps, *one.outs]})
            time_of = cache(newest)  # stages come after those that they read from, whose outputs' times are set by then
            for stage, as_dvc_has_it, reason in found:
                write_marker(stage, as_dvc_has_it, reason, now, time_of)
    except DvcException as error:
        raise CellarError(dvc.refusal(words_of(error))) from None
    except (OSError, UnicodeError) as error:  # what DVC does not report as its own
        if isinstance(error, PermissionError) and not error.filename:  # of os.utime, which names no file
            raise CellarError(
                "outputs here belong to another user, and only that user may set their times; take them over: "
                f"chown -R {os.getuid()} results data"
            ) from None
        raise CellarError(f"DVC cannot read this project: {words_of(error)}; mend that, then run again") from None


def status(repo: Any, asked: Sequence[Stage]) -> list[tuple[Stage, Any, Any]]:
    """Each stage, as the plan and as DVC have it, with what is out of date in it.

    DVC's own `status` loads all stages of the project, several times. This loads those that are asked about, once.
    """
    from dvc.repo import lock_repo

    with lock_repo(repo):
        stages: dict[Path, Any] = {}  # of a dvc.yaml, loaded one by one
        found = []
        for stage in asked:
            if stage.file not in stages:
                stages[stage.file] = stages_of(repo, stage.file)
            one = stages[stage.file][stage.name]
            found.append((stage, one, one.status(check_updates=True).get(one.addressing)))
        return found


def stages_of(repo: Any, file: Path) -> Any:
    """The stages of a dvc.yaml, loaded lazily, after the repair of a dvc.lock that a kill has cut short."""
    from dvc.dvcfile import load_file
    from dvc.exceptions import DvcException

    lock = file.with_suffix(".lock")
    if mend.cut_short(lock):
        mend.drop_cut_stage(lock)
    try:
        return load_file(repo, str(file)).stages
    except DvcException:
        if not (lock.exists() and mend.drop_cut_stage(lock)):
            raise
        return load_file(repo, str(file)).stages


def wait_for(ask: Callable[[], list[Any]], busy: type[Exception]) -> list[Any]:
    reported = False
    while True:
        began = time.monotonic()
        try:
            return ask()
        except busy as error:
            if not reported:
                print(
                    f"cellar: waiting for the stage that DVC is running here: {words_of(error)[:200]}", file=sys.stderr
                )
            reported = True
            time.sleep(max(1.0, 10 * (time.monotonic() - began)))  # not a core for asking, beside what runs


def write_marker(stage: Stage, as_dvc_has_it: Any, reason: Any, asked: int, time_of: Callable[[Path], int]) -> None:
    path = Path(marker(stage.address))
    if reason:
        path.write_text(json.dumps({"checked": time.time_ns(), "why": reason}, indent=1))
        return
    raise_output_times(as_dvc_has_it, time_of)
    path.write_text(unchanged.note(stage, unchanged.cached_files(as_dvc_has_it), asked), encoding="utf-8")
    os.utime(path, (0, 0))


def clamp_future_times(paths: set[Path]) -> None:
    """Set times in the future, as after a clock was set back, to now. Snakemake would take new outputs for older than those."""
    now = time.time_ns()
    for path in {found for whole in paths if whole.exists() for found in (whole, *files_of(whole))}:
        if path.lstat().st_mtime_ns > now:
            try:
                os.utime(path, ns=(now, now), follow_symlinks=False)
            except OSError as error:
                raise CellarError(
                    f"{path} has a time in the future, and cannot be changed ({error.strerror}); touch it"
                ) from None


def raise_output_times(stage: Any, time_of: Callable[[Path], int]) -> None:
    """Make no output of an up-to-date stage older than its inputs."""
    newest_input = max((time_of(Path(dep.fs_path)) for dep in stage.deps), default=0)
    for out in stage.outs:
        folder = Path(out.fs_path)
        for path in (folder, folder / FOLDER_STAMP):
            if path.exists() and path.lstat().st_mtime_ns < newest_input:
                os.utime(path, ns=(newest_input, newest_input), follow_symlinks=False)


def newest(path: Path) -> int:
    """Latest time of a file, or of a folder and its files, as Snakemake sees it (links: both ends)."""
    found = [path, *files_of(path)] if path.is_dir() else files_of(path)
    return max((max(p.lstat().st_mtime_ns, p.stat().st_mtime_ns) for p in found), default=0)


def files_of(path: Path) -> list[Path]:
    """A file itself, the files in a folder, or none of a path that does not exist."""
    if path.is_dir():
        return [p for p in path.rglob("*") if not p.is_dir()]
    return [path] if path.exists() else []


def words_of(error: Exception) -> str:
    return " ".join(str(error).split())
