"""The printed numbers of Mini-ResEmoteNet (workflow/reference/paper_values.yaml), as they stand in the paper."""

from functools import cache
from typing import Any

import yaml

from cellar import paths
from cellar.errors import CellarError

STUDY = "mini_resemotenet"


def table(name: str) -> dict[str, Any]:
    """A printed table, `table_I` to `table_VI`: columns, rows and what is known about them."""
    found: dict[str, Any] = study()["tables"][name]
    return found


@cache
def study() -> dict[str, Any]:
    """Raises CellarError when the file is missing or does not hold the study."""
    path = paths.REFERENCE
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        found: dict[str, Any] = loaded["studies"][STUDY]
    except FileNotFoundError:
        raise CellarError(f"{path} is not here; take it back: git checkout {path}") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        what = " ".join(str(error).split())
        raise CellarError(f"{path} cannot be read ({what}); take it back: git checkout {path}") from None
    return found
