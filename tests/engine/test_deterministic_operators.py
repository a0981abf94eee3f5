"""No step uses an operator for which a GPU has no deterministic algorithm: there, the engine would stop with an error.

Needs no GPU: operators are noted as they run on the CPU, networks without computing anything (fake tensors), and compared
with the list in PyTorch's own documentation.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from cellar import files, models
from cellar.config import Recipe
from cellar.config.resolved import TrainingSettings
from cellar.data.inputs.augmentation import Split, build_augmentation
from cellar.engine import evaluate, runtime, setup, training
from cellar.engine.runtime import Optimizer, Progress
from cellar.engine.training import EpochIndices
from cellar.methods import registry
from cellar.methods.labels import Labels
from cellar.models.dropout import Dropout
from tests.engine import steps
from tests.engine.fake_devices import without_content
from tests.engine.operators import Recorded, refused, without_deterministic_kernel
from tests.engine.tiny import RECIPE

CPU = torch.device("cpu")
SIDES = (8, 32, 64, 75, 146)  # a network is run at the smallest one that it takes


@pytest.fixture(autouse=True)
def with_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.models.small_maps.fit", lambda *_: None)  # as on a GPU
    monkeypatch.setattr(Dropout, "forward", nn.Dropout.forward)
    steps.write_inputs()


def test_pytorchs_list_is_read() -> None:
    """These have been on it for years; were they missing, the list would be read wrongly."""
    listed = without_deterministic_kernel()
    assert listed["torch.nn.AdaptiveAvgPool2d"] == ["_adaptive_avg_pool2d_backward"]
    assert listed["torch.nn.ReflectionPad2d"] == ["reflection_pad2d_backward"]
    assert "upsample_bilinear2d_backward" in listed["torch.nn.functional.interpolate"]
    assert {"histc"} == set(listed["torch.histc"]) and {"put", "put_"} == set(listed["torch.Tensor.put_"])
    assert not {"torch.nn.MaxPool2d", "torch.nn.Embedding", "torch.kthvalue"} & listed.keys()  # Apple's GPUs alone


@pytest.mark.parametrize("settings", steps.trainings())
def test_a_training_and_its_evaluation_use_none(settings: TrainingSettings) -> None:
    steps.write_teacher(settings)
    with Recorded() as recorded:
        setup.run(settings)
        evaluate.run(steps.evaluation_of(settings))
    assert "convolution_backward" in recorded.used and refused(recorded.used) == {}


@pytest.mark.parametrize("name", steps.generators())
def test_a_generators_training_uses_none(name: str) -> None:
    build, settings = files.load_module(registry.file_of(name)).build_setup, steps.generator_settings()
    networks = build(settings, CPU).model.eval()
    with Recorded() as recorded:
        setup.run_training(Path("generator"), settings, "fp32", [], partial(build, settings))
        networks(torch.zeros(2, settings.latent))
    assert "convolution_backward" in recorded.used and refused(recorded.used) == {}


def used_by(build: Callable[[], nn.Module], side: int) -> set[str]:
    """Operators of a training step and of an evaluation of a network, none of which computes anything."""
    with FakeTensorMode(), Recorded() as recorded:
        model = without_content(build, "cpu")
        images, labels = torch.zeros(4, 3, side, side, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)
        split = Split(images, labels, build_augmentation("flip", "imagenet"))
        optimizer = Optimizer(model, Recipe.model_validate(RECIPE))
        indices = EpochIndices(torch.arange(4), torch.zeros(4, dtype=torch.int64))
        method = Labels(Labels.Params())
        training.train_epoch(model, split, indices, method, optimizer, 4, "fp32", Progress(None, 4))
        runtime.predict(model, images, split.augmentation, 4)
    return recorded.used


@pytest.mark.parametrize("name", models.known())
def test_a_network_uses_none(name: str) -> None:
    with torch.device("meta"):
        built = models.build(name, 3).eval()
    side = next(side for side in SIDES if models.accepts(built, side))
    used = used_by(partial(models.build, name, 3), side)
    assert "convolution_backward" in used and refused(used) == {}


class Planted(nn.Module):
    """A network that a GPU would refuse to train."""

    def __init__(self, middle: nn.Module) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Conv2d(3, 4, 3), middle, nn.Conv2d(4, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.middle(self.first(x))).mean((2, 3))


class Sampled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.grid_sample(x, torch.zeros(len(x), 5, 5, 2), align_corners=False)


@pytest.mark.parametrize(
    ("middle", "entry"),
    [
        (nn.Upsample(scale_factor=2, mode="bilinear"), "torch.nn.functional.interpolate"),
        (nn.AdaptiveAvgPool2d(4), "torch.nn.AdaptiveAvgPool2d"),
        (nn.AdaptiveMaxPool2d(4), "torch.nn.AdaptiveMaxPool2d"),
        (nn.ReflectionPad2d(1), "torch.nn.ReflectionPad2d"),
        (Sampled(), "torch.nn.functional.grid_sample"),
    ],
)
def test_a_network_that_uses_one_is_found(middle: nn.Module, entry: str) -> None:
    assert entry in refused(used_by(partial(Planted, middle), 12))


def test_a_loss_that_uses_one_is_found() -> None:
    times = torch.zeros(5, 2, 3, requires_grad=True)
    with Recorded() as recorded:
        nn.functional.ctc_loss(times, torch.ones(2, 2, dtype=torch.int64), [5, 5], [2, 2]).backward()
    assert refused(recorded.used) == {"torch.nn.CTCLoss": ["_ctc_loss_backward"]}


def test_a_global_average_and_a_plain_loss_are_not_found() -> None:
    """What looks like an entry of the list but runs by other operators: every classifier here has both."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    with Recorded() as recorded:
        nn.functional.cross_entropy(model(torch.zeros(4, 3, 12, 12)), torch.zeros(4, dtype=torch.int64)).backward()
    assert "nll_loss_forward" in recorded.used and refused(recorded.used) == {}
