"""What an editor shows for a key: the comment at the field, else the docstring of its class or of the method's file."""

import ast
import inspect
import sys
import textwrap
from functools import cache

from pydantic import BaseModel


def of_fields(model: type[BaseModel]) -> dict[str, str]:
    """Field -> its description, for the fields that have one; those of base classes included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= comments(base)
    return {name: docstring for name in model.model_fields if (docstring := mentioning(model, name))} | found


def of_model(model: type[BaseModel]) -> str:
    """The docstring of a section, of a method's parameters that of the method's file where they have none."""
    return inspect.cleandoc(model.__doc__ or of_file(model))


def mentioning(model: type[BaseModel], name: str) -> str:
    """The docstring that explains a field without a comment: its class's where it names the field, else its file's."""
    own = model.__doc__ or ""
    return inspect.cleandoc(own if f"`{name}`" in own else of_file(model))


def of_file(model: type[BaseModel]) -> str:
    return sys.modules[model.__module__].__doc__ or ""


@cache
def comments(model: type[BaseModel]) -> dict[str, str]:
    """Field -> the comment at the end of its line, or on the lines above it."""
    lines = textwrap.dedent(inspect.getsource(model)).splitlines()
    definition = ast.parse("\n".join(lines)).body[0]
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.end_lineno:
            last = lines[node.end_lineno - 1].encode()[node.end_col_offset or 0 :].decode()
            words = [*above(lines[: node.lineno - 1]), last.strip().removeprefix("#").strip()]
            if comment := " ".join(filter(None, words)):
                found[node.target.id] = comment
    return found


def above(lines: list[str]) -> list[str]:
    """The comment lines at the end of `lines`."""
    count = 0
    while count < len(lines) and lines[-1 - count].strip().startswith("#"):
        count += 1
    return [line.strip().removeprefix("#").strip() for line in lines[len(lines) - count :]]
