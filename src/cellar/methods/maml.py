"""Model-agnostic meta-learning (small-dataset study, 5.2; Finn et al., arXiv:1703.03400, algorithm 2).

    θ' = θ - inner_learning_rate ∇ CE(support images of a task; θ), inner_steps times
    loss = mean over the queries of all tasks of the batch of CE(query; θ')

The study minimises the sum over tasks; here it is a mean over queries. A task has `ways` classes, `shots` support images
and `queries` of each class. The study prints no experiment.

Teacher: none. Sampler: random tasks (episodes). Evaluation: accuracy after adaptation to fixed tasks, and before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Generator, Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from cellar.config.resolved import EvaluationSettings, TrainingSettings
from cellar.config.section import Count, Positive, Section
from cellar.data.inputs.augmentation import Split
from cellar.data.inputs.classes import Groups, distinct_below
from cellar.engine import runtime
from cellar.engine.evaluate import Arrays, EvalContext
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices, Evaluator, Losses, Sampler
from cellar.errors import CellarError
from cellar.methods.base import Method, Scores, cross_entropy, with_random_augmentations
from cellar.models.wrapped import Wrapped
from cellar.seeding import derive

Weights = dict[str, Tensor]


class MAML(Method):
    class Params(Section):
        ways: Annotated[int, Field(ge=2)]
        shots: Count
        queries: Count
        per_epoch: Count  # tasks
        inner_learning_rate: Positive
        inner_steps: Count
        first_order: bool

    params: Params
    prediction_kind = "tasks"

    def check(self, settings: TrainingSettings) -> None:
        super().check(settings)
        size = self.params.ways * (self.params.shots + self.params.queries)
        if settings.recipe.batch_size % size:
            raise CellarError(
                f"{settings.key}: a batch of its recipe would cut a task in two; make its batch_size a multiple of {size}"
            )
        if settings.recipe.processes > 1:
            raise CellarError(f"{settings.key}: a task is not shared by processes; set processes: 1 in its recipe")

    def num_outputs(self, num_classes: int) -> int:
        return self.params.ways

    def wrap(self, model: nn.Module) -> nn.Module:
        return MetaLearner(model, **self.params.model_dump(exclude={"per_epoch"}))

    def sampler(self, data: TrainData) -> Sampler:
        sizes = self.params.per_epoch, self.params.ways, self.params.shots, self.params.queries
        return EpisodeSampler(data.train.labels, *sizes, data.train.augmentation.count, data.settings.seed)

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: logits of the queries (T * ways * queries, ways), by task and class."""
        return {"loss": query_loss(output, self.params.ways, self.params.queries)}

    def evaluator(self, data: TrainData) -> Evaluator | None:
        split = data.validation
        return TaskEvaluator(split, self.tasks_of(split, "validation"), data.settings.precision) if split else None

    def predict(self, model: nn.Module, context: EvalContext) -> Arrays:
        """Logits (M, Q, ways) of the queries of fixed test tasks, after adaptation."""
        return {"logits": self.query_logits(model, context, adapted=True)}

    def predict_extra(self, model: nn.Module, context: EvalContext) -> Arrays:
        return {"before_logits": self.query_logits(model, context, adapted=False)}

    def targets(self, context: EvalContext) -> Arrays:
        return {"labels": positional_labels(1, self.params.ways, self.params.queries).numpy()}

    def evaluation_facts(self, settings: EvaluationSettings) -> dict[str, Any]:
        return self.params.model_dump(include={"ways", "shots", "queries"})

    @torch.no_grad()
    def query_logits(self, model: nn.Module, context: EvalContext, adapted: bool) -> np.ndarray:
        assert isinstance(model, MetaLearner)
        model.eval()
        split, logits = context.split("test"), []
        for index in self.tasks_of(split, "test"):
            inputs = split.augmentation.apply(split.images[index], torch.zeros_like(index))
            logits.append((model(inputs) if adapted else model.before_adaptation(inputs)).float())
        return torch.stack(logits).cpu().numpy()

    def tasks_of(self, split: Split, name: str) -> Tensor:
        """Fixed tasks of a split, as many as an epoch has; the same for every experiment and seed."""
        sizes = self.params.per_epoch, self.params.ways, self.params.shots, self.params.queries
        return fixed_tasks(split.labels, *sizes, derive(0, name))


