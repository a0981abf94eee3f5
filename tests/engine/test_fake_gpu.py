"""On a GPU no step mixes devices: every training's forward pass and loss, and its evaluation, with fake CUDA tensors.

Needs no GPU. Operators check their tensors' devices as on one; content and derivatives are made up (FakeGPU).
"""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from cellar import files, models, paths
from cellar.config.resolved import TrainingSettings
from cellar.data.inputs import prepared
from cellar.data.inputs.augmentation import FiniteAugmentation
from cellar.engine import evaluate, runtime, setup
from cellar.engine.evaluate import Arrays, EvalContext
from cellar.engine.train_data import TrainData
from cellar.methods import registry
from cellar.models.feature_extractor import FeatureExtractor
from tests.engine import steps
from tests.engine.fake_devices import fake_gpu, without_content

MIXED = "on the same device|numpy"


@pytest.fixture(autouse=True)
def with_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps.write_inputs()


def evaluated(settings: TrainingSettings, device: torch.device) -> Arrays:
    """What the evaluation of a training writes."""
    method: Any = setup.load_method(settings.method, settings.method_file)
    image_set = prepared.load(paths.prepared(settings.dataset))
    context = EvalContext(steps.evaluation_of(settings), image_set, device)
    model = evaluate.load_model(
        method, paths.trained(settings.kind, settings.key, settings.seed) / "last.safetensors", context
    )
    return method.predict(model, context) | method.predict_extra(model, context) | method.targets(context)


@pytest.mark.parametrize("settings", steps.trainings())
def test_a_training_and_its_evaluation_stay_on_the_gpu(
    settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.write_teacher(settings)
    with fake_gpu(monkeypatch) as device:
        facts = setup.run(settings)
        assert evaluated(settings, device)
    assert facts and facts["device"] == "cuda" and facts["images_trained"]


@pytest.mark.parametrize("name", steps.generators())
def test_a_generator_stays_on_the_gpu(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, settings = files.load_module(registry.file_of(name)).build_setup, steps.generator_settings()
    with fake_gpu(monkeypatch) as device:
        setup.run_training(Path("generator"), settings, "fp32", [], partial(build, settings))
        made = build(settings, device).model.eval()(torch.zeros(2, settings.latent, device=device))
        assert made.device.type == "cuda"


@pytest.mark.parametrize("name", models.known())
def test_a_network_stays_on_the_gpu(name: str) -> None:
    with torch.device("meta"):
        built = models.build(name, 3).eval()
    side = next(side for side in (8, 32, 64, 75, 146) if models.accepts(built, side))
    with FakeTensorMode(allow_non_fake_inputs=False):
        model, images = (
            without_content(partial(models.build, name, 3), "cuda"),
            torch.zeros(4, 3, side, side, device="cuda"),
        )
        for network in (model.train(), model.eval()):
            assert all(logits.device.type == "cuda" for logits in tuple_of(network(images)))
        if models.has_features(models.networks()[name]):
            assert FeatureExtractor(model)(images).device.type == "cuda"


def tuple_of(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


def on_the_cpu(data: TrainData) -> Tensor:
    return torch.ones(data.num_classes)


def applied_on_the_cpu(augmentation: FiniteAugmentation, images: Tensor, index: Tensor) -> Tensor:
    return augmentation.normalise(images) + torch.zeros(images.shape[-2:])


def unconverted(model: Any, images: Tensor, augmentation: FiniteAugmentation, batch_size: int, *_: str) -> Any:
    """Predictions that are still on the device when they become an array."""
    return torch.zeros(len(images), 3, device=images.device).numpy()


@pytest.mark.parametrize(
    ("place", "name", "fault"),
    [
        (TrainData, "class_weights", property(on_the_cpu)),
        (FiniteAugmentation, "apply", applied_on_the_cpu),
        (runtime, "place", lambda model, *_: model),
        ("cellar.methods.base", "predict", unconverted),
    ],
)
def test_a_tensor_on_another_device_is_found(
    place: Any, name: str, fault: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = next(param.values[0] for param in steps.trainings() if param.values[0].method["name"] == "labels")
    monkeypatch.setattr(*((f"{place}.{name}", fault) if isinstance(place, str) else (place, name, fault)))
    with pytest.raises((RuntimeError, TypeError, AssertionError), match=MIXED), fake_gpu(monkeypatch) as device:
        setup.run(settings)
        evaluated(settings, device)
