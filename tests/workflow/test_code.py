"""The code that a stage of each kind really runs is the code that it declares. (test_pins.py has the kinds of its study,
test_exports.py those of exports.)"""

import shutil

import pytest

from cellar.pipeline.plan import KINDS

from .conftest import FACES, OBJECTS, Project, student
from .loaded_code import undeclared

STAGES = {  # kind -> stages of the tiny project; of the kinds with methods, one for each method
    "resolve": ["resolve"],
    "make_synthetic": ["make_synthetic-fer2013", "make_synthetic-cifar100"],
    "prepare": ["prepare-fer2013", "prepare-cifar100"],
    "audit": ["audit-fer2013"],
    "train_teacher": ["train_teacher-fer2013-seed-0"],
    "evaluate_teacher": ["results/dvc.yaml:evaluate_teacher-fer2013-seed-0"],
    "train_student": [student("train_student", "fer2013-scratch_a")],
    "distill_student": [student("distill_student", "fer2013-E1")],
    "evaluate_student": [student("evaluate_student", "fer2013-E1")],
    "count_models": [f"studies/{FACES}/dvc.yaml:count_models"],
    "measure_costs": ["measure_costs-fer2013-resemotenet_c"],
    "tabulate": [
        f"studies/{FACES}/results/dvc.yaml:tabulate-table_vi", f"studies/{OBJECTS}/results/dvc.yaml:tabulate-cifar100_table_2",
        *(f"results/dvc.yaml:tabulate-{table}" for table in ("audit", "verdicts", "contradictions")),
    ],
    "plot": [f"studies/{FACES}/results/dvc.yaml:plot-fig_4", f"studies/{OBJECTS}/results/dvc.yaml:plot-cifar100_figure_2", "results/dvc.yaml:plot-audit_fer2013"],
    "index": ["index"],
}  # fmt: skip
IN_PINS = {"train_generator", "generate_faces", "extract_features", "extract_parts"}
IN_EXPORTS = {"export_student", "evaluate_export", "time_export"}


@pytest.fixture(scope="module")
def rerun(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A built project whose stages are run again, one by one."""
    return built.copy_to(tmp_path_factory.mktemp("rerun") / "project")


@pytest.mark.parametrize("address", [address for stages in STAGES.values() for address in stages])
def test_the_code_that_a_stage_runs_is_declared(rerun: Project, address: str) -> None:
    assert undeclared(rerun, address) == []


def test_so_is_that_of_a_teacher_that_is_imported(rerun: Project) -> None:
    weights = rerun.folder / "results/teachers/fer2013/seed-0/weights.safetensors"
    shutil.copy(weights, rerun.folder / "published.safetensors")
    rerun.change(lambda p: p["studies"][FACES]["teachers"]["fer2013"].update(weights="published.safetensors"))
    rerun.run("python", "-m", "cellar", "plan")
    rerun.resolve()
    assert undeclared(rerun, "import_teacher-fer2013-seed-0") == []


def test_every_kind_is_run() -> None:
    made = {*STAGES, "import_teacher", *IN_PINS, *IN_EXPORTS}
    assert made | {"time_method"} == set(KINDS)  # tests/engine/test_training_costs.py has the last
