"""DVC as a command, and the file in which it notes which process reads and writes what."""

import json
import subprocess
import sys
from pathlib import Path

from cellar.errors import CellarError
from cellar.pipeline import repro

RESOLVE = "resolve"  # the stage whose outputs are the settings of all others
RWLOCK = Path(".dvc/tmp/rwlock")
REPRO = (sys.executable, "-m", repro.__name__)  # DVC runs the stage that is named next


def resolve() -> None:
    """Bring the resolved settings up to date. Raises CellarError with the stage's own line for a mistake in params.yaml, or with
    DVC's."""
    done = subprocess.run([*REPRO, RESOLVE], check=False, capture_output=True, text=True)
    if done.returncode:
        lines = repro.users_lines(done.stdout + done.stderr) or [" ".join(done.stderr.split())]
        raise CellarError(lines[-1].removeprefix(repro.OWN))


def half_written(notes: Path) -> bool:
    """Whether a kill cut the file while DVC wrote it; no DVC can read it then. A file that cannot be opened is DVC's to report."""
    try:
        json.loads(notes.read_text(encoding="utf-8"))
    except OSError:
        return False
    except ValueError:
        return True
    return False
