"""What a person does with the project, in order, with the real tools: build, change, change back, branch, share, kill."""

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from ..processes import kill_all
from .conftest import FACES, Project, experiment, student

E1, E1_EVALUATION = student("distill_student", "fer2013-E1"), student("evaluate_student", "fer2013-E1")
TABLE_IV = f"studies/{FACES}/results/dvc.yaml:tabulate-table_iv"  # which prints the temperature
WEIGHTS = f"results/students/{FACES}/fer2013-E1/seed-0/weights.safetensors"
METRICS = f"results/metrics/students/{FACES}/fer2013-E1/seed-0.json"
MOST_LINES = 10  # of `dvc metrics diff` for a run


def set_temperature(temperature: float) -> Any:
    return lambda params: experiment(params, "fer2013-E1")["method"].update(temperature=temperature)


def test_a_built_project_has_its_tables_and_nothing_left_to_do(built: Project) -> None:
    table = (built.folder / "results/tables/table_vi.md").read_text()
    assert table.splitlines()[0].startswith("**These numbers come from synthetic faces")
    assert "not run" in table  # RAF-DB is off
    assert built.planned() == {}
    (built.folder / f"results/resolved/{FACES}/{E1.partition(':')[2]}.json").touch()  # newer, and the same
    assert built.planned() == {}
    assert built.out_of_date() == set()
    shown = built.run("snakemake", "--cores", "2", "results/tables/table_vi.md").stdout
    assert shown.rstrip().endswith(table.rstrip())


@pytest.mark.long
def test_dvc_alone_builds_the_same_bytes(built: Project, fresh: Project) -> None:
    fresh.run("dvc", "repro", "--quiet")
    assert fresh.made() == built.made()
    assert fresh.planned() == {}


def test_a_changed_temperature_reruns_what_shows_it_and_changed_back_trains_nothing(project: Project) -> None:
    before = project.made()
    project.run("git", "switch", "--quiet", "-c", "hotter")
    project.change(set_temperature(0.25))
    assert project.out_of_date() == {"resolve"}
    project.resolve()
    assert project.out_of_date() == {E1, E1_EVALUATION, TABLE_IV}  # DVC names what changed itself, not what follows
    assert project.planned() == {"distill_student": 1, "evaluate_student": 1, "tabulate": 5, "plot": 2, "index": 1}
    project.snakemake()
    assert project.out_of_date() == set()
    changed = {path for path, md5 in project.made().items() if before[path] != md5}
    assert WEIGHTS in changed
    shown = ("E1", "table_", "verdicts", "audit_accuracy", "fig_4", "curves", "resolved")
    assert all(any(word in path for word in shown) for path in changed)
    shown_by_metrics_and_plots(project)

    project.change(set_temperature(3))
    project.snakemake()
    assert project.made() == before
    assert [record["settings"]["method"]["temperature"] for record in project.records(E1)] == [3, 0.25]  # then restored


def shown_by_metrics_and_plots(project: Project) -> None:
    """What DVC shows of the change: of the run that is affected a few lines, of others none; the setting that changed."""
    _, *lines = project.run("dvc", "metrics", "diff", "main").stdout.strip().splitlines()
    runs = Counter(line.split()[0] for line in lines)
    assert set(runs) == {METRICS} and 0 < runs[METRICS] <= MOST_LINES
    plots = json.loads(project.run("dvc", "plots", "diff", "main", "--json").stdout)["data"]
    history = str(Path(WEIGHTS).with_name("history.csv"))
    confusion = f"results/predictions/students/{FACES}/fer2013-E1/seed-0/confusion.csv"
    for path, columns in ((history, {"epoch", "validation_loss"}), (confusion, {"actual", "predicted"})):
        revisions = {revision for plot in plots[path] for revision in plot["revisions"]}
        values = [row for plot in plots[path] for row in plot["content"]["data"]["values"]]
        assert revisions == {"workspace", "main"} and columns <= values[0].keys(), path
    params = json.loads(project.run("dvc", "params", "diff", "main", "--json").stdout)
    training = f"results/resolved/{FACES}/{E1.partition(':')[2]}.json"
    assert params[training] == {"method.temperature": {"old": 3.0, "new": 0.25, "diff": -2.75}}


def test_one_training_by_either_tool_gives_the_same_weights(project: Project) -> None:
    before = project.made()
    stage = student("train_student", "fer2013-scratch_a")
    project.run("dvc", "repro", "--quiet", "--force", "--no-run-cache", "--single-item", stage)
    assert project.made() == before


