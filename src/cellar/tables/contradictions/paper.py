"""A paper as data, and what a check finds in it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from cellar.tables import printed
from cellar.tables.printed import Place, Printed


@dataclass(frozen=True)
class Finding:
    """At `place` stands `printed`; by `arithmetic`, what `follows` should stand there, or cannot."""

    kind: str
    place: str
    printed: str
    follows: str
    arithmetic: str


class Paper:
    """One study of the file of printed values: `text` is the file's, `counts` our own counts of networks."""

    def __init__(self, name: str, text: str, counts: dict[str, dict[str, float]] | None = None) -> None:
        self.name = name
        self.data: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)["studies"][name]
        self.words: dict[str, Any] = yaml.load(text, Loader=yaml.CBaseLoader)["studies"][name]
        self.counts = counts or {}

    @cached_property
    def values(self) -> dict[Place, Printed]:
        return {one.place: one for one in printed.values(self.name, self.data)}

    def number(self, place: Place) -> float | None:
        """The number printed at a place; None where there is none."""
        found = self.values.get(place)
        return found.value if found and isinstance(found.value, int | float) else None

    def shown(self, place: Place) -> str:
        """As it is printed, with all its zeros."""
        return word_at(self.words, place)

    def digits(self, place: Place) -> int:
        """How many stand behind the point."""
        return len(self.shown(place).partition(".")[2])


def word_at(words: dict[str, Any], place: Place) -> str:
    """The characters at a place, where `value` and `printed` stand for their mapping."""
    if place[0] == "text":
        place = ("tables", "table_IV", "text_variants", ".".join(place[1:]))
    found: Any = words
    for key in place:
        found = found[key]
    if isinstance(found, dict):
        found = found.get("value", found.get("printed"))
    return str(found)
