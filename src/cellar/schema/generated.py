"""The schemas themselves: pydantic's of the sections, with descriptions, rules and the methods' parameters added.

Draft 7, which every editor knows.
"""

from typing import Any

from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from cellar import models, paths
from cellar.config.data import Dataset
from cellar.config.lines import Experiment, Line
from cellar.config.params import ParamsFile, Settings, StudySections
from cellar.config.section import Name, Section
from cellar.schema import descriptions, methods, rules

DRAFT = "http://json-schema.org/draft-07/schema#"
NULL: dict[str, Any] = {"type": "null"}


class Pair(Line):
    """What the experiments of a pair of networks share (cellar.config.pairs)."""

    teacher: Name  # the teacher
    without: list[Name] = Field(default_factory=list)  # methods that this pair has not
    methods: dict[Name, Experiment] = Field(default_factory=dict)  # what is otherwise for this pair


class StudyFile(Settings, StudySections):
    """A parameter file of a study: what differs from the files that it builds on. A value replaces the one below it, a
    new key is added, null takes a key out."""

    base: Name | list[Name]  # the file or files of the same folder that it builds on; base.yaml if not given
    # section -> the names that are left of it; a section that is not listed stays whole
    keep: dict[str, list[str]] = Field(default_factory=dict)
    only_by_name: bool = False  # true, in base.yaml: a name without a study does not stand for this one
    pairs: dict[Name, Pair] = Field(default_factory=dict)  # pairs of networks; with each method an experiment
    methods: dict[Name, Experiment] = Field(default_factory=dict)  # what the experiments of a method share
    datasets: dict[Name, Dataset]  # the data sets, which studies share


class Whole(GenerateJsonSchema):
    """Of a file that states everything."""

    partial = False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made, model = super().model_schema(schema), schema["cls"]
        made.pop("title", None)
        made["description"] = descriptions.of_model(model)
        for name, description in descriptions.of_fields(model).items():
            made["properties"][name] = {"description": description} | made["properties"][name]
        if issubclass(model, Line):
            made["properties"]["model"]["examples"] = networks()
        if issubclass(model, Experiment):
            made["properties"]["method"] |= methods.schema(type(self))
        return self.completed(made, model)

    def completed(self, made: JsonSchemaValue, model: type[Section]) -> JsonSchemaValue:
        """With what the keys demand of each other."""
        if found := rules.of(model):
            made["allOf"] = found
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Names of any number: the pattern of their spelling holds for every key, so that a wrong one is an error."""
        made = super().dict_schema(schema)
        for pattern, values in made.pop("patternProperties", {}).items():
            made |= {"propertyNames": {"pattern": pattern}, "additionalProperties": self.entry(values)}
        return made

    def entry(self, values: JsonSchemaValue) -> JsonSchemaValue:
        return values

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class Partial(Whole):
    """Of a file that states only what differs: no key is required, and null takes one out."""

    partial = True

    def completed(self, made: JsonSchemaValue, model: type[Section]) -> JsonSchemaValue:
        made.pop("required", None)
        made["properties"] = {name: nullable(of_key) for name, of_key in made["properties"].items()}
        return made

    def entry(self, values: JsonSchemaValue) -> JsonSchemaValue:
        return nullable(values)


def nullable(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The same or null, described in the same words."""
    told: JsonSchemaValue = {key: schema[key] for key in ("description", "default", "examples") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in told}
    ways = rest["anyOf"] if rest.keys() == {"anyOf"} else [rest]
    return {**told, "anyOf": ways if NULL in ways else [*ways, NULL]}


def networks() -> list[str]:
    """Names of the networks here and in the studies, for completion."""
    studies = sorted(path.parent.name for path in paths.STUDIES.glob("*/models"))
    return sorted({*models.known(), *(name for study in studies for name in models.known(study))})


def whole() -> dict[str, Any]:
    """The schema of params.yaml."""
    return headed(ParamsFile.model_json_schema(schema_generator=Whole), "params.yaml of Cellar")


def part() -> dict[str, Any]:
    """The schema of studies/<study>/params/*.yaml."""
    return headed(StudyFile.model_json_schema(schema_generator=Partial), "Parameter file of a study of Cellar")


def headed(schema: dict[str, Any], title: str) -> dict[str, Any]:
    return {"$schema": DRAFT, "title": title, **schema}
