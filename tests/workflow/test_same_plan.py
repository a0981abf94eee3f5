"""Snakemake's DAG and dvc.yaml tell the same story: same jobs, same inputs, same outputs; code is among them."""

import contextlib
from pathlib import Path

from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

from cellar.pipeline import sources

from .conftest import Project

MARK = ".snakemake/stale/"

View = dict[str, tuple[set[str], set[str]]]


def dvc_view(folder: Path) -> View:
    """Stage -> (files read, files made), the main pipeline's."""
    with contextlib.chdir(folder), Repo() as repo:
        view = {}
        for stage in repo.index.stages:
            if stage.path_in_repo == "dvc.yaml":
                reads = {d.fs_path for d in stage.deps if not isinstance(d, ParamsDependency)}
                relative = [
                    {str(Path(p).relative_to(folder)) for p in paths}
                    for paths in (reads, {o.fs_path for o in stage.outs})
                ]
                view[stage.addressing] = (relative[0], relative[1])
        return view


def snakemake_view(project: Project) -> View:
    """From a forced dry run, which lists every job with its inputs as they stand in the rules."""
    text = project.snakemake("--workflow-profile", "none", "--dry-run", "--forceall")
    view: View = {}
    reads: set[str] = set()
    for line in text.splitlines():
        key, _, names = line.strip().partition(": ")
        if key == "input":
            reads = set(names.split(", "))
        elif key == "output":
            marks = [name for name in reads if name.startswith(MARK)]
            assert len(marks) == 1, line
            view[marks[0].removeprefix(MARK)] = (reads - set(marks), set(names.split(", ")))
    return view


def test_both_tools_have_the_same_dag(fresh: Project) -> None:
    dvc, snakemake = dvc_view(fresh.folder), snakemake_view(fresh)
    lists = dvc.pop("list_code")  # which Snakemake has up to date before it plans
    assert lists[0] == {"src/cellar"} and all((fresh.folder / name).is_file() for name in lists[1])
    assert sorted(dvc) == sorted(snakemake)
    for name, files in dvc.items():
        assert snakemake[name] == files, name


def listed(folder: Path, stage: str) -> set[str]:
    lines = (folder / f"results/code/{stage}.txt").read_text().splitlines()
    return {line.partition("  ")[2] for line in lines}


def test_a_stage_depends_on_the_code_it_imports_and_on_no_folder(fresh: Project) -> None:
    dvc = dvc_view(fresh.folder)
    reads, _ = dvc["distill_student@fer2013-E1-seed-0"]
    assert {"results/code/distill_student.txt", "src/cellar/models/resemotenet.py"} <= reads
    fresh.run("python", "-m", "cellar", "list_code")
    reads |= listed(fresh.folder, "distill_student")
    for module in (
        "training",
        "losses/logit_kd",
        "teacher_cache",
        "views",
        "models/resemotenet",
        "stages/distill_student",
    ):
        assert f"src/cellar/{module}.py" in reads
    assert "src/cellar/tables/table_vi.py" not in reads and "src/cellar/data/readers/fer2013.py" not in reads
    table, _ = dvc["tabulate_table_vi"]
    assert "results/metrics/students/fer2013-E1/seed-0.json" in table
    assert not any((fresh.folder / name).is_dir() for name in table)


def test_every_imported_module_is_a_dependency() -> None:
    """The walk over imports misses none that Python loads: importing a stage loads nothing else of the package."""
    import subprocess
    import sys

    code = "import sys, cellar.pipeline.stages.distill_student; print(*(m for m in sys.modules if m.split('.')[0] == 'cellar'))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    found = {
        name.removeprefix("src/").removesuffix(".py").replace("/", ".")
        for name in sources.modules_of("cellar.pipeline.stages.distill_student")
    }
    assert {name for name in loaded if not sources.is_plumbing(name)} <= {
        name.removesuffix(".__init__") for name in found
    }


def test_an_experiment_with_its_own_seeds_has_a_stage_each(fresh: Project) -> None:
    fresh.change(lambda p: p["experiments"]["fer2013-E1"].update(seeds=[0, 1, 2]))
    assert "dvc.yaml: written" in fresh.run("python", "-m", "cellar", "plan").stdout
    names = set(dvc_view(fresh.folder))
    assert {f"distill_student@fer2013-E1-seed-{seed}" for seed in range(3)} <= names
    assert "distill_student@fer2013-E4-seed-1" not in names
