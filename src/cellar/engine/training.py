"""The one training loop. Teachers, students and every method go through it; only the objective differs."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cellar.config import Recipe
from cellar.engine import devices, inference
from cellar.engine.checkpoints import Checkpoint
from cellar.engine.distributed import ALONE, Team
from cellar.engine.inference import Split
from cellar.engine.optimizer import Descent
from cellar.engine.progress import Progress
from cellar.errors import CellarError
from cellar.seeding import derive

State = dict[str, Tensor]
AUXILIARY_WEIGHT = 0.4  # of InceptionV3's second head, as torchvision's and TensorFlow's trainings have it
PARTS = ("loss", "task", "distill")  # what is minimised, and its parts without their weights


@dataclass(frozen=True)
class Draw:
    """One epoch: images of the split in the order in which they are shown, index (N,), each in one view (N,)."""

    index: Tensor
    view: Tensor


@dataclass(frozen=True)
class Batch:
    """A part of an epoch's draw: its place there, and the labels (B,) of its images."""

    place: slice
    labels: Tensor


class Objective(Protocol):
    def begin_epoch(self, draw: Draw) -> None: ...

    def __call__(self, output: Tensor, batch: Batch, /) -> dict[str, Tensor]:
        """What the model says of a batch, (B, C) float32 for logits -> the scalars named in PARTS."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the run's record says beside what every training says."""
        ...


class Sampler(Protocol):
    """Which images an epoch shows: from the seed and the epoch alone, so that resuming needs no more."""

    @property
    def size(self) -> int:
        """Images of an epoch."""
        ...

    def __call__(self, epoch: int) -> Draw: ...


Judge = Callable[[nn.Module], dict[str, float]]  # a model after an epoch -> its scores, validation_* among them


@dataclass
class Outcome:
    """Weights chosen on validation, weights of the last epoch, one row an epoch, and the loss of every step."""

    best: State = field(default_factory=dict)
    last: State = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    step_losses: list[Tensor] = field(default_factory=list)  # one (steps,) an epoch
    best_epoch: int = 0
    resumed_from: int = 0


def train(
    model: nn.Module,
    split: Split,
    objective: Objective,
    recipe: Recipe,
    *,
    sampler: Sampler,
    judge: Judge | None,
    seed: int,
    precision: str,
    checkpoint: Checkpoint,
    progress: Progress,
    team: Team = ALONE,
) -> Outcome:
    """Train `model` (already on its device) for at most `recipe.epochs`; resume from `checkpoint` if it has a state.

    Without a `judge` nothing is chosen: the last epoch's weights are also the best. Of a `team` every process calls this
    with the same arguments, and has the same outcome.
    """
    model = team.normalise_together(model)
    descent = Descent(model, recipe)
    outcome = resume(checkpoint, model, descent, split.labels.device)
    learner = team.train_together(model)
    progress.done = progress.first_done = len(outcome.history) * sampler.size
    while len(outcome.history) < recipe.epochs and not stopped_early(outcome, recipe):
        epoch = len(outcome.history)
        draw = sampler(epoch)
        with team.first_goes_first():
            objective.begin_epoch(draw)
        torch.manual_seed(derive(seed, "dropout", epoch, *team.others))
        losses = train_epoch(learner, split, draw, objective, descent, recipe.batch_size, precision, progress, team)
        row = {"epoch": epoch + 1, **mean_losses(losses, len(draw.index), recipe.batch_size, epoch)}
        scores = team.from_first(partial(judge, model)) if judge else inference.UNSCORED
        outcome.history.append(row | scores | {"learning_rate": descent.learning_rate})
        outcome.step_losses.append(losses[:, 0].cpu())
        descent.end_epoch(scores["validation_loss"])
        if is_best(outcome, recipe):
            outcome.best, outcome.best_epoch = snapshot(model), epoch + 1
        progress.note = f"epoch {epoch + 1}/{recipe.epochs}{headline(scores)}"
        if team.is_first:
            keep(checkpoint, model, descent, outcome)
    progress.say()
    outcome.last = snapshot(model)
    return outcome


