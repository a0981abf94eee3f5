"""The one loop: resumes to the same bits, chooses on validation, stops early, follows named seeds."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from cellar.engine.checkpoints import Checkpoint
from cellar.engine.inference import Split
from cellar.engine.optimizer import Descent
from cellar.engine.progress import Progress
from cellar.methods.objectives.labels import Labels
from torch import Tensor, nn

from cellar.config import Recipe
from cellar.data.augmentation.inputs import build_augmentation
from cellar.engine import inference, training
from cellar.engine.training import EveryImage, Outcome
from cellar.errors import CellarError

RECIPE: dict[str, Any] = dict(  # noqa: C408
    epochs=4, batch_size=8, learning_rate=0.05, momentum=0.9, weight_decay=0.0001, schedule={"plateau": {"factor": 0.1, "patience": 1}},
    early_stop=16, class_weighting="none", select_on="validation_accuracy",
)  # fmt: skip
ADAM: dict[str, Any] = {"optimizer": "adam", "learning_rate": 0.01, "momentum": 0, "schedule": {"inverse_sqrt": True}}


class TinyNet(nn.Module):
    """Convolution, batch norm, dropout, linear: all that a checkpoint has to bring back."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(16, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def split(n: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (n, 1, 12, 12), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(3, (n,), generator=generator), build_augmentation("flip", "imagenet"))


