"""Base of the methods that learn from labels and from the teacher's cached logits; and what their losses share.

    loss = task_weight CE(labels) + distill_weight L(student's logits, teacher's logits, labels)

A method gives L, `distill_loss`. Teacher: logits of every (image, augmentation), from the cache. Sampler: every image
once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from typing import Any, TypeVar

import torch
from pydantic import model_validator
from torch import Tensor
from torch.nn import functional

from cellar.config.section import Section, Weight
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices, Losses
from cellar.methods.base import Classifier, cross_entropy, full_precision

Weighted = TypeVar("Weighted", bound=Any)


def something_to_learn(params: Weighted) -> Weighted:
    """Raises ValueError if both weights are 0."""
    if params.task_weight == 0 and params.distill_weight == 0:
        raise ValueError("task_weight and distill_weight are both 0: nothing would be learnt")
    return params


class LogitDistillation(Classifier):
    class Params(Section):
        task_weight: Weight = 1.0  # of the cross-entropy on the labels
        distill_weight: Weight = 1.0  # of what is learnt from the teacher

        not_both_0 = model_validator(mode="after")(something_to_learn)

    params: Any
    needs_teacher = "logits"
    class_weights: Tensor | None = None  # (C,)

    def prepare(self, data: TrainData) -> None:
        self.teacher, self.class_weights = data.teacher, data.class_weights

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        """Get the teacher's logits of the whole epoch (N, C), in the epoch's order."""
        self.teacher_logits = self.teacher.logits(indices.image, indices.augmentation)

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: the student's logits (B, C). The terms are logged without their weights."""
        task = cross_entropy(output, batch.labels, self.class_weights)
        distill = self.distill_loss(output, self.teacher_logits[batch.position], batch.labels)
        total = self.params.task_weight * task + self.params.distill_weight * distill
        return {"loss": total, "task_loss": task, "distill_loss": distill}

    def distill_loss(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        """What is learnt from the teacher, a scalar: logits (B, C) each, labels (B,)."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        return self.teacher.facts()


def standardised(logits: Tensor) -> Tensor:
    """(x - mean) / (deviation + 1e-7) of each row of (B, C): LSKD (Sun et al., arXiv:2403.01427, algorithm 1).

    The deviation divides by C - 1, as in the authors' code. Gradients flow through mean and deviation.
    """
    logits = full_precision(logits)
    return (logits - logits.mean(1, keepdim=True)) / (logits.std(1, keepdim=True) + 1e-7)


def without_label(logits: Tensor, labels: Tensor) -> Tensor:
    """Logits (B, C) of which that of the label (B,) is so low that the softmax over the row gives it exactly 0.

    It is finite: a share of 0 times its logarithm is 0, and not NaN as for -inf.
    """
    of_label = functional.one_hot(labels, logits.shape[1]).bool()
    return logits.masked_fill(of_label, torch.finfo(logits.dtype).min / 2)
