"""`python -m cellar.pipeline.repro ADDRESS`: one stage, as `dvc --wait-for-lock repro --single-item` runs it.

The command `dvc` either hides its errors (`--quiet`) or says what Snakemake says already. This tells DVC's warnings, its
error as one line, and that a stage was restored instead of run.
"""

import atexit
import gc
import logging
import os
import sys
from collections.abc import Iterator

FORCED = "CELLAR_FORCED"  # environment variable: stages, and kinds of stages, that run whether or not they have changed
OWN, DVC = "cellar: ", "cellar: DVC: "  # how a user's line begins; a line of DVC's own
RESTORED = "Stage '%s' is cached - skipping run, checking out outputs"
LOGGERS = ("dvc", "dvc_objects", "dvc_data")


class Told(logging.Handler):
    """DVC's log: warnings, and what was restored."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == RESTORED:
            say("DVC: restored from its cache, not run (to run it again, use snakemake --forcerun)")
        elif record.levelno >= logging.WARNING:
            say(f"DVC: {' '.join(record.getMessage().split())}")


def main(address: str) -> int:
    """Returns the exit code: that of `dvc repro` after an error."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    for name in LOGGERS:
        logging.getLogger(name).handlers = [Told()]
    try:
        with Repo(".", _wait_for_lock=True) as repo:
            repo.reproduce(address, single_item=True, force=is_forced(address))
    except KeyboardInterrupt:
        return 130
    except (DvcException, OSError) as error:
        say(f"{DVC}{': '.join(reasons(error))}")
        return 255
    return 0


def is_forced(address: str) -> bool:
    kind = address.rpartition(":")[2].partition("-")[0]
    return bool({address, kind} & set(os.environ.get(FORCED, "").split()))


def reasons(error: BaseException | None) -> Iterator[str]:
    """What an exception says, then what it was raised from."""
    while error:
        yield " ".join(str(error).split())
        error = error.__cause__


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def users_lines(said: str) -> list[str]:
    """What a stage told the user; if it told nothing, as when it was killed, what DVC did."""
    lines = [line for line in said.splitlines() if line.startswith(OWN)]
    return [line for line in lines if not line.startswith(DVC)] or lines


if __name__ == "__main__":
    gc.set_threshold(10_000)  # as in cellar.__main__: next to nothing of what DVC makes is garbage
    atexit.register(gc.freeze)
    sys.exit(main(*sys.argv[1:]))
