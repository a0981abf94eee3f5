"""DVC as a command, and the file in which it notes which process reads and writes what."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cellar.errors import CellarError
from cellar.pipeline import repro
from cellar.pipeline.git import NO_REPOSITORY
from cellar.pipeline.stage import Stage

RESOLVE = "resolve"  # the stage whose outputs are the settings of all others
RWLOCK = Path(".dvc/tmp/rwlock")
REPRO = (sys.executable, "-m", repro.__name__)  # DVC runs the stage that is named next


def resolve() -> None:
    """Bring the resolved settings up to date. Raises CellarError with the stage's own line for a mistake in params.yaml, or with
    DVC's."""
    done = subprocess.run([*REPRO, RESOLVE], check=False, capture_output=True, text=True)
    if done.returncode:
        raise CellarError(refusal(done.stdout + done.stderr))


def refusal(said: str) -> str:
    """What a stage told the user, or DVC; where it leaves out what to do, that too."""
    if "not a git repository" in said:
        return NO_REPOSITORY
    if lines := repro.users_lines(said):
        return lines[-1].removeprefix(repro.OWN)
    return f"DVC cannot read this project: {' '.join(said.split())}; mend that, then run again"


def added_outputs(stages: Iterable[Stage]) -> Iterator[str]:
    """A line for every file of `dvc add` that tracks what a stage makes, or a folder around it: DVC allows no two of one path."""
    makers: dict[Path, Stage] = {}
    for stage in stages:
        for out in stage.outputs:
            for path in (Path(out), *Path(out).parents):
                makers.setdefault(path, stage)
    for path, stage in makers.items():
        added = path.parent / f"{path.name}.dvc"
        if path.name and added.is_file():
            yield f"{added} is of dvc add, but the stage {stage.address} makes files of {path}; take it out: dvc remove {added}"


def half_written(notes: Path) -> bool:
    """Whether a kill cut the file while DVC wrote it; no DVC can read it then. A file that cannot be opened is DVC's to report."""
    try:
        json.loads(notes.read_text(encoding="utf-8"))
    except OSError:
        return False
    except (ValueError, RecursionError):
        return True
    return False
