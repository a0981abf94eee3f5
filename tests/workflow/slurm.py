"""A Slurm of this machine's own for the tests of profiles/slurm; skipped, with the reason, where none comes up."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from .conftest import ROOT, Project

PROFILE = ROOT / "profiles/slurm"
CLUSTER = ROOT / "tests/slurm/cluster.sh"
# Waiting for the cluster of the other file's tests, and for the build, included.
LONG = [pytest.mark.long, pytest.mark.timeout(2400)]
QUICK = [
    "--seconds-between-status-checks",
    "1",
    "--slurm-init-seconds-before-status-checks",
    "1",
    "--latency-wait",
    "5",
]
SUBMIT = ["snakemake", "--profile", "profiles/slurm", *QUICK]


@contextmanager
def cluster(folder: Path, *shared: Path) -> Iterator[Path]:
    """A running cluster, and the folder of the packages that the profile asks for; with `shared`, see cluster.sh.

    The cluster's own folder has a short name, wherever temporary files are: the name of a socket has 107 characters at
    most, and a Slurm that cannot make one holds its jobs.
    """
    needed = ["slurmctld", "slurmd", "munged", *(["glusterfsd", "glusterfs", "ip"] if shared else [])]
    absent = [name for name in needed if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if absent or os.geteuid() != 0:
        pytest.skip(
            f"not installed: {', '.join(absent)}" if absent else "this is not root, who alone can start a cluster"
        )
    packages = folder / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", packages]
    if subprocess.run([*pip, "--requirement", PROFILE / "requirements.lock"], check=False).returncode:
        pytest.skip("pip cannot fetch the packages of profiles/slurm here, see above")
    with FileLock("/tmp/cellar-slurm.lock"):  # /etc/slurm/slurm.conf is of one cluster
        short = tempfile.mkdtemp(prefix="cellar-slurm-", dir="/tmp")
        try:
            command = [CLUSTER, "start", short, *shared]
            started = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
            if started.returncode:
                pytest.skip(f"no Slurm comes up here: {started.stderr.strip()}")
            yield packages
        finally:
            subprocess.run([CLUSTER, "stop", short, *shared], check=False, timeout=120)
        shutil.rmtree(short, ignore_errors=True)  # where none came up, its logs are kept


def with_packages(project: Project, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the project starts finds the executor."""
    inner = project.environment

    def environment() -> dict[str, str]:
        found = inner()
        return found | {"PYTHONPATH": f"{found['PYTHONPATH']}:{packages}"}

    monkeypatch.setattr(project, "environment", environment)


def jobs() -> dict[int, dict[str, str]]:
    """Every job that the cluster knows: number -> state, GPUs and memory."""
    said = subprocess.run(["scontrol", "show", "jobs", "--oneliner"], capture_output=True, text=True, check=True).stdout
    lines = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in said.splitlines() if line.startswith("JobId=")]
    return {int(line["JobId"]): line for line in lines}
