"""The written list of renamed paths and keys (renamed.yaml), applied to one pair of files at a time.

The values of a file are a flat mapping: nested keys joined by "/", e.g. rows/E1/cells/accuracy/value. Every rule
removes or renames what it explains, on both sides; whatever is left must be equal.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Scalar = str | int | float | bool | None
Values = dict[str, Any]  # flat: key -> Scalar, or an empty list or mapping

NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)*")


@dataclass(frozen=True)
class Substitution:
    """A regular expression for a whole text, and what replaces it (groups as \\1, \\2)."""

    old: re.Pattern[str]
    new: str

    def apply(self, text: str) -> str | None:
        match = self.old.fullmatch(text)
        return match.expand(self.new) if match else None


@dataclass(frozen=True)
class ValueRule:
    """An action on the keys of some files; `files` is matched against the path in OLD."""

    files: re.Pattern[str]
    key: re.Pattern[str]
    action: str
    argument: Any


class Renames:
    """renamed.yaml. With `same_layout` only its entries `ignored` and `excluded` count.

    Raises ValueError for an entry without a reason or with an unknown action.
    """

    def __init__(self, document: Mapping[str, Any], same_layout: bool = False) -> None:
        entries = {name: list(document.get(name) or []) for name in SECTIONS}
        check_reasons(entries)
        self._ignored = [re.compile(entry["path"]) for entry in entries["ignored"]]
        self._excluded = [re.compile(entry["path"]) for entry in entries["excluded"]]
        self._timed = entries["timed_values"]
        used: Mapping[str, list[Mapping[str, Any]]] = {} if same_layout else entries
        self._paths = [substitution(entry) for entry in used.get("paths", [])]
        self._companions = [substitution(entry) for entry in used.get("companions", [])]
        self._references = [substitution(entry) for entry in used.get("references", [])]
        self._rules = [value_rule(entry) for entry in used.get("values", [])]

    def is_ignored(self, path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in self._ignored)

    def is_excluded(self, path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in self._excluded)

    def new_path(self, old_path: str) -> str:
        """Where NEW has what OLD has at this path; the first rule that matches counts."""
        return first(self._paths, old_path) or old_path

    def companions(self, new_path: str) -> list[str]:
        """Further files of NEW that hold values which OLD kept in one."""
        return [path for rule in self._companions if (path := rule.apply(new_path)) is not None]

    def common_reference(self, new_path: str) -> str:
        """The name under which references to several files of NEW compare as one."""
        return first(self._references, new_path) or new_path

    def reconcile(self, path: str, old: Values, new: Values) -> Counter[str]:
        """Apply all rules to both sides, in place. Returns how many keys were excluded, reworded, explained."""
        counts = Counter(excluded=self._exclude_timed(path, old, new))
        for rule in self._rules:
            if rule.files.fullmatch(path):
                name = "reworded" if rule.action in ("numbers", "text") else "explained"
                counts[name] += ACTIONS[rule.action](self, rule, old, new)
        return counts

    def _exclude_timed(self, path: str, old: Values, new: Values) -> int:
        """Remove the keys built on a value that OLD marks as timed; the mark itself is compared."""
        patterns = []
        for entry in self._timed:
            if re.fullmatch(entry["files"], path):
                marks = (re.fullmatch(entry["mark"], key) for key, value in old.items() if value == entry["is"])
                patterns += [entry["keys"].format(*map(re.escape, mark.groups())) for mark in marks if mark]
        if not patterns:
            return 0
        timed = re.compile("|".join(patterns))
        keys = {key for key in old | new if timed.fullmatch(key)}
        remove(keys, old, new)
        return len(keys)


def substitution(entry: Mapping[str, str]) -> Substitution:
    return Substitution(re.compile(entry["old"]), entry["new"])


def value_rule(entry: Mapping[str, Any]) -> ValueRule:
    actions = set(entry) - {"files", "key", "reason"}
    if len(actions) != 1 or not actions <= ACTIONS.keys():
        raise ValueError(f"renamed.yaml: {dict(entry)} needs exactly one action of {', '.join(ACTIONS)}")
    action = actions.pop()
    return ValueRule(re.compile(entry["files"]), re.compile(entry["key"]), action, entry[action])


def check_reasons(entries: Mapping[str, list[Mapping[str, Any]]]) -> None:
    for name, section in entries.items():
        for entry in section:
            if not entry.get("reason"):
                raise ValueError(f"renamed.yaml: an entry of {name} gives no reason: {dict(entry)}")


def first(substitutions: list[Substitution], text: str) -> str | None:
    return next((new for rule in substitutions if (new := rule.apply(text)) is not None), None)


def remove(keys: set[str], *sides: Values) -> None:
    for side in sides:
        for key in keys & side.keys():
            del side[key]


# The actions. Each returns the number of keys that it explained.


def ignore(_: Renames, rule: ValueRule, old: Values, new: Values) -> int:
    keys = {key for key in old | new if rule.key.fullmatch(key)}
    remove(keys, old, new)
    return len(keys)


def added(_: Renames, rule: ValueRule, old: Values, new: Values) -> int:
    """Keys that NEW alone has."""
    keys = {key for key in new.keys() - old.keys() if rule.key.fullmatch(key)}
    remove(keys, new)
    return len(keys)


def gone(_: Renames, rule: ValueRule, old: Values, new: Values) -> int:
    """Keys that OLD alone has; the argument may restrict them to columns whose content is elsewhere."""
    keys = {key for key in old.keys() - new.keys() if rule.key.fullmatch(key)}
    keys = {key for key in keys if rule.argument is True or is_redundant(old, key.split("/")[0], rule.argument)}
    remove(keys, old)
    return len(keys)


def is_redundant(table: Values, column: str, argument: Mapping[str, str]) -> bool:
    """Whether a column is constant 0 or agrees with another one, up to rounding; `if_zero_or_equal_to` names them."""
    others = argument["if_zero_or_equal_to"]
    cells = {key.removeprefix(f"{column}/"): value for key, value in table.items() if key.startswith(f"{column}/")}
    rows = {row: value for row, value in cells.items() if row != "#column"}
    return not any(rows.values()) or any(
        all(agree(table.get(f"{other}/{row}"), value) for row, value in rows.items()) for other in others
    )


def agree(one: Scalar, other: Scalar) -> bool:
    """Histories have 6 decimals, of sums of float32."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)
    return one == other


