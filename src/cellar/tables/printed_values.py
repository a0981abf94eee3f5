"""Every value that a paper prints, one by one, as studies/<key>/printed.yaml holds them.

Recipes (`hyperparameters`) are not values: params.yaml holds them beside ours. Nor is what authors' code or public
sources say. The section `vocabulary` of printed.yaml adds a study's own keys to the names here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import yaml

from cellar import paths
from cellar.errors import CellarError, reason
from cellar.tables import numbers
from cellar.tables.cells import Value

Place = tuple[str, ...]  # keys of printed.yaml, without the last where that is only `value` or `printed`

ROOTS = ("rows", "rows_as_printed")  # of a table's printed rows
SILENT = {"rows", "rows_as_printed", "printed"}  # keys that a reader need not see
SETTINGS = {"T", "alpha", "lr", "lr_tried", "batch_size", "runs", "init", "teacher", "per_class_train", "image_size"}
PROSE = {"src", "note", "name", "model", "unit", "from"}  # about a value, no value
UNITS = {
    **dict.fromkeys(("accuracy", "accuracy_mean", "accuracy_sd", "acc", "f1", "pre", "rec"), "%"),
    **dict.fromkeys(("total_parameters", "parameters", "params", "epoch", "at_epoch", "images"), "count"),
    **dict.fromkeys(("model_size_mb", "memory_mb", "size_mb"), "MB"),
    "avg_inference_ms": "ms",
    "loss": "nats",
}
WORDS = {
    **{"acc": "ACC", "f1": "F1", "pre": "PRE", "rec": "REC", "r2": "R²", "lr": "learning rate"},
    **{"lr_tried": "learning rates tried", "params": "parameters", "params_text": "parameters, in the text"},
    **{"model_size_mb": "size", "memory_mb": "memory", "size_mb": "size", "avg_inference_ms": "time per image"},
    **{"accuracy_mean": "accuracy, mean", "accuracy_sd": "accuracy, sd", "conv": "convolutions"},
}
HEADS = {"derived_claims": "Text, on the tables", "text_values": "Text", "models": "Networks", "dataset": "Data"}
MARKED = {"%": " (%)", "MB": " (MB)", "ms": " (ms)", "points": " (points)"}


@dataclass(frozen=True)
class Printed:
    """One value at one place of a paper; the same quantity at another place is another one. label: for people."""

    study: str
    place: Place
    value: Value
    unit: str | None
    label: str
    key: str  # dotted, in printed.yaml

    @property
    def id(self) -> str:
        return ".".join((self.study, *self.place))

    @property
    def is_setting(self) -> bool:
        return self.place[-1] in SETTINGS


class Paper:
    """A study's printed.yaml: `text` is the file's, `counts` are parameter counts of networks built here."""

    def __init__(self, study: str, text: str, counts: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self.study = study
        self.data: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
        self.text = text
        self.counts = counts or {}
        own = self.data.get("vocabulary", {})
        self.roots = (*ROOTS, *own.get("roots", ()))
        self.units: dict[str, str] = UNITS | own.get("units", {})
        self.names: dict[str, str] = WORDS | own.get("words", {})
        tables = self.data.get("tables", {})
        self.varied = {key: name for name, table in tables.items() for key in table.get("text_variants", {})}

    @cached_property
    def words(self) -> dict[str, Any]:
        """The file with every value as the characters that are printed."""
        words: dict[str, Any] = yaml.load(self.text, Loader=yaml.CBaseLoader)
        return words

    def table(self, name: str) -> dict[str, Any]:
        """A printed table, such as `table_2`: its columns, its rows, and what is known about them."""
        table: dict[str, Any] = self.data["tables"][name]
        return table

    @cached_property
    def values(self) -> dict[Place, Printed]:
        """In the order of the file: tables, what the text claims about them, other text, networks, data."""
        return {printed.place: printed for printed in self.walk()}

    def walk(self) -> Iterator[Printed]:
        for name, table in self.data.get("tables", {}).items():
            for root in [key for key in self.roots if key in table]:
                yield from self.leaves(("tables", name, root), table[root])
            for key, variant in table.get("text_variants", {}).items():
                yield self.printed(("text", *key.split(".")), variant["value"])
        for name, claim in self.data.get("derived_claims", {}).items():
            yield self.printed(
                ("derived_claims", name), claim["printed"], "points" if claim["unit"] == "points" else "%"
            )
        for root in ("text_values", "models", "dataset"):
            yield from self.leaves((root,), printed_in(self.data.get(root, {}), root))

    def leaves(self, place: Place, value: Any) -> Iterator[Printed]:
        """The values in a tree of mappings; one named `value` stands for its mapping."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if key not in PROSE:
                    yield from self.leaves(place if key == "value" else (*place, str(key)), inner)
        elif value is not None:
            yield self.printed(place, plain(value))

    def printed(self, place: Place, value: Value, unit: str | None = None) -> Printed:
        unit = unit or self.unit_of(place)
        label = self.label(place) + MARKED.get(unit or "", "")
        return Printed(self.study, place, value, unit, label, ".".join(self.where(place)))

    def where(self, place: Place) -> Place:
        """The keys of printed.yaml: a value that the text prints beside a table is listed under that table."""
        if place[0] != "text":
            return place
        key = ".".join(place[1:])
        return ("tables", self.varied[key], "text_variants", key)

    def same_in_table(self, place: Place) -> Place:
        """Of a value that the text prints otherwise than its table: the table's."""
        return ("tables", self.varied[".".join(place[1:])], *place[1:])

    def unit_of(self, place: Place) -> str | None:
        if place[-1] in SETTINGS:
            return None
        words = [word for key in reversed(place) for word in (key, key.rpartition(".")[2])]
        return next((self.units[word] for word in words if word in self.units), None)

    def label(self, place: Place) -> str:
        """A place in words: `Table 2: Student (with KD), accuracy, mean`."""
        head, *rest = place
        if head == "tables":
            head, rest = self.names.get(rest[0], f"Table {rest[0].rpartition('_')[2]}"), rest[1:]
        elif head == "text":
            head = f"Text, on Table {self.varied['.'.join(rest)].rpartition('_')[2]}"
        return f"{HEADS.get(head, head)}: {', '.join(self.worded(key) for key in rest if key not in SILENT)}"

    def worded(self, key: str) -> str:
        """A key in words, as a whole or part by part."""
        return self.names.get(key) or " ".join(self.names.get(part, part.replace("_", " ")) for part in key.split("."))

    def number(self, place: Place) -> float | None:
        """The number printed at a place; None where there is none."""
        printed = self.values.get(place)
        return printed.value if printed and isinstance(printed.value, int | float) else None

    def shown(self, place: Place) -> str:
        """The characters printed at a place, with all zeros."""
        value: Any = self.words
        for key in self.where(place):
            value = value[key]
        return str(value.get("value", value.get("printed")) if isinstance(value, dict) else value)

    def digits(self, place: Place) -> int:
        """How many stand behind the point."""
        return len(self.shown(place).partition(".")[2])


