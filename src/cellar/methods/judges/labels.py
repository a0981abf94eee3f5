"""Scores of a classifier: accuracy and loss; of splits that are watched, macro averages."""

from collections.abc import Mapping
from functools import partial

from torch import nn

from cellar.engine import inference
from cellar.engine.inference import Split
from cellar.engine.training import Judge
from cellar.metrics import classification

Scores = dict[str, float]


def on_labels(validation: Split | None, watched: Mapping[str, Split], precision: str) -> Judge | None:
    """Accuracy and loss on validation; where splits are watched, macro averages of them and of validation too."""
    if not watched:
        return partial(inference.score, split=validation, precision=precision) if validation else None
    splits = {**({"validation": validation} if validation else {}), **watched}

    def judge(model: nn.Module) -> Scores:
        found = dict(inference.UNSCORED)
        for name, split in splits.items():
            found |= {f"{name}_{key}": value for key, value in averages(model, split, precision).items()}
        return found

    return judge


def averages(model: nn.Module, split: Split, precision: str) -> Scores:
    """Accuracy, and macro precision, recall and F1, in percent; mean cross-entropy."""
    logits = inference.predict(model, split.images, split.views, inference.VALIDATION_BATCH, precision)
    classes = [str(number) for number in range(logits.shape[1])]
    found = classification.averages(logits.cpu().numpy(), split.labels.cpu().numpy(), classes)
    return {"accuracy": found["accuracy"], "loss": found["loss"], **found["macro"]}
