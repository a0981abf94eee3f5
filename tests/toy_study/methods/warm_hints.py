"""Warm hints: soft targets from the start, and a pull towards the teacher's features that fades with the epochs.

    loss = CE(labels) + KL(teacher / T || student / T) + w(e) |mean(f_teacher) - mean(logits)|,    w(e) = start / (e + 1)

Teacher: logits and penultimate features of every batch, computed live. Sampler and evaluation: those of a classifier.
"""

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Positive, Section
from cellar.engine.activations import forward_with_features
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices, Losses
from cellar.methods.base import Classifier, cross_entropy


class WarmHints(Classifier):
    class Params(Section):
        """`start`: the weight of the hints in the first epoch."""

        temperature: Positive
        start: Positive = 0.5

    params: Params
    needs_teacher = "live"

    def prepare(self, data: TrainData) -> None:
        self.teacher = data.live_teacher

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        self.weight = self.params.start / (epoch + 1)

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: the student's logits (B, C)."""
        taught, temperature = (
            forward_with_features(self.teacher, batch.image, batch.augmentation),
            self.params.temperature,
        )
        student, teacher = (functional.log_softmax(one / temperature, 1) for one in (output, taught.logits))
        task = cross_entropy(output, batch.labels)
        soft = functional.kl_div(student, teacher, reduction="batchmean", log_target=True)
        hint = (taught.features.mean(1) - output.mean(1)).abs().mean()
        return {"loss": task + soft + self.weight * hint, "task_loss": task, "soft_loss": soft, "hint_loss": hint}


METHOD = WarmHints
