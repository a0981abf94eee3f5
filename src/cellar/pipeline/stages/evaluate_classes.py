"""The exam of a classifier: a class for every test image."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from cellar import models
from cellar.engine import inference
from cellar.engine.evaluate import Arrays, Room


@dataclass(frozen=True)
class Classes:
    """Logits (N, C) of the test images; of the training images too where `evaluation.train_of` names the data set."""

    room: Room

    def build(self) -> nn.Module:
        return models.build(self.room.line.model, len(self.room.image_set.classes))

    def answers(self, model: nn.Module) -> Arrays:
        return {"logits": self.logits(model, "test")}

    def once(self, model: nn.Module) -> Arrays:
        if self.room.line.dataset not in self.room.params.evaluation.train_of:
            return {}
        labels = self.room.image_set.labels[self.room.image_set.split == "train"]
        return {"train_logits": self.logits(model, "train"), "train_labels": labels}

    def key(self) -> Arrays:
        index = np.flatnonzero(self.room.image_set.split == "test")
        return {"labels": self.room.image_set.labels[index], "index": index}

    def logits(self, model: nn.Module, name: str) -> np.ndarray:
        split = self.room.split(name)
        batch = self.room.params.evaluation.batch_size
        return inference.predict(model, split.images, split.views, batch).cpu().numpy()