def test_push_clone_pull_leaves_nothing_to_do(project: Project, tmp_path: Path) -> None:
    project.run("dvc", "remote", "add", "--default", "shelf", str(tmp_path / "shelf"))
    project.run("dvc", "remote", "modify", "shelf", "verify", "true")
    project.commit("a shelf")
    project.run("dvc", "push", "--quiet")
    project.run("git", "clone", "--quiet", str(project.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.run("dvc", "pull", "--quiet")
    for folder in (clone.folder / "data/raw/sample").iterdir():
        os.utime(folder)  # as if it were what DVC has checked out last, which is left to chance
    assert clone.planned() == {}
    assert clone.out_of_date() == set()
    clone.run("python", "-m", "cellar", "verify", "--complete")


def test_killed_in_training_the_same_command_goes_on_to_the_same_bytes(fresh: Project, tmp_path: Path) -> None:
    fresh.change(lambda p: p["studies"][FACES]["recipes"]["teacher"].update(epochs=200, early_stop=200))
    whole = fresh.copy_to(tmp_path / "whole")
    target = "results/teachers/fer2013/seed-0/weights.safetensors"
    whole.snakemake(target)
    with (tmp_path / "log").open("w") as log:
        running = fresh.start("snakemake", "--cores", "2", target, stdout=log, stderr=log)
        wait_for_checkpoint(fresh.folder / ".cache/checkpoints")
        top = psutil.Process(running.pid)
        kill_all([top, *top.children(recursive=True)])  # Snakemake gives its jobs a session of their own
        running.wait()
    assert not (fresh.folder / target).exists()
    fresh.snakemake(target)
    assert fresh.record("train_teacher-fer2013-seed-0")["resumed_from_epoch"] > 0
    assert (fresh.folder / target).read_bytes() == (whole.folder / target).read_bytes()
    assert not list((fresh.folder / ".cache/checkpoints").glob("*.pt"))


def wait_for_checkpoint(folder: Path) -> None:
    """Until a checkpoint is there and a further one is being worked for."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if list(folder.glob("*.pt")):
            time.sleep(0.3)
            return
        time.sleep(0.05)
    raise AssertionError("no checkpoint appeared")


@pytest.mark.parametrize("left", ["", '{"write": {"/a": {"pi'])
def test_a_lock_that_dvc_was_killed_in_writing_clears_itself(built: Project, left: str) -> None:
    notes = built.folder / ".dvc/tmp/rwlock"
    notes.write_text(left)
    assert built.planned() == {}
    assert not notes.exists() or notes.read_text() != left
    assert built.out_of_date() == set()


def test_a_lost_artefact_is_made_again_and_nothing_else(project: Project) -> None:
    outs = project.locked()[student("evaluate_student", "fer2013-E4")]["outs"]
    lost = next(out for out in outs if out["path"].endswith("predictions.npz"))
    (project.folder / lost["path"]).unlink()
    cached = project.folder / ".dvc/cache/files/md5" / lost["md5"][:2] / lost["md5"][2:]
    cached.unlink()
    before = project.made()
    assert project.planned().get("evaluate_student") == 1 and "train_student" not in project.planned()
    project.snakemake()
    assert project.made() == before and cached.exists()


@pytest.mark.long
def test_a_data_set_of_ones_own_needs_params_alone(project: Project, tmp_path: Path) -> None:
    mine = project.folder / "data/raw/mine"
    for split in ("train", "test"):
        for emotion in ("happy", "sad", "surprise"):
            (mine / split / emotion).mkdir(parents=True)
            for picture in sorted((project.folder / "data/raw/sample/fer2013" / split / emotion).glob("*.jpg"))[:20]:
                (mine / split / emotion / picture.name).write_bytes(picture.read_bytes())

    def add(p: dict[str, Any]) -> None:
        p["datasets"]["mine"] = {
            "enabled": True, "layout": "image_folder", "path": "data/raw/mine", "input_size": 16, "augmentation": "flip", "normalisation": "imagenet",
            "validation_fraction": 0.2, "split_seed": 0, "source": {"manual": "my own pictures"},
        }  # fmt: skip
        recipe = p["studies"][FACES]["recipes"]["student_a"]
        line = {"dataset": "mine", "model": "resemotenet_c", "recipe": "short"}
        kd = {"name": "logit_kd", "temperature": 3, "task_weight": 0.2, "distill_weight": 0.8, "loss_form": "weighted"}
        p["studies"]["mine"] = {
            "recipes": {"short": recipe}, "teachers": {"mine": line},
            "experiments": {
                "mine-alone": line | {"row": "alone"}, "mine-kd": line | {"row": "kd", "teacher": "mine", "method": kd},
            },
        }  # fmt: skip

    project.change(add)
    project.snakemake("results/tables/custom_mine.md")
    table = (project.folder / "results/tables/custom_mine.md").read_text()
    assert "| teacher mine: resemotenet_c" in table and "| kd: resemotenet_c" in table
    assert not [address for address in project.out_of_date(built=True) if "fer2013" in address]


@pytest.mark.long
def test_the_sweep_is_a_target_of_its_own(project: Project) -> None:
    assert "tabulate" not in project.planned("results/tables/table_vi.md")
    project.snakemake("results/tables/fer2013_sweep.md")
    table = (project.folder / "results/tables/fer2013_sweep.md").read_text()
    assert "| T = 1" in table and "alpha 0.2" in table
    assert project.planned("results/tables/fer2013_sweep.md") == {}
    assert project.planned() == {}


@pytest.mark.long
def test_published_weights_replace_the_training(project: Project) -> None:
    import torch

    from cellar import models

    torch.manual_seed(0)
    path = project.folder / "published.pth"
    torch.save({"model_state_dict": models.build("resemotenet_c", 7).state_dict(), "epoch": 3}, path)
    project.change(lambda p: p["studies"][FACES]["teachers"]["fer2013"].update(weights="published.pth"))
    project.snakemake("results/tables/table_vi.md")
    assert "import_teacher-fer2013-seed-0" in project.locked()
    results, item = project.folder / "results", "teachers/fer2013/seed-0"
    assert json.loads((results / f"metrics/{item}.json").read_text())["n"] == 70
    assert json.loads((results / f"predictions/{item}/details.json").read_text())["epochs_run"] is None
