"""`cellar archive` on a built clone: what is archived of a run on real data, and what is refused."""

import json
from pathlib import Path

import pytest

from .conftest import Project, student

pytestmark = pytest.mark.long

E1 = student("distill_student", "fer2013-E1")


def test_a_run_on_synthetic_data_is_not_archived(project: Project) -> None:
    done = project.run("python", "-m", "cellar", "archive", ok=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["cellar: params.yaml: scale.synthetic is true; runs has runs on real data only"]


@pytest.fixture(scope="module")
def real(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The built clone as if its images were real."""
    project = built.copy_to(tmp_path_factory.mktemp("real") / "project")
    project.change(lambda raw: raw["scale"].update(name="mine", synthetic=False, note="a few images"))
    project.snakemake()
    project.commit("the scale mine")
    return project


def test_what_does_not_verify_is_not_archived(real: Project) -> None:
    table = real.folder / "results/tables/table_vi.md"
    whole = table.read_text()
    table.write_text(whole.replace("1", "2", 1))
    done = real.run("python", "-m", "cellar", "archive", ok=False)
    table.write_text(whole)
    assert done.returncode == 1 and "does not verify" in done.stderr and "table_vi.md" in done.stderr
    assert not (real.folder / "runs/mine").exists()


@pytest.fixture(scope="module")
def archived(real: Project) -> Path:
    real.run("python", "-m", "cellar", "archive")
    return real.folder / "runs/mine"


def test_an_archive_verifies(real: Project, archived: Path) -> None:
    done = real.run("python", "-m", "cellar", "verify", "runs/mine")
    assert done.stdout.splitlines()[-1].endswith(", 0 problems")
    head = real.run("git", "rev-parse", "HEAD").stdout.strip()
    assert json.loads((archived / "lock.json").read_text())["commit"] == head


def test_tables_are_copied_and_costs_are_shown(real: Project, archived: Path) -> None:
    page = (archived / "README.md").read_text()
    assert page.startswith("# mine: a few images\n")
    for name in ("table_iii", "table_iv", "table_vi", "cifar100_table_2", "audit"):
        table = real.folder / f"results/tables/{name}.md"
        assert (archived / "tables" / table.name).read_bytes() == table.read_bytes()
        assert f"(tables/{table.name})" in page
    record = real.record(E1)
    stored = json.loads((archived / "records.json").read_text())["stages"][E1]
    assert stored["seconds"] == record["seconds"] and "host" not in (archived / "records.json").read_text()
    counts = f"{record['images_trained']} | {record['teacher_images_forwarded']} |"
    assert f"| {record['seconds']:.1f} | {record['peak_memory_gb']} | {counts}" in page
    assert (archived / "params.yaml").read_bytes() == (real.folder / "params.yaml").read_bytes()


def test_what_is_the_same_in_every_run_and_the_images_themselves_are_left_out(archived: Path) -> None:
    names = {path.stem for path in archived.rglob("*.*")}
    assert {"table_i", "table_ii", "contradictions", "verdicts"} & names == set()
    assert {"fig_3", "cifar100_figure_1", "audit_fer2013"} & names == set()
    assert {"fig_4", "curves_fer2013", "cifar100_figure_2"} <= names
