"""DVC as a command."""

import subprocess
import sys
from pathlib import Path

from cellar.errors import CellarError

RESOLVE = "resolve"  # the stage whose outputs are the settings of all others


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
