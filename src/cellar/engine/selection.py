"""What follows from the scores of the epochs so far: which is best, whether to stop, what the progress line shows."""

import math
from collections.abc import Sequence

from cellar.config import Recipe

Row = dict[str, float]  # of the history


def is_best(history: Sequence[Row], recipe: Recipe) -> bool:
    """Whether the newest epoch beats all earlier ones; of equal epochs the first is kept."""
    *earlier, newest = history
    if recipe.select_on == "last_epoch":
        return True
    if recipe.select_on == "validation_loss":
        return all(newest["validation_loss"] < row["validation_loss"] for row in earlier)
    return all(newest[recipe.select_on] > row[recipe.select_on] for row in earlier)


def stopped_early(history: Sequence[Row], best_epoch: int, recipe: Recipe) -> bool:
    return recipe.early_stop is not None and len(history) - best_epoch >= recipe.early_stop


def headline(scores: Row) -> str:
    """The score that the progress line shows; nothing if no image is held out."""
    if "validation_r2" in scores:
        return f", validation R2 {scores['validation_r2']:.3f}"
    accuracy = scores["validation_accuracy"]
    return "" if math.isnan(accuracy) else f", validation {accuracy:.1f} %"
