"""params.yaml -> the stages that it asks for. dvc.yaml is written from here, and Snakemake's rules read here.

DVC's `foreach` can neither filter a list nor give one stage more inputs than the next, and a table must depend
on the metrics of its own cells, one by one. So the stages are worked out once, here, for both tools.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cellar import figures, paths, tables
from cellar.models import known, module_of
from cellar.params import Experiment, Params, Teacher
from cellar.sources import ROOT, modules_of, path_of

MAIN, SWEEPS = Path("dvc.yaml"), Path("sweeps/dvc.yaml")

ARRAYS = "data/prepared/{dataset}/arrays.npz"
MANIFEST = "data/prepared/{dataset}/manifest.json"
WEIGHTS = "results/{kind}/{name}/seed-{seed}/weights.safetensors"
LAST = "results/{kind}/{name}/seed-{seed}/last.safetensors"
HISTORY = "results/{kind}/{name}/seed-{seed}/history.csv"
RECORD = "results/{kind}/{name}/seed-{seed}/run.json"
TEACHER = "results/teachers/{teacher}/seed-{teacher_seed}/weights.safetensors"
LOSSES = "results/{kind}/{name}/seed-{seed}/losses.npz"
INPUT = [f"datasets.{{dataset}}.{key}" for key in ("input_size", "augmentation", "normalisation")]
RECIPE = ["threads", "precision", "recipes.{recipe}", *INPUT]
LOSS = ["temperature", "task_weight", "distill_weight"]

Item = dict[str, str]


@dataclass(frozen=True)
class Stage:
    """One stage of a dvc.yaml, one job of Snakemake. Paths are relative to the project's root."""

    name: str
    command: str
    inputs: list[str]
    outputs: list[str]


@dataclass(frozen=True)
class Family:
    """Stages of one kind: templates whose {fields} an item fills. Its name is the rule's, the command's and
    the file's under src/cellar/stages. Without items it is a single stage.
    """

    name: str
    arguments: str = ""
    items: dict[str, Item] = field(default_factory=dict)  # key -> fields
    inputs: list[str] = field(default_factory=list)
    params: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)  # in DVC's cache
    plots: list[str] = field(default_factory=list)  # in DVC's cache, and for `dvc plots`
    metrics: list[str] = field(default_factory=list)  # in git
    kept: list[str] = field(default_factory=list)  # in git, but no metrics
    label: str = ""  # tells single stages of one family apart: tabulate_table_vi
    takes_items: bool = True  # a family that takes items and has none is left out

    @property
    def stage_name(self) -> str:
        return f"{self.name}_{self.label}" if self.label else self.name

    @property
    def command(self) -> str:
        return f"python -m cellar {self.name} {self.arguments}".rstrip()

    @property
    def code(self) -> list[str]:
        return modules_of(f"cellar.stages.{self.name}")

    def stages(self) -> Iterator[Stage]:
        made = [*self.outputs, *self.plots, *self.metrics, *self.kept]
        for key, item in (self.items or {"": {}}).items():
            name = f"{self.stage_name}@{key}" if key else self.stage_name
            fill = [[t.format(**item) for t in templates] for templates in ([*self.code, *self.inputs], made)]
            yield Stage(name, self.command.format(**item), *fill)


def families(params: Params) -> list[Family]:
    """The main pipeline, in the order in which a person would tell it."""
    found = [
        *data(params),
        *teachers(params),
        *students(params, params.experiments),
        *models(params),
        *report(params),
    ]
    return [family for family in found if family.items or not family.takes_items]


def sweep_families(params: Params) -> list[Family]:
    """The sweeps' pipeline: grid points, a table and a heat map each. Teachers and data are the main pipeline's."""
    on = {name: sweep for name, sweep in params.sweeps.items() if params.is_on(sweep)}
    points = {key: line for name, sweep in on.items() for key, line in sweep.experiments(name).items()}
    owners = {key: f"sweeps.{name}" for name, sweep in on.items() for key in sweep.experiments(name)}
    shown = [*(tabulate(params, name) for name in on), *(plot(params, name) for name in figures.of_sweeps(params))]
    found = [*students(params, points, owners), *shown]
    return [family for family in found if family.items or not family.takes_items]


def data(params: Params) -> Iterator[Family]:
    on = {name: section for name, section in params.datasets.items() if section.enabled}
    items = {name: {"dataset": name, "path": section.path} for name, section in on.items()}
    drawn = {name: item for name, item in items.items() if on[name].source.draw}
    objects = {name: item for name, item in drawn.items() if on[name].layout == "cifar100"}
    faces = {name: item for name, item in drawn.items() if name not in objects}
    of_section = ["datasets.{dataset}.source.draw", "datasets.{dataset}.layout"]
    yield Family("draw_faces", "{dataset}", faces, [], of_section, ["{path}"])
    yield Family("draw_objects", "{dataset}", objects, [], of_section, ["{path}"])
    outputs = [ARRAYS, MANIFEST, "data/prepared/{dataset}/run.json"]
    yield Family("prepare", "{dataset}", items, ["{path}"], ["datasets.{dataset}"], outputs)


