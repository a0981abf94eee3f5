"""What the validators of a section demand of several keys together, as JSON Schema (draft 7).

`null` counts as not given, as it does for the validators.
"""

from typing import Any

from cellar.config.data import Dataset, Source, SyntheticSpec
from cellar.config.lines import Line, Teacher
from cellar.config.published import Published
from cellar.config.recipe import Recipe
from cellar.config.section import OneOf, Section

Schema = dict[str, Any]
NULL: Schema = {"type": "null"}


def given(*names: str) -> Schema:
    """All these keys have a value."""
    return {"required": list(names), "properties": {name: {"not": NULL} for name in names}}


def absent(*names: str) -> Schema:
    """None of these keys has a value."""
    return {"properties": dict.fromkeys(names, NULL)}


def without(*names: str) -> Schema:
    """None of these keys is there."""
    return {"not": {"anyOf": [{"required": [name]} for name in names]}}


def has(name: str, value: Any) -> Schema:
    """The key is there and has this value."""
    return {"required": [name], "properties": {name: {"const": value}}}


def when(condition: Schema, then: Schema, otherwise: Schema | None = None) -> Schema:
    return {"if": condition, "then": then, **({"else": otherwise} if otherwise else {})}


URL_AND_CHECKSUM = when(given("url"), given("sha256"), absent("sha256"))
STARTED = when(
    given("start"), {"required": ["freeze", "frozen_batch_norm"]}, {"properties": {"freeze": {"const": False}}}
)
IDENTITIES = {"source": {"properties": {"synthetic": {"anyOf": [given("identities"), NULL]}}}}
SPLITS = {"source": {"properties": {"synthetic": {"anyOf": [{"not": given("identities")}, NULL]}}}}
PER_CLASS = ("train_per_class", "validation_per_class")
RULES: dict[type[Section], list[Schema]] = {
    Line: [STARTED],
    Teacher: [{"not": given("weights", "start")}],
    Published: [URL_AND_CHECKSUM],
    Source: [URL_AND_CHECKSUM],
    SyntheticSpec: [
        {
            "oneOf": [
                {"required": ["train", "test"], **without("identities", "per_identity")},
                {"required": ["identities", "per_identity"], **without("train", "validation", "test")},
            ]
        }
    ],
    Dataset: [
        when(
            has("layout", "identity_folder"),
            {**given(*PER_CLASS), "properties": {**given(*PER_CLASS)["properties"], **IDENTITIES}},
            {"properties": {**absent(*PER_CLASS)["properties"], **SPLITS}},
        ),
        when(
            {"required": ["source"], "properties": {"source": given("synthetic")}},
            {"properties": {"path": {"pattern": "^data/raw/sample/"}, "layout": {"not": {"const": "image_folder"}}}},
        ),
    ],
    Recipe: [
        when(
            has("optimizer", "adam"),
            {"properties": {"momentum": {"const": 0}}},
            absent("betas"),
        ),
        when(has("task_loss", "bce"), {"properties": {"class_weighting": {"const": "none"}}}),
        when(
            has("train_on", "train_and_validation"),
            {
                "properties": {
                    "select_on": {"const": "last_epoch"},
                    "schedule": absent("plateau"),
                    "early_stop": NULL,
                }
            },
        ),
    ],
}


def of(model: type[Section]) -> list[Schema]:
    """The rules of a section and of its base classes."""
    ways = [{"oneOf": [given(way) for way in model.ways]}] if issubclass(model, OneOf) else []
    return [*ways, *(rule for base in model.__mro__ for rule in RULES.get(base, []))]