class MetaLearner(Wrapped):
    """Adapts a copy of `model`, which gives logits (B, ways), to each task of a batch and applies it to the task's queries.

    The meta-gradient goes through the inner steps; `first_order` treats their gradients as constants (the paper's FOMAML).

    Batch norms normalise over the batch, support images separately from queries, in training and in evaluation, as in the
    paper's code. So running statistics are unused: they stay as they are, and no task leaks into the next.

    The state dict is the model's, under the model's own names. Frozen weights are not adapted.
    """

    def __init__(
        self,
        model: nn.Module,
        ways: int,
        shots: int,
        queries: int,
        inner_learning_rate: float,
        inner_steps: int,
        first_order: bool,
    ) -> None:
        super().__init__(model)
        self.ways, self.shots, self.queries = ways, shots, queries
        self.inner_learning_rate, self.inner_steps, self.first_order = inner_learning_rate, inner_steps, first_order

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (T * ways * queries, ways) of the queries of T tasks, in order, each from the copy adapted to its task.

        inputs (T * ways * (shots + queries), ...): task by task, class by class, support images before queries.
        Raises CellarError for a batch that ends within a task.
        """
        logits = [self.logits(self.adapt(support), queries) for support, queries in self.tasks(inputs)]
        return torch.cat(logits)

    def before_adaptation(self, inputs: Tensor) -> Tensor:
        """The same logits without the inner steps."""
        return torch.cat([self.logits(self.weights(), queries) for _, queries in self.tasks(inputs)])

    def tasks(self, inputs: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Support images (ways * shots, ...) and queries (ways * queries, ...) of each task."""
        size = self.ways * (self.shots + self.queries)
        if len(inputs) % size:
            raise CellarError(
                f"a batch of {len(inputs)} images cuts a task in two; make batch_size in its recipe a multiple of "
                f"{size}, ways * (shots + queries)"
            )
        places = torch.arange(len(inputs), device=inputs.device).view(-1, self.ways, self.shots + self.queries)
        for task in places:
            yield inputs[task[:, : self.shots].flatten()], inputs[task[:, self.shots :].flatten()]

    def adapt(self, support: Tensor) -> Weights:
        """The weights after the inner steps on one task's support images (ways * shots, ...)."""
        labels = positional_labels(1, self.ways, self.shots, support.device)
        weights = self.weights()
        with torch.enable_grad():
            for _ in range(self.inner_steps):
                loss = cross_entropy(self.logits(weights, support), labels)
                differentiable = self.training and not self.first_order
                gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=differentiable)
                steps = zip(weights.items(), gradients, strict=True)
                weights = {name: weight - self.inner_learning_rate * gradient for (name, weight), gradient in steps}
        return weights

    def weights(self) -> Weights:
        return {name: weight for name, weight in self.network.named_parameters() if weight.requires_grad}

    def logits(self, weights: Weights, images: Tensor) -> Tensor:
        """Logits (B, ways) of the model with these weights; changes of its buffers happen to copies."""
        buffers = {name: buffer.clone() for name, buffer in self.network.named_buffers()}
        output: Tensor = functional_call(self.network, weights | buffers, (images,))
        return output

    def train(self, mode: bool = True) -> "MetaLearner":
        super().train(mode)
        for module in self.network.modules():
            if isinstance(module, _BatchNorm):
                module.train()
        return self


def positional_labels(tasks: int, ways: int, images: int, device: torch.device | None = None) -> Tensor:
    """Labels (tasks * ways * images,) of `images` of each class, task by task: 0, 0, ..., 1, 1, ..., 0, 0, ..."""
    return torch.arange(ways, device=device).repeat_interleave(images).repeat(tasks)


