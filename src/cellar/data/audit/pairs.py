"""results/audit/<dataset>/pairs.csv, read back: which images are in two places.

pandas is imported where it is used: planning imports the tables, and must not wait for it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cellar.errors import CellarError

if TYPE_CHECKING:
    import pandas as pd

SIDES = ("first", "second")
NEEDED = {*SIDES, *(f"{side}_{what}" for side in SIDES for what in ("split", "class"))}
NEEDED |= {"kind", "distance", "likeness", "group"}


def read_pairs(path: Path) -> "pd.DataFrame":
    """One line a pair, as cellar.data.audit.report.lines gives them. Raises CellarError when it is missing or broken."""
    import pandas as pd

    try:
        pairs = pd.read_csv(path, dtype=dict.fromkeys((*SIDES, "group"), "int64"))
    except FileNotFoundError:
        raise CellarError(f"{path} does not exist; build it with: snakemake --cores 4 {path}") from None
    except (ValueError, TypeError, pd.errors.ParserError) as error:
        what = " ".join(str(error).split())
        raise CellarError(f"{path} cannot be read ({what}); remove it and build it again") from None
    if missing := sorted(NEEDED - set(pairs.columns)):
        raise CellarError(f"{path} has no column {missing[0]}; remove it and build it again")
    return pairs


def leaked_rows(pairs: "pd.DataFrame") -> np.ndarray:
    """The test images, int64 rows of the prepared arrays, in one group with an image trained or validated on."""
    rows, split = (np.concatenate([pairs[f"{side}{of}"].to_numpy() for side in SIDES]) for of in ("", "_split"))
    group = np.tile(pairs["group"].to_numpy(), len(SIDES))
    learnt = group[split != "test"]
    found: np.ndarray = np.unique(rows[(split == "test") & np.isin(group, learnt)])
    return found
