"""`own_gpu.py N COMMAND …`: runs COMMAND with N GPUs of its own, for Snakemake counts GPUs but hands none out.

It gets the first of the visible GPUs that no other job holds, and waits while there are too few. A GPU is held until COMMAND
ends, however it ends. Nothing is changed where there is one GPU or none (a profile that gives one GPU two slots asks for two
jobs on it), and under Slurm, which hands them out itself.
"""

import fcntl
import os
import sys
import tempfile
import time
from pathlib import Path

KERNELS_LIST = Path("/proc/driver/nvidia/gpus")  # a folder a GPU; asking the driver would take half a second


def main(count: str, *command: str) -> None:
    gpus = visible()
    if len(gpus) > 1 and "SLURM_JOB_ID" not in os.environ:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(hold(gpus, min(int(count), len(gpus))))
    os.execvp(command[0], command)


def visible() -> list[str]:
    """As CUDA names them, those that the user has chosen if any were."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip()]
    return [str(number) for number, _ in enumerate(KERNELS_LIST.glob("*"))]


def hold(gpus: list[str], count: int) -> list[str]:
    """The locks go with the process, into COMMAND; nothing has to be tidied away after a kill."""
    while True:
        locks = {gpu: lock for gpu in gpus if (lock := lock_of(gpu)) is not None}
        chosen = list(locks)[:count]
        for gpu, lock in locks.items():
            if len(chosen) == count and gpu in chosen:
                os.set_inheritable(lock, True)
            else:  # too many, or too few: then another job may have what it waits for
                os.close(lock)
        if len(chosen) == count:
            return chosen
        time.sleep(0.5)


def lock_of(gpu: str) -> int | None:
    """The descriptor that holds a GPU, None where another job has it."""
    lock = os.open(Path(tempfile.gettempdir()) / f"cellar-{os.getuid()}-gpu-{gpu}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


if __name__ == "__main__":
    main(*sys.argv[1:])
