"""`cellar train_generator GENERATOR --seed S`: trains a small StyleGAN2 on a data set's training images."""

from cellar import paths
from cellar.config.resolved import GeneratorSettings


def run(settings: GeneratorSettings) -> None:
    from functools import partial

    from cellar.engine.setup import run_training
    from cellar.methods.gan import build_setup

    folder = paths.trained("generators", settings.key, settings.seed)
    inputs = [paths.prepared(settings.dataset) / "arrays.npz"]
    run_training(folder, settings, "fp32", inputs, partial(build_setup, settings))
