"""Stages that train and evaluate: teachers and students, family by family."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cellar.config import Experiment, Line, Params
from cellar.models import file_of
from cellar.pipeline.plan.family import Family, Item
from cellar.pipeline.plan.files import (
    ARRAYS,
    CONNECTED,
    HISTORY,
    INPUT,
    LAST,
    LOSS,
    LOSSES,
    MANIFEST,
    METRICS,
    PREDICTIONS,
    PREDICTIONS_RECORD,
    RECIPE,
    RECORD,
    START,
    TEACHER,
    TEACHER_INPUT,
    WEIGHTS,
)


def teachers(params: Params) -> Iterator[Family]:
    trained: dict[str, Item] = {}
    transferred: dict[str, Item] = {}
    imported: dict[str, Item] = {}
    for name, line in params.teachers.items():
        if params.is_on(line):
            for seed in params.seeds_of(line):
                item = common_item("teachers", name, line, seed)
                if line.weights:
                    imported[f"{name}-seed-{seed}"] = item | {"weights": line.weights}
                elif line.start:
                    transferred[f"{name}-seed-{seed}"] = item | {"start": str(params.start_file(line, seed))}
                else:
                    trained[f"{name}-seed-{seed}"] = item
    model = ["{owner}.model"]
    yield from trained_families("train_teacher", trained, [], [*RECIPE, *model])
    yield from trained_families("train_teacher", transferred, ["{start}"], [*RECIPE, *model, *START], label="transfer")
    yield from trained_families("import_teacher", imported, ["{weights}"], ["threads", "{owner}.weights", *model])
    yield from evaluated_families("evaluate_teacher", trained | transferred | imported)


def students(
    params: Params, lines: Mapping[str, Experiment], owners: Mapping[str, str] | None = None
) -> Iterator[Family]:
    """Students by what they learn from. `owners` says which section of params.yaml declares a line, if not its own."""
    alone, transferred, taught = (dict[str, Item]() for _ in range(3))
    for name, line in lines.items():
        if params.is_on(line) and line.method in ("labels", "logits"):
            owner = (owners or {}).get(name, f"experiments.{name}")
            for seed in params.seeds_of(line):
                key, item = f"{name}-seed-{seed}", common_item("students", name, line, seed, owner)
                if line.teacher:
                    taught[key] = item | teacher_item(params, line.teacher)
                elif line.start:
                    transferred[key] = item | {"start": str(params.start_file(line, seed))}
                else:
                    alone[key] = item
    of_line = ["{owner}.model"]
    of_loss = ["{owner}.loss_form"] + ([] if owners else [f"{{owner}}.{key}" for key in LOSS])
    yield from trained_families("train_student", alone, [], [*RECIPE, *of_line])
    yield from trained_families(
        "train_student", transferred, ["{start}"], [*RECIPE, *of_line, *START], label="transfer"
    )
    of_teaching = [*RECIPE, *TEACHER_INPUT, "teacher_cache", *of_line, *of_loss]
    alike = {key: item for key, item in taught.items() if item["teacher_file"] == item["model_file"]}
    across = {key: item for key, item in taught.items() if key not in alike}  # of another family than its teacher
    yield from trained_families("distill_student", alike, [TEACHER], of_teaching)
    yield from trained_families("distill_student", across, ["{teacher_file}", TEACHER], of_teaching, label="across")
    yield from evaluated_families("evaluate_student", alone | transferred | taught)


def common_item(kind: str, name: str, line: Line, seed: int, owner: str = "") -> Item:
    owner = owner or f"{kind}.{name}"
    return {
        "kind": kind,
        "name": name,
        "seed": str(seed),
        "owner": owner,
        "dataset": line.dataset,
        "recipe": line.recipe,
        "model": line.model,
        "model_file": model_file(line.model),
        **input_item(line, owner),
    }


def input_item(line: Line, owner: str) -> Item:
    """Where params.yaml says how images become a line's inputs: in the line itself, or in its data set."""
    section = f"datasets.{line.dataset}"
    return {key: f"{owner if getattr(line, key) else section}.{key}" for key in ("input_size", "normalisation")}


def teacher_item(params: Params, teacher: str) -> Item:
    given = input_item(params.teacher(teacher), f"teachers.{teacher}")
    seen = {f"teacher_{key}": address for key, address in given.items()}
    code = model_file(params.teacher(teacher).model)
    return {"teacher": teacher, "teacher_seed": str(params.teacher_seed(teacher)), "teacher_file": code, **seen}


def model_file(model: str) -> str:
    return str(file_of(model))


def trained_families(
    name: str, items: dict[str, Item], inputs: list[str], params: list[str], label: str = ""
) -> Iterator[Family]:
    needed = ["{model_file}", ARRAYS, MANIFEST, *inputs]
    outputs = [WEIGHTS, LAST, LOSSES, RECORD]
    family = Family(name, "{name} --seed {seed}", items, needed, params, outputs, plots=[HISTORY], label=label)
    yield from by_network(family)


def evaluated_families(
    name: str, items: dict[str, Item], inputs: Sequence[str] = (), keys: Sequence[str] = ()
) -> Iterator[Family]:
    needed = ["{model_file}", ARRAYS, MANIFEST, WEIGHTS, LAST, HISTORY, *inputs]
    params = ["threads", "evaluation", *INPUT, *keys]
    outputs = [PREDICTIONS, PREDICTIONS_RECORD]
    yield from by_network(Family(name, "{name} --seed {seed}", items, needed, params, outputs, metrics=[METRICS]))


def by_network(family: Family) -> Iterator[Family]:
    """Networks with a connector hang on one more file of code, and all of a family have as many inputs."""
    plain = {key: item for key, item in family.items.items() if "+" not in item["model"]}
    yield replace(family, items=plain)
    label = "_".join(filter(None, (family.label, "connected")))
    connected = {key: item for key, item in family.items.items() if key not in plain}
    yield replace(family, items=connected, inputs=[*family.inputs, CONNECTED], label=label)
