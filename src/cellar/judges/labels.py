"""Scores of a classifier: accuracy and loss; of splits that are watched, macro averages."""

from collections.abc import Mapping
from functools import partial

from torch import nn

from cellar import evaluation, metrics
from cellar.evaluation import Split
from cellar.training import Judge

Scores = dict[str, float]


def on_labels(validation: Split | None, watched: Mapping[str, Split], precision: str) -> Judge | None:
    """Accuracy and loss on validation; of splits that are watched, and then of validation, macro averages too."""
    if not watched:
        return partial(evaluation.score, split=validation, precision=precision) if validation else None

    def judge(model: nn.Module) -> Scores:
        scores = evaluation.score(model, validation, precision) if validation else evaluation.UNSCORED
        found = dict(scores)
        for name, split in [*([("validation", validation)] if validation else []), *watched.items()]:
            found |= {f"{name}_{key}": value for key, value in averages(model, split, precision).items()}
        return found | scores

    return judge


def averages(model: nn.Module, split: Split, precision: str) -> Scores:
    """Accuracy, and macro precision, recall and F1, in percent."""
    logits = evaluation.predict(model, split.images, split.views, evaluation.VALIDATION_BATCH, precision)
    classes = [str(number) for number in range(logits.shape[1])]
    found = metrics.averages(logits.cpu().numpy(), split.labels.cpu().numpy(), classes)
    return {"accuracy": found["accuracy"], **found["macro"]}
