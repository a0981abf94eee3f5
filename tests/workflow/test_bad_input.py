"""Through the real tools, bad input ends in one line that says what is wrong, where, and what to do."""

import shutil
from typing import Any

import pytest

from .conftest import Project


def last_line(project: Project, *command: str) -> str:
    done = project.run(*command, ok=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda p: p["experiments"]["fer2013-E1"].update(temprature=4),
            "experiments.fer2013-E1.temprature: unknown key (did you mean 'temperature'?)",
        ),
        (lambda p: p["experiments"]["fer2013-E1"].update(temperature=0), "experiments.fer2013-E1.temperature"),
        (
            lambda p: p["recipes"]["student_a"].update(learning_rate="1e-3"),
            "1e-3 is text to YAML, not a number; write 0.001",
        ),
        (lambda p: p["recipes"]["student_a"].update(epochs=0), "recipes.student_a.epochs"),
    ],
    ids=["misspelt key", "temperature 0", "number as text", "epochs 0"],
)
def test_a_mistake_in_params_is_said_at_once_by_a_dry_run(fresh: Project, spoil: Any, said: str) -> None:
    fresh.change(spoil)
    line = last_line(fresh, "snakemake", "--cores", "1", "--dry-run")
    assert line.startswith("cellar: params.yaml: ") and said in line


def test_missing_data_says_what_to_get_and_where_to_put_it(fresh: Project) -> None:
    fresh.change(
        lambda p: p["datasets"]["fer2013"].update(path="data/raw/fer2013", source={"kaggle": "msambare/fer2013"})
    )
    line = last_line(fresh, "snakemake", "--cores", "1", "--dry-run")
    assert "data/raw/fer2013 is not here" in line and "cellar download fer2013" in line


@pytest.mark.parametrize(("path", "how"), [("a.pth", "cellar download mine"), ("b.pth", "put it there")])
def test_missing_weights_say_how_to_get_them(fresh: Project, path: str, how: str) -> None:
    fresh.change(lambda p: p.update(published={"mine": {"path": "a.pth", "manual": "ask"}}))
    fresh.change(lambda p: p["teachers"]["fer2013"].update(weights=path))
    line = last_line(fresh, "snakemake", "--cores", "1", "--dry-run")
    assert f"teachers.fer2013.weights: {path} is not here" in line and how in line


def test_a_stage_that_fails_leaves_its_line_last_and_no_output(project: Project) -> None:
    target = project.folder / "data/raw/mine"
    shutil.copytree(project.folder / "data/raw/sample/fer2013", target)
    (target / "train/happy").rename(target / "train/hapy")
    project.change(lambda p: p["datasets"]["fer2013"].update(path="data/raw/mine", source={"manual": "mine"}))
    line = last_line(project, "snakemake", "--cores", "1", "data/prepared/fer2013/arrays.npz")
    assert line.startswith("cellar: ") and "hapy" in line
    assert not (project.folder / "data/prepared/fer2013/arrays.npz").exists()


def test_an_unknown_name_on_the_command_line_suggests_the_likely_one(fresh: Project) -> None:
    line = last_line(fresh, "python", "-m", "cellar", "distill_student", "fer2013-E11", "--seed", "0")
    assert "did you mean 'fer2013-E1'" in line


def test_weights_of_another_model_are_refused_by_name(project: Project) -> None:
    weights = project.folder / "results/students/fer2013-E1/seed-0/weights.safetensors"
    shutil.copy(weights, project.folder / "other.safetensors")
    project.change(lambda p: p["teachers"]["fer2013"].update(weights="other.safetensors", model="resemotenet_b"))
    line = last_line(project, "python", "-m", "cellar", "import_teacher", "fer2013", "--seed", "0")
    assert line.startswith("cellar: other.safetensors") and "another model" in line


def test_files_that_cannot_be_written_whole_are_not_written_at_all(project: Project) -> None:
    """A limit on file size stands for a full disk: the write fails half-way."""
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); " \
        "from cellar.__main__ import main; sys.exit(main(['prepare', 'fer2013']))"  # fmt: skip
    before = (project.folder / "data/prepared/fer2013/arrays.npz").read_bytes()
    line = last_line(project, "python", "-c", limited)
    assert line.startswith("cellar: cannot write data/prepared/fer2013/arrays.npz")
    assert (project.folder / "data/prepared/fer2013/arrays.npz").read_bytes() == before
    assert not list((project.folder / "data/prepared/fer2013").glob(".*tmp"))
