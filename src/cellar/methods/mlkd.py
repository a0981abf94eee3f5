"""Multi-level logit distillation, MLKD (Jin, Wang, Lin, "Multi-Level Logit Distillation", CVPR 2023).

    L  = task_weight (CE(weak) + CE(strong)) + distill_weight D
    D  = a Σ_T KD(weak; T) + Σ_(first 3 T) KD(strong; T) + Σ_(last 2 T) KD(weak; T)
         + c Σ_T CC(weak; T) + a Σ_T BC(weak; T)
    KD = T² KL(teacher || student)
    CC = |P_tᵀ P_t - P_sᵀ P_s|² / C,   BC = |P_t P_tᵀ - P_s P_sᵀ|² / B,   P = softmax(logits / T), (B, C)

weak and strong are two augmentations of each image (data/inputs/two_views.py). a is the share of images on which the
teacher's confidence is at or below its median, c the share of classes whose summed probability is. In the paper these are
masks of images and classes; in the authors' code (Jin-Ying/Multi-Level-Logit-Distillation, mdistiller/distillers/KD_ours.py)
each is multiplied with a mean, so it is a factor. The last two KD of D are of weak logits there too.

CIFAR-100: task_weight 0.1, distill_weight 0.9, T of 4, 3, 5, 2, 6. With LSKD (Sun et al., arXiv:2403.01427) the logits of
KD alone are standardised, distill_weight is 9 and the first T is 2. Teacher: its logits of both augmentations, live, for
there are too many strong ones to keep. Scores of the training images are those of the weak ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic import model_validator
from torch import Tensor, nn

from cellar.config.section import Positive, Section, Weight
from cellar.data.inputs.augmentation import FiniteAugmentation, Split
from cellar.engine.teacher import FixedBatchTeacher
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, Losses
from cellar.methods.base import Classifier, cross_entropy, full_precision
from cellar.methods.logit_distillation import something_to_learn, standardised
from cellar.methods.logit_kd import kl_divergence
from cellar.models.wrapped import EachView

TEMPERATURES = (4.0, 3.0, 5.0, 2.0, 6.0)  # the first is a parameter
OF_STRONG = 3  # the first temperatures are of the strong augmentation, too


class MLKD(Classifier):
    class Params(Section):
        task_weight: Weight = 0.1  # of the cross-entropy on the labels, of both augmentations
        distill_weight: Weight = 0.9  # of what is learnt from the teacher
        temperature: Positive = TEMPERATURES[0]  # the first of five; the others are 3, 5, 2 and 6
        standardise: bool = False  # the logits of KD, as LSKD does

        not_both_0 = model_validator(mode="after")(something_to_learn)

    params: Params
    needs_teacher = "live"
    class_weights: Tensor | None = None  # (C,)

    def wrap(self, model: nn.Module) -> nn.Module:
        return EachView(model)

    def train_split(self, data: TrainData) -> Split:
        return with_two_views(data.train)

    def prepare(self, data: TrainData) -> None:
        teacher, settings = data.settings.teacher, data.settings
        assert teacher, "check has refused settings without one"
        self.class_weights, shown = data.class_weights, with_two_views(data.shown_to(teacher))
        size = settings.recipe.batch_size
        self.teacher = FixedBatchTeacher(
            lambda: EachView(data.network_of(teacher, size)), shown.images, shown.augmentation, size, settings.precision
        )

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: the student's logits (B, 2, C) of the weak and the strong augmentation. Terms are logged without weights."""
        student = Views(*output.unbind(1))
        taught = self.teacher.forward(batch.image, batch.augmentation).clone()  # so that autograd takes it
        teacher = Views(*taught.unbind(1))
        task = sum_of_cross_entropies(student, batch.labels, self.class_weights)
        temperatures = (self.params.temperature, *TEMPERATURES[1:])
        distill = distill_loss(student, teacher, temperatures, self.params.standardise)
        total = self.params.task_weight * task + self.params.distill_weight * distill
        return {"loss": total, "task_loss": task, "distill_loss": distill}

    def observe(self, output: Tensor, batch: Batch) -> None:
        super().observe(Views(*output.unbind(1)).weak, batch)

    def facts(self) -> dict[str, Any]:
        return {"teacher_images_forwarded": len(Views._fields) * self.teacher.images_forwarded}


class Views(NamedTuple):
    """Logits (B, C) of a weak and of a strong augmentation of the same images."""

    weak: Tensor
    strong: Tensor


def with_two_views(split: Split) -> Split:
    from cellar.data.inputs.two_views import TwoViews  # imports torchvision, slowly

    assert isinstance(split.augmentation, FiniteAugmentation), "a split is opened with one"
    return replace(split, augmentation=TwoViews(split.augmentation))


def sum_of_cross_entropies(student: Views, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """CE(weak) + CE(strong), a scalar; labels (B,), class_weights (C,)."""
    weak, strong = (cross_entropy(logits, labels, class_weights) for logits in student)
    return weak + strong


def distill_loss(
    student: Views, teacher: Views, temperatures: Sequence[float] = TEMPERATURES, standardise: bool = False
) -> Tensor:
    """D, a scalar. The teacher has no gradient."""
    student, teacher = (Views(*map(full_precision, views)) for views in (student, teacher))
    kd_student, kd_teacher = student, teacher
    if standardise:
        kd_student, kd_teacher = (Views(*map(standardised, views)) for views in (student, teacher))
    weak = [softened_divergence(kd_student.weak, kd_teacher.weak, one) for one in temperatures]
    strong = [softened_divergence(kd_student.strong, kd_teacher.strong, one) for one in temperatures[:OF_STRONG]]
    classes = [class_correlation_loss(student.weak, teacher.weak, one) for one in temperatures]
    batch = [batch_correlation_loss(student.weak, teacher.weak, one) for one in temperatures]
    probabilities = teacher.weak.detach().softmax(1)
    unsure, rare = share_below_median(probabilities.amax(1)), share_below_median(probabilities.sum(0))
    instance = unsure * sum(weak) + sum(strong) + sum(weak[OF_STRONG:])
    return instance + rare * sum(classes) + unsure * sum(batch)


def softened_divergence(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """KD: T² KL, a mean over the batch; logits (B, C)."""
    return temperature**2 * kl_divergence(student_logits, teacher_logits, temperature)


def class_correlation_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """CC: squared differences of the C x C products, summed over both classes, divided by C; logits (B, C)."""
    student, teacher = (student_logits / temperature).softmax(1), (teacher_logits.detach() / temperature).softmax(1)
    return (teacher.T @ teacher - student.T @ student).square().sum() / student.shape[1]


def batch_correlation_loss(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """BC: squared differences of the B x B products, summed over both images, divided by B; logits (B, C)."""
    student, teacher = (student_logits / temperature).softmax(1), (teacher_logits.detach() / temperature).softmax(1)
    return (teacher @ teacher.T - student @ student.T).square().sum() / student.shape[0]


def share_below_median(values: Tensor) -> Tensor:
    """The share of values (N,) at or below their median, a scalar: about a half."""
    return (values <= values.median()).to(values.dtype).mean()


METHOD = MLKD
