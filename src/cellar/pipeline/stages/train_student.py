"""`cellar train_student EXPERIMENT --seed S`: a student without a teacher, the baseline the paper left out."""

from cellar import config as parameters
from cellar import paths
from cellar.engine.fit import fit, from_labels


def run(experiment: str, seed: int) -> None:
    params = parameters.load()
    fit(
        paths.trained("students", experiment, seed),
        params.experiment_by(experiment, "labels"),
        params,
        seed,
        from_labels,
    )
