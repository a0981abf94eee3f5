"""`train_generator`: a small StyleGAN2, trained on a data set's training images.

In float32 whatever the configured precision: R1 differentiates twice, the moving averages lose what bf16 rounds away, and
on a CPU bf16 is the slower of the two at these sizes.
"""

from collections.abc import Iterator

from cellar.config import Config, Params
from cellar.config.resolved import GeneratorSettings
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind

METHOD = "src/cellar/methods/gan.py"
NETWORKS = "src/cellar/models/stylegan2"


def jobs(config: Config) -> Iterator[Job]:
    for name, params in config.declaring("generators").items():
        section = params.generators[name]
        if params.is_on(section):
            for seed in params.seeds_of(section):
                processes = params.recipes[section.recipe].processes
                item, settings = f"{name}/seed-{seed}", settings_of(params, name, seed)
                yield Job(item, item, settings, runs.data_files(section.dataset), processes=processes)


def settings_of(params: Params, name: str, seed: int) -> GeneratorSettings:
    section = params.generators[name]
    return GeneratorSettings(
        key=name,
        seed=seed,
        threads=params.threads,
        recipe=params.recipes[section.recipe],
        **section.model_dump(exclude={"recipe", "seeds"}),
    )


def run(settings: GeneratorSettings) -> Facts:
    from functools import partial

    from cellar import paths
    from cellar.engine.setup import run_training
    from cellar.methods.gan import build_setup

    folder = paths.trained("generators", settings.key, settings.seed)
    inputs = [paths.prepared(settings.dataset) / "arrays.npz"]
    return run_training(folder, settings, "fp32", inputs, partial(build_setup, settings), KIND.code)


KIND = StageKind(
    "train_generator",
    jobs,
    GeneratorSettings,
    run,
    (*code.TRAINING, METHOD, NETWORKS),
    *runs.trained("generators", "train_loss"),
    torch=True,
)
