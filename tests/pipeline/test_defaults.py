"""A default is followed by exactly the stages whose section in params.yaml does not state the value.

What they should be is found without the changed default: by writing the new value out at each of those places.
"""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cellar import config
from cellar.config import compose
from cellar.config.params import ParamsFile
from cellar.deployment import packages
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.pipeline import resolved
from tests.pipeline import schema

ROOT = Path(__file__).parents[2]
TOY = "toy_study"  # which has a method with a default
KEPT = {
    "mini_resemotenet": ["fer2013-scratch_a", "fer2013-E1", "raf_db-E1"],
    "cifar100_kd": ["cifar100-student", "cifar100-student_kd"],
    "small_dataset_kd": ["pins-oneshot_convnet9", "pins-meta_convnet9", "pins-transfer_resnet50", "pins-mse_convnet9_features", "pins-mse_convnet9"],
    TOY: ["cifar100-student", "cifar100-student_kd"],
}  # fmt: skip
TEACHER = {"dataset": "cifar100", "model": "cnn4", "recipe": "cifar100_student"}
OTHER: dict[str, Any] = {  # field -> another value than its default
    "SyntheticSpec.validation": 70,
    "Dataset.validation_fraction": 0.2,
    "Dataset.min_per_class": 40,
    "Dataset.split_seed": 1,
    "Dataset.checksums": "any",
    "Dataset.drop_leaked": True,
    "Dataset.greyscale": True,
    "Recipe.processes": 2,
    "Recipe.optimizer": "adam",
    "Recipe.betas": [0.5, 0.9],
    "Recipe.early_stop": 3,
    "Recipe.task_loss": "bce",
    "Recipe.train_on": "train_and_validation",
    "Recipe.watch": ["test"],
    "Export.calibration_images": 40,
    "Generator.seeds": [1],
    "Faces.first_seed": 5,
    "Faces.truncation": 0.5,
    "Line.seeds": [1],
    "Line.input_size": 160,
    "Line.normalisation": "unit",
    "Line.frozen_batch_norm": "train",
    "Teacher.weights": "published.pth",
    "Experiment.method": {
        "name": "maml",
        "ways": 2,
        "shots": 1,
        "queries": 3,
        "per_epoch": 2,
        "inner_learning_rate": 0.01,
        "inner_steps": 1,
        "first_order": True,
    },
    "Sweep.loss_form": "eq6_literal",
    "Sweep.seeds": [1],
    "StudySections.teachers": {"other": TEACHER},
    "WarmHints.Params.start": 0.25,
    "FeatureKD.Params.augment": False,
    "LogitKD.Params.standardise": True,
}

# Methods with a default for everything: an experiment has each, and another value of a number is its double.
BY_DEFAULT = [
    name
    for name in registry.known()
    if registry.load(name).needs_teacher not in ("none", "features")
    and not any(field.is_required() for field in registry.load(name).Params.model_fields.values())
]
OTHER |= {
    "FitNet.Params.hint_layer": 1,
    "CRD.Params.memory_momentum": 0.25,
    "FT.Params.compression": 0.25,
    "FT.Params.form": "channel_means",
    "ICKD.Params.divided_by": "channels_and_squared_batch",
    "SRRL.Params.form": "maps",
}
OTHER |= {
    key: OTHER.get(key, not field.default if isinstance(field.default, bool) else 2 * field.default or 1)
    for key, field in schema.fields("").items()
    if {registry.load(name).Params for name in BY_DEFAULT}.intersection(field.owners)
}
# Another default of these is refused everywhere, or changes no stage: exactly one of several keys is given, or one key
# asks for another.
FORMS = {
    "SyntheticSpec.train": 70,
    "SyntheticSpec.test": 70,
    "SyntheticSpec.identities": 2,
    "SyntheticSpec.per_identity": 3,
    "Source.synthetic": {"seed": 1, "train": 70, "test": 70},
    "Source.url": "https://example.org/a.zip",
    "Source.sha256": "0" * 64,
    "Source.torchvision": "CIFAR100",
    "Source.kaggle": "someone/something",
    "Source.manual": "ask",
    "Dataset.train_per_class": 4,
    "Dataset.validation_per_class": 4,
    "Teacher.classes": ["cat", "dog"],
    "Schedule.plateau": {"factor": 0.1, "patience": 3},
    "Schedule.step": {"every": 3, "factor": 0.1},
    "Schedule.milestones": {"epochs": [2], "factor": 0.1},
    "Schedule.inverse_sqrt": True,
    "Export.experiment": "fer2013-E1",
    "Export.teacher": "fer2013",
    "Export.seed": 1,
    "Faces.generator": "pins",
    "Faces.weights": "faces.pkl",
    "Faces.folder": "faces",
    "Published.url": "https://example.org/a.pth",
    "Published.sha256": "0" * 64,
    "Published.manual": "ask",
    "Published.model": "cnn4",
    "Published.normalisation": "unit",
    "Published.greyscale": True,
    "Start.teacher": "pins_resnet50",
    "Start.experiment": "pins-meta_convnet9",
    "Start.weights": "start.pth",
    "Start.weights_key": "ema",
    "Teacher.weights_key": "ema",
    "Line.start": {"weights": "start.pth"},
    "Line.freeze": True,
    "Experiment.teacher": "fer2013",
    "Experiment.faces": "pins",
    "StudySections.recipes": {},
    "StudySections.generators": {},
    "StudySections.faces": {},
    "StudySections.published": {"mine": {"path": "a.pth", "manual": "ask"}},
    "StudySections.experiments": {},
    "StudySections.sweeps": {},
    "StudySections.exports": {},
}

