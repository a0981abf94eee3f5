"""A training by several processes, as a person asks for it: `processes` in its recipe."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from .conftest import OBJECTS, PINS, Project, experiment, student
from .test_sequences import wait_for_checkpoint

pytestmark = pytest.mark.long

STAGE = student("distill_student", "cifar100-student_kd")
WEIGHTS = f"results/students/{OBJECTS}/cifar100-student_kd/seed-0/weights.safetensors"
DISTILL = ("python", "-m", "cellar", "distill_student", "cifar100-student_kd/seed-0", "--study", OBJECTS)


def change_recipe(project: Project, **values: Any) -> None:
    """Give the distilled student a recipe of its own; its network has no batch norm, which the CPU's parts would split."""

    def change(params: dict[str, Any]) -> None:
        line, recipes = experiment(params, "cifar100-student_kd", OBJECTS), params["studies"][OBJECTS]["recipes"]
        recipes.setdefault("shared", {**recipes[line["recipe"]]}).update(values)
        line["recipe"] = "shared"

    project.change(change)
    project.resolve()


def assert_learnt_alike(history: Path, alone: pd.DataFrame) -> None:
    """Six decimals are kept, and the last may be rounded otherwise."""
    pd.testing.assert_frame_equal(pd.read_csv(history), alone, rtol=1e-3, atol=2e-6)


def test_two_processes_learn_what_one_learns(project: Project) -> None:
    folder = (project.folder / WEIGHTS).parent
    alone = pd.read_csv(folder / "history.csv")
    change_recipe(project, processes=2)
    project.snakemake(WEIGHTS)
    assert_learnt_alike(folder / "history.csv", alone)
    run = project.record(STAGE)
    assert run["settings"]["recipe"]["processes"] == 2
    assert run["images_trained"] == run["teacher_images_answered"]  # a process counts the whole batch, once
    assert project.planned(WEIGHTS) == {}
    assert not list(project.folder.glob(".cache/checkpoints/*"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_all_end_with_the_one_that_launched_them_and_the_next_run_goes_on(
    how: signal.Signals, project: Project
) -> None:
    folder = (project.folder / WEIGHTS).parent
    change_recipe(project, epochs=12)
    project.run(*DISTILL)
    alone = pd.read_csv(folder / "history.csv")
    change_recipe(project, processes=2)
    with project.start(*DISTILL, stderr=subprocess.PIPE) as running:
        wait_for_checkpoint(project.folder / ".cache/checkpoints")
        launched = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(how)
        assert running.stderr is not None
        said = [line for line in running.stderr.read().splitlines() if line.startswith(("cellar", "Traceback"))]
    gone, alive = psutil.wait_procs(launched, timeout=30)
    assert len(gone) >= 2 and not alive
    assert said == (
        ["cellar: interrupted; the same command goes on from the last checkpoint"] if how == signal.SIGINT else []
    )
    project.run(*DISTILL)
    assert project.record(STAGE)["resumed_from_epoch"] > 0
    assert_learnt_alike(folder / "history.csv", alone)


def test_what_goes_wrong_in_both_is_said_once(project: Project) -> None:
    change_recipe(project, processes=2, learning_rate=1e30)
    done = project.run(*DISTILL, ok=False)
    said = [line for line in done.stderr.splitlines() if line.startswith("cellar: ")]
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert len(said) == 1 and "the training diverged in epoch " in said[0], done.stderr
    assert not list((project.folder / ".cache/checkpoints").glob("*.tmp"))


def test_one_that_the_system_kills_ends_the_training_with_a_line(project: Project) -> None:
    change_recipe(project, processes=2, epochs=100)
    with project.start(*DISTILL, stderr=subprocess.PIPE) as running:
        wait_for_checkpoint(project.folder / ".cache/checkpoints")
        children = psutil.Process(running.pid).children(recursive=True)
        worker = next(child for child in reversed(children) if "cellar" in child.cmdline())
        worker.kill()
        assert running.stderr is not None
        said = [line for line in running.stderr.read().splitlines() if line.startswith(("cellar", "Traceback"))]
    _, alive = psutil.wait_procs(children, timeout=30)
    assert running.returncode == 1 and not alive
    assert len(said) == 1 and "a process of the training was killed" in said[0] and "batch_size" in said[0], said


def test_a_team_of_another_size_than_the_recipe_says_is_refused(project: Project) -> None:
    change_recipe(project, epochs=3)
    torchrun = ("python", "-m", "torch.distributed.run", "--nproc-per-node", "2", *DISTILL[1:])
    done = project.run(*torchrun, ok=False)
    assert done.returncode == 1
    assert "cellar: the recipe asks for processes: 1, torchrun has started 2; make them equal" in done.stderr
    assert project.planned(WEIGHTS) != {}


@pytest.mark.parametrize("section", ["experiments.pins-meta_convnet9", "generators.pins"])
def test_what_cannot_be_shared_is_refused(section: str, fresh: Project, raw: dict[str, Any]) -> None:
    kind, name = section.split(".")
    study = raw["studies"][PINS]
    study["recipes"][study[kind][name]["recipe"]]["processes"] = 2
    fresh.change(lambda params: (params.clear(), params.update(raw)))
    (line,) = fresh.run("python", "-m", "cellar", "resolve", ok=False).stderr.splitlines()
    assert f"studies.{PINS}.{section}" in line and "processes: 1" in line
