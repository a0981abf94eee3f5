"""Through the real tools, bad input ends in one line that says what is wrong, where, and what to do."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config
from cellar.errors import CellarError
from cellar.pipeline import resolved
from cellar.pipeline.dvc import RWLOCK

from .conftest import FACES, ROOT, Project, experiment, tiny

E1 = f"studies.{FACES}.experiments.fer2013-E1"


def last_line(project: Project, *command: str) -> str:
    done = project.run(*command, ok=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip().splitlines()[-1]


def line(key: str, value: Any) -> Any:
    """A change of params.yaml: a key of the line E1."""
    return lambda params: experiment(params, "fer2013-E1").update({key: value})


def method(key: str, value: Any) -> Any:
    return lambda params: experiment(params, "fer2013-E1")["method"].update({key: value})


def recipe(key: str, value: Any) -> Any:
    return lambda params: params["studies"][FACES]["recipes"]["student_a"].update({key: value})


MISTAKES = {  # what is wrong -> how params.yaml is spoilt, and the words of the line that answers: key and remedy
    "misspelt key": (line("modle", "resemotenet_c"), f"{E1}.modle: unknown key (did you mean 'model'?); correct it"),
    "misspelt parameter of a method": (method("temprature", 4), f"{E1}: method logit_kd: temprature: unknown key (did you mean 'temperature'?); correct it"),
    "parameter out of range": (method("temperature", 0), f"{E1}: method logit_kd: temperature: input should be greater than 0 (found 0)"),
    "key of an earlier version": (line("temperature", 4), f"{E1}.temperature is now {E1}.method.temperature; move it there"),
    "number as text": (recipe("learning_rate", "0.001"), f"studies.{FACES}.recipes.student_a.learning_rate: 0.001 is text to YAML, not a number; write 0.001"),
    "epochs 0": (recipe("epochs", 0), f"studies.{FACES}.recipes.student_a.epochs: input should be greater than or equal to 1 (found 0)"),
    "unknown network": (line("model", "resemotenet_d"), f"{E1}.model: no model is called 'resemotenet_d' (did you mean 'resemotenet_"),
    "unknown method": (method("name", "logit_kb"), f"{E1}.method.name: no method is called 'logit_kb' (did you mean 'logit_kd'?)"),
    "teacher that is not declared": (line("teacher", "fer2014"), f"{E1}.teacher: studies.{FACES}.teachers has no 'fer2014' (did you mean 'fer2013'?); add it or correct the name"),
    "method without use for a teacher": (line("method", {"name": "labels"}), f"{E1}: method labels has no use for a teacher; leave it out"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_params_is_one_line(
    shipped: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spoil: Any, words: str
) -> None:
    raw = tiny(shipped)
    spoil(raw)
    for folder in ("src", "studies"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CellarError) as caught:
        resolved.by_file(config.load())
    assert str(caught.value).startswith(f"params.yaml: {words}") and "\n" not in str(caught.value)


@pytest.mark.parametrize("mistake", ["misspelt key", "misspelt parameter of a method", "unknown network"])
def test_it_is_one_line_of_either_tool(unplanned: Project, mistake: str) -> None:
    """At once by a dry run; by DVC from its first stage, before anything else runs."""
    spoil, words = MISTAKES[mistake]
    before = (unplanned.folder / "params.yaml").read_text()
    unplanned.change(spoil)
    message = f"cellar: params.yaml: {words}"
    assert last_line(unplanned, "snakemake", "--cores", "1", "--dry-run").startswith(message)
    by_dvc = unplanned.run("dvc", "repro", ok=False)
    (unplanned.folder / "params.yaml").write_text(before)
    lines = [line for line in (by_dvc.stdout + by_dvc.stderr).splitlines() if line.startswith("cellar: ")]
    assert by_dvc.returncode != 0 and "Traceback" not in by_dvc.stderr
    assert len(lines) == 1 and lines[0].startswith(message)
    assert not (unplanned.folder / "data/prepared").exists()


@pytest.fixture(scope="module")
def unplanned(unbuilt: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An unbuilt clone that each mistake is made in, and taken back."""
    return unbuilt.copy_to(tmp_path_factory.mktemp("mistakes") / "project")


