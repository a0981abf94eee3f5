"""Keys and forms of earlier versions of params.yaml: each answers with its new name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cellar.config.params import PARAMS_FILE, StudySections
from cellar.errors import CellarError

METHOD_KEYS = ("temperature", "task_weight", "distill_weight", "loss_form")
OLD_SECTIONS = {  # key of an experiment -> where its content stands now
    "features": "faces and method: {name: feature_kd, loss: …, images_per_epoch: …}",
    "triplets": "method: {name: triplet, margin: …, per_epoch: …}",
    "tasks": "method: {name: maml, ways: …, …}",
}


def check(raw: Any, source_of: Callable[[str], Path]) -> None:
    """Raises CellarError, one line, for a key that has moved, or for a file in the flat form of earlier versions."""
    if not isinstance(raw, dict):
        return
    sections = [name for name in StudySections.model_fields if name in raw]
    if sections and "studies" not in raw:
        raise CellarError(
            f"{PARAMS_FILE} has the form of an earlier version; compose it anew: cellar use sample --force"
        )
    for section in sections:
        old = first_leaf(section, raw[section])
        raise CellarError(f"{PARAMS_FILE}: {'.'.join(old)} is now {'.'.join(moved(old, raw['studies']))}")
    for key, new in (*renamed_keys(raw), *moved_keys(raw.get("studies"))):
        raise CellarError(f"{source_of(key)}: {key} is now {new}; move it there")


def first_leaf(key: str, value: Any) -> list[str]:
    """The keys down to the first value: what `dvc exp run -S` adds for a name that params.yaml does not have."""
    path = [key]
    while isinstance(value, dict) and value:
        key, value = next(iter(value.items()))
        path.append(str(key))
    return path


def moved(old: list[str], studies: Any) -> list[str]:
    """Where a key of the flat form stands now: in the only study that has that name."""
    section, *rest = old
    owners = [
        str(study)
        for study, sections in (studies.items() if isinstance(studies, dict) else ())
        if rest and isinstance(sections, dict) and rest[0] in (sections.get(section) or {})
    ]
    if section == "experiments" and len(rest) > 1 and rest[1] in METHOD_KEYS:
        rest.insert(1, "method")
    return ["studies", owners[0] if len(owners) == 1 else "<study>", section, *rest]


def renamed_keys(raw: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(old, new) of every key outside studies that has another name now."""
    if "drawn" in dict(mappings(raw)).get("scale", {}):
        yield "scale.drawn", "scale.synthetic"
    if "train_of" in dict(mappings(raw)).get("evaluation", {}):
        yield "evaluation.train_of", "watch: [train] in the recipes of these data sets"
    for name, dataset in mappings(raw.get("datasets")):
        if "draw" in dict(mappings(dataset)).get("source", {}):
            yield f"datasets.{name}.source.draw", f"datasets.{name}.source.synthetic"


def moved_keys(studies: Any) -> Iterator[tuple[str, str]]:
    """(old, new) of every key of an experiment that stands elsewhere now. Of anything malformed: nothing."""
    for study, sections in mappings(studies):
        for name, line in mappings(sections.get("experiments")):
            place = f"studies.{study}.experiments.{name}"
            for key in line:
                if key in METHOD_KEYS:
                    yield f"{place}.{key}", f"{place}.method.{key}"
                if key in OLD_SECTIONS:
                    yield f"{place}.{key}", OLD_SECTIONS[key]


def mappings(value: Any) -> Iterator[tuple[str, dict[Any, Any]]]:
    """Those items of a mapping that are mappings themselves."""
    items = value.items() if isinstance(value, dict) else ()
    return ((str(key), entry) for key, entry in items if isinstance(entry, dict))
