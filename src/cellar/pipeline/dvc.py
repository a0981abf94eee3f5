"""DVC as a command, and the file in which it notes which process reads and writes what."""

import json
import subprocess
import sys
from pathlib import Path

from cellar.errors import CellarError

RESOLVE = "resolve"  # the stage whose outputs are the settings of all others
RWLOCK = Path(".dvc/tmp/rwlock")


def resolve() -> None:
    """Bring the resolved settings up to date. Raises CellarError with the stage's own line for a mistake in params.yaml."""
    command = [
        str(Path(sys.executable).with_name("dvc")),
        "--wait-for-lock",
        "repro",
        "--quiet",
        "--single-item",
        RESOLVE,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("cellar: ")]
        raise CellarError(lines[-1].removeprefix("cellar: ") if lines else " ".join(done.stderr.split()))


def half_written(notes: Path) -> bool:
    """Whether a kill cut the file while DVC wrote it; no DVC can read it then. A file that cannot be opened is DVC's to report."""
    try:
        json.loads(notes.read_text(encoding="utf-8"))
    except OSError:
        return False
    except ValueError:
        return True
    return False
