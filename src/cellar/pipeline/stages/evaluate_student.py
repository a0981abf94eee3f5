"""`cellar evaluate_student EXPERIMENT --seed S`: a student's predictions and metrics on the test split."""

from cellar import config as parameters
from cellar.engine.evaluate import evaluate
from cellar.pipeline.stages.evaluate_classes import Classes


def run(experiment: str, seed: int) -> None:
    evaluate("students", experiment, parameters.load().experiment_by(experiment, "labels", "logits"), seed, Classes)
