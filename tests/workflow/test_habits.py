"""What people are used to from Snakemake and DVC works here too: graphs, forced rules, pipes, experiments."""

import json
import shutil

import pytest

from .conftest import FACES, Project, student

E1 = student("distill_student", "fer2013-E1")
TABLE = "results/tables/table_vi.md"
COUNTS = f"studies/{FACES}/dvc.yaml:count_models"


@pytest.fixture(scope="module")
def used(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built.copy_to(tmp_path_factory.mktemp("used") / "project")


def said(project: Project, *arguments: str) -> str:
    return project.run("snakemake", "--cores", "1", *arguments, TABLE).stdout


def test_graphs_are_printed_and_nothing_else(used: Project) -> None:
    assert json.loads(said(used, "--d3dag"))["nodes"]
    graph = said(used, "--filegraph").strip()
    assert graph.startswith("digraph") and graph.endswith("}")
    assert "|" not in said(used, "-np")
    assert "|" in said(used)  # a run ends with the table, also if there was nothing to do


def test_a_forced_rule_runs(used: Project) -> None:
    before = used.record(COUNTS)["started"]
    used.snakemake("--forcerun", "count_models", "--", TABLE)
    assert used.record(COUNTS)["started"] > before


@pytest.mark.long
def test_queued_experiments_on_real_data_have_the_bytes_of_a_run_in_place(project: Project) -> None:
    """The data are under data/raw, which git ignores; the learning rate is written as DVC writes it."""
    shutil.copytree(project.folder / "data/raw/sample/fer2013", project.folder / "data/raw/mine")
    own = {"path": "data/raw/mine", "source": {"manual": "mine"}}
    project.change(lambda params: params["datasets"]["fer2013"].update(own))
    project.run("python", "-m", "cellar", "plan")
    project.run("dvc", "repro", "--quiet", E1)
    project.commit("real data")
    rate = f"studies.{FACES}.recipes.student_a.learning_rate=1e-05"
    stores = sorted((project.folder / ".cache/teacher_logits").glob("*.logits"))
    project.run("git", "config", "user.name", "t")
    project.run("git", "config", "user.email", "t@example.org")
    in_place = project.copy_to(project.folder.parent / "in_place")

    project.run("dvc", "exp", "run", "--queue", "--name", "slow", "-S", rate, E1)
    project.run("dvc", "exp", "run", "--run-all")
    in_place.run("dvc", "exp", "run", "-S", rate, E1)

    lock = in_place.folder / f"studies/{FACES}/dvc.lock"
    refs = project.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    commit = next(ref for ref in refs if ref.endswith("/slow"))
    queued = project.run("git", "show", f"{commit}:studies/{FACES}/dvc.lock").stdout
    assert queued == lock.read_text() and project.locked()[E1] != in_place.locked()[E1]
    assert sorted((project.folder / ".cache/teacher_logits").glob("*.logits")) == stores  # no other was made
    assert (
        project.record(E1)["settings"]["recipe"]["learning_rate"] == 1e-05
    )  # the record outlives the temporary checkout