def teachers(params: Params) -> Iterator[Family]:
    trained: dict[str, Item] = {}
    imported: dict[str, Item] = {}
    for name, line in params.teachers.items():
        if params.is_on(line):
            for seed in params.seeds_of(line):
                item = common_item("teachers", name, line, seed)
                if line.weights:
                    imported[f"{name}-seed-{seed}"] = item | {"weights": line.weights}
                else:
                    trained[f"{name}-seed-{seed}"] = item
    model = ["teachers.{name}.model"]
    yield trained_family("train_teacher", trained, [], [*RECIPE, *model])
    yield trained_family("import_teacher", imported, ["{weights}"], ["threads", "teachers.{name}.weights", *model])
    yield evaluated_family("evaluate_teacher", trained | imported)


def students(
    params: Params, lines: Mapping[str, Experiment], owners: Mapping[str, str] | None = None
) -> Iterator[Family]:
    """Students alone and distilled. `owners` says which section of params.yaml declares a line, if not its own."""
    alone: dict[str, Item] = {}
    taught: dict[str, Item] = {}
    for name, line in lines.items():
        if params.is_on(line):
            owner = (owners or {}).get(name, f"experiments.{name}")
            for seed in params.seeds_of(line):
                item = common_item("students", name, line, seed) | {"owner": owner}
                if line.teacher is None:
                    alone[f"{name}-seed-{seed}"] = item
                else:
                    teacher = {
                        "teacher": line.teacher,
                        "teacher_seed": str(params.teacher_seed(line.teacher)),
                    }
                    taught[f"{name}-seed-{seed}"] = item | teacher
    of_line = ["{owner}.model"]
    of_loss = ["{owner}.loss_form"] + ([] if owners else [f"{{owner}}.{key}" for key in LOSS])
    yield trained_family("train_student", alone, [], [*RECIPE, *of_line])
    yield trained_family("distill_student", taught, [TEACHER], [*RECIPE, "teacher_cache", *of_line, *of_loss])
    yield evaluated_family("evaluate_student", alone | taught)


def common_item(kind: str, name: str, line: Teacher | Experiment, seed: int) -> Item:
    model_file = path_of(module_of(line.model)).relative_to(ROOT)
    return {
        "kind": kind,
        "name": name,
        "seed": str(seed),
        "dataset": line.dataset,
        "recipe": line.recipe,
        "model_file": str(model_file),
    }


def trained_family(name: str, items: dict[str, Item], inputs: list[str], params: list[str]) -> Family:
    needed = ["{model_file}", ARRAYS, MANIFEST, *inputs]
    return Family(name, "{name} --seed {seed}", items, needed, params, [WEIGHTS, LAST, LOSSES, RECORD], plots=[HISTORY])


def evaluated_family(name: str, items: dict[str, Item]) -> Family:
    needed = ["{model_file}", ARRAYS, MANIFEST, WEIGHTS, LAST, HISTORY]
    params = ["threads", "evaluation", *INPUT]
    outputs = [
        f"results/predictions/{{kind}}/{{name}}/seed-{{seed}}/{file}" for file in ("predictions.npz", "run.json")
    ]
    metrics = ["results/metrics/{kind}/{name}/seed-{seed}.json"]
    return Family(name, "{name} --seed {seed}", items, needed, params, outputs, metrics=metrics)


def models(params: Params) -> Iterator[Family]:
    """What depends on an architecture, not on weights: counts, and the timed costs that some table shows."""
    builders = sorted({str(path_of(module_of(name)).relative_to(ROOT)) for name in known()})
    yield Family("count_models", inputs=builders, metrics=[str(paths.MODEL_COUNTS)], takes_items=False)
    shown = {path for table in tables.known(params) for path in tables.inputs(table, params)}
    lines: list[Teacher | Experiment] = [*params.teachers.values(), *params.experiments.values()]
    pairs = sorted({(line.dataset, line.model) for line in lines if params.is_on(line)})
    items = {
        f"{dataset}-{model}": {
            "dataset": dataset,
            "model": model,
            "model_file": str(path_of(module_of(model)).relative_to(ROOT)),
        }
        for dataset, model in pairs
        if str(paths.costs(dataset, model)) in shown
    }
    keys = ["threads", "costs", "datasets.{dataset}.input_size"]
    metrics = ["results/metrics/costs/{dataset}-{model}.json"]
    yield Family("measure_costs", "{dataset} {model}", items, ["{model_file}"], keys, metrics=metrics)


def report(params: Params) -> Iterator[Family]:
    yield from (tabulate(params, table) for table in tables.known(params) if table not in params.sweeps)
    yield from (plot(params, figure) for figure in figures.known(params))


def tabulate(params: Params, table: str) -> Family:
    files = [str(paths.TABLES / f"{table}.{suffix}") for suffix in ("md", "json")]
    inputs, keys = tables.inputs(table, params), tables.param_keys(table, params)
    if table in params.sweeps:
        inputs = [*inputs, figure_file(table)]  # a sweep's table comes with its heat map
    return Family("tabulate", table, {}, inputs, keys, kept=files, label=table, takes_items=False)


def plot(params: Params, figure: str) -> Family:
    inputs, keys = figures.inputs(figure, params), figures.param_keys(figure, params)
    return Family("plot", figure, {}, inputs, keys, [figure_file(figure)], label=figure, takes_items=False)


def figure_file(figure: str) -> str:
    return str(paths.FIGURES / f"{figure}.png")
