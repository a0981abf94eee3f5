"""What the tables and the authors' code behind them print of the trainings: RepDistiller's recipe, and each method's parameters."""

from collections.abc import Mapping
from typing import Any

from cellar.tables.comparable import PrintedTraining

from .printed import ALONE, DATASET, hyperparameters, networks, printed_pairs


def printed_training(dataset: str, row: str | None) -> PrintedTraining | None:
    """Of a row `<pair>-<method>`, or of a teacher where `row` is None; None for pairs and methods that no table prints."""
    if dataset != DATASET:
        return None
    printed = hyperparameters()
    images = {"train and validation": printed["images"]["train"], "test": printed["images"]["test"]}
    if row is None:
        return PrintedTraining(recipe(printed["recipe"]), images)
    pair, _, method = row.rpartition("-")
    if pair not in printed_pairs() or method not in printed["methods"]:
        return None
    teacher, student = networks(pair)
    settings = {"model": student, **student_recipe(printed, pair, method), **method_settings(printed, pair, method)}
    taught_by = None if method == ALONE else PrintedTraining({"model": teacher, **recipe(printed["recipe"])})
    return PrintedTraining(settings, images, teacher=taught_by)


def recipe(printed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "recipe.epochs": printed["epochs"],
        "recipe.batch_size": printed["batch_size"],
        "recipe.optimizer": printed["optimizer"],
        "recipe.learning_rate": printed["learning_rate"],
        "recipe.momentum": printed["momentum"],
        "recipe.weight_decay": printed["weight_decay"],
        "recipe.schedule.milestones.epochs": printed["milestones"],
        "recipe.schedule.milestones.factor": printed["factor"],
        "recipe.train_on": "train_and_validation",  # the tables print no validation images
        **{f"dataset.{key}": printed[key] for key in ("input_size", "augmentation", "normalisation")},
    }


def student_recipe(printed: Mapping[str, Any], pair: str, method: str) -> dict[str, Any]:
    """The recipe with the student's learning rate, and what a method has of its own."""
    usual, student = printed["recipe"], printed_pairs()[pair].split("->")[1]
    own = printed["recipes"].get(method, {})
    rate = printed["learning_rate"].get(student, usual["learning_rate"])
    return recipe(usual | {"learning_rate": rate} | own.get(printed_pairs()[pair], own.get("usual", {})))


def method_settings(printed: Mapping[str, Any], pair: str, method: str) -> dict[str, Any]:
    of_pair = printed["pairs"].get(method, {}).get(printed_pairs()[pair], {})
    return {f"method.{key}": value for key, value in {**printed["methods"][method], **of_pair}.items()}
