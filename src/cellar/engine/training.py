"""The training loop. Teachers, students and generators all go through it; what they learn is their method's (LearningRule)."""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cellar.config import Recipe
from cellar.data.inputs.augmentation import Split
from cellar.engine import runtime
from cellar.engine.checkpoint import Checkpoint
from cellar.engine.distributed import SINGLE_PROCESS, DistributedContext
from cellar.engine.runtime import Optimizer, Progress, headline
from cellar.errors import CellarError
from cellar.models.features import Features
from cellar.seeding import derive

AUXILIARY_WEIGHT = 0.4  # of InceptionV3's auxiliary head, as in torchvision's and TensorFlow's trainings
NOT_EVALUATED = {"validation_loss": math.nan, "validation_accuracy": math.nan}
Losses = dict[str, Tensor]
State = dict[str, Tensor]
Output = Tensor | Features | tuple[Tensor, Tensor]  # logits; a network's features; logits of two heads


@dataclass(frozen=True)
class EpochIndices:
    """The images of an epoch in the order in which they are trained on: image (N,), augmentation index (N,)."""

    image: Tensor
    augmentation: Tensor


@dataclass(frozen=True)
class Batch:
    """Part of an epoch: its position in the EpochIndices, and image (B,), augmentation index (B,) and label (B,)."""

    position: slice
    image: Tensor
    augmentation: Tensor
    labels: Tensor


class Sampler(Protocol):
    """Chooses an epoch's images from the seed and the epoch number alone, so that resuming needs no further state."""

    @property
    def size(self) -> int:
        """Images of an epoch."""
        ...

    def __call__(self, epoch: int) -> EpochIndices: ...


class LearningRule(Protocol):
    """What the loop needs from a method (cellar.methods.base has the whole interface)."""

    @property
    def first_stage_epochs(self) -> int:
        """Epochs before those of the recipe, whose schedule starts after them, with a new optimizer."""
        ...

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        """Called before each epoch, also the first one after resuming; `epoch` counts from 0."""
        ...

    def loss(self, output: Any, batch: Batch) -> Losses:
        """Scalars of the model's output for a batch, (B, C) float32 for logits, or its Features, float32: "loss", which
        is minimised, and any other terms, which are logged under their own names."""
        ...

    def observe(self, output: Tensor, batch: Batch) -> None:
        """Called after each loss with the logits (B, C) (of two heads the main one's): what is counted while training."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values that the method keeps from one epoch to the next, for the checkpoint."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what state_dict returned; called before the first epoch after resuming."""
        ...


Evaluator = Callable[[nn.Module], dict[str, float]]  # a model after an epoch -> scores, validation_* among them


@dataclass
class TrainResult:
    """Weights chosen on validation, weights of the last epoch; per epoch: one history row, the loss of every step, the type of
    processor that computed it."""

    best: State = field(default_factory=dict)
    last: State = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    step_losses: list[Tensor] = field(default_factory=list)  # one (steps,) per epoch
    processors: list[str] = field(default_factory=list)
    best_epoch: int = 0
    resumed_from: int = 0


