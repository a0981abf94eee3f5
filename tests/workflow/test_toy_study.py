"""A paper is a folder: one is added, built by the real tools, and removed without a trace, as docs/extending.md describes."""

import json
import shutil
from pathlib import Path

import pytest

from cellar.paths import pipeline_files

from .conftest import ROOT, Project, clone

KEY = "toy_study"
TABLE = f"results/tables/{KEY}/table_1.md"
FIGURE = f"results/figures/{KEY}/figure_1.png"
OTHER = "results/tables/cifar100_table_1.md"  # of a study that shares the data set


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone with params.yaml as shipped, and a table of another study built."""
    project = clone(tmp_path_factory.mktemp("toy") / "project", (ROOT / "params.yaml").read_text())
    project.snakemake(OTHER)
    project.commit("a table of another study")
    return project


def texts(project: Project) -> dict[str, str]:
    written = [
        Path("params.yaml"),
        *pipeline_files("dvc.yaml", project.folder),
        *pipeline_files("dvc.lock", project.folder),
    ]
    assert Path("results/dvc.yaml") in written and Path("studies/cifar100_kd/results/dvc.lock") in written
    return {str(path): (project.folder / path).read_text() for path in written}


def test_a_paper_is_a_folder(shared: Project) -> None:
    before, cellar = texts(shared), ("python", "-m", "cellar")
    shutil.copytree(
        ROOT / "tests/toy_study", shared.folder / "studies" / KEY, ignore=shutil.ignore_patterns("__pycache__")
    )
    shared.run(*cellar, "use", "sample")
    assert shared.planned(OTHER) == {}, "a stage of another study has become stale"
    assert {address.rpartition(":")[0] for address in shared.out_of_date(built=True)} <= {
        "",
        f"studies/{KEY}/dvc.yaml",
        f"studies/{KEY}/results/dvc.yaml",
    }

    shared.snakemake(TABLE, FIGURE)
    shared.run(
        "dvc", "repro", "--quiet", f"studies/{KEY}/results/dvc.yaml:tabulate-{KEY}-table_1"
    )  # nothing is left to do
    table = (shared.folder / TABLE).read_text()
    assert "| Tiny with hints" in table and "7,124 ✓" in table.replace("7,124 | 7,124", "7,124")
    history = shared.folder / f"results/students/{KEY}/cifar100-student_kd/seed-0/history.csv"
    assert {"task_loss", "soft_loss", "hint_loss"} <= set(history.read_text().splitlines()[0].split(","))
    own = ("methods/warm_hints.py", "models/tiny.py")
    users = [
        name for name, stage in shared.locked().items() for dep in stage.get("deps", []) if dep["path"].endswith(own)
    ]
    assert users and all(name.startswith(f"studies/{KEY}/") for name in users if name != "resolve")

    shared.commit("a toy study")
    cell = (f"{KEY}/table_1", "hints", "accuracy")
    explained = json.loads(shared.run(*cellar, "explain", *cell, "--json").stdout)
    teacher = f"studies/{KEY}/dvc.yaml:train_student-cifar100-student-seed-0"
    assert explained["paper_file"].startswith(f"studies/{KEY}/printed.yaml")
    assert teacher in [stage["stage"] for stage in explained["stages"]]
    assert "0 problems" in shared.run(*cellar, "verify", f"{KEY}/table_1").stdout
    assert "identical" in shared.run(*cellar, "redo", *cell).stdout

    shutil.rmtree(shared.folder / "studies" / KEY)
    shared.run(*cellar, "use", "sample")
    assert texts(shared) == before


def test_two_studies_must_agree_on_what_they_share(shared: Project, tmp_path: Path) -> None:
    project = shared.copy_to(tmp_path / "project")
    shutil.copytree(ROOT / "tests/toy_study", project.folder / "studies" / KEY)
    file = project.folder / "studies" / KEY / "params/sample.yaml"
    file.write_text(file.read_text().replace("train: 1600", "train: 1700"))
    done = project.run("python", "-m", "cellar", "use", "sample", ok=False)
    line = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and "datasets.cifar100" in line
    assert f"studies/{KEY}/params/sample.yaml" in line and "studies/cifar100_kd/params/sample.yaml" in line
