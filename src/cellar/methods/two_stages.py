"""The base of methods that distil features in a first stage of the training alone, before they learn the labels.

Both stages are one training, whose loss changes at an epoch: order, checkpoints and resuming are those of every training. The
recipe counts the epochs of the second stage alone, so that methods with and without a first stage share a recipe.
"""

from typing import Self

from pydantic import model_validator

from cellar.config.resolved import TrainingSettings
from cellar.config.section import Count
from cellar.engine.training import EpochIndices
from cellar.errors import CellarError
from cellar.methods.feature_distillation import FeatureDistillation


class TwoStages(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        first_stage_epochs: Count = 30  # epochs of the first stage, before those of the recipe

        @model_validator(mode="after")
        def labels_to_learn(self) -> Self:
            if not (self.task_weight or self.distill_weight):
                raise ValueError("task_weight and distill_weight are both 0: the second stage would learn nothing")
            return self

    params: Params
    first_stage = True  # whether this epoch belongs to it

    @property
    def first_stage_epochs(self) -> int:
        return self.params.first_stage_epochs

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        if settings.recipe.processes > 1:
            raise CellarError(f"{settings.key}: its two stages train other layers; set processes: 1 in its recipe")

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        super().begin_epoch(epoch, indices)
        self.first_stage = epoch < self.first_stage_epochs


class FirstFeatures(TwoStages):
    """The first stage has the feature loss alone, the second the other terms alone."""

    def weights(self) -> dict[str, float]:
        if self.first_stage:
            return {"feature_loss": self.params.feature_weight}
        return {term: weight for term, weight in super().weights().items() if term != "feature_loss"}
