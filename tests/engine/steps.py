"""Every kind of training, found through the registries, with settings to run it on a small data set.

A new method needs no entry here: its parameters are made up from its Params class, every choice of each at least once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cellar import files, models, paths
from cellar.config.resolved import EvaluationSettings, GeneratorSettings, TrainingSettings
from cellar.data import face_shards
from cellar.errors import CellarError
from cellar.methods import registry
from tests.engine.tiny import RECIPE, SIZES, settings_of, tiny_set

NETWORK, BOUNDED = "mobilenet_v1+connector", "mobilenet_v1+sigmoid"  # the smallest one with features
PAIRS = [(NETWORK, NETWORK), (NETWORK, BOUNDED), ("cnn4", "cnn4"), ("resnet8x4", "resnet8x4")]  # student and teacher
SMALL = {"first_stage_epochs": 1, "negatives": 8}  # in place of defaults that are too large here
FEATURES, FACES = 2048, 8
BATCH = 24  # whole triplets, and whole tasks of 2 classes of 2 + 2 images
RECIPES: list[dict[str, Any]] = [
    {"class_weighting": "balanced", "watch": ["train", "test"]},
    {"optimizer": "adam", "momentum": 0.0, "task_loss": "bce"},
]
ALL_TRANSFORMS = dict.fromkeys(("rotation", "scaling", "flip", "blur", "jitter", "erasing"), 1.0)
INPUTS = [
    {"input_size": 32, "augmentation": augmentation, "normalisation": normalisation}
    for augmentation, normalisation in (("crop_flip", "cifar100"), ("flip", "vggface2"), (ALL_TRANSFORMS, "unit"))
]
WEIGHTS, HELD_OUT = Path("weights.safetensors"), Path("features/held_out.npz")


def trainings() -> list[Any]:
    """Settings of a training of each method but generators: its choices, and with them optimizers, losses, inputs."""
    return [
        pytest.param(settings, id=f"{name}-{number}")
        for name in registry.known()
        if not makes_generators(name)
        for number, settings in enumerate(settings_of_method(name))
    ]


def generators() -> list[str]:
    return [name for name in registry.known() if makes_generators(name)]


def makes_generators(name: str) -> bool:
    return hasattr(files.load_module(registry.file_of(name)), "build_setup")


def settings_of_method(name: str) -> Iterator[TrainingSettings]:
    method = registry.load(name)
    chosen = list(choices(method.Params.model_json_schema().get("properties", {})))
    for number in range(max(len(chosen), len(RECIPES), len(INPUTS))):
        params = chosen[number % len(chosen)]
        recipe = RECIPE | {"epochs": 1, "batch_size": BATCH} | RECIPES[number % len(RECIPES)]
        recipe["select_on"] = "last_epoch"
        yield accepted(method, {"name": name, **params}, recipe, INPUTS[number % len(INPUTS)])


def accepted(method: Any, said: dict[str, Any], recipe: dict[str, Any], inputs: dict[str, Any]) -> TrainingSettings:
    """Settings with the teacher that the method's own check accepts."""
    pairs: list[tuple[str, str | None]] = [(NETWORK, None)] if method.needs_teacher == "none" else [*PAIRS]
    params = method.Params.model_validate({key: value for key, value in said.items() if key != "name"})
    refused = []
    for student, teacher in pairs:
        settings = TrainingSettings.model_validate(with_teacher(said, recipe, inputs, student, teacher))
        try:
            method(params).check(settings)
        except CellarError as error:
            refused.append(str(error))
        else:
            return settings
    raise AssertionError(f"no settings here suit the method {said['name']}: {refused}")


def with_teacher(
    said: dict[str, Any], recipe: dict[str, Any], inputs: dict[str, Any], student: str, teacher: str | None
) -> dict[str, Any]:
    settings = settings_of("students", f"toy/{said['name']}", said, "teacher" if teacher else None)
    settings |= {"model": student, "model_file": str(models.file_of(student)), "recipe": recipe, "input": inputs}
    if teacher:
        file = str(models.file_of(teacher))
        settings["teacher"] |= {"weights": str(WEIGHTS), "model": teacher, "model_file": file, "input": inputs}
        settings["teacher"]["features"] = str(HELD_OUT.parent)
        settings |= {"faces": "faces", "face_count": FACES}
    return settings


def choices(fields: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Values for a method's parameters: the n-th choice of each, as often as one of them has a choice left."""
    values = {name: values_of(name, field) for name, field in fields.items()}
    for number in range(max([1, *map(len, values.values())])):
        yield {name: those[number % len(those)] for name, those in values.items() if those}


def values_of(name: str, field: dict[str, Any]) -> list[Any]:
    """Small values of one parameter, from its JSON schema; none where a default is all that is known of it."""
    if "enum" in field:
        return list(field["enum"])
    if field.get("type") == "boolean":
        return [True, False]
    if "default" in field:
        return [SMALL[name]] if name in SMALL else []
    smallest = {"integer": 2, "number": 0.5}.get(field.get("type", ""))
    assert smallest is not None, f"{name}: no value for {field} is known here; give it a default, or add its type"
    return [max(smallest, field.get("minimum", smallest))]


def generator_settings() -> GeneratorSettings:
    recipe = RECIPE | {"epochs": 1, "batch_size": 16, "select_on": "last_epoch"}
    sizes = {"size": 32, "latent": 8, "channel_base": 64, "channel_max": 8, "r1_gamma": 0.5, "half_life": 100}
    return GeneratorSettings(key="toy", seed=0, dataset="tiny", threads=1, recipe=recipe, **sizes)  # type: ignore[arg-type]


def evaluation_of(settings: TrainingSettings) -> EvaluationSettings:
    said = settings.model_dump()
    return EvaluationSettings.model_validate(
        {key: said[key] for key in EvaluationSettings.model_fields.keys() & said.keys()} | {"batch_size": 16}
    )


def write_inputs() -> None:
    """What all these trainings read: the data set, faces, a teacher's features of the images held out."""
    tiny_set("tiny")
    generator = np.random.default_rng(0)
    faces = generator.integers(256, size=(FACES, 32, 32, 3), dtype=np.uint8)
    face_shards.write(Path("faces"), {}, range(FACES), 32, lambda part: iter([faces[part.start : part.stop]]))
    index = np.arange(SIZES["train"], sum(SIZES.values()))
    features = generator.random((len(index), FEATURES), dtype=np.float32)
    files.write_arrays(HELD_OUT, features=features, index=index)
    assert paths.prepared("tiny").exists()


def write_teacher(settings: TrainingSettings) -> None:
    """The weights of a teacher that has learnt nothing."""
    if settings.teacher:
        torch.manual_seed(0)
        files.write_tensors(WEIGHTS, models.build(settings.teacher.model, 3, settings.teacher.model_file).state_dict())