def train(
    model: nn.Module,
    split: Split,
    method: LearningRule,
    recipe: Recipe,
    *,
    sampler: Sampler,
    evaluator: Evaluator | None,
    seed: int,
    precision: str,
    checkpoint: Checkpoint,
    progress: Progress,
    context: DistributedContext = SINGLE_PROCESS,
) -> TrainResult:
    """Train `model` (already on its device) for at most `total_epochs`; resume from `checkpoint` if it has a state.

    Without an `evaluator` nothing is chosen: the last epoch's weights are also the best. In a multi-process training every
    process calls this with the same arguments and returns the same result; the main process evaluates and saves.
    """
    several = context.size > 1
    model = context.sync_batchnorm(model) if several else model
    optimizer = Optimizer(model, recipe)
    result = resume(checkpoint, model, optimizer, method, split.labels.device)
    trained = context.wrap_ddp(model) if several else model
    progress.done = progress.first_done = len(result.history) * sampler.size
    epochs = total_epochs(method, recipe)
    while len(result.history) < epochs and not stopped_early(result, recipe, method.first_stage_epochs):
        epoch = len(result.history)
        indices = sampler(epoch)
        begin_epoch(method, optimizer, epoch, indices, seed, context)
        terms, steps = train_epoch(
            trained, split, indices, method, optimizer, recipe.batch_size, precision, progress, context
        )
        scores = NOT_EVALUATED if evaluator is None else evaluate_epoch(evaluator, model, context)
        check_choice(scores, recipe)
        row = {"epoch": epoch + 1, **mean_losses(terms, steps, epoch), **scores}
        result.history.append(row | {"learning_rate": optimizer.learning_rate})
        result.step_losses.append(steps[:, terms.index("loss")].cpu())
        result.processors.append(checkpoint.processor)
        optimizer.end_epoch(scores["validation_loss"])
        if is_best(result, recipe):
            result.best, result.best_epoch = snapshot(model), epoch + 1
        progress.note = f"epoch {epoch + 1}/{epochs}{headline(scores)}"
        if context.rank == 0:
            save(checkpoint, model, optimizer, method, result)
    progress.print_line()
    result.last = snapshot(model)
    return result


def total_epochs(method: LearningRule, recipe: Recipe) -> int:
    """Of a training that does not stop early: a first stage's, and the recipe's."""
    return method.first_stage_epochs + recipe.epochs


def begin_epoch(
    method: LearningRule,
    optimizer: Optimizer,
    epoch: int,
    indices: EpochIndices,
    seed: int,
    context: DistributedContext,
) -> None:
    """Let the method take what it needs for the epoch's images, and seed dropout, in each process otherwise."""
    # The main process first: the others then find teacher logits in the cache.
    with context.main_process_first() if context.size > 1 else nullcontext():
        method.begin_epoch(epoch, indices)
    if epoch and epoch == method.first_stage_epochs:
        optimizer.restart()
    torch.manual_seed(derive(seed, "dropout", epoch, *([context.rank] if context.rank else [])))


def train_epoch(
    model: nn.Module,
    split: Split,
    indices: EpochIndices,
    method: LearningRule,
    optimizer: Optimizer,
    batch_size: int,
    precision: str,
    progress: Progress,
    context: DistributedContext = SINGLE_PROCESS,
) -> tuple[list[str], Tensor]:
    """One pass over an epoch's images: names of the loss terms, and (steps, terms + 1) float32, the last column the images
    of each step."""
    model.train()
    positions = list(batch_positions(len(indices.image), batch_size))
    if not positions:
        raise CellarError("no batch of an epoch has two images, which batch normalisation needs; train on more of them")
    terms, steps = list[str](), torch.empty(0)
    for number, position in enumerate(positions):
        shard = context.shard(position) if context.size > 1 else position
        inputs = split.augmentation.apply(
            split.images[indices.image[shard]], indices.augmentation[shard]
        )  # (B, 3, H, W)
        with runtime.autocast(inputs.device, precision):
            output = model(inputs)
        if context.size > 1:
            output = context.all_gather(output, position)
        image = indices.image[position]
        batch = Batch(position, image, indices.augmentation[position], split.labels[image])
        losses = total_loss(method, output, batch)
        method.observe(logits_of(output).detach(), batch)
        if not terms:
            # Preallocated: keeping one small tensor per step would fragment the allocator and stop freed gradient blocks
            # from being reused.
            terms, steps = list(losses), torch.empty(len(positions), len(losses) + 1, device=image.device)
        optimizer.step(losses["loss"])
        steps[number, :-1] = torch.stack([losses[term].detach() for term in terms])
        steps[number, -1] = len(image)
        progress.advance(len(image))
    return terms, steps


def logits_of(output: Output) -> Tensor:
    """The logits (B, C), of two heads the main one's."""
    if isinstance(output, Tensor):
        return output
    return output.logits if isinstance(output, Features) else output[0]


