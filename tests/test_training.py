"""The one loop: resumes to the same bits, chooses on validation, stops early, follows named seeds."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cellar import training
from cellar.checkpoints import Checkpoint
from cellar.errors import CellarError
from cellar.params import Recipe
from cellar.progress import Progress
from cellar.training import Batch, Outcome, Split

RECIPE: dict[str, Any] = dict(  # noqa: C408
    epochs=4, batch_size=8, learning_rate=0.05, momentum=0.9, weight_decay=0.0001, plateau_factor=0.1,
    plateau_patience=1, early_stop=16, class_weighting="none", select_on="validation_accuracy",
)  # fmt: skip


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
    return Split(images, torch.randint(3, (n,), generator=generator))


def cross_entropy(logits: Tensor, batch: Batch) -> dict[str, Tensor]:
    task = nn.functional.cross_entropy(logits, batch.labels)
    return {"loss": task, "task": task, "distill": torch.zeros_like(task)}


def run(checkpoint: Checkpoint, seed: int = 0, **changes: Any) -> Outcome:
    torch.manual_seed(seed)
    recipe = Recipe(**{**RECIPE, **changes})
    return training.train(
        TinyNet(), split(33, 1), split(20, 2), cross_entropy, recipe,
        seed=seed, precision="fp32", checkpoint=checkpoint, progress=Progress("test", 1),
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


@pytest.mark.parametrize("killed_in_epoch", [1, 2, 3])
def test_a_killed_training_resumes_to_the_same_bits(killed_in_epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(Checkpoint({"run": "whole"}))
    train_epoch = training.train_epoch

    def killed(*arguments: Any) -> dict[str, float]:
        if arguments[6] == killed_in_epoch:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(training, "train_epoch", killed)
    monkeypatch.setattr("cellar.checkpoints.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint({"run": "killed"}))
    monkeypatch.setattr(training, "train_epoch", train_epoch)
    resumed = run(Checkpoint({"run": "killed"}))
    assert resumed.resumed_from == killed_in_epoch
    assert same(whole.last, resumed.last) and same(whole.best, resumed.best)
    assert whole.history == resumed.history


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
    outcome = run(Checkpoint({"run": 1}), epochs=12, learning_rate=5.0, plateau_patience=0)
    rates = [row["learning_rate"] for row in outcome.history]
    assert rates[0] == 5.0 and rates[-1] < 5.0


def test_a_diverged_training_is_one_line_and_no_result() -> None:
    with pytest.raises(CellarError, match="diverged in epoch"):
        run(Checkpoint({"run": 1}), learning_rate=1e30)


def test_every_image_is_seen_once_an_epoch_in_a_fresh_order() -> None:
    labels = torch.arange(33)
    first, again, next_epoch = (torch.cat([b.index for b in training.batches(labels, 8, 0, e)]) for e in (0, 0, 1))
    # 33 = 4 * 8 + 1: a last batch of one is left out, batch normalisation has nothing to normalise over
    assert len(first) == 32 and len(set(first.tolist())) == 32
    assert torch.equal(first, again) and not torch.equal(first, next_epoch)
