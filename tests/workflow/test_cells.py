"""A cell of a built clone: proven, spoilt in each way that verify must find, and made again by the printed commands."""

import json
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import FACES, Project, student

CELL = ("table_vi", "E1", "fer2013_accuracy")
E1 = student("distill_student", "fer2013-E1")
STUDENT = f"results/students/{FACES}/fer2013-E1/seed-0"
WEIGHTS = f"{STUDENT}/weights.safetensors"
PREDICTIONS = f"results/predictions/students/{FACES}/fer2013-E1/seed-0/predictions.npz"
OTHERS = PREDICTIONS.replace("E1", "E4")
METRICS = f"results/metrics/students/{FACES}/fer2013-E1/seed-0.json"
RECORDS = f"results/records/{FACES}/distill_student-fer2013-E1-seed-0"
PAGE, SOURCE = "results/tables/table_vi.md", "src/cellar/methods/logit_kd.py"


def cellar(project: Project, *arguments: str) -> tuple[int, list[str]]:
    """Exit code and lines."""
    done = project.run("python", "-m", "cellar", *arguments, ok=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_built_clone_verifies_clean(built: Project) -> None:
    code, lines = cellar(built, "verify", "--complete")
    assert (code, len(lines)) == (0, 1) and lines[0].endswith("0 problems")
    code, lines = cellar(built, "verify", *CELL)
    assert code == 0 and lines[0].startswith("verified: 1 cell, ")


def edit_metric(folder: Path) -> None:
    metrics = json.loads((folder / METRICS).read_text())
    metrics["accuracy"] += 1
    (folder / METRICS).write_text(json.dumps(metrics, indent=2) + "\n")


def edit_table(folder: Path) -> None:
    page = (folder / PAGE).read_text()
    (folder / PAGE).write_text(page.replace("76.33", "77.33", 1))


def flip_a_bit(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def edit_record(folder: Path) -> None:
    (path,) = folder.glob(f"{RECORDS}/*.json")
    record = json.loads(path.read_text())
    record["settings"]["method"]["temperature"] = 4
    path.write_text(json.dumps(record, indent=2) + "\n")


def edit_source(folder: Path) -> None:
    with (folder / SOURCE).open("a") as file:
        file.write("# tried out\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (edit_metric, f"{METRICS}: {PREDICTIONS} gives other numbers: accuracy is "),
        (edit_table, f"{PAGE}: differs from results/tables/table_vi.json"),
        (flip_a_bit, f"{WEIGHTS}: its md5 is "),
        (lambda folder: shutil.copy(folder / OTHERS, folder / PREDICTIONS), f"these are the bytes of {OTHERS}"),
        (edit_record, "was altered: its content is not what its name stands for"),
        (edit_source, f"{SOURCE}: changed, and not committed"),
        (
            lambda folder: (folder / WEIGHTS).unlink(),
            f"{WEIGHTS}: missing, though {PREDICTIONS.replace('predictions.npz', 'confusion.csv')} exists (table_vi, row E1)",
        ),
    ],
    ids=["metric", "table", "bit", "other run", "record", "source", "checkpoint gone"],
)
def test_each_fault_is_found_and_named_in_one_line(
    project: Project, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(project.folder)
    code, lines = cellar(project, "verify", *CELL)
    assert code == 1
    assert len([line for line in lines if words in line]) == 1, lines


@pytest.mark.long
def test_code_that_was_never_committed_is_found_in_the_record(project: Project) -> None:
    """A training with a changed source, which is then taken back: only the record still knows."""
    edit_source(project.folder)
    stage = student("evaluate_student", "fer2013-E4")
    project.run("dvc", "repro", "--quiet", stage)
    edited = f"results/records/{FACES}/{stage.rpartition(':')[2]}/"
    assert any(f"{SOURCE}: changed" in line for line in cellar(project, "verify", "table_vi")[1])
    project.run("git", "checkout", "--quiet", "--", SOURCE)
    code, lines = cellar(project, "verify", "table_vi")
    assert code == 1
    assert len([line for line in lines if line.startswith(edited) and "made by code that is in no commit" in line]) == 1


def test_a_clone_without_the_cache_verifies_what_is_in_git(built: Project, tmp_path: Path) -> None:
    built.run("git", "clone", "--quiet", str(built.folder), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    code, lines = cellar(clone, "verify")
    assert code == 0 and lines[-1].endswith("0 problems")
    assert lines[0].endswith("artefacts are missing: dvc pull or rebuild")
    code, lines = cellar(clone, "verify", "--complete")
    assert code == 1 and f"{WEIGHTS}: missing" in lines


@pytest.mark.long
def test_the_printed_commands_redo_the_cell(project: Project, tmp_path: Path) -> None:
    """As printed, in a shell elsewhere; but `make setup` finds this environment ready."""
    project.run("git", "remote", "add", "origin", str(project.folder))
    found = json.loads(project.run("python", "-m", "cellar", "explain", *CELL, "--json").stdout)
    said = project.run("python", "-m", "cellar", "explain", *CELL).stdout
    printed = said.splitlines()[-1].strip()
    assert printed == " && ".join(found["redo"])
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text("#!/bin/sh\nmkdir -p .venv/bin && echo 'export PYTHONPATH=$PWD/src' > .venv/bin/activate\n")
    make.chmod(0o755)
    environment = project.environment() | {"PATH": f"{make.parent}:{project.environment()['PATH']}"}
    environment.pop("PYTHONPATH")
    subprocess.run(["sh", "-c", printed], cwd=tmp_path, env=environment, check=True, capture_output=True)
    for path in (WEIGHTS, PREDICTIONS, METRICS, PAGE, "results/teachers/fer2013/seed-0/weights.safetensors"):
        assert (tmp_path / "redo" / path).read_bytes() == (project.folder / path).read_bytes(), path
        assert (tmp_path / "redo" / path).stat().st_mtime > (project.folder / path).stat().st_mtime


def test_redo_gives_the_same_bytes(project: Project) -> None:
    code, lines = cellar(project, "redo", *CELL)
    assert code == 0
    evaluation = student("evaluate_student", "fer2013-E1")
    assert any(line.startswith(f"1 of 2: dvc repro --force {evaluation}") for line in lines)
    assert any(line.startswith("identical: ") and line.endswith(" files") for line in lines)


@pytest.mark.long
def test_redo_with_settings_that_were_not_built_says_where_it_began_and_why(project: Project) -> None:
    recipe = project.folder / "params.yaml"
    recipe.write_text(recipe.read_text().replace("learning_rate: 0.003", "learning_rate: 0.004"))
    project.commit("other settings, not built")
    code, lines = cellar(project, "redo", *CELL)
    assert code == 1
    assert any(line.startswith("different: ") and "from train_teacher-fer2013-seed-0 on" in line for line in lines)
    assert any("recipe.learning_rate: 0.003 here, 0.004 in the clone" in line for line in lines)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_an_interrupted_redo_leaves_nothing_behind(project: Project, tmp_path: Path, how: signal.Signals) -> None:
    room = tmp_path / "room"
    room.mkdir()
    command = f"TMPDIR={shlex.quote(str(room))} exec python -m cellar redo {' '.join(CELL)}"
    with project.start("sh", "-c", command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith("> python -m cellar"):
                break
        time.sleep(0.3)
        running.send_signal(how)
        rest = running.stdout.read()
        assert running.wait(60) == 130 and "Traceback" not in rest
    assert list(room.iterdir()) == []
    assert str(room) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
