"""A long search for files that break a reader: mutated files of the corpus, until the time is over.

    python -m tests.fuzz.campaign --seconds 600 --seed 1 [--reader NAME ...] [--keep FOLDER]

Cases run in a child process that can die or hang; what broke a reader is kept in FOLDER, and the count of cases printed.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.mutations import mutate
from tests.fuzz.readers import READERS, seeds
from tests.fuzz.watch import SECONDS, assert_answers, warm_up

BATCH = 200  # cases a child runs before a fresh one takes over: what it keeps in memory stays small


def run_batch(reader: str, seed: str, start: int, result: Connection) -> None:
    """Send (case number, outcome or the error's text) of every case."""
    corpus = seeds(reader)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    with TemporaryDirectory() as scratch:
        for number in range(start, start + BATCH):
            folder = Path(scratch) / "case"
            result.send((number, None))
            try:
                outcome = assert_answers(READERS[reader], mutate(f"{seed} {reader} {number}", corpus), folder)
            except BaseException as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                outcome = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
            result.send((number, outcome))
            shutil.rmtree(folder, ignore_errors=True)


def outcomes(reader: str, seed: str, start: int) -> list[tuple[int, str]]:
    """Of a batch; the case at which a child died or hung ends it."""
    here, there = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=run_batch, args=(reader, seed, start, there))
    child.start()
    there.close()
    found: list[tuple[int, str]] = []
    number = start
    try:
        while here.poll(2 * SECONDS):
            number, outcome = here.recv()
            if outcome is not None:
                found.append((number, outcome))
        found.append((number, "Hang: no answer, and no signal was heard"))
        child.kill()
    except EOFError:
        child.join()
        if child.exitcode:
            found.append((number, f"Death: exit code {child.exitcode}"))
    child.join()
    return found


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=float, default=600)
    arguments.add_argument("--seed", default="0")
    arguments.add_argument("--reader", nargs="*", default=list(READERS), choices=list(READERS))
    arguments.add_argument("--keep", type=Path, default=Path(".cache/fuzz"))
    given = arguments.parse_args()
    warm_up()
    until, following = time.monotonic() + given.seconds, dict.fromkeys(given.reader, 0)
    counts: dict[str, Counter[str]] = {reader: Counter() for reader in given.reader}
    faults: dict[str, str] = {}
    while time.monotonic() < until:
        for reader in given.reader:
            for number, outcome in outcomes(reader, given.seed, following[reader]):
                following[reader] = number + 1
                kind = outcome if outcome in ("read", "refused") else "broken"
                counts[reader][kind] += 1
                if kind == "broken" and f"{reader} {outcome[:60]}" not in faults:
                    faults[f"{reader} {outcome[:60]}"] = outcome
                    content = mutate(f"{given.seed} {reader} {number}", seeds(reader))
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{reader}-{given.seed}-{number}").write_bytes(content)
                    print(f"{reader} {number}: {outcome[:400]}", flush=True)
    total = sum((Counter(count) for count in counts.values()), Counter())
    print(json.dumps({"cases": total.total(), **total, "faults": len(faults), "readers": counts}))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
