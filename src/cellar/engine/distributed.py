"""One training by several processes, a GPU each, as torchrun starts them: every one takes a part of each batch.

What the model says of the parts is put together before the objective sees it, so the loss is that of the whole batch, whatever
the objective: means, class weights and triplets need not know. Gradients are summed by DistributedDataParallel.
"""

import ctypes
import logging
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import torch
from torch import distributed, nn

from cellar.errors import CellarError

PATIENCE = timedelta(hours=12)  # one process may ask the teacher of a whole data set while the others wait
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>: the signal to be sent when the parent has ended
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Team:
    """The processes of a training, and which of them this one is: the first one judges, keeps and records."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def others(self) -> tuple[int, ...]:
        """What tells this process's seeds from the first one's."""
        return (self.rank,) if self.rank else ()

    def normalise_together(self, model: nn.Module) -> nn.Module:
        """Batch norms over the whole batch, on GPUs; PyTorch has none for CPUs, where each process takes its part. A frozen
        trunk's are left as they are."""
        learning = all(parameter.requires_grad for parameter in model.parameters())
        if self.size == 1 or not learning or not next(model.parameters()).is_cuda:
            return model
        synchronised: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return synchronised

    def train_together(self, model: nn.Module) -> nn.Module:
        """The model as it is to be called in training; its weights stay those of `model`."""
        if self.size == 1:
            return model
        return nn.parallel.DistributedDataParallel(model, static_graph=True)  # some layers may be without use

    def part(self, place: slice) -> slice:
        """This process's part of a batch; all of one that is too small for two images each."""
        if self.size == 1 or self.is_small(place):
            return place
        bounds = self.bounds(place)
        return slice(bounds[self.rank], bounds[self.rank + 1])

    def bounds(self, place: slice) -> list[int]:
        """Where the parts of a batch begin, and its end; their lengths differ by one at most."""
        rows = place.stop - place.start
        return [place.start + rows * rank // self.size for rank in range(self.size + 1)]

    def whole(self, output: Any, place: slice) -> Any:
        """The model's output of a whole batch (B, ...) from that of the parts; gradients flow into this process's own."""
        if self.size == 1 or self.is_small(place):
            return output
        if isinstance(output, tuple):
            return tuple(self.whole(one, place) for one in output)
        bounds = self.bounds(place)
        lengths = [stop - start for start, stop in pairwise(bounds)]
        padded = output.new_zeros(max(lengths), *output.shape[1:])  # all_gather wants equal lengths
        padded[: len(output)] = output.detach()
        parts = [torch.empty_like(padded) for _ in lengths]
        distributed.all_gather(parts, padded)
        output.register_hook(lambda gradient: gradient * self.size)  # a mean is taken where a sum is due
        parts[self.rank] = output
        return torch.cat([part[:length] for part, length in zip(parts, lengths, strict=True)])

    def is_small(self, place: slice) -> bool:
        rows: int = place.stop - place.start
        return rows < 2 * self.size

    def from_first(self, ask: Callable[[], Answer]) -> Answer:
        """What the first process finds, told to all: they must not come to decide differently."""
        if self.size == 1:
            return ask()
        told = [ask() if self.is_first else None]
        distributed.broadcast_object_list(told)
        return told[0]  # type: ignore[return-value]  # the first's answer is there in all of them

    @contextmanager
    def first_goes_first(self) -> Iterator[None]:
        """What the first process leaves on the disk in the block is there for the others."""
        if not self.is_first:
            distributed.barrier()
        yield
        if self.size > 1 and self.is_first:
            distributed.barrier()


ALONE = Team()


def is_to_launch(processes: int) -> bool:
    """Whether this is the process that a person started, where several are wanted."""
    return processes > 1 and not distributed.is_torchelastic_launched()


def launch(processes: int) -> None:
    """Run this same command that many times, as torchrun does.

    Raises CellarError when there are fewer GPUs, where a process has ended with one, and where the system has killed one;
    exits where one has crashed, for that has said why.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    gpus = torch.cuda.device_count()
    if 0 < gpus < processes:
        raise CellarError(
            f"the recipe asks for processes: {processes}, a GPU each, and {gpus} are here; lower it in params.yaml"
        )
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)  # it would add a traceback of its own
    with TemporaryDirectory(prefix="cellar-") as logs:
        config = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=processes, max_restarts=0, run_id=uuid.uuid4().hex,
            rdzv_backend="c10d", rdzv_endpoint="localhost:0", logs_specs=DefaultLogsSpecs(log_dir=logs),
        )  # fmt: skip
        try:
            elastic_launch(config, sys.executable)("-m", "cellar", *sys.argv[1:])
        except SignalException:  # what Ctrl-C has become
            raise KeyboardInterrupt from None
        except ChildFailedError as error:
            messages: list[Any] = [failure.message for failure in error.failures.values()]
            told = [message["message"] for message in messages if isinstance(message, dict)]  # by `join`
            if told:
                raise CellarError(told[0].removeprefix(f"{CellarError.__name__}: ")) from None
            if any(failure.exitcode == -signal.SIGKILL for failure in error.failures.values()):
                raise CellarError(
                    "a process of the training was killed, by the system if memory ran out; lower batch_size, or just run "
                    "again: it goes on from the last checkpoint"
                ) from None
            sys.exit(1)


@contextmanager
def join(device: torch.device, processes: int) -> Iterator[Team]:
    """The team of so many that this process was started in, left when the block ends; on GPUs each takes its own.

    What a user has to mend is told to the process that has launched the team, which says it once.
    """
    started = int(os.environ["WORLD_SIZE"]) if distributed.is_torchelastic_launched() else 1
    if started != processes:
        raise CellarError(
            f"the recipe asks for processes: {processes}, torchrun has started {started}; make them equal"
        )
    if processes == 1:
        yield ALONE
        return
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    end_with_launcher()
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    except CellarError as error:
        get_error_handler().record_exception(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # the launcher says it
    except RuntimeError as error:
        if not is_for_others(error):
            raise
        sys.exit(1)
    finally:
        distributed.destroy_process_group()


def is_for_others(error: RuntimeError) -> bool:
    """Whether another process has gone, and says why itself; PyTorch has no exception of its own for that."""
    return any(words in str(error) for words in ("closed by peer", "reset by peer", "remote process exited"))


def end_with_launcher() -> None:
    """A launcher that is killed leaves no process behind, where the system can see to that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