@dataclass(frozen=True)
class EveryImage:
    """A sampler: all of a split's images once, in a fresh order and fresh views every epoch."""

    size: int
    views: int  # of an image
    seed: int
    device: torch.device

    def __call__(self, epoch: int) -> Draw:
        generator = torch.Generator().manual_seed(derive(self.seed, "order", epoch))
        order = torch.randperm(self.size, generator=generator)
        generator.manual_seed(derive(self.seed, "views", epoch))
        view = torch.randint(self.views, (self.size,), generator=generator)
        return Draw(order.to(self.device), view.to(self.device))


def train_epoch(
    model: nn.Module,
    split: Split,
    draw: Draw,
    objective: Objective,
    descent: Descent,
    batch_size: int,
    precision: str,
    progress: Progress,
    team: Team = ALONE,
) -> Tensor:
    """One pass over the training split; the losses of every step (steps, 3) float32, columns PARTS."""
    model.train()
    places = list(batches(len(draw.index), batch_size))
    # Room for all at once: a tensor kept from each step would lie between its freed gradients, and none of them be used again.
    steps = torch.empty(len(places), len(PARTS), device=draw.index.device)
    for step, place in enumerate(places):
        part = team.part(place)
        inputs = split.views.cut(split.images[draw.index[part]], draw.view[part])  # (B, 3, H, W)
        with devices.autocast(inputs.device, precision):
            output = model(inputs)
        labels = split.labels[draw.index[place]]
        losses = whole_loss(objective, team.whole(output, place), Batch(place, labels))
        descent.step(losses["loss"])
        steps[step] = torch.stack([losses[part].detach() for part in PARTS])
        progress.advance(len(labels))
    return steps


def whole_loss(objective: Objective, output: Tensor | tuple[Tensor, Tensor], batch: Batch) -> dict[str, Tensor]:
    """The objective of a model's output and, of one that has an auxiliary head, a part of that head's too."""
    if isinstance(output, Tensor):
        return objective(output.float(), batch)
    main, auxiliary = (objective(part.float(), batch) for part in output)
    return main | {"loss": main["loss"] + AUXILIARY_WEIGHT * auxiliary["loss"]}


def batches(images: int, batch_size: int) -> Iterator[slice]:
    """Places of an epoch's draw. Batch normalisation has nothing to normalise over in a batch of one: it is left out."""
    for start in range(0, images, batch_size):
        stop = min(start + batch_size, images)
        if stop - start > 1:
            yield slice(start, stop)


def mean_losses(losses: Tensor, images: int, batch_size: int, epoch: int) -> dict[str, float]:
    """Mean losses per image of an epoch, from those of its steps (steps, 3). Raises CellarError when not finite."""
    sizes = torch.tensor([place.stop - place.start for place in batches(images, batch_size)], device=losses.device)
    loss, task, distill = ((losses * sizes[:, None]).sum(0) / sizes.sum()).tolist()
    if not math.isfinite(loss):
        raise CellarError(
            f"the training diverged in epoch {epoch + 1} (its loss is {loss}); lower learning_rate in its recipe"
        )
    return {"train_loss": loss, "task_loss": task, "distill_loss": distill}


def is_best(outcome: Outcome, recipe: Recipe) -> bool:
    """Whether the newest epoch beats all earlier ones; the first of equals is kept."""
    *earlier, newest = outcome.history
    if recipe.select_on == "last_epoch":
        return True
    if recipe.select_on == "validation_loss":
        return all(newest["validation_loss"] < row["validation_loss"] for row in earlier)
    return all(newest[recipe.select_on] > row[recipe.select_on] for row in earlier)


def stopped_early(outcome: Outcome, recipe: Recipe) -> bool:
    return recipe.early_stop is not None and len(outcome.history) - outcome.best_epoch >= recipe.early_stop


def headline(scores: dict[str, float]) -> str:
    """Of an epoch's scores, the one that a person watches; nothing where no image is held out."""
    if "validation_r2" in scores:
        return f", validation R2 {scores['validation_r2']:.3f}"
    accuracy = scores["validation_accuracy"]
    return "" if math.isnan(accuracy) else f", validation {accuracy:.1f} %"


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
            "step_losses": outcome.step_losses,
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
    return Outcome(state["best"], {}, history, state["step_losses"], state["best_epoch"], len(history))
