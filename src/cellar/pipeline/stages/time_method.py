"""`time_method`: what an epoch of an experiment costs, on its data and networks; no trained teacher is needed.

It runs alone, so that nothing else on the machine is timed.
"""

from collections.abc import Iterator

from cellar import paths
from cellar.config import Config
from cellar.config.resolved import TrainingSettings
from cellar.config.section import Count
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind


class Settings(TrainingSettings):
    """Of a training, and how many of its steps run before the clock starts and are timed."""

    warmup: int
    repeats: Count


def jobs(config: Config) -> Iterator[Job]:
    """Of the experiments whose costs a table shows, by their first seed."""
    from cellar import tables

    shown = tables.read_by_any(config)
    for params, name, line, seed, _ in runs.experiments(config):
        key = f"{params.study}/{name}"
        if str(paths.training_costs(key)) in shown and seed == params.seeds_of(line)[0]:
            training = runs.training(params, "students", key, line, seed)
            settings = Settings(**dict(training), warmup=config.costs.warmup, repeats=config.costs.repeats)
            own = code.of_run(settings, params.study)
            yield Job(name, key, settings, runs.data_files(line.dataset), own, params.study)


def run(settings: Settings) -> Facts:
    from cellar import files
    from cellar.engine import runtime, training_costs

    measured = training_costs.measure(settings, settings.warmup, settings.repeats)
    files.write_json(paths.training_costs(settings.key), measured)
    return runtime.device_facts(runtime.prepare(settings.threads), settings.threads)


KIND = StageKind(
    "time_method",
    jobs,
    Settings,
    run,
    code.TRAINING,
    metrics=("results/metrics/training_costs/{item}.json",),
    torch=True,
    alone=True,
)
