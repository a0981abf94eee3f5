"""`cellar keep`: what is kept of a run on real data, and what is refused."""

import json

import pytest

from .conftest import Project

pytestmark = pytest.mark.long


def test_a_run_on_drawn_data_is_not_kept(project: Project) -> None:
    done = project.run("python", "-m", "cellar", "keep", ok=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "cellar: params.yaml: scale.drawn is true; docs/real_runs keeps runs on real data"
    ]


@pytest.fixture(scope="module")
def real(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The built clone as if its images were real."""
    project = built.copy_to(tmp_path_factory.mktemp("real") / "project")
    project.change(lambda raw: raw["scale"].update(name="mine", drawn=False, note="a few images"))
    project.snakemake()
    project.commit("the scale mine")
    return project


def test_what_does_not_verify_is_not_kept(real: Project) -> None:
    table = real.folder / "results/tables/table_vi.md"
    whole = table.read_text()
    table.write_text(whole.replace("1", "2", 1))
    done = real.run("python", "-m", "cellar", "keep", ok=False)
    table.write_text(whole)
    assert done.returncode == 1 and "does not verify" in done.stderr and "table_vi.md" in done.stderr
    assert not (real.folder / "docs/real_runs/mine").exists()


def test_small_files_are_kept_with_what_they_cost(real: Project) -> None:
    real.run("python", "-m", "cellar", "keep")
    folder = real.folder / "docs/real_runs/mine"
    page = (folder / "README.md").read_text()
    assert page.startswith("# mine: a few images\n")
    for name in ("table_iii", "table_iv", "table_vi", "cifar100_table_2", "verdicts", "audit"):
        table = real.folder / f"results/tables/{name}.md"
        assert (folder / "results/tables" / table.name).read_bytes() == table.read_bytes()
        assert f"(results/tables/{table.name})" in page
    records = json.loads((folder / "records.json").read_text())
    record = json.loads((real.folder / "results/students/fer2013-E1/seed-0/run.json").read_text())
    kept = records["distill_student@fer2013-E1-seed-0"]
    assert kept["seconds"] == record["seconds"] and "host" not in kept["machine"]
    counts = f"{record['images_trained']} | {record['teacher_images_forwarded']} |"
    assert f"| {record['seconds']:.1f} | {record['peak_memory_gb']} | {counts}" in page
    assert (folder / "params.yaml").read_bytes() == (real.folder / "params.yaml").read_bytes()
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {
        ".md",
        ".json",
        ".csv",
        ".png",
        ".yaml",
        ".lock",
    }


def test_what_is_the_same_in_every_run_and_the_images_themselves_are_not_kept(real: Project) -> None:
    real.run("python", "-m", "cellar", "keep")
    folder = real.folder / "docs/real_runs/mine/results"
    kept = {path.stem for path in folder.rglob("*.*")}
    assert {"table_i", "table_ii", "contradictions"} & kept == set()
    assert {"fig_3", "cifar100_figure_1", "audit_fer2013"} & kept == set()
    assert {"fig_4", "curves_fer2013", "cifar100_figure_2"} <= kept
