"""Checks that find where a paper contradicts itself, its authors' code or arithmetic.

A check is a function of a Paper that yields findings; they follow from the printed values, none is typed. A study lists
its checks; what several papers can get wrong is here, one kind to a file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cellar.tables.printed_values import Paper


@dataclass(frozen=True)
class Finding:
    """`printed` is what the paper has at `place`; `follows` is what should be there, or cannot, by `arithmetic`."""

    kind: str
    place: str
    printed: str
    follows: str
    arithmetic: str


Check = Callable[[Paper], Iterable[Finding]]
