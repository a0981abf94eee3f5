"""One training by several processes, one GPU each, started as torchrun starts them; each takes a part of every batch.

Outputs are all-gathered before the loss, so every loss sees the full batch and needs no changes for
DistributedDataParallel, which averages the gradients.
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
from cellar.models.features import Features

TIMEOUT = timedelta(hours=12)  # one process may compute a whole data set's teacher logits while the others wait
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>: the signal to be sent when the parent has ended
Value = TypeVar("Value")


@dataclass(frozen=True)
class DistributedContext:
    """The processes of a training and the rank of this one; the main process, rank 0, evaluates, saves and records.

    The methods are for several processes: with a `size` of 1 the training loop does not call them.
    """

    rank: int = 0
    size: int = 1

    def sync_batchnorm(self, model: nn.Module) -> nn.Module:
        """On GPUs, batch norms over the full batch; PyTorch has none for CPUs, where each process normalises its own part.
        A model with frozen layers stays as it is."""
        trainable = all(parameter.requires_grad for parameter in model.parameters())
        if not trainable or not next(model.parameters()).is_cuda:
            return model
        synchronised: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return synchronised

    def wrap_ddp(self, model: nn.Module) -> nn.Module:
        """The module to call in training; the weights stay those of `model`."""
        return nn.parallel.DistributedDataParallel(model, static_graph=True)  # some layers may be unused

    def shard(self, position: slice) -> slice:
        """This process's part of a batch; the whole batch if it has fewer than two images per process."""
        if self.is_small(position):
            return position
        bounds = self.bounds(position)
        return slice(bounds[self.rank], bounds[self.rank + 1])

    def bounds(self, position: slice) -> list[int]:
        """Where the parts of a batch begin, and its end; their lengths differ by one at most."""
        rows = position.stop - position.start
        return [position.start + rows * rank // self.size for rank in range(self.size + 1)]

    def all_gather(self, output: Any, position: slice) -> Any:
        """The outputs of the full batch (B, ...) from those of the parts; gradients flow into this process's own part."""
        if self.is_small(position):
            return output
        if isinstance(output, Features):
            return output.map(lambda tensor: self.all_gather(tensor, position))
        if isinstance(output, tuple):
            return tuple(self.all_gather(part, position) for part in output)
        bounds = self.bounds(position)
        lengths = [stop - start for start, stop in pairwise(bounds)]
        padded = output.new_zeros(max(lengths), *output.shape[1:])  # all_gather needs equal lengths
        padded[: len(output)] = output.detach()
        parts = [torch.empty_like(padded) for _ in lengths]
        distributed.all_gather(parts, padded)
        # DDP averages gradients; each rank computed the full-batch loss, so scale by the number of ranks: the loss's gradient
        # alone, for to a map flows also that of later layers.
        own = output.view_as(output)
        if own.requires_grad:  # not so a map of frozen layers; one that no loss reads gets no gradient
            own.register_hook(lambda gradient: gradient if gradient is None else gradient * self.size)
        parts[self.rank] = own
        return torch.cat([part[:length] for part, length in zip(parts, lengths, strict=True)])

    def is_small(self, position: slice) -> bool:
        rows: int = position.stop - position.start
        return rows < 2 * self.size

    def broadcast_from_main(self, compute: Callable[[], Value]) -> Value:
        """A value that the main process computes and all processes receive, so that they decide alike."""
        values = [compute() if self.rank == 0 else None]
        distributed.broadcast_object_list(values)
        return values[0]  # type: ignore[return-value]  # after the broadcast it is the main process's value

    @contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Files that the main process writes in the block exist before the others enter it."""
        if self.rank:
            distributed.barrier()
        yield
        if not self.rank:
            distributed.barrier()


SINGLE_PROCESS = DistributedContext()


def launch(processes: int) -> None:
    """Run this same command in that many processes, as torchrun does.

    Raises CellarError when there are fewer GPUs, when a process raised one, and when the system killed a process; exits with
    1 when one crashed, which has then printed its traceback.
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
        except SignalException:  # raised on Ctrl-C
            raise KeyboardInterrupt from None
        except ChildFailedError as error:
            messages: list[Any] = [failure.message for failure in error.failures.values()]
            errors = [message["message"] for message in messages if isinstance(message, dict)]  # from `join`
            if errors:
                raise CellarError(errors[0].removeprefix(f"{CellarError.__name__}: ")) from None
            if any(failure.exitcode == -signal.SIGKILL for failure in error.failures.values()):
                raise CellarError(
                    "a process of the training was killed, by the system if memory ran out; lower batch_size, or just run "
                    "again: it goes on from the last checkpoint"
                ) from None
            sys.exit(1)


@contextmanager
def join(device: torch.device, processes: int) -> Iterator[DistributedContext]:
    """Join the process group that this process was started in, and leave it when the block ends; one GPU per process.

    A CellarError is passed on to the launching process, which prints it once. Raises CellarError when torchrun has started
    another number of processes.
    """
    started = int(os.environ["WORLD_SIZE"]) if distributed.is_torchelastic_launched() else 1
    if started != processes:
        raise CellarError(
            f"the recipe asks for processes: {processes}, torchrun has started {started}; make them equal"
        )
    if processes == 1:
        yield SINGLE_PROCESS
        return
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    end_with_launcher()
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)
    try:
        yield DistributedContext(distributed.get_rank(), distributed.get_world_size())
    except CellarError as error:
        get_error_handler().record_exception(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # the launcher reports it
    except RuntimeError as error:
        if not is_lost_peer(error):
            raise
        sys.exit(1)
    finally:
        distributed.destroy_process_group()


def is_lost_peer(error: RuntimeError) -> bool:
    """Whether another process ended, which reports the reason itself; PyTorch has no exception class for that."""
    return any(words in str(error) for words in ("closed by peer", "reset by peer", "remote process exited"))


def end_with_launcher() -> None:
    """End this process when its launcher is killed (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
