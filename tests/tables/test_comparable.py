"""Whether a printed accuracy is judged: one test for each rule of docs/cells.md."""

from typing import Any

import pytest

from cellar import tables
from cellar.tables import comparable
from cellar.tables.runs import Runs, row_runs
from tests.as_printed import become_printed, write_counts
from tests.table_project import CIFAR, MINI, Project

FER, OBJECTS, TEACHER = "fer2013", "cifar100", "cifar100"


@pytest.fixture
def printed(project: Project) -> Project:
    """FER2013 and CIFAR-100 with the papers' own data and recipes."""
    become_printed(project.raw, MINI, CIFAR)
    return project


def runs_of(project: Project, row: str | None, dataset: str = FER, study: str = MINI) -> Runs:
    runs = row_runs(project.params(study), dataset, row)
    assert runs is not None
    return runs


def obstacles(project: Project, row: str | None, dataset: str = FER, study: str = MINI) -> list[str]:
    return comparable.obstacles(project.params(study), runs_of(project, row, dataset, study))


def of_objects(project: Project, row: str | None) -> list[str]:
    return obstacles(project, row, OBJECTS, CIFAR)


@pytest.mark.parametrize("row", [None, "E1", "E2", "E3", "E4", "E5", "E6"])
def test_the_papers_own_recipe_is_comparable(printed: Project, row: str | None) -> None:
    assert obstacles(printed, row) == []


@pytest.mark.parametrize("row", [None, "E1", "E4"])
def test_a_held_out_tenth_does_not_matter_where_the_paper_prints_no_validation(printed: Project, row: str) -> None:
    assert obstacles(printed, row, "raf_db") == []


@pytest.mark.parametrize("row", [None, "student"])
def test_the_reports_own_recipe_is_comparable(printed: Project, row: str | None) -> None:
    assert of_objects(printed, row) == []


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("epochs", 5, "5 epochs, printed 80"),
        ("batch_size", 64, "batch size 64, printed 16"),
        ("learning_rate", 0.01, "learning rate 0.01, printed 0.001"),
        ("class_weighting", "none", "class weights none, printed balanced"),
        ("schedule", {"step": {"every": 3, "factor": 0.1}}, "no factor of the plateau schedule, printed 0.1"),
    ],
)  # fmt: skip
def test_a_setting_that_differs_is_the_reason(printed: Project, key: str, value: Any, reason: str) -> None:
    printed.study()["recipes"]["teacher"][key] = value
    assert obstacles(printed, None) == [reason]


def test_every_difference_is_named(printed: Project) -> None:
    printed.study()["recipes"]["teacher"] |= {"epochs": 5, "batch_size": 32}
    assert obstacles(printed, None) == ["5 epochs, printed 80", "batch size 32, printed 16"]


def test_the_recipe_counts_also_if_the_training_stopped_early(printed: Project) -> None:
    """The fabricated runs ended after 6 of at most 80 epochs."""
    assert runs_of(printed, None).read()[0]["epoch"] < 80
    printed.study()["recipes"]["teacher"]["early_stop"] = 3
    assert obstacles(printed, None) == []


def test_what_the_paper_leaves_open_does_not_matter(printed: Project) -> None:
    printed.study()["recipes"]["teacher"] |= {"momentum": 0.5, "weight_decay": 0, "select_on": "validation_loss"}
    printed.raw["datasets"][FER] |= {"input_size": 48, "normalisation": "unit"}
    assert obstacles(printed, None) == []


def test_where_the_report_prints_two_readings_either_is_comparable(printed: Project) -> None:
    """50 epochs in its figures, 100 in its text."""
    for epochs, expected in ((50, []), (100, []), (20, ["20 epochs, printed 50 or 100"])):
        printed.study(CIFAR)["recipes"]["cifar100_student"]["epochs"] = epochs
        assert of_objects(printed, "student") == expected


def test_precision_is_named_and_prevents_nothing(printed: Project) -> None:
    printed.raw["precision"] = "bf16"
    cell = printed.cell("table_iv", "fer2013-resemotenet", "accuracy")
    assert cell.verdict == "differs" and (cell.reason or "").endswith("; computed in bf16")


def test_synthetic_images_are_never_judged(printed: Project) -> None:
    synthetic = {"synthetic": {"seed": 0, "train": 70, "test": 70}}
    printed.raw["datasets"][FER] |= {"path": "data/raw/sample/fer2013", "source": synthetic}
    assert obstacles(printed, None) == ["synthetic images"]
    assert obstacles(printed, "E1") == ["synthetic images"]


