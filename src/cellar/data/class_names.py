"""Which names mean the same class: the one table of synonyms, and of the numbers that published label files use."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from cellar.errors import CellarError, printable

SYNONYMS = {
    "happy": ("happiness",),
    "surprise": ("surprised",),
    "sad": ("sadness",),
    "anger": ("angry",),
    "disgust": ("disgusted",),
    "fear": ("fearful",),
    "neutral": ("neutrality",),
}
NUMBERED = {  # layout -> the classes that its numbers stand for, and the first number
    "fer2013": (0, ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")),
    "raf_db": (1, ("surprise", "fear", "disgust", "happy", "sad", "anger", "neutral")),
}
NUMBERS = {
    layout: {str(number): name for number, name in enumerate(names, start=first)}
    for layout, (first, names) in NUMBERED.items()
}
MEANING = {other: name for name, others in SYNONYMS.items() for other in (name, *others)}
MOST_LISTED = 12  # names that a message shows


def spelling(name: str) -> str:
    """A name without what a file system may change or a user varies: Unicode form, case, separators."""
    return " ".join(folded(name).replace("_", " ").replace("-", " ").split())


def meaning(name: str, numbers: Mapping[str, str] | None = None) -> str:
    """The class that `name` stands for. Numbers are names like others, unless `numbers` says what they mean."""
    plain = spelling(name)
    return MEANING.get((numbers or {}).get(plain, plain), plain)


def match(outputs: Sequence[str], classes: Sequence[str], layout: str | None = None) -> list[int]:
    """The position among `outputs` of each of `classes`, by name; `layout` gives numbers their meaning.

    Raises CellarError, with both lists, when a name has no counterpart, or two names mean one class.
    """
    if set(outputs) == set(classes) and len(outputs) == len(classes) == len(set(classes)):
        return [list(outputs).index(name) for name in classes]
    numbers = NUMBERS.get(layout or "")
    of_outputs, of_classes = ([meaning(name, numbers) for name in names] for names in (outputs, classes))
    both = f"outputs: {listed(outputs)}; the data set's classes: {listed(classes)}"
    for names, means in ((outputs, of_outputs), (classes, of_classes)):
        twice = next((first for first in means if means.count(first) > 1), None)
        if twice:
            same = [name for name, mean in zip(names, means, strict=True) if mean == twice]
            raise CellarError(f"{' and '.join(map(printable, same[:2]))} mean the same class ({both}); rename one")
    unmatched = [
        name
        for names, means, others in ((outputs, of_outputs, of_classes), (classes, of_classes, of_outputs))
        for name, mean in zip(names, means, strict=True)
        if mean not in others
    ]
    if unmatched:
        raise CellarError(f"{printable(unmatched[0])} has no counterpart ({both}); {remedy(outputs, classes)}")
    return [of_outputs.index(mean) for mean in of_classes]


def remedy(outputs: Sequence[str], classes: Sequence[str]) -> str:
    if all(name.isdecimal() for name in classes) and not all(name.isdecimal() for name in outputs):
        return "name the class folders by what the numbers mean (layout raf_db does so for 1 to 7)"
    if len(outputs) != len(classes):
        return "give weights of a network with the data set's classes, or mend classes"
    return "correct the names in classes, in the order of the network's outputs"


def listed(names: Iterable[str]) -> str:
    """Names in a message: the first, and how many there are."""
    given = list(map(printable, names))
    more = f", … ({len(given)} names)" if len(given) > MOST_LISTED else ""
    return ", ".join(given[:MOST_LISTED]) + more


def folded(name: str) -> str:
    """Equal for names that some file systems do not tell apart: those of another letter case or Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def exactly(name: str) -> str:
    """A name in a message, so that two Unicode forms of it look different."""
    return name if name.isascii() else ascii(name)


def check_twins(where: object, names: Iterable[str]) -> None:
    """Raises CellarError for two folders that another file system would merge."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(folded(name), name)
        if other != name:
            raise CellarError(
                f"{where}: {exactly(other)} and {exactly(name)} differ only in letter case or Unicode form, which other "
                "file systems do not tell apart; make them one, or rename one"
            )
