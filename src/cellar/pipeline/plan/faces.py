"""Stages of the small-dataset study's own ways: generated faces, features of them, and methods that no other study has."""

from collections.abc import Iterator

from cellar import figures
from cellar.config import Params
from cellar.pipeline.plan.family import Family, Item
from cellar.pipeline.plan.files import (
    ARRAYS,
    FACES,
    FEATURES,
    HISTORY,
    LAST,
    LOSSES,
    MANIFEST,
    PARTS,
    PARTS_RECORD,
    RECIPE,
    RECORD,
    START,
    TEACHER,
    TEACHER_INPUT,
    WEIGHTS,
)
from cellar.pipeline.plan.trained import by_network, common_item, evaluated_families, teacher_item, trained_families


def generators(params: Params) -> Iterator[Family]:
    """Generators that are trained, and the faces that they or others give."""
    items = {
        f"{name}-seed-{seed}": {
            "kind": "generators",
            "name": name,
            "seed": str(seed),
            "dataset": section.dataset,
            "recipe": section.recipe,
        }
        for name, section in params.generators.items()
        if params.is_on(section)
        for seed in params.seeds_of(section)
    }
    keys = ["threads", "recipes.{recipe}", "generators.{name}"]
    outputs = [WEIGHTS, LAST, LOSSES, RECORD]
    yield Family("train_generator", "{name} --seed {seed}", items, [ARRAYS, MANIFEST], keys, outputs, plots=[HISTORY])
    faces = {name: {"faces": name, "source": str(params.faces_source(name))} for name in params.used_faces()}
    made = [FACES, f"{FACES}.run.json"]
    yield Family("generate_faces", "{faces}", faces, ["{source}"], ["threads", "faces.{faces}"], made)


def features(params: Params) -> Iterator[Family]:
    """A teacher's activations of faces, students that learn them, and how near they come."""
    extracted: dict[str, Item] = {}
    pretrained: dict[str, Item] = {}
    for name, line in params.experiments.items():
        if line.features and line.teacher and params.is_on(line):
            teacher = params.teacher(line.teacher)
            seed_of_teacher = params.teacher_seed(line.teacher)
            asked = common_item("teachers", line.teacher, teacher, seed_of_teacher)
            both = {"faces": line.features.faces, **teacher_item(params, line.teacher)}
            extracted[f"{line.features.faces}-{line.teacher}"] = asked | both
            for seed in params.seeds_of(line):
                pretrained[f"{name}-seed-{seed}"] = (
                    common_item("students", name, line, seed, f"experiments.{name}") | both
                )
    keys = ["threads", "precision", "teacher_cache.batch_size", "faces.{faces}", "{owner}.model", *TEACHER_INPUT]
    outputs = [*FEATURES, "results/features/{faces}-{teacher}/run.json"]
    needed = ["{model_file}", ARRAYS, MANIFEST, FACES, TEACHER]
    yield from by_network(Family("extract_features", "{faces} {teacher}", extracted, needed, keys, outputs))
    of_line = ["{owner}.model", "{owner}.features"]
    yield from trained_families("pretrain_student", pretrained, [FACES, *FEATURES], [*RECIPE, *of_line])
    yield from evaluated_families(
        "evaluate_features", pretrained, FEATURES[1:], ["precision", "{owner}.features", "faces.{faces}"]
    )


def parts(params: Params) -> Iterator[Family]:
    """Activations of parts of faces, where a figure shows them."""
    shown = {path for figure in figures.known(params) for path in figures.inputs(figure, params)}
    items: dict[str, Item] = {}
    for name, line in params.teachers.items():
        if PARTS.format(teacher=name) in shown:
            item = common_item("teachers", name, line, params.teacher_seed(name))
            items[name] = item | teacher_item(params, name)
    keys = ["threads", "{owner}.model", *TEACHER_INPUT]
    made = [PARTS, PARTS_RECORD]
    needed = ["{model_file}", ARRAYS, MANIFEST, TEACHER]
    yield from by_network(Family("extract_parts", "{teacher}", items, needed, keys, made))


def comparisons(params: Params) -> Iterator[Family]:
    """Students that learn from triplets, and from tasks."""
    yield from (
        family for way in (("triplets", "train_siamese"), ("tasks", "meta_train")) for family in method(params, *way)
    )


def method(params: Params, section: str, stage: str) -> Iterator[Family]:
    fresh: dict[str, Item] = {}
    started: dict[str, Item] = {}
    for name, line in params.experiments.items():
        if line.method == section and params.is_on(line):
            for seed in params.seeds_of(line):
                item = common_item("students", name, line, seed, f"experiments.{name}")
                start = params.start_file(line, seed)
                if start:
                    started[f"{name}-seed-{seed}"] = item | {"start": str(start)}
                else:
                    fresh[f"{name}-seed-{seed}"] = item
    of_line = ["{owner}.model", f"{{owner}}.{section}"]
    yield from trained_families(stage, fresh, [], [*RECIPE, *of_line])
    yield from trained_families(stage, started, ["{start}"], [*RECIPE, *of_line, *START], label="transfer")
    yield from evaluated_families(f"evaluate_{section}", fresh | started, (), ["precision", f"{{owner}}.{section}"])
