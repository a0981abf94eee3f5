"""`cellar evaluate_student EXPERIMENT --seed S`: a student's predictions and metrics on the test split."""

from cellar.config.resolved import EvaluationSettings


def run(settings: EvaluationSettings) -> None:
    from cellar.engine import evaluate

    evaluate.run(settings)
