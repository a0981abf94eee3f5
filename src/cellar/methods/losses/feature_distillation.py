"""Distillation of features (small-dataset study, 5.6): a student's penultimate activations are to equal its teacher's.

Both equations sum over i = 0 to b, one image too many, and divide by b: the mean over the b images is taken.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional


def mse_loss(student: Tensor, teacher: Tensor, reduction: Literal["mean", "sum_of_squares"] = "mean") -> Tensor:
    """5.6.1. Activations (B, D) each; no gradient reaches the teacher.

    `mean`, over images and features: the study's text ("mean of distances in every dimension") and its code.
    `sum_of_squares`: the printed equation, |student - teacher|² summed over features, mean over images.
    """
    loss = functional.mse_loss(student.float(), teacher.detach().float())
    return loss * student.shape[1] if reduction == "sum_of_squares" else loss


def bce_loss(student_logits: Tensor, teacher_probabilities: Tensor) -> Tensor:
    """5.6.2: mean over images and features of -t log σ(s) - (1 - t) log(1 - σ(s)); (B, D) each, t between 0 and 1.

    The printed equation leaves open what becomes of the features; the mean is the study's code.
    No gradient reaches the teacher.
    """
    wanted = teacher_probabilities.detach().float()
    return functional.binary_cross_entropy_with_logits(student_logits.float(), wanted)
