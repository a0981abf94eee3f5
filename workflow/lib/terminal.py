"""What a run ends with on the terminal: the tables that were asked for, or the line that says what went wrong.

Both are printed when the process exits, so that nothing of Snakemake's comes after them.
"""

import atexit
import sys
import time
from pathlib import Path

from owner import NO_RUN

LOGS = Path("logs")
STARTED = time.time()

state = {"failed": False}


def failed() -> None:
    """To be called by `onerror`."""
    state["failed"] = True


def at_exit(workflow: object) -> None:
    """Arrange for the last words, in the main process alone."""
    if getattr(workflow, "is_main_process", False):
        atexit.register(last_words)


def last_words() -> None:
    if state["failed"]:
        show_errors()
    elif not NO_RUN & set(sys.argv):
        show_tables()


def show_tables() -> None:
    for target in sys.argv[1:]:
        if target.startswith("results/tables/") and target.endswith(".md") and Path(target).exists():
            print("\n" + head(Path(target).read_text(encoding="utf-8"), target))


def head(page: str, target: str) -> str:
    """A table whole; of a page with sections what stands above them."""
    above, section, _ = page.partition("\n## ")
    return f"{above}\nLine by line: {target}" if section else page


def show_errors() -> None:
    """The users' lines in the logs of this run, oldest first."""
    sys.stdout.flush()
    recent = [log for log in LOGS.rglob("*.log") if log.stat().st_mtime >= STARTED]
    for log in sorted(recent, key=lambda log: log.stat().st_mtime):
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("cellar: "):
                print(f"{line} (stage log: {log})", file=sys.stderr)