def test_missing_data_says_what_to_get_and_where_to_put_it(fresh: Project) -> None:
    fresh.change(
        lambda p: p["datasets"]["fer2013"].update(path="data/raw/fer2013", source={"kaggle": "msambare/fer2013"})
    )
    message = last_line(fresh, "snakemake", "--cores", "1", "--dry-run")
    assert "datasets.fer2013: data/raw/fer2013 does not exist" in message and "cellar download fer2013" in message


@pytest.mark.parametrize(("path", "how"), [("a.pth", "cellar download mine"), ("b.pth", "put it there")])
def test_missing_weights_say_how_to_get_them(fresh: Project, path: str, how: str) -> None:
    fresh.change(lambda p: p["studies"][FACES].update(published={"mine": {"path": "a.pth", "manual": "ask"}}))
    fresh.change(lambda p: p["studies"][FACES]["teachers"]["fer2013"].update(weights=path))
    message = last_line(fresh, "snakemake", "--cores", "1", "--dry-run")
    assert f"studies.{FACES}.teachers.fer2013.weights: {path} does not exist" in message and how in message


def test_a_stage_that_fails_leaves_its_line_last_and_no_output(project: Project) -> None:
    target = project.folder / "data/raw/mine"
    shutil.copytree(project.folder / "data/raw/sample/fer2013", target)
    (target / "train/happy").rename(target / "train/hapy")
    project.change(lambda p: p["datasets"]["fer2013"].update(path="data/raw/mine", source={"manual": "mine"}))
    message = last_line(project, "snakemake", "--cores", "1", "data/prepared/fer2013/arrays.npz")
    assert message.startswith("cellar: ") and "hapy" in message
    assert not (project.folder / "data/prepared/fer2013/arrays.npz").exists()


def test_an_unknown_name_on_the_command_line_suggests_the_likely_one(fresh: Project) -> None:
    command = ("python", "-m", "cellar", "distill_student")
    misspelt = last_line(fresh, *command, "fer2013-E11/seed-0", "--study", FACES)
    assert "did you mean 'distill_student-fer2013-E1-seed-0'" in misspelt
    assert f"add --study {FACES}" in last_line(fresh, *command, "fer2013-E1/seed-0")


def test_weights_of_another_model_are_refused_by_name(project: Project) -> None:
    weights = project.folder / f"results/students/{FACES}/fer2013-E1/seed-0/weights.safetensors"
    shutil.copy(weights, project.folder / "other.safetensors")
    teacher = {"weights": "other.safetensors", "model": "resemotenet_b"}
    project.change(lambda p: p["studies"][FACES]["teachers"]["fer2013"].update(teacher))
    project.run("python", "-m", "cellar", "plan")
    project.resolve()
    message = last_line(project, "python", "-m", "cellar", "import_teacher", "fer2013/seed-0")
    assert message.startswith("cellar: other.safetensors") and "does not fit the network" in message


def test_files_that_cannot_be_written_whole_are_not_written_at_all(project: Project) -> None:
    """A limit on file size stands for a full disk: the write fails half-way."""
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); " \
        "from cellar.cli import main; sys.exit(main(['prepare', 'fer2013']))"  # fmt: skip
    before = (project.folder / "data/prepared/fer2013/arrays.npz").read_bytes()
    message = last_line(project, "python", "-c", limited)
    assert message.startswith("cellar: cannot write data/prepared/fer2013/arrays.npz")
    assert (project.folder / "data/prepared/fer2013/arrays.npz").read_bytes() == before
    assert not list((project.folder / "data/prepared/fer2013").glob(".*tmp"))


def test_ctrl_c_while_snakemake_waits_for_dvc_is_one_line(fresh: Project) -> None:
    """This process stands for a DVC that is writing a file of the project."""
    busy = {str(fresh.folder / "params.yaml"): {"pid": os.getpid(), "cmd": "dvc repro"}}
    notes = fresh.folder / RWLOCK
    notes.parent.mkdir(parents=True, exist_ok=True)
    notes.write_text(json.dumps({"write": busy, "read": {}}))
    with fresh.start("snakemake", "--dry-run", stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        while "cellar: waiting for the stage that DVC is running here" not in (said := running.stderr.readline()):
            assert said
        running.send_signal(signal.SIGINT)
        left = running.stderr.read()
    assert running.returncode == 130
    assert left == "cellar: interrupted before anything ran; run the same command again\n"
