"""Stages that show: counts and timed costs of architectures, tables, figures."""

from collections.abc import Iterator

from cellar import figures, paths, studies, tables
from cellar.config import Line, Params
from cellar.models import known
from cellar.pipeline.plan.family import Family
from cellar.pipeline.plan.files import COSTS_RECORD
from cellar.pipeline.plan.trained import model_file


def models(params: Params) -> Iterator[Family]:
    """What depends on an architecture, not on weights: counts, and the timed costs that some table shows."""
    builders = sorted({model_file(name) for name in known()})
    declared = [str(studies.folder(study) / "study.py") for study in studies.known().values()]
    yield Family("count_models", inputs=[*builders, *declared], metrics=[str(paths.MODEL_COUNTS)], takes_items=False)
    shown = {path for table in tables.known(params) for path in tables.inputs(table, params)}
    lines: list[Line] = [*params.teachers.values(), *params.experiments.values()]
    pairs = sorted({(line.dataset, line.model) for line in lines if params.is_on(line)})
    items = {
        f"{dataset}-{model}": {"dataset": dataset, "model": model, "model_file": model_file(model)}
        for dataset, model in pairs
        if str(paths.costs(dataset, model)) in shown
    }
    keys = ["threads", "costs", "datasets.{dataset}.input_size"]
    metrics = ["results/metrics/costs/{dataset}-{model}.json"]
    yield Family("measure_costs", "{dataset} {model}", items, ["{model_file}"], keys, [COSTS_RECORD], metrics=metrics)


def report(params: Params) -> Iterator[Family]:
    yield from (tabulate(params, table) for table in tables.known(params) if table not in params.sweeps)
    yield from (plot(params, figure) for figure in figures.known(params))


def tabulate(params: Params, table: str) -> Family:
    files = [str(paths.TABLES / f"{table}.{suffix}") for suffix in ("md", "json")]
    inputs, keys = tables.inputs(table, params), tables.param_keys(table, params)
    if table in params.sweeps:
        inputs = [*inputs, figure_file(table)]  # a sweep's table comes with its heat map
    inputs = [*tables.code_of(table, params), *inputs]
    return Family("tabulate", table, {}, inputs, keys, kept=files, label=table, takes_items=False)


def plot(params: Params, figure: str) -> Family:
    inputs, keys = figures.inputs(figure, params), figures.param_keys(figure, params)
    inputs = [*figures.code_of(figure, params), *inputs]
    return Family("plot", figure, {}, inputs, keys, [figure_file(figure)], label=figure, takes_items=False)


def figure_file(figure: str) -> str:
    return str(paths.FIGURES / f"{figure}.png")
