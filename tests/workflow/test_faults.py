"""What a machine does to a long run: a full disk, a folder that cannot be written, no memory, a clock that goes back."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import FACES, Project, experiment

pytestmark = pytest.mark.long

E1 = f"results/students/{FACES}/fer2013-E1/seed-0/weights.safetensors"
TRACEBACK = "Traceback (most recent call last)"


def mounted(folder: Path, *options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(unbuilt: Project, tmp_path: Path) -> Iterator[Project]:
    """A clone on a disk of its own, which has room for the data and not for all of the weights."""
    disk = tmp_path / "disk"
    mounted(disk, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
    yield unbuilt.copy_to(disk / "project")
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_said_and_the_next_run_goes_on(small_disk: Project, built: Project) -> None:
    done = small_disk.run("snakemake", "--cores", "2", E1, ok=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "No space left on device" in said and TRACEBACK not in said
    kept = small_disk.made()
    assert kept  # what was finished before
    subprocess.run(["mount", "-o", "remount,size=900m", str(small_disk.folder.parent)], check=True)
    small_disk.snakemake(E1)
    ours, theirs = small_disk.made(), built.made()
    assert kept.items() <= ours.items() and E1 in ours
    assert ours == {path: theirs[path] for path in ours}
    assert not list(small_disk.folder.glob("[rd]*/**/.*.tmp"))


def test_a_folder_that_cannot_be_written_is_said(fresh: Project) -> None:
    fresh.snakemake("data/prepared/fer2013/arrays.npz")
    place = fresh.folder / "results/teachers"
    mounted(place, "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs")
    try:
        done = fresh.run("snakemake", "--cores", "2", E1, ok=False)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and TRACEBACK not in said
    assert "Read-only file system" in said and "results/teachers" in said
    fresh.snakemake(E1)


def test_no_memory_is_said_in_one_line(project: Project) -> None:
    stage = "python -m cellar train_teacher fer2013/seed-0"
    project.change(lambda params: params["studies"][FACES]["recipes"]["teacher"].update(batch_size=80))
    project.change(lambda params: params["datasets"]["fer2013"].update(input_size=512))
    project.snakemake("data/prepared/fer2013/arrays.npz")
    done = project.run("bash", "-c", f"ulimit -v 6000000; exec {stage}", ok=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("cellar: ")]
    assert done.returncode == 1 and TRACEBACK not in done.stderr
    assert len(lines) == 1 and lines[0].startswith("cellar: out of memory; "), done.stderr


def test_a_clock_that_went_back_runs_nothing_twice(project: Project) -> None:
    """All that is here is from tomorrow, as after a clock was set back: what is made now is older than what it is made of."""
    tomorrow = time.time() + 86400
    for path in [*project.folder.glob("results/**/*"), *project.folder.glob("data/**/*")]:
        if path.name == ".snakemake_timestamp":
            path.unlink()  # nor has a folder that DVC restored one
            continue
        os.utime(path, (tomorrow, tomorrow))
    assert project.planned() == {}
    project.change(lambda params: experiment(params, "fer2013-E1")["method"].update(temperature=5))
    assert project.planned().get("distill_student") == 1
    project.snakemake()
    assert project.planned() == {} and project.out_of_date() == set()