def printed_in(section: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Of networks what is printed, not what their code has; of data what is not derived."""
    if root != "models":
        return {key: value for key, value in section.items() if key != "test_total"}
    return {
        name: {"printed": network["printed"]} if "printed" in network else {"params": network["params"]}
        for name, network in section.items()
    }


def plain(value: Any) -> Value:
    """Lists as text."""
    if isinstance(value, list):
        return ", ".join(numbers.number_text(item, None) for item in value)
    return value if isinstance(value, int | float | str) else str(value)


def read(study: str) -> str:
    """The text of a study's printed.yaml."""
    path = paths.printed(study)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CellarError(f"{path} does not exist; take it back: git checkout {path}") from None


def paper(study: str) -> Paper:
    """A study's printed values. Raises CellarError when its file is missing or cannot be read."""
    text = read(study)  # which names the file if it is missing
    path = paths.printed(study)
    try:
        return parsed(study, text)
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise CellarError(f"{path} cannot be read ({reason(error)}); take it back: git checkout {path}") from None


@lru_cache(maxsize=32)
def parsed(study: str, text: str) -> Paper:
    return Paper(study, text)


def contains(data: Any, key: str) -> bool:
    """Whether a dotted key leads to something in nested mappings, whose own keys may hold dots."""
    parts = key.split(".")
    starts = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return isinstance(data, Mapping) and any(
        start == key or contains(data[start], key[len(start) + 1 :]) for start in starts if start in data
    )
