"""The printed numbers of the studies (workflow/reference/paper_values.yaml), as they stand in the papers."""

from functools import cache
from typing import Any

import yaml

from cellar import paths
from cellar.errors import CellarError

MINI_RESEMOTENET, SMALL_DATASET_KD, CIFAR100_KD = "mini_resemotenet", "small_dataset_kd", "cifar100_kd"
CUSTOM = "custom"
ALL_STUDIES = "all_studies"  # of what is collected over the studies
STUDIES = {  # by data set
    "fer2013": MINI_RESEMOTENET,
    "raf_db": MINI_RESEMOTENET,
    "pins": SMALL_DATASET_KD,
    "cifar100": CIFAR100_KD,
}


def study_of(dataset: str) -> str:
    """The study that a data set belongs to; CUSTOM for one of the user's own."""
    return STUDIES.get(dataset, CUSTOM)


def table(name: str, of: str = MINI_RESEMOTENET) -> dict[str, Any]:
    """A printed table, such as `table_IV` of Mini-ResEmoteNet: columns, rows and what is known about them."""
    found: dict[str, Any] = study(of)["tables"][name]
    return found


IN_TABLE_VI = {"teacher": "ResEmoteNet", "E1": "Student Model A(E1)", "E4": "Student Model B(E4)"}
VI_COLUMNS = {"FER2013": "fer2013_accuracy", "RAF-DB": "raf_db_accuracy"}


def variants(dataset: str, row: str, printed: float | None) -> list[float]:
    """What else the paper prints for one accuracy: in its Tables IV and VI and in its text.

    dataset FER2013 or RAF-DB; row teacher, E1 ... E6; `printed` is the value already shown.
    """
    fourth = table("table_IV")
    found = [fourth[dataset].get(row, {}).get("accuracy")]
    if row in IN_TABLE_VI:
        found.append(table("table_VI")["rows"][IN_TABLE_VI[row]][VI_COLUMNS[dataset]])
    found.append(fourth["text_variants"].get(f"{dataset}.{row}.accuracy", {}).get("value"))
    return sorted({value for value in found if value not in (None, printed)})


@cache
def study(name: str = MINI_RESEMOTENET) -> dict[str, Any]:
    """Raises CellarError when the file is missing or does not hold the study."""
    path = paths.REFERENCE
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        found: dict[str, Any] = loaded["studies"][name]
    except FileNotFoundError:
        raise CellarError(f"{path} is not here; take it back: git checkout {path}") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        what = " ".join(str(error).split())
        raise CellarError(f"{path} cannot be read ({what}); take it back: git checkout {path}") from None
    return found
