"""`cellar train_student EXPERIMENT --seed S`: trains a student without a teacher (labels, triplet, maml, …)."""

from cellar.config.resolved import TrainingSettings


def run(settings: TrainingSettings) -> None:
    from cellar.engine import setup

    setup.run(settings)
