"""The schema of params.yaml with another default: which fields have one, where params.yaml leaves it to them."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from cellar.config import Config
from cellar.config.lines import Experiment
from cellar.config.params import Params, ParamsFile
from cellar.config.section import Section
from cellar.config.validation_errors import section_in
from cellar.methods import registry


@dataclass(frozen=True)
class Field:
    """A field with a default: of the class that declares it, and of those that inherit it."""

    name: str
    owners: tuple[type[Section], ...]

    @property
    def default(self) -> Any:
        return self.owners[0].model_fields[self.name].get_default(call_default_factory=True)


def fields(study: str) -> dict[str, Field]:
    """Every field with a default, by "Class.field": of params.yaml and of the methods, those of `study` among them."""
    found: dict[str, Field] = {}
    for section in [*sections(ParamsFile), *methods(study)]:
        for name, field in section.model_fields.items():
            if not field.is_required():
                declaring = next(base for base in section.__mro__ if name in inspect.get_annotations(base))
                key = f"{declaring.__qualname__}.{name}"
                found[key] = Field(name, (*(found[key].owners if key in found else ()), section))
    return found


def methods(study: str) -> list[type[Section]]:
    """The parameters of every method; those of a generator stand in its section."""
    return [registry.load(name, study).Params for name in registry.known(study) if name != "gan"]


def sections(root: Any) -> list[type[Section]]:
    """The sections that a type is made of, those of which another is made before it."""
    found: dict[type[Section], None] = {}

    def visit(kind: Any) -> None:
        is_section = isinstance(kind, type) and issubclass(kind, Section)
        parts = [field.annotation for field in kind.model_fields.values()] if is_section else get_args(kind)
        for part in parts:
            visit(part)
        if is_section:
            found[kind] = None

    visit(root)
    return list(found)


@contextmanager
def default(field: Field, value: Any) -> Iterator[None]:
    """The schema with another default of one field."""
    infos = [owner.model_fields[field.name] for owner in field.owners]
    before = [(info.default, info.default_factory) for info in infos]
    for info in infos:
        info.default, info.default_factory = value, None
    rebuild(field)
    try:
        yield
    finally:
        for info, (old, factory) in zip(infos, before, strict=True):
            info.default, info.default_factory = old, factory
        rebuild(field)


def rebuild(field: Field) -> None:
    """Every section that holds one of the field's, too: each has its parts compiled in."""
    for section in dict.fromkeys([*field.owners, *sections(ParamsFile), Params, Config]):
        section.model_rebuild(force=True)


def places(
    section: type[Section], value: dict[str, Any], study: str = ""
) -> Iterator[tuple[type[Section], dict[str, Any]]]:
    """(class, content) of each section in `value`, a part of params.yaml."""
    yield section, value
    for name, field in section.model_fields.items():
        if name in value:
            yield from inside(field.annotation, value[name], study)
    if section is Experiment and "method" in value:
        yield registry.load(value["method"]["name"], study).Params, value["method"]


def inside(kind: Any, value: Any, study: str) -> Iterator[tuple[type[Section], dict[str, Any]]]:
    part = section_in(kind)
    if part is None or not isinstance(value, dict):
        return
    if get_origin(kind) is not dict:
        yield from places(part, value, study)
        return
    for name, entry in value.items():
        yield from places(part, entry, study or name)  # studies are the first mapping that has methods below it
