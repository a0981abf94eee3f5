"""What a paper says about its recipe, against its authors' own code."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellar.tables.checks import Finding
from cellar.tables.numbers import number_text
from cellar.tables.printed_values import Paper

KIND = "text against code"
SAME_WORDS = {"CrossEntropyLoss": "cross entropy", "resnet50": "resnet-50"}  # as a text would write it
ABOUT = {"src", "from", "note"}

Difference = tuple[tuple[str, ...], Any, Any]  # keys, value of the text, value of the code


def check(paper: Paper, code: str, whose: str, other_names: Mapping[str, str]) -> Iterator[Finding]:
    """`code`: key under `hyperparameters` of the code's recipe, `whose` in words; `other_names`: key of the text ->
    key of the code, where they differ."""
    recipes = paper.data["hyperparameters"]
    for keys, stated, done in compared(recipes["from_seed"], recipes[code], (), other_names):
        place = "Recipe: " + ", ".join(paper.worded(key) for key in keys)
        yield Finding(KIND, place, written(stated), f"{written(done)} in {whose}", "both as they stand, side by side")


def compared(
    text: Mapping[str, Any], code: Mapping[str, Any], keys: tuple[str, ...], other_names: Mapping[str, str]
) -> Iterator[Difference]:
    """Keys that both have, by the same or another name, with values that differ."""
    for key, stated in text.items():
        name = key if key in code else other_names.get(key, key)
        if name not in code or key in ABOUT:
            continue
        done = code[name]
        if isinstance(stated, Mapping) and isinstance(done, Mapping):
            yield from compared(stated, done, (*keys, key), other_names)
        elif comparable(stated, done) and plain(stated) != plain(done):
            yield (*keys, key), stated, done


def comparable(stated: Any, done: Any) -> bool:
    return not isinstance(stated, list | Mapping) and not isinstance(done, list | Mapping)


def plain(value: Any) -> Any:
    return SAME_WORDS.get(value, value).lower() if isinstance(value, str) else value


def written(value: Any) -> str:
    return number_text(value, None)
