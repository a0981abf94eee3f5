"""What a run ends with on the terminal: the tables that were asked for, or the line that says what went wrong."""

import sys
from pathlib import Path

LOGS = Path("logs")


def show_tables(targets: list[str]) -> None:
    for target in targets:
        if target.endswith(".md") and Path(target).exists():
            print("\n" + Path(target).read_text(encoding="utf-8"))


def show_errors(since: float) -> None:
    """The users' lines in the logs of this run, last, where the eye falls."""
    logs = sorted((log for log in LOGS.rglob("*.log") if log.stat().st_mtime >= since), key=lambda log: log.stat().st_mtime)
    for log in logs:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("cellar: "):
                print(f"{line} (log: {log})", file=sys.stderr)
