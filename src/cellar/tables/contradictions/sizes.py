"""Megabytes and parameters: by two conventions in one paper, or of something else than is said."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.tables.contradictions.paper import Finding, Paper
from cellar.tables.reference import MINI_RESEMOTENET
from cellar.tables.rounding import agrees, is_millions
from cellar.tables.table_i import COUNTED

KIND = "sizes"
BYTES = 4  # of a parameter in 32-bit floats
CONVENTIONS = {"10^6": 10**6, "2^20": 2**20}
IN_TABLE_V = {"ResEmoteNet": "ResEmoteNet", "Student Model A": "E1A", "Student Model B": "E4B"}


def check(paper: Paper) -> Iterator[Finding]:
    if paper.name == MINI_RESEMOTENET:
        yield from two_conventions(paper)
        yield from other_networks(paper)
    for name, network in paper.data["models"].items() if "models" in paper.data else []:
        if "printed" in network:
            yield from in_millions(name, network)


def megabytes(paper: Paper) -> Iterator[tuple[str, str, int, float, str]]:
    """(table, network, parameters, size, as printed) of every size whose parameters are printed too."""
    tables = paper.data["tables"]
    for name, row in tables["table_I"]["rows"].items():
        place = ("tables", "table_I", "rows", name, "model_size_mb")
        yield "Table I", name, row["total_parameters"], row["model_size_mb"], paper.shown(place)
    for name, row in tables["table_II"]["rows"].items():
        place = ("tables", "table_V", "rows", "model_size_mb", IN_TABLE_V.get(name, ""))
        size = paper.number(place)
        if size is not None:
            yield "Table V", name, row["total_parameters"], size, paper.shown(place)


def two_conventions(paper: Paper) -> Iterator[Finding]:
    """Sizes that no convention gives; networks that stand in two tables by two."""
    seen: dict[str, tuple[str, str, str]] = {}
    for table, network, parameters, size, shown in megabytes(paper):
        ways = [name for name, unit in CONVENTIONS.items() if agrees(parameters * BYTES / unit, size, 2)]
        worked = "; ".join(f"{parameters:,} x {BYTES} / {name} = {parameters * BYTES / unit:.2f}" for name, unit in CONVENTIONS.items())  # fmt: skip
        if not ways:
            yield Finding(KIND, f"{table}: size of {network}", f"{shown} MB", "neither", worked)
            continue
        before = seen.setdefault(network, (table, shown, ways[0]))
        if before[2] not in ways:
            printed = f"{before[0]}: {before[1]} MB; {table}: {shown} MB"
            yield Finding(KIND, f"size of {network}", printed, "one size in one unit of MB", worked)


def other_networks(paper: Paper) -> Iterator[Finding]:
    """Parameters that are, to the unit, those of a network of another name."""
    for name, network in COUNTED.items():
        said = paper.number(("tables", "table_I", "rows", name, "total_parameters"))
        counted = paper.counts.get(network, {}).get("parameters")
        if ":" in network and said is not None and said == counted:
            follows = f"the count of {network}"
            yield Finding(KIND, f"Table I: parameters of {name}", f"{said:,.0f}", follows, f"{network} counted: {counted:,}")  # fmt: skip


def in_millions(name: str, network: Mapping[str, Any]) -> Iterator[Finding]:
    """Parameters printed in millions against the counts of the whole network, with its last layer."""
    counts = {key: value for key, value in network.items() if key.startswith(("exact_params", "trunk"))}
    whole = {key: value for key, value in counts.items() if key.startswith("exact_params_105")}
    for key, said in network["printed"].items():
        if key.startswith("params") and not any(is_millions(said, value) for value in whole.values()):
            other = [f"{value:,} ({described(key)})" for key, value in counts.items() if is_millions(said, value)]
            sizes = [f"{value * BYTES / 1e6:.2f} MB ({value:,} x {BYTES} bytes / 10^6)" for value in whole.values() if is_millions(said, value * BYTES)]  # fmt: skip
            follows = ", ".join(f"{value / 1e6:.2f}M" for value in whole.values())
            worked = "; ".join(f"{described(key)}: {value:,}" for key, value in counts.items())
            hint = "; ".join([*(f"{said} would be {one}" for one in other), *(f"{said} is its size: {one}" for one in sizes)])  # fmt: skip
            where = "in the text" if key.endswith("text") else "in the table of networks"
            arithmetic = f"counted {worked}" + (f"; {hint}" if hint else "")
            yield Finding(KIND, f"Networks: parameters of {name}, {where}", said, follows, arithmetic)


def described(key: str) -> str:
    words = {"trunk": "without its last layer", "exact_params_105": "with 105 classes"}
    words |= {"exact_params_connector2048_105": "with a connector of 2,048 and 105 classes"}
    words |= {"exact_params_105_v1": "v1 with 105 classes", "exact_params_105_with_aux": "with its second head"}
    return words.get(key, key.replace("_", " "))