def run(checkpoint: Checkpoint, seed: int = 0, **changes: Any) -> Outcome:
    torch.manual_seed(seed)
    recipe = Recipe.model_validate({**RECIPE, **changes})
    judge = partial(inference.score, split=split(20, 2), precision="fp32") if recipe.train_on == "train" else None
    return training.train(
        TinyNet(), split(33, 1), Labels(None), recipe,
        sampler=EveryImage(33, 2, seed, torch.device("cpu")), judge=judge, seed=seed, precision="fp32", checkpoint=checkpoint, progress=Progress("test", 1),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_same_seed_same_bits_other_seed_other_bits() -> None:
    first, second, other = run(Checkpoint({"run": 1})), None, run(Checkpoint({"run": 2}), seed=1)
    Checkpoint({"run": 1}).remove()
    second = run(Checkpoint({"run": 1}))
    assert same(first.last, second.last) and first.history == second.history
    assert not same(first.last, other.last)


@pytest.mark.parametrize("changes", [{}, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("killed_in_epoch", [1, 2, 3])
def test_a_killed_training_resumes_to_the_same_bits(
    killed_in_epoch: int, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(Checkpoint({"run": "whole"}), **changes)
    train_epoch = training.train_epoch

    epochs = iter(range(killed_in_epoch + 1))

    def killed(*arguments: Any) -> Tensor:
        if next(epochs) == killed_in_epoch:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(training, "train_epoch", killed)
    monkeypatch.setattr("cellar.engine.checkpoints.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint({"run": "killed"}), **changes)
    monkeypatch.setattr(training, "train_epoch", train_epoch)
    resumed = run(Checkpoint({"run": "killed"}), **changes)
    assert resumed.resumed_from == killed_in_epoch
    assert same(whole.last, resumed.last) and same(whole.best, resumed.best)
    assert whole.history == resumed.history
    assert torch.equal(torch.cat(whole.step_losses), torch.cat(resumed.step_losses))


def test_another_identity_never_resumes() -> None:
    checkpoint = Checkpoint({"temperature": 3})
    checkpoint.save({"history": []})
    assert Checkpoint({"temperature": 4}).load(torch.device("cpu")) is None
    assert Checkpoint({"temperature": 3}).load(torch.device("cpu")) == {"history": []}


def test_weights_are_chosen_on_validation_the_first_of_equals() -> None:
    outcome = run(Checkpoint({"run": 1}), epochs=6)
    accuracies = [row["validation_accuracy"] for row in outcome.history]
    assert outcome.best_epoch == accuracies.index(max(accuracies)) + 1
    by_loss = run(Checkpoint({"run": 2}), epochs=6, select_on="validation_loss")
    losses = [row["validation_loss"] for row in by_loss.history]
    assert by_loss.best_epoch == losses.index(min(losses)) + 1


def test_early_stop_counts_epochs_without_improvement() -> None:
    outcome = run(Checkpoint({"run": 1}), epochs=40, early_stop=2, learning_rate=1e-9)
    assert len(outcome.history) == outcome.best_epoch + 2


def test_the_rate_falls_when_the_validation_loss_stagnates() -> None:
    outcome = run(
        Checkpoint({"run": 1}), epochs=12, learning_rate=5.0, schedule={"plateau": {"factor": 0.1, "patience": 0}}
    )
    rates = [row["learning_rate"] for row in outcome.history]
    assert rates[0] == 5.0 and rates[-1] < 5.0


def test_a_diverged_training_is_one_line_and_no_result() -> None:
    with pytest.raises(CellarError, match="diverged in epoch"):
        run(Checkpoint({"run": 1}), learning_rate=1e30)


def test_every_image_is_seen_once_an_epoch_in_a_fresh_order_and_fresh_views() -> None:
    views = build_augmentation("crop_flip", "cifar100")
    first, again, later = map(EveryImage(330, views.count, 0, torch.device("cpu")), (0, 0, 1))
    assert sorted(first.index.tolist()) == list(range(330))
    assert torch.equal(first.index, again.index) and torch.equal(first.view, again.view)
    assert not torch.equal(first.index, later.index) and not torch.equal(first.view, later.view)
    assert int(first.view.min()) >= 0 and 140 < int(first.view.max()) < 162


def test_a_last_batch_of_one_is_left_out() -> None:
    """Batch normalisation has nothing to normalise over in it."""
    assert list(training.batches(33, 8)) == [slice(0, 8), slice(8, 16), slice(16, 24), slice(24, 32)]
    assert list(training.batches(34, 8))[-1] == slice(32, 34)


def test_the_epochs_loss_is_that_of_its_images() -> None:
    steps = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    losses = training.mean_losses(steps, 10, 8, 0)  # 8 images, then 2
    assert losses == pytest.approx({"train_loss": 1.6, "task_loss": 2.6, "distill_loss": 3.6})


def test_every_step_keeps_its_loss() -> None:
    outcome = run(Checkpoint({"run": 1}))
    assert [len(losses) for losses in outcome.step_losses] == [4] * 4
    for row, losses in zip(outcome.history, outcome.step_losses, strict=True):
        assert row["train_loss"] == pytest.approx(float(losses.mean()))


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ({"step": {"every": 2, "factor": 0.2}}, [0.1, 0.1, 0.02, 0.02, 0.004]),
        ({"milestones": {"epochs": [1, 3], "factor": 0.1}}, [0.1, 0.01, 0.01, 0.001, 0.001]),
        ({"inverse_sqrt": True}, [0.1 / math.sqrt(1 + t) for t in range(5)]),
    ],
)
def test_the_rate_falls_on_schedule(schedule: dict[str, Any], rates: list[float]) -> None:
    outcome = run(Checkpoint({"run": 1}), epochs=5, learning_rate=0.1, schedule=schedule)
    assert [row["learning_rate"] for row in outcome.history] == pytest.approx(rates)


@pytest.mark.parametrize("betas", [None, [0.0, 0.99]])
def test_adams_steps_are_those_of_its_paper(betas: list[float] | None) -> None:
    """m and v are means of the gradient and of its square, corrected for their start at 0 (arXiv:1412.6980)."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 3.0)
    descent = Descent(model, Recipe.model_validate({**RECIPE, **ADAM, "weight_decay": 0.0, "betas": betas}))
    (b1, b2), w, m, v = betas or (0.9, 0.999), 3.0, 0.0, 0.0
    for t in (1, 2, 3):
        descent.step(model.weight.square().sum())
        m, v = b1 * m + (1 - b1) * 2 * w, b2 * v + (1 - b2) * (2 * w) ** 2
        w -= 0.01 * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + 1e-8)
        assert model.weight.item() == pytest.approx(w, rel=1e-6)


def test_what_is_frozen_stays_as_it_is_with_adam() -> None:
    """Weight decay too leaves it alone, for it has no gradient."""
    model = TinyNet()
    frozen = model.body[0].weight.requires_grad_(False)
    before, learning = frozen.clone(), model.body[6].weight.detach().clone()
    Descent(model, Recipe.model_validate({**RECIPE, **ADAM})).step(model(torch.ones(4, 3, 12, 12)).square().sum())
    assert torch.equal(frozen, before) and not torch.equal(model.body[6].weight, learning)


def test_without_validation_the_last_epoch_is_taken_and_nothing_is_scored() -> None:
    recipe = {"train_on": "train_and_validation", "select_on": "last_epoch", "early_stop": None}
    outcome = run(Checkpoint({"run": 1}), **recipe, schedule={"step": {"every": 2, "factor": 0.2}})
    assert outcome.best_epoch == 4 and same(outcome.best, outcome.last)
    assert all(math.isnan(row["validation_accuracy"]) for row in outcome.history)