def rename(_: Renames, rule: ValueRule, old: Values, new: Values) -> int:
    """A key of OLD takes its new name if NEW has that and no longer the old one."""
    names = {key: first([Substitution(rule.key, rule.argument)], key) for key in old.keys() - new.keys()}
    names = {key: name for key, name in names.items() if name in new and name not in old}
    for key, name in names.items():
        old[str(name)] = old.pop(key)
    return len(names)


def text(_: Renames, rule: ValueRule, old: Values, new: Values) -> int:
    """Replace a regular expression within texts of OLD, where NEW has another text."""
    keys = [key for key, value in old.items() if isinstance(value, str) and rule.key.fullmatch(key)]
    changed = 0
    for key in keys:
        reworded = re.sub(rule.argument["old"], rule.argument["new"], old[key])
        if old[key] != new.get(key) and reworded != old[key]:
            old[key], changed = reworded, changed + 1
    return changed


def numbers(_: Renames, rule: ValueRule, old: Values, new: Values) -> int:
    """Texts may be worded anew, and in another order, if they contain the same numbers."""
    return settle(rule.key, old, new, numbers_in)


def places(renames: Renames, rule: ValueRule, old: Values, new: Values) -> int:
    """Lists of paths: OLD's by the path rules, NEW's by their common references; order and repeats do not count."""
    map_strings(rule.key, old, renames.new_path)
    map_strings(rule.key, new, renames.common_reference)
    return settle(rule.key, old, new, lambda paths: sorted(set(paths)))


def settle(key: re.Pattern[str], old: Values, new: Values, reduce: Callable[[list[str]], list[str]]) -> int:
    """Remove groups of keys (equal in the groups of `key`) whose texts agree after `reduce`. Counts changed texts."""
    groups: dict[tuple[str, ...], set[str]] = {}
    for name in old | new:
        if match := key.fullmatch(name):
            groups.setdefault(match.groups(), set()).add(name)
    changed = 0
    for names in groups.values():
        texts = [[side[name] for name in sorted(names & side.keys())] for side in (old, new)]
        if all(isinstance(text, str) for side in texts for text in side) and reduce(texts[0]) == reduce(texts[1]):
            changed += len(set(texts[0]) - set(texts[1]))
            remove(names, old, new)
    return changed


def numbers_in(texts: list[str]) -> list[str]:
    return sorted(number.replace(",", "") for text in texts for number in NUMBER.findall(text))


def map_strings(key: re.Pattern[str], side: Values, change: Callable[[str], str]) -> None:
    for name, value in side.items():
        if isinstance(value, str) and key.fullmatch(name):
            side[name] = change(value)


SECTIONS = ("ignored", "excluded", "timed_values", "paths", "companions", "references", "values")
ACTIONS: dict[str, Callable[[Renames, ValueRule, Values, Values], int]] = {
    function.__name__: function for function in (ignore, added, gone, rename, text, numbers, places)
}


def load(path: Path, same_layout: bool) -> Renames:
    return Renames(yaml.safe_load(path.read_text(encoding="utf-8")), same_layout)
