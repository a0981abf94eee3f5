"""Guesses of a classifier on the images that it is trained on, made while it is trained."""

import torch
from torch import Tensor

from cellar.metrics import classification


class Guesses:
    """Counts how often each class was taken for which: in train mode, of augmented images, each image by the weights that
    only then learn from it. It is read after each epoch and begins anew.
    """

    def __init__(self, classes: int, device: torch.device) -> None:
        self.confusion = torch.zeros(classes, classes, dtype=torch.int64, device=device)  # true classes by rows

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Logits (B, C) and labels (B,) of a batch."""
        place = labels * len(self.confusion) + logits.argmax(1)
        self.confusion.view(-1).index_add_(0, place, torch.ones_like(place))

    def take(self) -> dict[str, float]:
        """Accuracy, macro precision, recall and F1 in percent since the last call, as train_<score>."""
        scores = classification.of_confusion(self.confusion.cpu().numpy())
        self.confusion.zero_()
        return {f"train_{name}": value for name, value in scores.items()}
