"""`pairs` and `methods` of a study's file: each pair of networks with each method is an experiment, `<pair>-<method>`.

    methods:
      alone: {method: {name: labels}}
      kd: {method: {name: logit_kd, temperature: 4, task_weight: 0.1, distill_weight: 0.9, loss_form: weighted}}
    pairs:
      resnet56-resnet20: {dataset: cifar100, teacher: resnet56, model: resnet20, recipe: usual}

Both hold keys of an experiment: those that a pair's lines share, and those that a method's lines share, which are merged onto
them. A line that learns from labels alone gets no teacher. `without` of a pair lists methods that it has not;
`methods` of a pair states what differs there. params.yaml has the experiments, and neither section.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from cellar.config.study_file import Entry, Tree, plain
from cellar.config.validation_errors import likely
from cellar.errors import CellarError

PAIRS, METHODS = "pairs", "methods"
WITHOUT = "without"  # of a pair: methods that it has not
Merge = Callable[[Tree, Tree, str], Tree]


def expanded(tree: Tree, merge: Merge) -> Tree:
    """`tree` with an experiment for each pair and method in place of both sections; an experiment that it states itself is
    merged onto the one of its name. Raises CellarError, one line, with the file of what is wrong."""
    for key in (PAIRS, METHODS):
        if key in tree:
            check_mapping(key, tree[key], f"{key} by their names")
    rest = {key: entry for key, entry in tree.items() if key not in (PAIRS, METHODS)}
    pairs, methods = (tree[key].value if key in tree else {} for key in (PAIRS, METHODS))
    made = {key: entry for name, pair in pairs.items() for key, entry in of_pair(name, pair, methods, merge)}
    if not made:
        return rest
    stated = tree["experiments"].value if "experiments" in tree else {}
    return rest | {"experiments": Entry(merge(made, stated, "experiments"), tree[PAIRS].source)}


def of_pair(name: str, pair: Entry, methods: Tree, merge: Merge) -> Iterator[tuple[str, Entry]]:
    check_names(name, pair, methods)
    left_out = plain(pair.value[WITHOUT]) if WITHOUT in pair.value else []
    changes = pair.value[METHODS].value if METHODS in pair.value else {}
    shared = {key: entry for key, entry in pair.value.items() if key not in (WITHOUT, METHODS)}
    for method, entry in methods.items():
        if method in left_out:
            continue
        key, place = f"{name}-{method}", f"experiments.{name}-{method}"
        line = {"row": Entry(key, entry.source, key)} | shared
        if learns_labels_alone(entry):
            line.pop("teacher", None)
        line = merge(line, entry.value, place)
        yield key, Entry(merge(line, changes[method].value, place) if method in changes else line, pair.source)


def learns_labels_alone(entry: Entry) -> bool:
    """Whether a method's lines do: by their name, or because they state no method."""
    method = plain(entry).get("method", {"name": "labels"})
    return isinstance(method, dict) and method.get("name") == "labels"


def check_names(name: str, pair: Entry, methods: Tree) -> None:
    """Raises CellarError for a pair or a method that is no mapping, for a method whose name divides otherwise, and for a pair that
    names a method that is not there."""
    place = f"{PAIRS}.{name}"
    for key, entry in {place: pair, **{f"{METHODS}.{method}": entry for method, entry in methods.items()}}.items():
        check_mapping(key, entry, "keys of an experiment")
    for method in (method for method in methods if "-" in method):
        raise CellarError(
            f"{methods[method].source}: {METHODS}.{method}: '-' stands between pair and method; write {method.replace('-', '_')}"
        )
    if METHODS in pair.value:
        changes = pair.value[METHODS]
        check_mapping(f"{place}.{METHODS}", changes, "methods, each with what differs in this pair")
        for method, entry in changes.value.items():
            check_mapping(f"{place}.{METHODS}.{method}", entry, "keys of an experiment")
    if WITHOUT in pair.value and not isinstance(plain(pair.value[WITHOUT]), list):
        raise CellarError(f"{pair.value[WITHOUT].source}: {place}.{WITHOUT}: give a list of methods, such as [fsp]")
    for key in (WITHOUT, METHODS):
        for method in plain(pair.value[key]) if key in pair.value else ():
            if method not in methods:
                raise unknown(pair.value[key].source, f"{PAIRS}.{name}.{key}", str(method), list(methods))


def check_mapping(key: str, entry: Entry, what: str) -> None:
    if not entry.is_mapping:
        raise CellarError(f"{entry.source}: {key}: it holds {what}; give a mapping")


def unknown(source: Path, place: str, method: str, known: list[str]) -> CellarError:
    return CellarError(f"{source}: {place}: no method {method!r}{likely(method, known)}; known: {', '.join(known)}")