def total_loss(method: LearningRule, output: Output, batch: Batch) -> Losses:
    """The method's loss; for a network with an auxiliary head also that head's loss, times AUXILIARY_WEIGHT."""
    if isinstance(output, Tensor):
        return method.loss(output.float(), batch)
    if isinstance(output, Features):
        return method.loss(output.map(Tensor.float), batch)
    main, auxiliary = (method.loss(part.float(), batch) for part in output)
    total = main["loss"] + AUXILIARY_WEIGHT * auxiliary["loss"]
    return main | {"loss": total, "main_loss": main["loss"], "auxiliary_loss": auxiliary["loss"]}


def batch_positions(images: int, batch_size: int) -> Iterator[slice]:
    """The batches of an epoch. A last batch of one image is left out: batch normalisation needs at least two."""
    for start in range(0, images, batch_size):
        stop = min(start + batch_size, images)
        if stop - start > 1:
            yield slice(start, stop)


def mean_losses(terms: list[str], steps: Tensor, epoch: int) -> dict[str, float]:
    """An epoch's mean loss terms per image, by name, "loss" as "train_loss"; steps as train_epoch returns them.

    Raises CellarError if the loss is not finite.
    """
    weighted, images = steps * steps[:, -1:], steps[:, -1].sum()
    # Column by column: how many terms a method has must not change the order in which one of them is summed.
    means = [float(weighted[:, column].sum() / images) for column in range(len(terms))]
    row = {"train_loss" if term == "loss" else term: mean for term, mean in zip(terms, means, strict=True)}
    if not math.isfinite(row["train_loss"]):
        raise CellarError(
            f"the training diverged in epoch {epoch + 1} (its loss is {row['train_loss']}); lower learning_rate in its recipe, or its method's weights"
        )
    return row


def evaluate_epoch(evaluator: Evaluator, model: nn.Module, context: DistributedContext) -> dict[str, float]:
    """Scores of the model, computed by the main process: no two processes may decide differently."""
    return context.broadcast_from_main(lambda: evaluator(model)) if context.size > 1 else evaluator(model)


def check_choice(scores: dict[str, float], recipe: Recipe) -> None:
    """Raises CellarError if no epoch can be chosen by these scores."""
    score = recipe.select_on
    if score != "last_epoch" and math.isnan(scores.get(score, math.nan)):
        others = [name for name in ("validation_accuracy", "validation_loss", "validation_r2")
                  if not math.isnan(scores.get(name, math.nan))]  # fmt: skip
        instead = ", ".join([*others, "last_epoch"])
        raise CellarError(f"select_on: {score}, in the recipe, is no score of this training; it can be: {instead}")


def is_best(result: TrainResult, recipe: Recipe) -> bool:
    """Whether the newest epoch beats all earlier ones; of equal epochs the first is kept."""
    *earlier, newest = result.history
    if recipe.select_on == "last_epoch":
        return True
    sign = -1 if recipe.select_on == "validation_loss" else 1
    return all(sign * newest[recipe.select_on] > sign * row[recipe.select_on] for row in earlier)


def stopped_early(result: TrainResult, recipe: Recipe, first_stage_epochs: int) -> bool:
    """A first stage, which does not learn the labels, is no reason to stop."""
    since = max(result.best_epoch, first_stage_epochs)
    return recipe.early_stop is not None and len(result.history) - since >= recipe.early_stop


def snapshot(model: nn.Module) -> State:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def save(
    checkpoint: Checkpoint, model: nn.Module, optimizer: Optimizer, method: LearningRule, result: TrainResult
) -> None:
    """Save everything that the next epoch depends on; its images follow from the seed and the epoch number."""
    kept = ("best", "best_epoch", "history", "step_losses", "processors")
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "method": method.state_dict()}
    checkpoint.save(state | {name: getattr(result, name) for name in kept})


def resume(
    checkpoint: Checkpoint, model: nn.Module, optimizer: Optimizer, method: LearningRule, device: torch.device
) -> TrainResult:
    """Restore a saved state and return the result so far; an empty one if there is no saved state."""
    state = checkpoint.load(device)
    if state is None:
        return TrainResult()
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    method.load_state_dict(state["method"])
    history, losses = state["history"], [steps.cpu() for steps in state["step_losses"]]  # as `train` keeps them
    return TrainResult(state["best"], {}, history, losses, state["processors"], state["best_epoch"], len(history))
