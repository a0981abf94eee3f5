"""The sweeps' tables: test accuracies, validation accuracies beside them, and which point each would choose."""

import re

import pytest

from cellar import files
from cellar.errors import CellarError
from tests.table_project import OWN, Project

FER, CIFAR = "fer2013_sweep", "cifar100_grid"


def note(project: Project, table: str, start: str) -> str:
    found = [one for one in project.build(table).notes if one.startswith(start)]
    assert len(found) == 1, project.build(table).notes
    return found[0]


def level(project: Project, sweep: str, right: int = 4, validation: float | None = 10.0) -> None:
    """Every point named 4 of 40 images rightly (10 %), until a test says otherwise."""
    for key in project.owner_of_sweep(sweep).sweeps[sweep].experiments(sweep):
        project.evaluate(key, right, validation=validation)


def test_a_sweep_is_a_grid(project: Project) -> None:
    project.evaluate(f"{FER}-T3-w0.15", 30)
    project.evaluate(f"{FER}-T5-w0.1", 10)
    table = project.build(FER)
    assert [row.id for row in table.rows] == ["T1", "T2", "T3", "T4", "T5"]
    assert [column.label for column in table.columns[:3]] == ["alpha 0.1", "alpha 0.15", "alpha 0.2"]
    assert project.cell(FER, "T3", "w0.15").value == 75.0
    assert project.cell(FER, "T5", "w0.1").value == 25.0
    assert len(project.inputs(FER)) == 15 + 1


def test_the_cifar_grid_is_of_its_own_study(project: Project) -> None:
    table = project.build(CIFAR)
    assert (table.study, project.build(FER).study) == ("cifar100_kd", "mini_resemotenet")
    assert [row.id for row in table.rows] == ["T1", "T2", "T4", "T8"]
    labels = [f"{kind}{w}" for kind in ("CE weight ", "validation, ") for w in ("0", "0.25", "0.5", "0.75")]
    assert [column.label for column in table.columns] == labels


def test_one_seed_has_wilsons_interval_on_its_images(project: Project) -> None:
    """20 of 40: 50 % [35.2, 64.8]."""
    project.evaluate(f"{CIFAR}-T4-w0.25", 20)
    cell = project.cell(CIFAR, "T4", "w0.25")
    assert (cell.value, cell.n) == (50.0, 40)
    assert cell.interval == pytest.approx([35.2, 64.8], abs=0.01)


def test_validation_accuracy_stands_beside(project: Project) -> None:
    project.evaluate(f"{CIFAR}-T4-w0.25", 20, validation=61.5)
    cell = project.cell(CIFAR, "T4", "validation_w0.25")
    assert (cell.kind, cell.value, cell.interval, cell.paper) == ("measured", 61.5, None, None)
    assert cell.stage == [f"studies/cifar100_kd/sweeps/dvc.yaml:evaluate_student-{CIFAR}-T4-w0-25-seed-0"]


def test_each_choice_is_told_with_its_test_accuracy(project: Project) -> None:
    level(project, CIFAR)
    project.evaluate(f"{CIFAR}-T2-w0.5", 12, validation=60.0)
    project.evaluate(f"{CIFAR}-T8-w0", 20, validation=20.0)
    chosen = "Best there: T = 2, CE weight 0.5 (validation 60.00 %, test 30.00 %)."
    assert note(project, CIFAR, "validation:").endswith(chosen)
    best = note(project, CIFAR, "Best on test")
    assert best.startswith(
        "Best on test, the report's way to choose: T = 8, CE weight 0 (test 50.00 %, validation 20.00 %)."
    )


def test_equals_are_all_told(project: Project) -> None:
    level(project, CIFAR)
    for key in ("T2-w0.5", "T8-w0.75"):
        project.evaluate(f"{CIFAR}-{key}", 12, validation=60.0)
    both = "T = 2, CE weight 0.5 (test 30.00 %, validation 60.00 %) and T = 8, CE weight 0.75 (test 30.00 %, validation 60.00 %)."
    assert both in note(project, CIFAR, "Best on test")


def test_seeds_are_averaged_before_choosing(project: Project) -> None:
    """T1, w 0.25: 36 and 4 of 40 rightly, mean 50 %; T2, w 0.25: 24 and 24, mean 60 %."""
    project.sweep(CIFAR)["seeds"] = [0, 1]
    for seed in (0, 1):
        for key in project.owner_of_sweep(CIFAR).sweeps[CIFAR].experiments(CIFAR):
            project.evaluate(key, 4, seed=seed)
        project.evaluate(f"{CIFAR}-T1-w0.25", (36, 4)[seed], seed=seed)
        project.evaluate(f"{CIFAR}-T2-w0.25", 24, seed=seed)
    assert "T = 2, CE weight 0.25 (test 60.00 %" in note(project, CIFAR, "Best on test")
    assert project.cell(CIFAR, "T1", "w0.25").value == 50.0


def test_without_held_out_images_nothing_is_chosen_on_them(project: Project) -> None:
    """One point without is enough: a choice among the others would be none."""
    project.evaluate(f"{CIFAR}-T1-w0", validation=None)
    table = project.build(CIFAR)
    assert [column.id for column in table.columns] == ["w0", "w0.25", "w0.5", "w0.75"]
    assert "No images were held out of training to choose by." in table.notes
    assert not [one for one in table.notes if one.startswith("validation:")]
    assert "validation" not in note(project, CIFAR, "Best on test")


def test_a_recipe_that_trains_on_the_validation_images_has_no_companions(project: Project) -> None:
    project.sweep(CIFAR)["recipe"] = "cifar100_student"
    level(project, CIFAR)
    assert len(project.build(CIFAR).columns) == 4


def test_what_a_study_says_stands_under_its_own_sweep_only(project: Project) -> None:
    paper = "The paper says that T = 3 and alpha = 0.15 or 0.20 were best, without numbers."
    assert paper in project.build(FER).notes and paper not in project.build(CIFAR).notes
    report = note(project, CIFAR, "The report says that T = 4 and KL weight 0.25 were best")
    assert "alpha = 0.75" in report and "KL weight 0.75 and CE weight 0.25" in report
    assert not [one for one in project.build(FER).notes if "report" in one]


def test_a_weight_of_nothing_is_explained(project: Project) -> None:
    assert note(project, CIFAR, "CE weight 0: the student learns from the teacher alone")
    assert not [one for one in project.build(FER).notes if "teacher alone" in one]


def test_a_sweep_of_the_users_own_data_needs_no_printed_values(project: Project) -> None:
    line = {
        **project.sweep(CIFAR),
        "dataset": "pets",
        "recipe": "student_a",
        "teacher": "pets",
        "temperatures": [2],
        "seeds": [0],
    }
    project.study(OWN)["sweeps"] = {"mine": line}
    level(project, "mine")
    table = project.build("mine")
    assert (table.study, table.columns[1].label) == ("custom", "CE weight 0.25")
    assert not [path for path in project.inputs("mine") if path.endswith("printed.yaml")]


@pytest.mark.parametrize("scores", [{"n": 1}, []])
def test_a_file_that_is_none_of_metrics_is_one_line(project: Project, scores: object) -> None:
    path = project.metrics(f"{CIFAR}-T8-w0.5", 0)
    files.write_json(path, scores)
    with pytest.raises(CellarError, match=f"^{re.escape(str(path))} is not a metrics file; [^\n]+$"):
        project.build(CIFAR)
