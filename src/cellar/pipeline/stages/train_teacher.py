"""`cellar train_teacher TEACHER --seed S`: a teacher, from the labels alone."""

from cellar import config as parameters
from cellar import paths
from cellar.engine.fit import fit, from_labels


def run(teacher: str, seed: int) -> None:
    params = parameters.load()
    fit(paths.trained("teachers", teacher, seed), params.teacher(teacher), params, seed, from_labels)
