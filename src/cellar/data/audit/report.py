"""What an audit says: a table with a line a pair, and the counts that are kept in git."""

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pandas as pd

from cellar.data.audit import duplicates
from cellar.data.audit.content import EMPTY_BELOW, PLACEHOLDER_FROM, nearly_constant, placeholders
from cellar.data.audit.duplicates import ALONE, KINDS, MAX_DISTANCE, MIN_LIKENESS, Duplicates
from cellar.data.audit.hashes import thumbnails
from cellar.data.inputs.prepared import SPLITS, ImageSet

FACES = ("fer2013", "raf_db", "identity_folder")  # layouts in which a picture of one grey value is no face
LISTED = 100  # rows of images of nothing that are named
BANDS = tuple(f"{bits}_bits" for bits in range(MAX_DISTANCE + 1))

Summary = dict[str, Any]


def lines(image_set: ImageSet, found: Duplicates) -> pd.DataFrame:
    """One line a pair: rows of the prepared arrays, splits, classes, files where the layout keeps their names; kind,
    hash distance in bits, likeness, group (its lowest row). Ordered by rows."""
    table: dict[str, Any] = {}
    for side, rows in (("first", found.first), ("second", found.second)):
        table |= {side: rows, f"{side}_split": image_set.split[rows]}
        table[f"{side}_class"] = np.array(image_set.classes, dtype=object)[image_set.labels[rows]]
        if image_set.files:
            table[f"{side}_file"] = np.array(image_set.files, dtype=object)[rows]
    table |= {"kind": found.kind, "distance": found.distance, "likeness": found.likeness}
    return pd.DataFrame(table | {"group": found.group[found.first]})


def summarise(image_set: ImageSet, found: Duplicates, layout: str) -> Summary:
    """The counts, every name and number of them made here."""
    split, conflict = image_set.split, image_set.labels[found.first] != image_set.labels[found.second]
    leaked, leaking = found.leaked(split), found.leaking(split)
    where = splits_of_pairs(split, found)
    return {
        "limits": {"distance_bits": MAX_DISTANCE, "likeness": MIN_LIKENESS},
        "images": {name: int((split == name).sum()) for name in SPLITS if (split == name).any()},
        "pairs": {name: by_kind(found, which) for name, which in where.items()},
        "conflicts": {name: by_kind(found, which & conflict) for name, which in where.items()},
        "groups": of_groups(image_set, found),
        "leaked": {
            "test": int(leaked.sum()),
            "test_of_other_class": int(other_class(image_set, found, leaked).sum()),
            **{f"by_{name}": int((leaking & (split == name)).sum()) for name in SPLITS[:2]},
            "test_per_class": class_counts(image_set, leaked),
        },
        "near_pairs_proposed": dict(zip(BANDS, found.proposed.tolist(), strict=True)),
        "near_pairs_confirmed": dict(zip(BANDS, confirmed(found), strict=True)),
        "content": of_content(image_set, layout),
        "per_class": image_set.counts(),
    }


def class_counts(image_set: ImageSet, rows: np.ndarray) -> dict[str, int]:
    """Images of each class among `rows`, bool (N,), where there are any."""
    counts = np.bincount(image_set.labels[rows], minlength=len(image_set.classes)).tolist()
    return {name: n for name, n in zip(image_set.classes, counts, strict=True) if n}


def splits_of_pairs(split: np.ndarray, found: Duplicates) -> dict[str, np.ndarray]:
    """Which pairs, bool (P,), lie within a split (train) and which across two (train_test); rows are in split order."""
    here = [name for name in SPLITS if (split == name).any()]
    within = {
        (one, other): one if one == other else f"{one}_{other}" for one, other in combinations_with_replacement(here, 2)
    }
    first, second = split[found.first], split[found.second]
    return {name: (first == one) & (second == other) for (one, other), name in within.items()}


def by_kind(found: Duplicates, which: np.ndarray) -> dict[str, int]:
    return {kind: int(((found.kind == kind) & which).sum()) for kind in KINDS}


def confirmed(found: Duplicates) -> list[int]:
    counts: list[int] = np.bincount(found.distance[found.kind != "exact"], minlength=MAX_DISTANCE + 1).tolist()
    return counts


def of_groups(image_set: ImageSet, found: Duplicates) -> dict[str, int]:
    """How many groups, of how many images; how many of them hold more than one class, or more than one split."""
    members = pd.DataFrame({"group": found.group, "label": image_set.labels, "split": image_set.split})
    members = members[members["group"] != ALONE]
    different = members.groupby("group").nunique()
    return {
        "count": len(different),
        "images": len(members),
        "largest": int(members["group"].value_counts().max()) if len(members) else 0,
        "of_several_classes": int((different["label"] > 1).sum()),
        "across_splits": int((different["split"] > 1).sum()),
    }


def other_class(image_set: ImageSet, found: Duplicates, leaked: np.ndarray) -> np.ndarray:
    """bool (N,): leaked test images whose group holds a training or validation image of another class."""
    seen = image_set.split != "test"
    classes: dict[int, set[int]] = {}
    for group, label in zip(found.group[seen].tolist(), image_set.labels[seen].tolist(), strict=True):
        classes.setdefault(group, set()).add(label)
    rows = np.flatnonzero(leaked)
    differs = np.zeros(len(leaked), bool)
    differs[rows] = [bool(classes[int(found.group[row])] - {int(image_set.labels[row])}) for row in rows]
    return differs


def of_content(image_set: ImageSet, layout: str) -> Summary:
    """Images of nothing; drawn placeholders are looked for among faces only."""
    small = thumbnails(image_set.images)
    said = {"nearly_constant": listed(nearly_constant(small)) | {"spread_below": EMPTY_BELOW}}
    if layout in FACES:
        said["placeholders"] = listed(placeholders(small)) | {"one_grey_from": PLACEHOLDER_FROM}
    return said


def listed(which: np.ndarray) -> Summary:
    rows = np.flatnonzero(which).tolist()
    return {"count": len(rows), "rows": rows[:LISTED]}


def audit(image_set: ImageSet, layout: str) -> tuple[pd.DataFrame, Summary]:
    """Both, of a prepared set."""
    found = duplicates.find(image_set.images)
    return lines(image_set, found), summarise(image_set, found, layout)
