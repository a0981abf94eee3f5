"""`measure_costs`: latency and memory of a network at a data set's input size.

It depends on the network, not on weights, and runs alone, so that nothing else on the machine is timed.
"""

from collections.abc import Iterator

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline import code
from cellar.pipeline.stage import Facts, Job, StageKind


class Settings(Section):
    dataset: str
    model: str
    model_file: str
    classes: int
    input_size: int
    batch_sizes: list[int]
    warmup: int
    repeats: int
    threads: int


def jobs(config: Config) -> Iterator[Job]:
    """Of the networks whose costs a table shows."""
    from cellar import models, studies, tables

    shown = tables.read_by_any(config)
    for (dataset, model), study in sorted(networks(config).items()):
        if str(paths.costs(dataset, model)) in shown:
            settings = Settings(
                dataset=dataset,
                model=model,
                model_file=str(models.file_of(model, study)),
                classes=studies.classes_of(config, models.parse(model)[0]),
                input_size=config.datasets[dataset].input_size,
                threads=config.threads,
                **config.costs.model_dump(),
            )
            item = f"{dataset}-{model}"
            yield Job(item, item, settings, code=code.of_model(model, study))


def networks(config: Config) -> dict[tuple[str, str], str]:
    """(data set, network) of every teacher and experiment that runs -> a study that has it."""
    return {
        (line.dataset, line.model): params.study
        for params in config.all_params()
        for line in [*params.teachers.values(), *params.experiments.values()]
        if params.is_on(line)
    }


def run(settings: Settings) -> Facts:
    from cellar import files, models
    from cellar.engine import profiling, runtime

    device = runtime.prepare(settings.threads)
    measured = profiling.measure(
        lambda: models.build(settings.model, settings.classes, settings.model_file),
        (3, settings.input_size, settings.input_size),
        settings.batch_sizes,
        settings.warmup,
        settings.repeats,
        device,
    )
    output = paths.costs(settings.dataset, settings.model)
    files.write_json(output, {"model": settings.model, "dataset": settings.dataset, **measured})
    return runtime.device_facts(device, settings.threads)


KIND = StageKind(
    "measure_costs",
    jobs,
    Settings,
    run,
    (*code.FILES, *code.NETWORKS, *code.ENGINE, *code.INPUTS),
    metrics=("results/metrics/costs/{item}.json",),
    torch=True,
    alone=True,
)
