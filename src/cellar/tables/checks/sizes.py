"""Megabytes and parameters: by two conventions in one paper, or of something else than the label says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cellar.tables.checks import Finding
from cellar.tables.printed_values import Paper, Place
from cellar.tables.rounding import agrees, is_millions

KIND = "sizes"
BYTES = 4  # of a parameter in 32-bit floats
CONVENTIONS = {"10^6": 10**6, "2^20": 2**20}


@dataclass(frozen=True)
class Size:
    """A printed size in MB of a network whose parameters are printed too; `shown` has its printed characters."""

    table: str
    network: str
    parameters: int
    size: float
    shown: str


def two_conventions(sizes: Iterable[Size]) -> Iterator[Finding]:
    """Sizes that no convention gives; networks whose size two tables print by two conventions."""
    seen: dict[str, tuple[Size, str]] = {}
    for size in sizes:
        megabytes = {name: size.parameters * BYTES / unit for name, unit in CONVENTIONS.items()}
        ways = [name for name, value in megabytes.items() if agrees(value, size.size, 2)]
        worked = "; ".join(f"{size.parameters:,} x {BYTES} / {name} = {value:.2f}" for name, value in megabytes.items())
        if not ways:
            yield Finding(KIND, f"{size.table}: size of {size.network}", f"{size.shown} MB", "neither", worked)
            continue
        before, way = seen.setdefault(size.network, (size, ways[0]))
        if way not in ways:
            printed = f"{before.table}: {before.shown} MB; {size.table}: {size.shown} MB"
            yield Finding(KIND, f"size of {size.network}", printed, "one size in one unit of MB", worked)


def other_network(paper: Paper, place: Place, where: str, network: str) -> Iterator[Finding]:
    """Parameters that are, to the unit, those of `network`, whose name is not the printed one."""
    printed = paper.number(place)
    counted = paper.counts.get(network, {}).get("parameters")
    if printed is not None and printed == counted:
        yield Finding(KIND, where, f"{printed:,.0f}", f"the count of {network}", f"{network} counted: {counted:,}")


def in_millions(paper: Paper, words: Mapping[str, str], whole: str) -> Iterator[Finding]:
    """Parameters printed in millions against the counts of the whole network, last layer included.

    Counts of a network in printed.yaml begin with `exact_params` or `trunk`, of the whole one with `whole`; `words`
    says what each counts.
    """
    for name, network in paper.data["models"].items():
        for key, printed in network.get("printed", {}).items():
            if key.startswith("params"):
                yield from millions(name, key, printed, network, words, whole)


def millions(
    name: str, key: str, printed: str, network: Mapping[str, Any], words: Mapping[str, str], start: str
) -> Iterator[Finding]:
    counts = {key: value for key, value in network.items() if key.startswith(("exact_params", "trunk"))}
    whole = {key: value for key, value in counts.items() if key.startswith(start)}
    if any(is_millions(printed, value) for value in whole.values()):
        return
    described = {key: words.get(key, key.replace("_", " ")) for key in counts}
    others = [
        f"{printed} would be {value:,} ({described[key]})"
        for key, value in counts.items()
        if is_millions(printed, value)
    ]
    sizes = [
        f"{printed} is its size: {value * BYTES / 1e6:.2f} MB ({value:,} x {BYTES} bytes / 10^6)"
        for value in whole.values()
        if is_millions(printed, value * BYTES)
    ]
    worked = "; ".join(f"{described[key]}: {value:,}" for key, value in counts.items())
    where = "in the text" if key.endswith("text") else "in the table of networks"
    follows = ", ".join(f"{value / 1e6:.2f}M" for value in whole.values())
    arithmetic = "; ".join([f"counted {worked}", *others, *sizes])
    yield Finding(KIND, f"Networks: parameters of {name}, {where}", printed, follows, arithmetic)
