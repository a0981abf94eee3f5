"""What a training runs with: device and precision, optimizer, progress lines."""

import ctypes
import math
import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler
from tqdm import tqdm

from cellar.config import Recipe
from cellar.data.inputs.augmentation import Augmentation, Images, unaugmented
from cellar.engine import run_record
from cellar.models import small_maps
from cellar.models.small_maps import Shape

INTERVAL = 5.0  # seconds between progress lines
ADAM_BETAS = (0.9, 0.999)  # PyTorch's own


def prepare(threads: int) -> torch.device:
    """Set threads and determinism for this process; return the CUDA device if there is one, else the CPU."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with it
    torch.set_num_threads(threads)
    keep_freed_memory()
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # float32 means float32
    # Like use_deterministic_algorithms(True), which also imports torch's compiler: 1.5 s a stage.
    torch.set_deterministic_debug_mode("error")
    # Determinism would also fill every new tensor, for code that reads uninitialised memory: a twelfth of a training step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property, set by name
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def keep_freed_memory() -> None:
    """Make glibc's malloc keep large freed blocks for the next step instead of returning them to the system.

    A training step frees and allocates hundreds of MB of gradients; as fresh pages each time, that costs more than the
    arithmetic (docs/performance.md).
    """
    mmap_max, trim_threshold = -4, -1  # M_MMAP_MAX, M_TRIM_THRESHOLD of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:  # glibc only
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, -1)


def place(model: nn.Module, device: torch.device, batch: Shape | None = None, precision: str = "fp32") -> nn.Module:
    """Move a model to `device`, channels last, the faster layout for convolutions on CPUs and GPUs. With the shape of its
    batches, (B, 3, H, W), a CPU also computes convolutions of small maps as matrix products."""
    model = model.to(device).to(memory_format=torch.channels_last)
    if batch and device.type == "cpu":
        small_maps.fit(model, batch, precision)
    return model


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """bf16 if `precision` says so, else plain float32."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


@torch.inference_mode()
def predict(
    model: nn.Module, images: Images, augmentation: Augmentation, batch_size: int, precision: str = "fp32"
) -> Tensor:
    """Outputs (N, ...) float32 of the model for every image (N, 1 or 3, H, W) uint8, unaugmented, in order."""
    model.eval()
    parts = []
    for inputs in unaugmented(images, augmentation, batch_size):
        with autocast(inputs.device, precision):
            parts.append(model(inputs).float())
    return torch.cat(parts)


def device_facts(device: torch.device, threads: int) -> dict[str, Any]:
    """What a run record says of the device."""
    return {"threads": threads, "device": device.type, "device_name": device_name(device)}


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else run_record.processor()


class Optimizer:
    """SGD or Adam with the recipe's learning-rate schedule. Either adds weight decay to the gradient."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.recipe = recipe
        rate, decay = recipe.learning_rate, recipe.weight_decay
        self.optimizer: torch.optim.Optimizer
        if recipe.optimizer == "adam" and decay:
            small_maps.restore(model, "Adam with weight_decay has no closed form")
        self.untouched = small_maps.UntouchedWeights(model, recipe.momentum, decay)
        if recipe.optimizer == "adam":
            betas = (float(recipe.betas[0]), float(recipe.betas[1])) if recipe.betas else ADAM_BETAS
            self.optimizer = torch.optim.Adam(model.parameters(), rate, betas, weight_decay=decay, fused=True)
        else:
            self.optimizer = torch.optim.SGD(model.parameters(), rate, recipe.momentum, weight_decay=decay, fused=True)
        self.scheduler = build_scheduler(self.optimizer, recipe)

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of `loss`, a scalar."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.untouched.step(self.learning_rate)

    def restart(self) -> None:
        """Forget momenta, steps and the learning rate's fall, as a new optimizer."""
        self.optimizer.state.clear()
        self.untouched.velocities = [0.0] * len(self.untouched.velocities)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate
        self.scheduler = build_scheduler(self.optimizer, self.recipe)

    def end_epoch(self, validation_loss: float) -> None:
        """Set the next epoch's learning rate; afterwards the model is as a saved and loaded one."""
        self.untouched.settle()
        if isinstance(self.scheduler, lr_scheduler.ReduceLROnPlateau):
            self.scheduler.step(validation_loss)
        else:
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "velocities": self.untouched.velocities,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.untouched.velocities = list(state["velocities"])


def build_scheduler(optimizer: torch.optim.Optimizer, recipe: Recipe) -> lr_scheduler.LRScheduler:
    schedule = recipe.schedule
    if schedule.plateau:
        factor, patience = schedule.plateau.factor, schedule.plateau.patience
        return lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
    if schedule.step:
        return lr_scheduler.StepLR(optimizer, schedule.step.every, schedule.step.factor)
    if schedule.milestones:
        return lr_scheduler.MultiStepLR(optimizer, schedule.milestones.epochs, schedule.milestones.factor)
    # The remaining one is inverse_sqrt: 1 / sqrt(1 + t) after t epochs (small-dataset study, 6.2).
    return lr_scheduler.LambdaLR(optimizer, lambda epochs: 1 / math.sqrt(1 + epochs))


class Progress:
    """Counts images and prints a line every few seconds on stderr, the same in a log and in a terminal.

    `total` is the number of images of the whole stage; `done` where a resumed stage starts. Without a `stage` nothing is
    printed: another process does it.
    """

    def __init__(self, stage: str | None, total: int, done: int = 0) -> None:
        self.stage, self.total, self.done = stage, total, done
        self.first_done, self.started = done, time.monotonic()
        self.last_line = self.started
        self.note = ""

    def advance(self, images: int) -> None:
        self.done += images
        if time.monotonic() - self.last_line >= INTERVAL:
            self.print_line()

    def print_line(self) -> None:
        """Print the line now."""
        self.last_line = time.monotonic()
        if self.stage is None:
            return
        rate = (self.done - self.first_done) / max(self.last_line - self.started, 1e-9)
        left = tqdm.format_interval((self.total - self.done) / rate) if rate else "?"
        share = f"{self.done / max(self.total, 1):4.0%}"
        parts = [self.stage, share, f"{rate:,.0f} images/s", f"{left} left", self.note]
        print(" | ".join(part for part in parts if part), file=sys.stderr, flush=True)


def headline(scores: dict[str, float]) -> str:
    """The score that the progress line shows; nothing if no image is held out."""
    if "validation_r2" in scores:
        return f", validation R2 {scores['validation_r2']:.3f}"
    accuracy = scores["validation_accuracy"]
    return "" if math.isnan(accuracy) else f", validation {accuracy:.1f} %"
