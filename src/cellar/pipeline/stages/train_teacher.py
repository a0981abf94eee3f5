"""`cellar train_teacher TEACHER --seed S`: trains a teacher, from labels."""

from cellar.config.resolved import TrainingSettings


def run(settings: TrainingSettings) -> None:
    from cellar.engine import setup

    setup.run(settings)
