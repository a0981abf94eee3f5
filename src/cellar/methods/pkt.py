"""Probabilistic knowledge transfer (Passalis and Tefas, arXiv:1803.10837), with the cosine kernel.

    K(i, j) = (<x_i, x_j> / (|x_i| |x_j|) + 1) / 2,  P = K, each row divided by its sum
    loss = CE(labels) + feature_weight mean over B² of P(teacher) log((P(teacher) + ε) / (P(student) + ε)),  ε = 1e-7

The authors' code (passalis/probabilistic_kt) takes the mean over all pairs, the diagonal too, hence the large weight, which
is RepDistiller's for CIFAR-100. On the vector that the classifier reads.

The authors' float32 code gives no number where a vector is 0 (its gradient), and may not where two are opposite, whose K
is rounded below 0. Here a vector of zeros has no gradient, and K is at least 0.

Teacher: logits and vector. Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

import torch
from torch import Tensor

from cellar.config.section import Weight
from cellar.engine.training import Batch
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.models.features import Features

EPS = 1e-7


class PKT(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 30000.0  # of the divergence

    params: Params
    needs_teacher = "vector"

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        return probabilistic_loss(student.vector, teacher.vector)


def probabilistic_loss(student: Tensor, teacher: Tensor, eps: float = EPS) -> Tensor:
    """Of vectors (B, D), whose D may differ."""
    p, q = affinities(teacher, eps), affinities(student, eps)
    return (p * ((p + eps) / (q + eps)).log()).mean()


def affinities(vectors: Tensor, eps: float) -> Tensor:
    """(B, D) -> (B, B), rows of sum 1."""
    vectors = full_precision(vectors)
    lengths = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    unit = torch.where(lengths > 0, vectors / (lengths + eps), 0)
    kernel = (unit @ unit.T + 1) / 2
    kernel = kernel + (kernel.clamp(min=0) - kernel).detach()  # what is rounded up keeps its gradient
    return kernel / kernel.sum(1, keepdim=True)


METHOD = PKT
