"""What a run ends with on the terminal: the tables that were asked for, or the line that says what went wrong.

Both are printed when the process exits, so that nothing of Snakemake's comes after them. A dry run, a graph or a report ends
with neither, and neither does a run that Snakemake refuses.
"""

import atexit
import os
import sys
import time
from pathlib import Path
from typing import Any

from cellar.pipeline.repro import users_lines

LOGS = Path("logs")
STARTED = time.time()

ends: list[bool] = []  # whether the run succeeded; empty if no job ran


def ended(succeeded: bool) -> None:
    """To be called by `onsuccess` and `onerror`, which Snakemake calls only if jobs ran."""
    ends.append(succeeded)


def at_exit(workflow: Any) -> None:
    """Arrange for the last words, in the main process alone."""
    if getattr(workflow, "is_main_process", False):
        atexit.register(last_words, workflow)


def last_words(workflow: Any) -> None:
    if ends == [False]:
        show_errors()
    elif (ends or nothing_to_do(workflow)) and not workflow.touch:
        show_tables()


def nothing_to_do(workflow: Any) -> bool:
    """Whether a run found everything made. Graphs, reports and what Snakemake refuses have no scheduler."""
    return workflow.scheduler is not None and not workflow.dryrun and not len(workflow.dag)


def show_tables() -> None:
    for target in map(os.path.relpath, filter(None, sys.argv[1:])):
        if target.startswith("results/tables/") and target.endswith(".md") and Path(target).exists():
            show("\n" + head(Path(target).read_text(encoding="utf-8"), target), target)


def show(words: str, target: str) -> None:
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal without ✓ shows \u2713
    try:
        print(words, flush=True)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # a reader that went away, as of `| head`, has what it wanted
            print(f"cellar: {target} is made, but cannot be shown: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still holds


def head(page: str, target: str) -> str:
    """A table whole; of a page with sections what stands above them."""
    above, section, _ = page.partition("\n## ")
    return f"{above}\nLine by line: {target}" if section else page


def show_errors() -> None:
    """The users' lines in the logs of this run, oldest first."""
    sys.stdout.flush()
    recent = [log for log in LOGS.rglob("*.log") if log.stat().st_mtime >= STARTED]
    for log in sorted(recent, key=lambda log: log.stat().st_mtime):
        for line in users_lines(log.read_text(encoding="utf-8", errors="replace")):
            print(f"{line} (stage log: {log})", file=sys.stderr)
