"""How a state dict differs from a network's, in words, and which known network it is of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from cellar import models, paths
from cellar.errors import CellarError, printable

SHOWN = 3
PROFILED = ("total_ops", "total_params")  # counters that thop leaves in every layer
CLASSES = 7919  # a prime that is the width of no layer, to tell which sizes depend on the classes


@dataclass(frozen=True)
class Differences:
    """Names that only one of two state dicts has; (name, given shape, expected shape) of those that differ in shape."""

    missing: list[str]
    surplus: list[str]
    reshaped: list[tuple[str, tuple[int, ...], tuple[int, ...]]]

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.reshaped)

    def __len__(self) -> int:
        return len(self.missing) + len(self.surplus) + len(self.reshaped)

    def words(self) -> str:
        shapes = [f"{name} is {given}, not {expected}" for name, given, expected in self.reshaped]
        parts = [
            listed(self.missing, "is missing", "are missing"),
            listed(self.surplus, "does not belong", "do not belong"),
            listed(shapes, "", "differ in shape too"),
        ]
        return ", ".join(filter(None, parts))


def listed(entries: list[str], singular: str, plural: str) -> str:
    """The first entries, how many more there are, and what is true of them."""
    if not entries:
        return ""
    more = f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
    said = plural if more or (singular and len(entries) > 1) else singular
    return f"{', '.join(printable(entry) for entry in entries[:SHOWN])}{more} {said}".rstrip()


def differences(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> Differences:
    """Counters of batches may be missing, as in older files, and counters of a profiler may stand beside the weights."""
    missing = [name for name in expected if name not in given and not name.endswith(models.COUNTER)]
    surplus = [name for name in given if name not in expected and name.rpartition(".")[2] not in PROFILED]
    shapes = [(name, tuple(given[name].shape), tuple(expected[name].shape)) for name in expected if name in given]
    return Differences(missing, surplus, [entry for entry in shapes if entry[1] != entry[2]])


def described(state: Mapping[str, Tensor]) -> str:
    """`; it fits NETWORK of N classes`, of the first known network that a state dict is of; "" of none."""
    for name, expected in known_networks():
        found = differences(expected, state)
        if found.missing or found.surplus or any(by[1:] != of[1:] for _, by, of in found.reshaped):
            continue
        if all(of[:1] == (CLASSES,) for _, _, of in found.reshaped):
            classes = {by[0] for _, by, _ in found.reshaped} or {CLASSES}
            return f"; it fits {name} of {' and '.join(map(str, sorted(classes)))} classes"
    return ""


@cache
def known_networks() -> list[tuple[str, dict[str, Tensor]]]:
    return list(built())


def built() -> Iterator[tuple[str, dict[str, Tensor]]]:
    """(name, state dict on the meta device) of all networks, of the studies too, and with a connector where it fits."""
    studies = [folder.parent.name for folder in sorted(paths.STUDIES.glob("*/models"))]
    files = {name: file for study in [None, *studies] for name, file in models.networks(study).items()}
    for name, file in files.items():
        for form in [name, *([f"{name}+connector"] if models.has_features(file) else [])]:
            try:
                with torch.device("meta"):
                    yield form, models.build(form, CLASSES, file).state_dict()
            except CellarError:  # of a study's file that does not load: it says so where it is used
                continue
