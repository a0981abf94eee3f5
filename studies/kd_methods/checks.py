"""Where the printed tables contradict each other, arithmetic, or what people report who ran the authors' code again."""

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from typing import Any

from cellar.tables.checks import Check, Finding, printed_twice
from cellar.tables.checks.printed_twice import Quantities
from cellar.tables.printed_values import Paper

from .printed import LABELS, METHODS, STUDENT, TEACHER

COPIED, COLUMN, RERUN = "same numbers, other teachers", "column under another name", "run again"
SEVERAL = 4  # pairs that two rows have in common before equal numbers are a copy

Rows = dict[str, dict[str, Any]]


def of_one_protocol(paper: Paper) -> dict[str, Rows]:
    """The printed rows of the tables with RepDistiller's protocol, which print the same quantities."""
    return {name: table["rows"] for name, table in paper.data["tables"].items() if "protocol" not in table}


def accuracies(paper: Paper) -> Quantities:
    """Method and pair -> where they are printed."""
    found: Quantities = {}
    for table, rows in of_one_protocol(paper).items():
        for label, row in rows.items():
            name = LABELS[METHODS[label]][0] if label in METHODS else label
            for pair in row:
                found.setdefault(f"{name}, {paper.worded(pair)}", []).append(("tables", table, "rows", label, pair))
    return found


def copied(paper: Paper) -> Iterator[Finding]:
    """Rows of students that are equal number by number, in tables whose teachers are not; each beside the first such table."""
    tables = {name: table["rows"] for name, table in paper.data["tables"].items()}
    seen: set[tuple[str, str]] = set()
    for (first, rows), (second, others) in combinations(tables.items(), 2):
        for label in [label for label in rows if label in others and label not in (TEACHER, STUDENT)]:
            common = [pair for pair in rows[label] if pair in others[label]]
            differ = [pair for pair in common if differ_in_teacher(rows, others, pair)]
            if len(common) >= SEVERAL and all(rows[label][pair] == others[label][pair] for pair in common) and differ:
                if (label, second) not in seen:
                    yield copy_of(paper, label, (first, second), common, differ)
                seen.add((label, second))


def differ_in_teacher(rows: Rows, others: Rows, pair: str) -> bool:
    """Whether both tables print the teacher's accuracy, and not the same one."""
    teachers = {each[TEACHER][pair] for each in (rows, others) if pair in each.get(TEACHER, {})}
    return len(teachers) > 1


def copy_of(paper: Paper, label: str, tables: tuple[str, str], common: list[str], differ: list[str]) -> Finding:
    places = [("tables", table, "rows", TEACHER, differ[0]) for table in tables]
    teachers = " and ".join(paper.shown(place) for place in places)
    named = " and ".join(paper.worded(table) for table in tables)
    return Finding(
        COPIED,
        f"{label}: {named}",
        f"{len(common)} equal numbers",
        "other numbers of other teachers",
        f"{paper.worded(differ[0])}: teachers with {teachers}; {len(differ)} of {len(common)} teachers differ",
    )


def renamed_columns(paper: Paper) -> Iterator[Finding]:
    """Columns whose numbers all are those that other tables print for one other pair."""
    tables = of_one_protocol(paper)
    for table, rows in tables.items():
        for pair in dict.fromkeys(pair for row in rows.values() for pair in row):
            column = {label: row[pair] for label, row in rows.items() if pair in row}
            others = {name: other for name, other in tables.items() if name != table}
            owner = owner_of(column, pair, others)
            if owner:
                shown = [f"{label} {paper.shown(('tables', table, 'rows', label, pair))}" for label in column]
                yield Finding(
                    COLUMN,
                    f"{paper.worded(table)}: {paper.worded(pair)}",
                    ", ".join(shown),
                    f"the numbers of {paper.worded(owner)}",
                    f"other tables print each of them for {paper.worded(owner)}, none for {paper.worded(pair)}",
                )


def owner_of(column: dict[str, Any], pair: str, tables: dict[str, Rows]) -> str | None:
    """The one other pair for which other tables print every number of a column, of two or more, while none prints one of them
    for `pair` itself."""
    if len(column) < 2:
        return None
    printed = [
        {other for rows in tables.values() for other, number in rows.get(label, {}).items() if number == value}
        for label, value in column.items()
    ]
    common = set.intersection(*printed)
    return common.pop() if len(common) == 1 and pair not in set.union(*printed) else None


def run_again(paper: Paper) -> Iterator[Finding]:
    """Printed accuracies above all that an issue reports of people who ran the authors' code."""
    for (issue, method, pair), reruns in grouped(paper.data["reruns"]).items():
        printed = reruns[0].get("printed")
        values = [value for rerun in reruns for value in reported(rerun)]
        if printed is not None and values and max(values) < printed:
            yield Finding(
                RERUN,
                f"{method}, {paper.worded(pair)} ({issue})",
                f"{printed:.2f}",
                f"{', '.join(f'{value:.2f}' for value in values)} ({'; '.join(rerun['who'] for rerun in reruns)})",
                f"{printed:.2f} - {max(values):.2f} = {printed - max(values):.2f}",
            )


def grouped(reruns: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for rerun in reruns:
        found.setdefault((rerun["issue"], rerun["method"], rerun["pair"]), []).append(rerun)
    return found


def reported(rerun: dict[str, Any]) -> list[float]:
    """Single runs, the worst and the best of some, or their mean."""
    values: list[float] = rerun.get("values") or rerun.get("range") or ([rerun["mean"]] if "mean" in rerun else [])
    return values


CHECKS: tuple[Check, ...] = (
    partial(printed_twice.check, quantities=accuracies),
    copied,
    renamed_columns,
    run_again,
)