def test_the_scale_is_a_name_and_decides_nothing(printed: Project) -> None:
    printed.raw["scale"] = {"name": "mine", "synthetic": False, "note": "as I like it"}
    assert obstacles(printed, None) == []
    assert printed.cell("table_iv", "fer2013-resemotenet", "accuracy").verdict == "differs"


def test_missing_images_are_the_reason(printed: Project) -> None:
    write_counts(FER, train=28000, validation=3589, test=3000)
    assert obstacles(printed, None) == ["28,000 train images, printed 28,709", "3,000 test images, printed 3,589"]


def test_another_network_is_the_reason(printed: Project) -> None:
    printed.experiment("fer2013-E6")["model"] = "resemotenet_b"
    assert obstacles(printed, "E6") == ["another network: resemotenet_b, printed resemotenet_c"]


def test_another_temperature_and_weight_are_the_reason(printed: Project) -> None:
    printed.experiment("fer2013-E6")["method"] |= {"temperature": 4, "task_weight": 0.5, "distill_weight": 0.5}
    assert obstacles(printed, "E6") == ["temperature 4, printed 3", "task weight 0.5, printed 0.2"]


def test_a_student_is_judged_if_its_teacher_has_the_printed_recipe(printed: Project) -> None:
    printed.study()["recipes"]["teacher"] = printed.study()["recipes"]["teacher"] | {"epochs": 10}
    printed.study()["recipes"]["student_a"] = printed.study()["recipes"]["student_a"] | {"epochs": 80}
    assert obstacles(printed, "E1") == ["its teacher: 10 epochs, printed 80"]


def test_of_given_weights_no_training_is_compared(printed: Project) -> None:
    printed.study()["recipes"]["teacher"] = printed.study()["recipes"]["teacher"] | {"epochs": 10}
    printed.line("teachers", FER).update({"weights": "data/weights/published.pth", "classes": "as_dataset"})
    assert obstacles(printed, "E1") == []


@pytest.mark.parametrize(("right", "expected"), [(31, []), (32, []), (20, None)])
def test_a_published_teacher_has_to_be_reached(printed: Project, right: int, expected: list[str] | None) -> None:
    """78.33 % is printed; 31 of 40 are 77.5 %, 20 are 50 [35.20, 64.80] %."""
    printed.evaluate(TEACHER, right, kind="teachers")
    reason = ["its teacher has 50.00 [35.20, 64.80] %, the paper's 78.33"]
    assert of_objects(printed, "student_kd") == (reason if expected is None else expected)


def test_a_student_alone_needs_no_teacher(printed: Project) -> None:
    printed.study(CIFAR)["teachers"].clear()
    printed.study(CIFAR)["experiments"].pop("cifar100-student_kd")
    printed.study(CIFAR)["sweeps"] = {}
    assert of_objects(printed, "student") == []


def test_a_student_whose_teacher_was_taken_away_is_not_the_papers(printed: Project) -> None:
    line = printed.experiment("fer2013-E1")
    del line["teacher"], line["method"]
    assert obstacles(printed, "E1")[-1] == "no teacher"


def test_a_row_that_the_paper_does_not_have_is_not_judged(printed: Project) -> None:
    assert obstacles(printed, "scratch_a") == ["the study states no printed training of this row (Study.trainings)"]
    assert printed.cell("table_iv", "fer2013-scratch_a", "accuracy").verdict is None


def test_a_verdict_rests_on_tracked_files_and_parameters(printed: Project) -> None:
    """Image counts and the stand-in of the published teacher are inputs; recipes and data are parameters."""
    config = printed.config()
    second = tables.find("cifar100_table_2", config)
    assert {"data/prepared/cifar100/manifest.json", "results/metrics/teachers/cifar100/seed-0.json"} <= set(
        second.inputs()
    )
    fourth = tables.find("table_iv", config)
    assert "data/prepared/fer2013/manifest.json" in fourth.inputs()
    assert {"recipes.teacher", "experiments.fer2013-E1", "datasets.fer2013", "precision"} <= fourth.shown().keys()
    assert fourth.shown()["recipes.teacher"]["epochs"] == 80


def test_of_synthetic_images_a_table_reads_nothing_more(project: Project) -> None:
    assert not [path for path in project.inputs("table_iv") if path.endswith("manifest.json")]
