"""`cellar evaluate_teacher TEACHER --seed S`: a teacher's predictions and metrics on the test split."""

from cellar import config as parameters
from cellar.engine.evaluate import evaluate
from cellar.pipeline.stages.evaluate_classes import Classes


def run(teacher: str, seed: int) -> None:
    evaluate("teachers", teacher, parameters.load().teacher(teacher), seed, Classes)
