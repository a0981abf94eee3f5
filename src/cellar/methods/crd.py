"""Contrastive representation distillation (CRD, Tian et al., arXiv:1910.10699, section 3).

    u = (W x + b) / length, of student and teacher;  memories M_s, M_t of every training image's last u
    h_s(i, j) = exp(<u_s of image i, M_t[j]> / τ) / Z_s,  h_t(i, j) = exp(<u_t of image i, M_s[j]> / τ) / Z_t,  c = K / n
    loss = CE(labels) + feature_weight Σ sides mean over i of -log h(i, i) / (h(i, i) + c) - Σ_j log c / (h(i, j) + c)

j are K images of other classes, drawn for each image without replacement (with it where there are fewer). Z makes the mean
of h over the first batch 1 / n, and stays. After each loss M[i] <- (m M[i] + (1 - m) u_i) / length. Both embeddings are
trained, the teacher's side too. Defaults: RepDistiller's for CIFAR-100, the authors' own (HobbitLong/RepDistiller); its
"CRD+KD" is distill_weight 1.

Teacher: logits and vector. Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from cellar.config.section import Count, Fraction, Positive, Weight
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices
from cellar.methods.base import full_precision
from cellar.methods.feature_distillation import FeatureDistillation
from cellar.models.features import Features
from cellar.seeding import derive

EPS = 1e-7


class CRD(FeatureDistillation):
    class Params(FeatureDistillation.Params):
        feature_weight: Weight = 0.8  # of the contrastive loss
        width: Count = 128  # of the embeddings
        negatives: Count = 16384  # K, images of other classes that each image is compared with
        contrast_temperature: Positive = 0.07  # τ
        memory_momentum: Fraction = 0.5  # m, how much of a memory's row stays

    params: Params
    needs_teacher = "vector"

    def prepare(self, data: TrainData) -> None:
        self.labels, self.seed = data.train.labels, data.settings.seed
        super().prepare(data)

    def layers(self, student: Features, teacher: Features) -> nn.Module:
        params, widths = self.params, (student.vector.shape[1], teacher.vector.shape[1])
        return Contrast(*widths, params.width, len(self.labels), params.contrast_temperature, params.memory_momentum)

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        super().begin_epoch(epoch, indices)
        self.generator = Generator().manual_seed(derive(self.seed, "negatives", epoch))

    def feature_loss(self, student: Features, teacher: Features, batch: Batch) -> Tensor:
        compared = with_negatives(batch.image, self.labels, self.params.negatives, self.generator)
        loss: Tensor = self.student.layers(student.vector, teacher.vector, compared)
        return loss


def with_negatives(image: Tensor, labels: Tensor, negatives: int, generator: Generator) -> Tensor:
    """Image numbers (B, 1 + negatives): each image itself, then images of other classes; drawn on the CPU."""
    known, rows = labels.cpu(), []
    for number in image.tolist():
        others = (known != known[number]).nonzero().flatten()
        if len(others) < negatives:
            chosen = torch.randint(len(others), (negatives,), generator=generator)
        else:
            chosen = torch.randperm(len(others), generator=generator)[:negatives]
        rows.append(torch.cat([torch.tensor([number]), others[chosen]]))
    return torch.stack(rows).to(image.device)


class Contrast(nn.Module):
    """Student's and teacher's vectors (B, D), and the numbers (B, 1 + K) of the images that each is compared with, -> the
    loss; the memories then hold the new embeddings."""

    student_memory: Tensor  # (images, width), as the teacher's
    teacher_memory: Tensor
    constants: Tensor  # (2,), Z of the student's and of the teacher's scores; 0 before the first batch

    def __init__(
        self, student: int, teacher: int, width: int, images: int, temperature: float, momentum: float, eps: float = EPS
    ) -> None:
        super().__init__()
        self.student, self.teacher = nn.Linear(student, width), nn.Linear(teacher, width)
        self.temperature, self.momentum, self.eps = temperature, momentum, eps
        bound = (width / 3) ** -0.5
        for name in ("student_memory", "teacher_memory"):
            self.register_buffer(name, torch.rand(images, width) * 2 * bound - bound)
        self.register_buffer("constants", torch.zeros(2))

    def forward(self, student: Tensor, teacher: Tensor, compared: Tensor) -> Tensor:
        own, taught = functional.normalize(self.student(student)), functional.normalize(self.teacher(teacher))
        by_student = self.scores(own, self.teacher_memory, compared, 0)
        by_teacher = self.scores(taught, self.student_memory, compared, 1)
        self.remember(self.student_memory, own, compared[:, 0])
        self.remember(self.teacher_memory, taught, compared[:, 0])
        images = len(self.student_memory)
        return contrastive_loss(by_student, images, self.eps) + contrastive_loss(by_teacher, images, self.eps)

    def scores(self, embedding: Tensor, memory: Tensor, compared: Tensor, side: int) -> Tensor:
        """h (B, 1 + K) of embeddings (B, width) and the rows `compared` (B, 1 + K) of the other side's memory.

        One product with the whole memory, for a copy of B · K of its rows would be larger than the memory itself.
        """
        products = full_precision(embedding) @ memory.clone().T  # the memory changes before the backward pass
        scores = products.gather(1, compared).div(self.temperature).exp()
        first, kept = scores.detach().mean() * len(memory), self.constants[side].clone()
        self.constants[side] = torch.where(kept == 0, first, kept)
        return scores / self.constants[side].clone()

    @torch.no_grad()
    def remember(self, memory: Tensor, embedding: Tensor, image: Tensor) -> None:
        mixed = memory[image] * self.momentum + embedding * (1 - self.momentum)
        memory[image] = functional.normalize(mixed)


def contrastive_loss(scores: Tensor, images: int, eps: float = EPS) -> Tensor:
    """Of scores (B, 1 + K), the first of which is the image's own: noise-contrastive estimation, its mean over the batch."""
    chance = (scores.shape[1] - 1) / images  # K / n
    positive, negative = scores[:, 0], scores[:, 1:]
    own = (positive / (positive + chance + eps)).log()
    others = (chance / (negative + chance + eps)).log().sum(1)
    return -(own + others).mean()


METHOD = CRD
