"""`cellar push`, `cellar pull`: results by DVC, and beside them the records of the runs that made them.

Records are no outputs of DVC, so DVC does not transfer them. They lie on a remote under records/, by the names that they
have here; a pull takes those of the stages of the locks, so that no other run's record comes along.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cellar import files
from cellar.errors import CellarError, reason
from cellar.pipeline import records
from cellar.provenance import lineage


def push(remote: str | None) -> int:
    """Run `dvc push`, then upload the records that the remote lacks. Returns DVC's exit code if that is not 0."""
    code = run_dvc("push", remote)
    if code:
        return code
    with opened(remote) as (fs, root):
        missing = [path for path in sorted(records.FOLDER.rglob("*.json")) if not fs.exists(place(fs, root, path))]
        for path in missing:
            target = place(fs, root, path)
            fs.makedirs(fs.parent(target), exist_ok=True)
            fs.put_file(str(path), target)
    print(f"{len(missing)} records of runs pushed")
    return 0


def pull(remote: str | None) -> int:
    """Run `dvc pull`, then download the records of the locks' stages that are not here."""
    code = run_dvc("pull", remote)
    wanted = [stage.record for stage in lineage.load().stages if not stage.record.exists()]
    with opened(remote) as (fs, root):
        there = [path for path in wanted if fs.exists(place(fs, root, path))]
        for path in there:
            files.write_text(path, fs.read_text(place(fs, root, path), encoding="utf-8"))
    print(f"{len(there)} records of runs pulled")
    return code


def run_dvc(command: str, remote: str | None) -> int:
    words = [str(Path(sys.executable).with_name("dvc")), command, *(["--remote", remote] if remote else [])]
    return subprocess.run(words, check=False).returncode


def place(fs: Any, root: str, record: Path) -> str:
    """Where a record lies on the remote."""
    found: str = fs.join(root, "records", *record.relative_to(records.FOLDER).parts)
    return found


@contextmanager
def opened(remote: str | None) -> Iterator[tuple[Any, str]]:
    """The file system of a remote, and its root there. Raises CellarError when it cannot be reached."""
    from dvc.repo import Repo

    try:
        with Repo(".") as repo:
            objects = repo.cloud.get_remote(name=remote)
            yield objects.fs, objects.path
    except (CellarError, BrokenPipeError):
        raise
    except Exception as error:  # what servers and their clients raise has no common type
        raise CellarError(f"records: the remote {remote or ''} cannot be reached ({reason(error)})") from None
