"""A mistake in a checked file as one line: where, what, what to do; and the name that was likely meant."""

import difflib
from decimal import Decimal, InvalidOperation
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cellar.config.section import NAME_PATTERN, NAME_RULE
from cellar.errors import safe_repr


def explain(error: ValidationError, root: type[BaseModel]) -> tuple[str, str]:
    """Dotted key and description of the first problem of a pydantic report on a `root`; an unknown key comes first,
    for it explains missing ones. The key is empty where the whole file is meant."""
    problem = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")[0]
    location = [part for part in problem["loc"] if part != "[key]"]
    return ".".join(map(str, location)), describe(problem, root, location)


def describe(problem: ErrorDetails, root: type[BaseModel], location: list[int | str]) -> str:
    value, kind, message = problem["input"], problem["type"], problem["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"unknown key{likely(str(location[-1]), known_keys(root, location[:-1]))}; correct it or take it out"
    if kind == "missing":
        return "missing; add it"
    if kind in ("model_type", "dict_type"):
        return f"{shown(value)}, but keys and values are expected here; mend it"
    if is_name(problem):
        return f"{shown(value)} is no name: {NAME_RULE}; rename it"
    if isinstance(value, str) and (number := as_number(value)):
        return f"{value} is text to YAML, not a number; write {number}"
    if kind == "string_type" and problem["loc"][-1] == "[key]":
        return f"YAML reads this name as {safe_repr(value)}, which is no text; {quote(value)}"
    found = "" if isinstance(value, dict) else f" (found {value!r})"  # of a whole section the message says enough
    return f"{message[0].lower()}{message[1:]}{found}"


def quote(name: object) -> str:
    """What to do with a name that is no text; a number is often what follows a decimal comma."""
    point = ", or write the point where a comma stands for it" if type(name) in (int, float) else ""
    return f"put it in quotes{point}"


def is_name(problem: ErrorDetails) -> bool:
    """Whether the rule that a value breaks is that of names, by its characters or its length."""
    return problem.get("ctx", {}).get("pattern") == NAME_PATTERN or problem["type"] == "string_too_long"


def shown(value: object) -> str:
    """A value that stands where another kind is expected."""
    return "it is empty" if value is None else repr(safe_repr(value))


def as_number(text: str) -> str | None:
    """The number that `text` spells, in digits that YAML reads as one: 1e-3 is 0.001. None if it spells none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return f"{number:f}" if number.is_finite() else None


def known_keys(root: type[BaseModel], location: list[int | str]) -> list[str]:
    """The keys of the section at `location`, read off the fields' types; below a mapping, its names are passed over."""
    model, names = root, False
    for part in location:
        if names:
            names = False
            continue
        annotation = model.model_fields[str(part)].annotation if part in model.model_fields else None
        model, names = section_in(annotation) or model, get_origin(annotation) is dict
    return list(model.model_fields)


def section_in(annotation: object) -> type[BaseModel] | None:
    """The model in a type such as `dict[str, Model]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)


def likely(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