def query_loss(logits: Tensor, ways: int, queries: int) -> Tensor:
    """Cross-entropy of a batch's queries, logits (T * ways * queries, ways)."""
    labels = positional_labels(len(logits) // (ways * queries), ways, queries, logits.device)
    return cross_entropy(logits, labels)


@dataclass(frozen=True)
class EpisodeSampler:
    """`tasks` random tasks an epoch, one after the other; in each, class by class, `shots` support images, then `queries`.

    Within a task no class and no image occurs twice. Raises CellarError where images or classes are too few.
    """

    labels: Tensor  # (N,)
    tasks: int
    ways: int
    shots: int
    queries: int
    augmentations: int  # of an image
    seed: int

    @property
    def size(self) -> int:
        return self.tasks * self.ways * (self.shots + self.queries)

    def __call__(self, epoch: int) -> EpochIndices:
        groups, each = Groups.by_class(self.labels), self.shots + self.queries
        groups.require(each, f"a task takes {each} of a class (shots + queries); lower them in the experiment's method")
        generator = Generator().manual_seed(derive(self.seed, "tasks", epoch))
        index = random_tasks(groups, self.tasks, self.ways, each, generator)
        return with_random_augmentations(index.flatten(), self.augmentations, self.seed, epoch, self.labels.device)


def fixed_tasks(labels: Tensor, tasks: int, ways: int, shots: int, queries: int, seed: int) -> Tensor:
    """Image numbers (M, ways * (shots + queries)) to evaluate on, in an epoch's order; classes too small are left out."""
    generator = Generator().manual_seed(derive(seed, "fixed tasks"))
    return random_tasks(Groups.by_class(labels), tasks, ways, shots + queries, generator).to(labels.device)


def random_tasks(groups: Groups, tasks: int, ways: int, each: int, generator: Generator) -> Tensor:
    """Image numbers (T, ways * each): `each` images of each of `ways` classes, from classes that have so many."""
    large_enough = (groups.count >= each).nonzero().flatten()
    if len(large_enough) < ways:
        raise CellarError(
            f"a task takes {ways} classes of {each} images (shots + queries), and {len(large_enough)} have so many; "
            "lower ways, shots or queries in the experiment's method"
        )
    chosen = distinct_below(torch.full((tasks,), len(large_enough)), ways, generator)
    group = large_enough[chosen].flatten()  # (T * ways,)
    places = groups.start[group][:, None] + distinct_below(groups.count[group], each, generator)
    return groups.order[places].view(tasks, ways * each)


@dataclass(frozen=True)
class TaskEvaluator:
    """Loss and accuracy after adapting to fixed tasks (M, ways * (shots + queries)) of a split."""

    split: Split
    tasks: Tensor
    precision: str

    def __call__(self, model: nn.Module) -> Scores:
        assert isinstance(model, MetaLearner)
        scores = score_tasks(model, self.split, self.tasks, self.precision)
        return {"validation_loss": scores["loss"], "validation_accuracy": scores["accuracy"]}


@torch.no_grad()
def score_tasks(model: MetaLearner, split: Split, tasks: Tensor, precision: str) -> Scores:
    """Mean cross-entropy per query ("loss", nats), "accuracy" and "accuracy_before_adaptation" in percent, over fixed tasks
    (M, ways * (shots + queries)) of unaugmented images."""
    model.eval()
    labels = positional_labels(1, model.ways, model.queries, tasks.device)
    rows = []
    for index in tasks:
        inputs = split.augmentation.apply(split.images[index], torch.zeros_like(index))
        with runtime.autocast(inputs.device, precision):
            after, before = model(inputs).float(), model.before_adaptation(inputs).float()
        rates = [(logits.argmax(1) == labels).double().mean() * 100 for logits in (after, before)]
        rows.append(torch.stack([cross_entropy(after, labels).double(), *rates]))
    means = torch.stack(rows).mean(0).tolist()
    return dict(zip(("loss", "accuracy", "accuracy_before_adaptation"), means, strict=True))


METHOD = MAML
