"""A mistake in a checked file as one line: where, what, what to do; and the name that was likely meant."""

import difflib
from decimal import Decimal, InvalidOperation
from typing import get_args

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """The first problem of a pydantic report on a `root`; an unknown key first, for it explains missing ones."""
    problem = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")[0]
    *section, key = problem["loc"] or ("",)
    where = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the file"
    value, kind, message = problem["input"], problem["type"], problem["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{where}: unknown key{likely(str(key), known_keys(root, section))}; mend it or take it out"
    if kind == "missing":
        return f"{where}: missing; add it (params.yaml as published shows the form)"
    if isinstance(value, str) and (number := as_number(value)):
        return f"{where}: {value} is text to YAML, not a number; write {number}"
    found = "" if isinstance(value, dict) else f" (found {value!r})"  # of a whole section the message says enough
    return f"{where}: {message[0].lower()}{message[1:]}{found}"


def as_number(text: str) -> str | None:
    """The number that `text` spells, in digits that YAML reads as one: 1e-3 is 0.001. None if it spells none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return f"{number:f}" if number.is_finite() else None


def known_keys(root: type[BaseModel], location: list[int | str]) -> list[str]:
    """The keys of the section at `location`, read off the fields' types; names in a mapping are passed over."""
    model = root
    for part in location:
        if part in model.model_fields:
            model = section_in(model.model_fields[str(part)].annotation) or model
    return list(model.model_fields)


def section_in(annotation: object) -> type[BaseModel] | None:
    """The model in a type such as `dict[str, Model]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)


def likely(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
