"""The one training loop. Teachers, students and every method go through it; only the objective differs."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cellar import devices, evaluation, views
from cellar.checkpoints import Checkpoint
from cellar.descent import Descent
from cellar.errors import CellarError
from cellar.params import Recipe
from cellar.progress import Progress
from cellar.seeding import derive

State = dict[str, Tensor]


@dataclass(frozen=True)
class Split:
    """Images (N, 1 or 3, H, W) uint8 and labels (N,) on the training device."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Batch:
    """Which images of the training split (index), in which views, with which labels; each (B,)."""

    index: Tensor
    view: Tensor
    labels: Tensor


Objective = Callable[[Tensor, Batch], dict[str, Tensor]]  # student logits (B, C) -> {"loss", "task", "distill"}


@dataclass
class Outcome:
    """Weights chosen on validation, weights of the last epoch, and one row an epoch."""

    best: State = field(default_factory=dict)
    last: State = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    resumed_from: int = 0


def train(
    model: nn.Module,
    train_split: Split,
    validation: Split,
    objective: Objective,
    recipe: Recipe,
    *,
    seed: int,
    precision: str,
    checkpoint: Checkpoint,
    progress: Progress,
) -> Outcome:
    """Train `model` (already on its device) for at most `recipe.epochs`; resume from `checkpoint` if it has a state.

    Stops early; the weights are chosen on validation (Mini-ResEmoteNet, sec. III.D, and ResEmoteNet's own code).
    """
    descent = Descent(model, recipe)
    outcome = resume(checkpoint, model, descent, train_split.labels.device)
    progress.done = progress.first_done = len(outcome.history) * len(train_split.labels)
    while len(outcome.history) < recipe.epochs and not stopped_early(outcome, recipe):
        epoch = len(outcome.history)
        losses = train_epoch(
            model, train_split, objective, descent, recipe.batch_size, seed, epoch, precision, progress
        )
        scores = evaluation.score(model, validation.images, validation.labels, precision)
        outcome.history.append({"epoch": epoch + 1, **losses, **scores, "learning_rate": descent.learning_rate})
        descent.end_epoch(scores["validation_loss"])
        if is_best(outcome, recipe):
            outcome.best, outcome.best_epoch = snapshot(model), epoch + 1
        progress.note = f"epoch {epoch + 1}/{recipe.epochs}, validation {scores['validation_accuracy']:.1f} %"
        keep(checkpoint, model, descent, outcome)
    progress.say()
    outcome.last = snapshot(model)
    return outcome


def train_epoch(
    model: nn.Module,
    split: Split,
    objective: Objective,
    descent: Descent,
    batch_size: int,
    seed: int,
    epoch: int,
    precision: str,
    progress: Progress,
) -> dict[str, float]:
    """One pass over the training split; mean losses per image."""
    model.train()
    torch.manual_seed(derive(seed, "dropout", epoch))
    sums = torch.zeros(3, device=split.labels.device)
    seen = 0
    for batch in batches(split.labels, batch_size, seed, epoch):
        inputs = views.cut(split.images[batch.index], batch.view)  # (B, 3, H, W)
        with devices.autocast(inputs.device, precision):
            logits = model(inputs)  # (B, C)
        losses = objective(logits.float(), batch)
        descent.step(losses["loss"])
        with torch.no_grad():
            sums += torch.stack([losses["loss"], losses["task"], losses["distill"]]) * len(batch.labels)
        seen += len(batch.labels)
        progress.advance(len(batch.labels))
    loss, task, distill = (sums / seen).tolist()
    if not math.isfinite(loss):
        raise CellarError(
            f"the training diverged in epoch {epoch + 1} (its loss is {loss}); lower learning_rate in its recipe"
        )
    return {"train_loss": loss, "task_loss": task, "distill_loss": distill}


def batches(labels: Tensor, batch_size: int, seed: int, epoch: int) -> Iterator[Batch]:
    """A fresh order and fresh views every epoch, from the seed and the epoch alone: resuming needs no more."""
    generator = torch.Generator().manual_seed(derive(seed, "order", epoch))
    order = torch.randperm(len(labels), generator=generator).to(labels.device)
    generator.manual_seed(derive(seed, "views", epoch))
    view = torch.randint(views.FLIP_VIEWS, (len(labels),), generator=generator).to(labels.device)
    for part in torch.arange(len(labels), device=labels.device).split(batch_size):
        if len(part) > 1:  # batch normalisation has nothing to normalise over in a batch of one
            yield Batch(order[part], view[part], labels[order[part]])


def is_best(outcome: Outcome, recipe: Recipe) -> bool:
    """Whether the newest epoch beats all earlier ones; the first of equals is kept."""
    *earlier, newest = outcome.history
    if recipe.select_on == "validation_loss":
        return all(newest["validation_loss"] < row["validation_loss"] for row in earlier)
    return all(newest["validation_accuracy"] > row["validation_accuracy"] for row in earlier)


def stopped_early(outcome: Outcome, recipe: Recipe) -> bool:
    return len(outcome.history) - outcome.best_epoch >= recipe.early_stop


def snapshot(model: nn.Module) -> State:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def keep(checkpoint: Checkpoint, model: nn.Module, descent: Descent, outcome: Outcome) -> None:
    """Save all that the next epoch depends on; order and views come from the seed and the epoch alone."""
    checkpoint.save(
        {
            "model": model.state_dict(),
            "descent": descent.state(),
            "best": outcome.best,
            "best_epoch": outcome.best_epoch,
            "history": outcome.history,
        }
    )


def resume(checkpoint: Checkpoint, model: nn.Module, descent: Descent, device: torch.device) -> Outcome:
    """Put a saved state back in place; what had come out until then, nothing if there is no such state."""
    state: dict[str, Any] | None = checkpoint.load(device)
    if state is None:
        return Outcome()
    model.load_state_dict(state["model"])
    descent.load(state["descent"])
    history = state["history"]
    return Outcome(state["best"], {}, history, state["best_epoch"], resumed_from=len(history))
