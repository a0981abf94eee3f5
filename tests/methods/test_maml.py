"""MAML: gradients against those worked out by hand, tasks read in their order, and what adaptation brings."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cellar.config import Recipe
from cellar.data.inputs.augmentation import Split, build_augmentation
from cellar.engine import training
from cellar.engine.checkpoint import Checkpoint
from cellar.engine.runtime import Progress
from cellar.errors import CellarError
from cellar.methods.maml import (
    MAML,
    EpisodeSampler,
    MetaLearner,
    fixed_tasks,
    positional_labels,
    query_loss,
    score_tasks,
)
from cellar.models.freezing import freeze

RATE = 0.3
RECIPE: dict[str, Any] = {
    "epochs": 6, "batch_size": 32, "optimizer": "adam", "learning_rate": 0.01, "momentum": 0, "weight_decay": 0.0,
    "schedule": {"inverse_sqrt": True}, "class_weighting": "none", "select_on": "validation_accuracy",
}  # fmt: skip


class Slope(nn.Module):
    """x (B, 1) -> logits (B, 2): w x for class 1, 0 for class 0. One number to learn, so gradients can be written out."""

    def __init__(self, w: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(x), self.w * x], 1)


class SmallNet(nn.Module):
    """As ConvNet-9 is made: convolution, batch norm, ReLU, pool, linear; dropout besides."""

    last_layer = "fc"

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(32, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.body(x)))


def maml(model: nn.Module, **changes: Any) -> MetaLearner:
    settings = {"ways": 2, "shots": 1, "queries": 1, "inner_learning_rate": RATE, "inner_steps": 1}
    return MetaLearner(model, **{**settings, "first_order": False, **changes})


def slope_and_bend(w: Tensor, x: list[float], y: list[int]) -> tuple[Tensor, Tensor]:
    """First and second derivative by w of the mean of -log p(y), p(1) = σ(w x): mean (p - y) x, mean p (1 - p) x²."""
    numbers, labels = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    p = torch.sigmoid(w * numbers)
    return ((p - labels) * numbers).mean(), (p * (1 - p) * numbers**2).mean()


def meta_gradient_by_hand(w: float, tasks: list[tuple[list[float], list[float]]], steps: int, first: bool) -> float:
    """Chain rule: L'(w_m) * product of (1 - rate L_s''(w_k)) over the inner steps k; first order: without the product."""
    total = 0.0
    for support, queries in tasks:
        weight, factor = torch.tensor(w, dtype=torch.float64), 1.0
        for _ in range(steps):
            slope, bend = slope_and_bend(weight, support, [0, 1])
            weight, factor = weight - RATE * slope, factor * float(1 - RATE * bend)
        total += float(slope_and_bend(weight, queries, [0, 1])[0]) * (1.0 if first else factor)
    return total / len(tasks)


