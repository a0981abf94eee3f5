"""`cellar distill_student EXPERIMENT --seed S`: trains a student with a teacher (logit_kd, feature_kd, …)."""

from cellar.config.resolved import TrainingSettings


def run(settings: TrainingSettings) -> None:
    from cellar.engine import setup

    setup.run(settings)
