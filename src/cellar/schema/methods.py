"""The schema of `method`: the parameters that go with each name."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from cellar import paths
from cellar.config.section import Section
from cellar.methods import registry

NAME = "name of the method: a file of src/cellar/methods, or of the study's own folder methods"
OF_GENERATORS = ("gan",)  # which trains no student


def schema(generator: type[GenerateJsonSchema]) -> dict[str, Any]:
    """As `generator` makes it. Where a file may leave out the name, the parameters may be those of any method."""
    forms = {name: of_method(name, params, generator) for name, params in known().items()}
    chosen = [
        {"if": {"type": "object", "required": ["name"], "properties": {"name": {"const": name}}}, "then": form}
        for name, form in forms.items()
    ]
    made: dict[str, Any] = {"properties": {"name": {"description": NAME, "enum": list(forms)}}}
    if not getattr(generator, "partial", False):
        return {**made, "required": ["name"], "allOf": chosen}
    nameless = {"if": {"required": ["name"]}, "else": any_of(list(forms.values()))}
    return {**made, "allOf": [*chosen, nameless]}


def known() -> dict[str, list[type[Section]]]:
    """Name -> its parameters; several where studies have methods of one name."""
    found: dict[str, list[type[Section]]] = {}
    for study in (None, *sorted(path.parent.name for path in paths.STUDIES.glob("*/methods"))):
        for name in registry.known(study):
            params = registry.load(name, study).Params
            if name not in OF_GENERATORS and params not in found.setdefault(name, []):
                found[name].append(params)
    return found


def of_method(name: str, params: list[type[Section]], generator: type[GenerateJsonSchema]) -> dict[str, Any]:
    forms = []
    for one in params:
        form = one.model_json_schema(schema_generator=generator)
        form = inlined(form, form.pop("$defs", {}))
        form["properties"] = {"name": {"description": NAME, "const": name}, **form.get("properties", {})}
        forms.append(form)
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def inlined(node: Any, sections: dict[str, Any]) -> Any:
    """With the sections themselves in place of references, which would not hold inside of another schema."""
    if isinstance(node, list):
        return [inlined(one, sections) for one in node]
    if not isinstance(node, dict):
        return node
    section = sections.get(str(node.get("$ref", "")).rpartition("/")[2], {})
    return {key: inlined(value, sections) for key, value in (section | node).items() if key != "$ref"}


def any_of(forms: list[dict[str, Any]]) -> dict[str, Any]:
    """The parameters of all forms as one."""
    properties: dict[str, list[Any]] = {}
    for form in forms:
        for one in form.get("anyOf", [form]):
            for key, value in one["properties"].items():
                properties.setdefault(key, []).append(value)
    return {"properties": {key: either(ways) for key, ways in properties.items()}, "additionalProperties": False}


def either(ways: list[Any]) -> Any:
    """Any of them, under the first one's description."""
    if len(ways) == 1:
        return ways[0]
    return {"description": ways[0].get("description", ""), "anyOf": ways}
