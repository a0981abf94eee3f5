"""Resolved settings: what a training and an evaluation depend on, with every default filled in and every derived value computed."""

from typing import Any, Literal

from cellar.config.data import Augmentation
from cellar.config.recipe import Recipe
from cellar.config.section import Section


class InputSettings(Section):
    """How images become a model's input: side in pixels, augmentation, normalisation."""

    input_size: int
    augmentation: Augmentation
    normalisation: str


class TeacherSettings(Section):
    """A trained teacher: its weights, its network, and how it sees images. `features`: the folder of those extracted."""

    weights: str
    model: str
    model_file: str
    input: InputSettings
    features: str | None = None


class CacheSettings(Section):
    """The teacher-logit cache (params.yaml, teacher_cache)."""

    batch_size: int
    storage: Literal["fp32", "fp16"]
    budget_mb: int


class RunSettings(Section):
    """What a training and its evaluation have in common. `key`: the place of its results below `kind`."""

    kind: Literal["teachers", "students"]
    key: str
    seed: int
    dataset: str
    model: str
    model_file: str
    input: InputSettings
    threads: int
    precision: Literal["fp32", "bf16"]
    method: dict[str, Any]
    method_file: str
    teacher: TeacherSettings | None = None
    faces: str | None = None
    face_count: int | None = None


class TrainingSettings(RunSettings):
    """Everything that a training depends on, beside the files that it reads."""

    recipe: Recipe
    start: str | None = None
    freeze: bool = False
    frozen_batch_norm: Literal["eval", "train"] = "eval"
    teacher_cache: CacheSettings | None = None


class EvaluationSettings(RunSettings):
    """`train_split`: whether the training images are evaluated too."""

    batch_size: int
    train_split: bool


class GeneratorSettings(Section):
    """A StyleGAN2 trained on a data set's training images, always in float32."""

    key: str
    seed: int
    dataset: str
    threads: int
    recipe: Recipe
    size: int
    latent: int
    channel_base: int
    channel_max: int
    r1_gamma: float
    half_life: float
