"""Snakemake's DAG and the files dvc.yaml tell the same story: same jobs, same inputs, same outputs; code is among them."""

import contextlib
from pathlib import Path

from dvc.repo import Repo

from .conftest import FACES, Project, experiment, student

FOR_PLOTS = "confusion.csv"  # of some jobs of a kind, which Snakemake's rules cannot tell; no stage reads it
MARK = ".snakemake/stale/"

View = dict[str, tuple[set[str], set[str]]]  # stage -> (files read, files made)


def dvc_view(folder: Path) -> View:
    """Of all pipeline files. The resolved settings, of which a stage reads its own, are read too."""
    with contextlib.chdir(folder), Repo() as repo:
        return {
            stage.addressing: (inside(folder, stage.deps), inside(folder, stage.outs)) for stage in repo.index.stages
        }


def inside(folder: Path, items: list[object]) -> set[str]:
    """Their paths in the project."""
    places = [item.fs_path for item in items]  # type: ignore[attr-defined]
    return {str(Path(place).relative_to(folder)) for place in places}


def snakemake_view(project: Project, *targets: str) -> View:
    """From a forced dry run, which lists every job with its inputs as they stand in the rules."""
    text = project.snakemake("--workflow-profile", "none", "--dry-run", "--forceall", *targets)
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


def as_marked(address: str) -> str:
    """An address as it names a marker."""
    return address.replace("/", "_")


def test_both_tools_have_the_same_graph(fresh: Project) -> None:
    fresh.run("python", "-m", "cellar", "plan", "--sweeps")
    dvc = {as_marked(address): files for address, files in dvc_view(fresh.folder).items()}
    assert {"resolve", *(name for name in dvc if "_sweeps_" in name)} <= dvc.keys()
    snakemake = snakemake_view(fresh, "all", "results/tables/fer2013_sweep.md")
    resolve = dvc.pop("resolve")  # which Snakemake has up to date before it plans
    assert resolve[1] == {"results/resolved"}
    assert sorted(dvc) == sorted(snakemake)
    for name, (reads, made) in dvc.items():
        assert snakemake[name] == (reads, {path for path in made if not path.endswith(FOR_PLOTS)}), name


def test_a_stage_depends_on_the_code_that_it_runs(fresh: Project) -> None:
    dvc = dvc_view(fresh.folder)
    reads, _ = dvc[student("distill_student", "fer2013-E1")]
    assert {"src/cellar/methods/logit_kd.py", "src/cellar/models/resemotenet.py", "src/cellar/engine"} <= reads
    assert not [name for name in reads if "tables" in name or "readers" in name or "cnn4" in name or "config" in name]
    reads, _ = dvc[f"studies/{FACES}/results/dvc.yaml:tabulate-table_vi"]
    assert f"results/metrics/students/{FACES}/fer2013-E1/seed-0.json" in reads
    assert not [name for name in reads if "engine" in name]


def test_an_experiment_with_its_own_seeds_has_a_stage_each(fresh: Project) -> None:
    fresh.change(lambda params: experiment(params, "fer2013-E1").update(seeds=[0, 1, 2]))
    assert f"studies/{FACES}/dvc.yaml: written" in fresh.run("python", "-m", "cellar", "plan").stdout
    names = set(dvc_view(fresh.folder))
    assert {student("distill_student", "fer2013-E1", seed) for seed in range(3)} <= names
    assert student("distill_student", "fer2013-E4", 1) not in names
