"""Tasks, events and annotations of a recording, from a CSV with the columns start, name and, if wanted, end and
class."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cellar.config.validation_errors import likely
from cellar.errors import CellarError, printable, safe_repr

NEEDED, OPTIONAL = ("start", "name"), ("end", "class")


@dataclass(frozen=True)
class Event:
    """Times in seconds. A task has an end, an event is a moment; `label`: the class that a person saw or reported
    then."""

    start: float
    name: str
    end: float | None = None
    label: str = ""

    @property
    def middle(self) -> float:
        return self.start if self.end is None else (self.start + self.end) / 2


def read(path: Path, classes: Sequence[str]) -> list[Event]:
    """In the order of their starts. Raises CellarError, one line, for a column or a value that is not as it should
    be."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CellarError(f"{path} cannot be read ({error}); give a CSV in UTF-8") from None
    lines = csv.DictReader(text.splitlines(), strict=True)
    try:
        columns = lines.fieldnames or []
        check_columns(path, columns)
        events = [event(f"{path}, line {lines.line_num}", row, classes) for row in lines]
    except csv.Error as error:
        raise CellarError(f"{path}, line {lines.line_num} is no CSV ({error}); mend it") from None
    return sorted(events, key=lambda one: one.start)


def check_columns(path: Path, columns: Sequence[str]) -> None:
    known = [*NEEDED, *OPTIONAL]
    for name in columns:
        if name not in known:
            hint = likely(name, known)
            raise CellarError(
                f"{path} has a column {safe_repr(name)!r}{hint}; the columns are start, name and, if wanted, end, class"
            )
    for name in NEEDED:
        if name not in columns:
            raise CellarError(f"{path} has no column {name!r}; the columns are start, name and, if wanted, end, class")


def event(place: str, row: dict[str, str], classes: Sequence[str]) -> Event:
    if None in row or None in row.values():
        raise CellarError(f"{place} has another number of fields than the first line; mend it")
    start, end, label = seconds(place, row["start"]), row.get("end", "").strip(), row.get("class", "").strip()
    name = printable(row["name"].strip())
    if not name:
        raise CellarError(f"{place} has no name; say what happens there")
    if label and label not in classes:
        known = f"{likely(label, list(classes))}; it knows {', '.join(classes)}"
        raise CellarError(f"{place}: the student knows no class {printable(label)!r}{known}")
    until = seconds(place, end) if end else None
    if until is not None and until <= start:
        raise CellarError(f"{place} ends before it starts; exchange start and end")
    return Event(start, name, until, label)


def seconds(place: str, text: str) -> float:
    """12.5, 1:02.5 or 1:00:02."""
    try:
        parts = [float(part) for part in text.strip().split(":")]
    except ValueError:
        parts = []
    total = sum(value * 60.0**power for power, value in enumerate(reversed(parts)))
    if not 1 <= len(parts) <= 3 or not math.isfinite(total) or min(parts) < 0:
        raise CellarError(f"{place}: {printable(text)!r} is no time; write seconds, 1:02.5 or 1:00:02")
    return total
