"""What the report prints of its trainings: its text, and where it prints two readings, both."""

from typing import Any

from cellar.tables.comparable import PrintedTraining

from .printed import DATASET, ROWS, paper, table


def printed_training(dataset: str, row: str | None) -> PrintedTraining | None:
    """Of a row of Table 2, or of the teacher where `row` is None; None for what the report does not have."""
    if dataset != DATASET or (row or "teacher") not in ROWS:
        return None
    counts = table("table_1")["rows"]
    images = {"train and validation": counts["train"], "test": counts["test"]}
    if row is None:
        return PrintedTraining(teacher_settings(), images)
    if row == "student":
        return PrintedTraining(student_settings(), images)
    accuracy = table("table_2")["rows"][ROWS["teacher"]]["accuracy_mean"]
    return PrintedTraining(student_settings() | method_settings(), images, teacher_accuracy=accuracy)


def stated(source: str) -> dict[str, Any]:
    found: dict[str, Any] = paper().data["hyperparameters"][source]
    return found


def teacher_settings() -> dict[str, Any]:
    """The report took a checkpoint of SimKD's authors; this is how they trained it."""
    published = stated("from_simkd")
    return {
        "model": "resnet32x4",
        "recipe.epochs": published["epochs"],
        "recipe.batch_size": published["batch_size"],
        "recipe.learning_rate": published["lr"],
        "recipe.momentum": published["momentum"],
        "recipe.weight_decay": published["weight_decay"],
        "recipe.schedule.milestones.epochs": published["milestones"],
        "recipe.schedule.milestones.factor": published["gamma"],
        "recipe.train_on": "train_and_validation",
        "dataset.augmentation": "crop_flip",
    }


def student_settings() -> dict[str, Any]:
    text, code = stated("from_seed"), stated("from_author_repo")
    return {
        "model": "cnn4",
        "recipe.epochs": (code["epochs_actually_run"], text["epochs"]),
        "recipe.batch_size": text["batch_size"],
        "recipe.optimizer": text["optimizer"].lower(),
        "recipe.learning_rate": text["lr"],
        "recipe.weight_decay": text["weight_decay"],
        "recipe.schedule.step.every": text["step_size"],
        "recipe.schedule.step.factor": text["gamma"],
        "recipe.train_on": "train_and_validation",  # Table 1 prints no validation images
        "dataset.augmentation": "crop_flip",  # random_crop, horizontal_flip
    }


def method_settings() -> dict[str, Any]:
    """The weight of the labels is 1 - 0.25 by one section, 1 - 0.75 by another and by the author's code."""
    text = stated("from_seed")
    weights = tuple(sorted(1 - text[name] for name in ("kl_weight_best", "alpha_best")))
    return {"method.name": "logit_kd", "method.temperature": text["T_best"], "method.task_weight": weights}
