"""Counts of images: rows that print another class's count, parts that do not add up to their whole."""

from collections.abc import Iterator, Mapping

from cellar.tables.checks import Finding

KIND = "counts"

Counts = Mapping[str, Mapping[str, int]]  # class -> column -> images


def permuted(place: str, printed: Counts, public: Counts, column: str) -> Iterator[Finding]:
    """Rows that print the public count of another class."""
    moved = moved_rows(printed, public, column)
    if moved:
        values = ", ".join(f"{row} {printed[row][column]:,}" for row, _ in moved)
        follows = ", ".join(f"{row} {public[row][column]:,}" for row, _ in moved)
        owners = ", ".join(f"{row} has {owner}'s" for row, owner in moved)
        yield Finding(KIND, place, values, follows, f"against the data set's public counts: {owners}")


def moved_rows(printed: Counts, public: Counts, column: str) -> list[tuple[str, str]]:
    """(row, row whose public count it prints) for every row that does not print its own."""
    owner = {counts[column]: label for label, counts in public.items()}
    return [
        (label, owner[counts[column]])
        for label, counts in printed.items()
        if counts[column] != public[label][column] and counts[column] in owner
    ]


def whole(place: str, printed: int, parts: Mapping[str, int], sign: str) -> Iterator[Finding]:
    """A total that is not the sum (+) or the product (x) of its parts."""
    value = 1 if sign == "x" else 0
    for part in parts.values():
        value = value * part if sign == "x" else value + part
    if value != printed:
        arithmetic = f" {sign} ".join(f"{part:,}" for part in parts.values())
        yield Finding(KIND, place, f"{printed:,}", f"{value:,}", arithmetic)