@pytest.mark.parametrize("first_order", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_meta_gradient_is_that_of_the_chain_rule(steps: int, first_order: bool) -> None:
    tasks = [([0.5, -2.0], [1.5, 3.0]), ([-1.0, 0.7], [0.2, -2.5])]  # (class 0, class 1) of support and queries
    inputs = [number for (s0, s1), (q0, q1) in tasks for number in (s0, q0, s1, q1)]
    model = Slope(0.8)
    learner = maml(model, inner_steps=steps, first_order=first_order).train()
    logits = learner(torch.tensor(inputs, dtype=torch.float64)[:, None])
    functional.cross_entropy(logits, torch.tensor([0, 1, 0, 1])).backward()
    found = float(model.w.grad)
    assert found == pytest.approx(meta_gradient_by_hand(0.8, tasks, steps, first_order), rel=1e-6)
    assert found != pytest.approx(meta_gradient_by_hand(0.8, tasks, steps, not first_order), rel=1e-2)


def test_logits_are_those_of_the_adapted_copy_and_the_model_stays_as_it_was() -> None:
    model = Slope(0.8)
    inputs = torch.tensor([[0.5], [1.5], [-2.0], [3.0]], dtype=torch.float64)
    slope, _ = slope_and_bend(model.w.detach(), [0.5, -2.0], [0, 1])
    adapted = 0.8 - RATE * float(slope)
    logits = maml(model).eval()(inputs)
    torch.testing.assert_close(logits[:, 1], adapted * inputs[[1, 3], 0])
    torch.testing.assert_close(maml(model).before_adaptation(inputs)[:, 1], 0.8 * inputs[[1, 3], 0])
    assert model.w.item() == pytest.approx(0.8, abs=0) and model.w.grad is None


def test_support_and_queries_are_told_apart_by_their_place() -> None:
    """Two tasks of 2 ways, 2 shots, 3 queries: 1 + class in the hundreds, s or q in the tens."""
    images = [[100 * c + 10 * q for _ in range(n)] for c in (1, 2) for q, n in ((0, 2), (1, 3))]
    task = torch.tensor([number for part in images for number in part], dtype=torch.float32)[:, None]
    learner = maml(Slope(0.0), shots=2, queries=3)
    (support, queries), (later, _) = learner.tasks(torch.cat([task, task + 1000]))
    assert support.flatten().tolist() == [100, 100, 200, 200]
    assert queries.flatten().tolist() == [110] * 3 + [210] * 3
    assert later.flatten().tolist() == [1100, 1100, 1200, 1200]
    assert positional_labels(2, 2, 3).tolist() == [0, 0, 0, 1, 1, 1] * 2


def test_a_batch_that_cuts_a_task_is_one_line() -> None:
    with pytest.raises(CellarError, match=r"batch of 6 images cuts a task in two; .* a multiple of 4, ways"):
        maml(Slope(0.0))(torch.zeros(6, 1, dtype=torch.float64))


def test_the_loss_is_the_cross_entropy_of_the_queries() -> None:
    logits = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    wanted = functional.cross_entropy(logits, torch.tensor([0, 0, 0, 1, 1, 1] * 2))
    found = query_loss(logits, ways=2, queries=3)
    assert found.item() == wanted.item()


def pictures(classes: int, each: int, seed: int = 0) -> Split:
    """(N, 3, 8, 8): of each class another bright stripe, in noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(classes).repeat_interleave(each)
    images = torch.randint(80, (len(labels), 3, 8, 8), generator=generator, dtype=torch.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        image[label // 8 % 3, label % 8] += 150
    return Split(images, labels, build_augmentation("flip", "imagenet"))


def inputs_of(split: Split, tasks: Tensor) -> Tensor:
    return split.augmentation.apply(split.images[tasks.flatten()], torch.zeros_like(tasks.flatten()))


@pytest.mark.parametrize("mode", [True, False])
def test_running_statistics_are_left_alone_and_play_no_part(mode: bool) -> None:
    split = pictures(3, 4)
    inputs = inputs_of(split, fixed_tasks(split.labels, 2, 2, 1, 2, 0))
    torch.manual_seed(0)
    learner = maml(SmallNet(2), queries=2).train(mode)
    before = copy.deepcopy(learner.network.state_dict())
    torch.manual_seed(1)  # dropout
    logits = learner(inputs)
    assert all(torch.equal(before[name], value) for name, value in learner.state_dict().items())
    learner.network.body[1].running_mean += 7
    torch.manual_seed(1)
    assert torch.equal(logits, learner(inputs))
    alone = torch.cat([learner(part) for part in inputs.split(6)]) if not mode else logits
    torch.testing.assert_close(logits, alone)  # no task sees another


def test_dropout_is_active_in_training_and_not_in_evaluation() -> None:
    split = pictures(3, 4)
    inputs = inputs_of(split, fixed_tasks(split.labels, 2, 2, 1, 2, 0))
    learner = maml(SmallNet(2), queries=2)
    assert torch.equal(learner.eval()(inputs), learner(inputs))
    assert not torch.equal(learner.train()(inputs), learner(inputs))


def test_every_weight_gets_a_gradient_through_convolution_and_batch_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value by differences: the loss at theta ± h along a random direction, in float64 throughout."""
    monkeypatch.setattr("cellar.methods.maml.cross_entropy", functional.cross_entropy)
    split = pictures(3, 4)
    inputs = inputs_of(split, fixed_tasks(split.labels, 3, 2, 2, 2, 0)).double()
    torch.manual_seed(0)
    model = SmallNet(2).double()
    model.dropout = nn.Identity()
    learner = maml(model, shots=2, queries=2, inner_steps=2).train()

    def loss_at(step: float) -> Tensor:
        with torch.no_grad():
            for weight, start, way in zip(model.parameters(), starts, ways, strict=True):
                weight.copy_(start + step * way)
        return functional.cross_entropy(learner(inputs), positional_labels(3, 2, 2))

    starts = [weight.detach().clone() for weight in model.parameters()]
    ways = [torch.randn_like(start) for start in starts]
    loss_at(0).backward()
    along = sum((weight.grad * way).sum().item() for weight, way in zip(model.parameters(), ways, strict=True))
    difference = loss_at(1e-6) - loss_at(-1e-6)
    assert along == pytest.approx(difference.item() / 2e-6, rel=1e-5)


def test_what_is_frozen_is_not_adapted() -> None:
    split = pictures(3, 4)
    inputs = inputs_of(split, fixed_tasks(split.labels, 2, 2, 1, 2, 0))
    model = SmallNet(2)
    freeze(model, "eval")
    learner = maml(model, queries=2).train()
    assert set(learner.weights()) == {"fc.weight", "fc.bias"}
    learner(inputs).sum().backward()
    assert model.fc.weight.grad is not None and model.body[0].weight.grad is None


@pytest.mark.parametrize("first_order", [False, True])
def test_bfloat16_gives_gradients_near_those_of_float32(first_order: bool) -> None:
    """Autocast keeps casts of weights for the length of a forward pass, and the inner steps' graphs share them."""
    split = pictures(3, 4)
    inputs = inputs_of(split, fixed_tasks(split.labels, 3, 2, 1, 2, 0))
    found = []
    for enabled in (False, True):
        torch.manual_seed(0)
        model = SmallNet(2)
        model.dropout = nn.Identity()
        learner = maml(model, queries=2, inner_steps=2, first_order=first_order).train()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            logits = learner(inputs)
        query_loss(logits.float(), ways=2, queries=2).backward()
        found.append(torch.cat([weight.grad.flatten() for weight in model.parameters()]))
    assert torch.nn.functional.cosine_similarity(*found, dim=0) > 0.97


PARAMS = MAML.Params(
    ways=2, shots=2, queries=2, per_epoch=40, inner_learning_rate=RATE, inner_steps=2, first_order=True
)


def learn(name: str, per_epoch: int = 40, **changes: Any) -> training.TrainResult:
    """By the training loop: 12 classes of stripes, tasks of 2; evaluated on tasks of 6 other stripes."""
    known, other = pictures(12, 8), pictures(18, 8, seed=1)
    unknown = Split(other.images[96:], other.labels[96:], other.augmentation)
    torch.manual_seed(0)
    model = SmallNet(2)
    model.dropout = nn.Identity()
    learner = maml(model, shots=2, queries=2, inner_steps=2, **changes)
    recipe = Recipe.model_validate(RECIPE)
    tasks = fixed_tasks(unknown.labels, per_epoch * 3 // 2, 2, 2, 2, 0)

    def evaluator(module: nn.Module) -> dict[str, float]:
        scores = score_tasks(module, unknown, tasks, "fp32")
        return {"validation_loss": scores["loss"], "validation_accuracy": scores["accuracy"], **scores}

    return training.train(
        learner, known, MAML(PARAMS), recipe, sampler=EpisodeSampler(known.labels, per_epoch, 2, 2, 2, 2, 0), evaluator=evaluator, seed=0,
        precision="fp32", checkpoint=Checkpoint(name), progress=Progress("test", 1),
    )  # fmt: skip


@pytest.mark.parametrize("first_order", [False, True])
def test_learning_to_learn_by_the_training_loop(
    first_order: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of classes never seen in training, two images each are enough after it; without them it knows nothing.

    240 queries, so guessing stays within 16 of 50 %, 5 deviations.
    """
    monkeypatch.chdir(tmp_path)
    result = learn("whole", first_order=first_order)
    first, last = result.history[0], result.history[-1]
    assert last["train_loss"] < first["train_loss"]
    assert last["accuracy"] > 75 and last["accuracy_before_adaptation"] < 66
    assert result.last.keys() == SmallNet(2).state_dict().keys()  # the model's own names, for its weights' file


def test_a_killed_meta_training_resumes_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)
    whole = learn("whole", per_epoch=8, first_order=True)
    train_epoch, epochs = training.train_epoch, iter(range(9))

    def killed(*arguments: Any) -> Any:
        if next(epochs) == 3:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(training, "train_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        learn("killed", per_epoch=8, first_order=True)
    monkeypatch.setattr(training, "train_epoch", train_epoch)
    resumed = learn("killed", per_epoch=8, first_order=True)
    assert resumed.resumed_from == 3 and whole.history == resumed.history
    assert all(torch.equal(whole.last[name], value) for name, value in resumed.last.items())


def test_scores_count_the_queries_of_all_tasks() -> None:
    """A model that always says class 0, and whose weights have no gradient: half of the queries, before and after."""

    class Zero(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor([1.0, 0.0]).expand(len(x), 2) + 0 * self.w

    split = pictures(3, 5)
    tasks = fixed_tasks(split.labels, 7, 2, 2, 3, 0)
    scores = score_tasks(maml(Zero(), shots=2, queries=3), split, tasks, "fp32")
    mean = functional.cross_entropy(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1])).item()
    assert scores == pytest.approx({"loss": mean, "accuracy": 50, "accuracy_before_adaptation": 50})
