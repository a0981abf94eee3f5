"""Model-agnostic meta-learning (small-dataset study, 5.2; Finn et al., arXiv:1703.03400) for the one training loop.

A module adapts a copy of its model to each task of a batch and says what the copy thinks of the task's queries. The
loop's loss, backward and step are then the meta-update: the study's sum over tasks, as a mean over their queries.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from cellar.engine import devices
from cellar.engine.inference import Split
from cellar.errors import CellarError
from cellar.methods.losses.cross_entropy import cross_entropy

Weights = dict[str, Tensor]


class Maml(nn.Module):
    """Tasks of `ways` classes, `shots` support images and `queries` of each class; `model` gives logits (B, ways).

    theta' = theta - inner_learning_rate * gradient of the support images' cross-entropy, `inner_steps` times. The
    meta-gradient goes through these steps; `first_order` takes their gradients for constants (the paper's FOMAML).

    Batch norms normalise over the batch, support images apart from queries, in training and in evaluation, as in
    the paper's code. So running statistics have no use: they are left as they are, and no task leaks into the next.

    Its state is its model's, under the model's own names. What is frozen is not adapted either.
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
        super().__init__()
        self.model = model
        self.ways, self.shots, self.queries = ways, shots, queries
        self.inner_learning_rate, self.inner_steps, self.first_order = inner_learning_rate, inner_steps, first_order

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (T * ways * queries, ways) of the queries of T tasks, in their order, each by its own copy.

        inputs (T * ways * (shots + queries), ...): task by task, class by class, support images before queries.
        Raises CellarError for a batch that ends within a task.
        """
        logits = [self.answer(self.adapt(support), queries) for support, queries in self.tasks(inputs)]
        return torch.cat(logits)

    def before_adaptation(self, inputs: Tensor) -> Tensor:
        """What forward would give without its inner steps."""
        return torch.cat([self.answer(self.weights(), queries) for _, queries in self.tasks(inputs)])

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
                loss = cross_entropy(self.answer(weights, support), labels)
                through = self.training and not self.first_order
                slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=through)
                steps = zip(weights.items(), slopes, strict=True)
                weights = {name: weight - self.inner_learning_rate * slope for (name, weight), slope in steps}
        return weights

    def weights(self) -> Weights:
        return {name: weight for name, weight in self.model.named_parameters() if weight.requires_grad}

    def answer(self, weights: Weights, images: Tensor) -> Tensor:
        """Logits (B, ways) of the model with these weights; what it does to its buffers happens to copies."""
        buffers = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        logits: Tensor = functional_call(self.model, weights | buffers, (images,))
        return logits

    def train(self, mode: bool = True) -> "Maml":
        super().train(mode)
        for module in self.model.modules():
            if isinstance(module, _BatchNorm):
                module.train()
        return self

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.model.load_state_dict(*args, **kwargs)


def positional_labels(tasks: int, ways: int, images: int, device: torch.device | None = None) -> Tensor:
    """Labels (tasks * ways * images,) of `images` of each class, task by task: 0, 0, ..., 1, 1, ..., 0, 0, ..."""
    return torch.arange(ways, device=device).repeat_interleave(images).repeat(tasks)


def query_loss(logits: Tensor, *, ways: int, queries: int) -> dict[str, Tensor]:
    """Cross-entropy of a batch's queries, logits (T * ways * queries, ways): {"loss", "task", "distill"}."""
    labels = positional_labels(len(logits) // (ways * queries), ways, queries, logits.device)
    task = cross_entropy(logits, labels)
    return {"loss": task, "task": task, "distill": torch.zeros_like(task)}


@torch.no_grad()
def score_tasks(maml: Maml, split: Split, tasks: Tensor, precision: str) -> dict[str, float]:
    """Adapt to each of fixed tasks (M, ways * (shots + queries)) of unaugmented images, and ask of its queries.

    Mean cross-entropy per query ("loss", nats), "accuracy" and "accuracy_before_adaptation" in percent.
    """
    maml.eval()
    labels = positional_labels(1, maml.ways, maml.queries, tasks.device)
    found = []
    for index in tasks:
        inputs = split.views.cut(split.images[index], torch.zeros_like(index))
        with devices.autocast(inputs.device, precision):
            after, before = maml(inputs).float(), maml.before_adaptation(inputs).float()
        rights = [(logits.argmax(1) == labels).double().mean() * 100 for logits in (after, before)]
        found.append(torch.stack([cross_entropy(after, labels).double(), *rights]))
    means = torch.stack(found).mean(0).tolist()
    return dict(zip(("loss", "accuracy", "accuracy_before_adaptation"), means, strict=True))
