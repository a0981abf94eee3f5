"""dvc.lock as text: DVC never drops the entry of a stage that dvc.yaml no longer has."""

import re
from collections.abc import Iterable
from pathlib import Path

from cellar import files

ENTRY = re.compile(r"^  ([^\s:]+):\n", re.MULTILINE)  # where a stage begins


def prune(lock: Path, stages: Iterable[str]) -> list[str]:
    """Drop the entries of stages that are not among `stages`; return their names. The rest keeps its bytes."""
    if not lock.exists():
        return []
    text, kept = lock.read_text(encoding="utf-8"), set(stages)
    begins = list(ENTRY.finditer(text))
    ends = [begin.start() for begin in begins[1:]] + [len(text)]
    dropped = [begin[1] for begin in begins if begin[1] not in kept]
    if dropped:
        entries = [text[begin.start() : end] for begin, end in zip(begins, ends, strict=True) if begin[1] in kept]
        if entries:
            files.write_text(lock, text[: begins[0].start()] + "".join(entries))
        else:
            lock.unlink()
    return dropped