Raw = dict[str, Any]
Resolved = dict[str, Any]  # stage -> its settings


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The studies, the toy study among them, and the code."""
    folder = tmp_path_factory.mktemp("defaults")
    (folder / "src").symlink_to(ROOT / "src")
    (folder / "params.yaml").write_text("")  # mistakes are reported of it
    shutil.copytree(ROOT / "studies", folder / "studies", ignore=shutil.ignore_patterns("dvc.*", "__pycache__"))
    shutil.copytree(ROOT / "tests/toy_study", folder / "studies" / TOY, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def raw(here: Path, monkeypatch: pytest.MonkeyPatch) -> Raw:
    """params.yaml of four studies, with a few lines of each; whether the packages of an export are here is no matter."""
    monkeypatch.chdir(here)
    monkeypatch.setattr(packages, "need", lambda modules, what: None)
    params = compose.compose(["sample"]).values
    for study, names in KEPT.items():
        lines = params["studies"][study]["experiments"]
        params["studies"][study]["experiments"] = {name: lines[name] | {"seeds": [0]} for name in names}
    toys, recipes = params["studies"][TOY]["experiments"], params["studies"][TOY]["recipes"]
    toys["cifar100-served"] = toys["cifar100-student"] | {"row": "served", "model": "resnet8x4"}
    recipes["long"] = recipes[toys["cifar100-student_kd"]["recipe"]] | {"epochs": 100}
    for name in BY_DEFAULT:
        line = {"row": name, "method": {"name": name}}
        if (
            registry.load(name).needs_teacher != "logits"
        ):  # of networks that serve features, for longer than a first stage
            line |= {"model": "resnet8x4", "recipe": "long", "teacher": {"experiment": "cifar100-served"}}
        toys[f"cifar100-{name}"] = toys["cifar100-student_kd"] | line
    for name in ("pins_inception_v3", "pins_mobilenet_v1"):
        del params["studies"]["small_dataset_kd"]["teachers"][name]
    for study in ("mini_resemotenet", "cifar100_kd"):
        for sweep in params["studies"][study]["sweeps"].values():
            sweep |= {"temperatures": [1], "task_weights": [0.1]}
    exports = {"one": {"experiment": "fer2013-scratch_a", "licence": "MIT"}}
    params["studies"]["mini_resemotenet"]["exports"] = exports | {"two": exports["one"] | {"experiment": "fer2013-E1"}}
    for study in (TOY, "small_dataset_kd"):
        for line in params["studies"][study]["experiments"].values():
            del line["seeds"]
    return params


def settings(params: Raw) -> Resolved:
    """The resolved settings of every stage. Raises CellarError for a mistake."""
    return {str(path): values for path, values in resolved.by_file(config.validate(params, source)).items()}


def source(key: str) -> Path:
    return Path("params.yaml")


def is_valid(params: Raw, thorough: bool) -> bool:
    try:
        settings(params) if thorough else config.validate(params, source)
    except CellarError:
        return False
    return True


def sections_of(params: Raw, field: schema.Field) -> list[Raw]:
    """The sections of params.yaml that have the field, in an order that a copy has too."""
    return [section for kind, section in schema.places(ParamsFile, params) if kind in field.owners]


def half_stated(params: Raw, field: schema.Field) -> Raw:
    """Where the default is written out, every other place leaves it out."""
    params = deepcopy(params)
    for section in sections_of(params, field)[::2]:
        if section.get(field.name, ...) == field.default:
            value = section.pop(field.name)
            if not is_valid(params, thorough=False):
                section[field.name] = value
    return params


def written_out(params: Raw, field: schema.Field, value: Any, thorough: bool) -> tuple[Raw, Raw]:
    """(before, after): `after` has the new value wherever it is not stated; where that is refused both state the old."""
    before, after = deepcopy(params), deepcopy(params)
    pairs = list(zip(sections_of(before, field), sections_of(after, field), strict=True))
    for old, new in pairs:
        if field.name not in new:
            new[field.name] = deepcopy(value)
            if not is_valid(after, thorough):
                old[field.name] = new[field.name] = deepcopy(field.default)
    return before, after


@pytest.mark.parametrize("key", OTHER)
def test_a_changed_default_is_followed_by_what_does_not_state_it(key: str, raw: Raw, here: Path) -> None:
    field, value = schema.fields(TOY)[key], OTHER[key]
    if key.startswith("SyntheticSpec"):  # a set of persons has no such split
        del raw["studies"]["small_dataset_kd"], raw["datasets"]["pins"]
    if key.startswith(("Line", "LogitKD")):  # a sweep's points are lines that cannot state it: see below
        del raw["studies"]["mini_resemotenet"]["sweeps"], raw["studies"]["cifar100_kd"]["sweeps"]
    params = half_stated(raw, field)
    before, after = written_out(params, field, value, thorough=False)
    if not is_valid(after, thorough=True):  # what a method refuses is seen when its settings are resolved
        before, after = written_out(params, field, value, thorough=True)
    unchanged, expected = settings(before), settings(after)
    assert unchanged != expected, "the new value changes no stage: choose another"
    with schema.default(field, value):
        assert settings(before) == expected
    assert settings(before) == unchanged

    for section in sections_of(before, field):
        section.setdefault(field.name, deepcopy(field.default))
    if is_valid(before, thorough=True):  # with every default written out, nothing is left to change
        assert settings(before) == unchanged
        with schema.default(field, value):
            assert settings(before) == unchanged


def test_the_points_of_a_sweep_follow_the_defaults_of_a_line(raw: Raw, here: Path) -> None:
    before = settings(raw)
    with schema.default(schema.fields(TOY)["Line.normalisation"], "unit"):
        changed = {stage for stage, values in settings(raw).items() if values != before[stage]}
    points = {stage for stage in before if "_sweep-T" in stage or "_grid-T" in stage}
    assert len(points) == 4 and points <= changed


@pytest.mark.parametrize("key", FORMS)
def test_a_form_is_refused_or_followed(key: str, raw: Raw, here: Path) -> None:
    """Where the new value written out is refused, so is the default; else both give the same settings."""
    field, value = schema.fields(TOY)[key], FORMS[key]
    _, after = written_out_everywhere(raw, field, value)
    with schema.default(field, value):
        outcome = outcome_of(raw)
    assert outcome == outcome_of(after) or isinstance(outcome_of(after), str)


def written_out_everywhere(params: Raw, field: schema.Field, value: Any) -> tuple[Raw, Raw]:
    after = deepcopy(params)
    for section in sections_of(after, field):
        section.setdefault(field.name, deepcopy(value))
    return params, after


def outcome_of(params: Raw) -> Resolved | str:
    try:
        return settings(params)
    except CellarError as error:
        return str(error)


def test_no_default_is_left_out(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new field with a default: add another value of it above."""
    monkeypatch.chdir(here)
    assert sorted(schema.fields(TOY)) == sorted([*OTHER, *FORMS])
