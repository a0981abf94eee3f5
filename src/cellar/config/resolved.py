"""Resolved settings of trainings and evaluations: complete, with defaults filled in and derived values computed.

A stage's run(settings) reads nothing else of params.yaml; DVC tracks these values.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from cellar.config import TeacherCache
from cellar.config.data import Augmentation, Normalisation
from cellar.config.recipe import Recipe
from cellar.config.section import Count, Section, Weight

Seed = Annotated[int, Field(ge=0)]


class InputSettings(Section):
    """How images become a model's input (cellar.data.inputs.augmentation); `input_size` in pixels."""

    input_size: int
    augmentation: Augmentation
    normalisation: Normalisation


class TeacherSettings(Section):
    """A teacher: its weights.safetensors, its network, its own input, and the folder of its extracted features, if any."""

    weights: str
    model: str
    model_file: str  # the network's code, a path in the repository
    input: InputSettings
    features: str | None = None


class RunSettings(Section):
    """What identifies a run and what its training and its evaluation both need.

    `key` is "<teacher>" or "<study>/<experiment>". `method`: its name and its own parameters, which the method's Params
    class describes. `faces`: the folder of faces without labels that the method trains on, with `face_count` of them.
    """

    kind: Literal["teachers", "students"]
    key: str
    seed: Seed
    dataset: str
    model: str
    model_file: str
    input: InputSettings
    threads: Count
    precision: Literal["fp32", "bf16"]
    method: dict[str, Any]
    method_file: str
    teacher: TeacherSettings | None = None
    faces: str | None = None
    face_count: Count | None = None


class TrainingSettings(RunSettings):
    """`start`: the weights file that the training starts from; all but the last layer is loaded, and frozen on `freeze`.
    `start_key`: where in it the weights lie, if there are several."""

    recipe: Recipe
    start: str | None = None
    start_key: str | None = None
    freeze: bool = False
    frozen_batch_norm: Literal["eval", "train"] = "eval"
    teacher_cache: TeacherCache | None = None


class EvaluationSettings(RunSettings):
    batch_size: Count


class GeneratorSettings(Section):
    """A StyleGAN2 (cellar.config.faces.Generator says what the sizes mean); always trained in float32."""

    key: str
    seed: Seed
    dataset: str
    threads: Count
    recipe: Recipe
    size: Literal[16, 32, 64, 128]
    latent: Count
    channel_base: Count
    channel_max: Count
    r1_gamma: Weight
    half_life: Count
    method_file: str = "src/cellar/methods/gan.py"
