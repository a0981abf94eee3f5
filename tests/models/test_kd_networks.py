"""The networks of CIFAR-100's distillation pairs are RepDistiller's: keys, first weights, logits, feature maps.

What is expected was computed with RepDistiller's own files: tests/reference/kd_networks.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cellar import models
from cellar.engine import profiling
from cellar.errors import CellarError
from cellar.models.channel_shuffle import channel_shuffle
from cellar.models.checkpoint_files import weights
from cellar.models.features import Features
from tests.reference.kd_networks.values import images, kept, rms, state_of

FOLDER = Path(__file__).parents[1] / "reference/kd_networks"
REFERENCE: dict[str, Any] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
FIRST = "shape and root mean square of the first weights at seed 0"
RESNETS = ["resnet20", "resnet32", "resnet56", "resnet110", "resnet8x4", "resnet32x4"]
NETWORKS = [name for name in REFERENCE if name not in RESNETS]
PASSES = [(name, side) for name, found in REFERENCE.items() for side in (32, 64) if f"outputs at {side}" in found]


def build(name: str, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return models.build(name, 100)


def shapes_of(name: str) -> dict[str, tuple[int, ...]]:
    return {key: tuple(shape) for key, (shape, _) in REFERENCE[name][FIRST].items()}


def published(name: str) -> Any:
    """In evaluation mode and float64, with the weights of which the reference tells the outputs."""
    model = build(name).double().eval()
    model.load_state_dict(state_of(shapes_of(name)))
    return model


def assert_as_in(reference: dict[str, Any], found: dict[str, Tensor]) -> None:
    for name, tensor in found.items():
        expected, given = reference[name], kept(tensor)
        assert given.pop("shape") == expected["shape"], name
        for key, value in given.items():
            assert value == pytest.approx(expected[key], rel=1e-8, abs=1e-8 * expected["rms"]), (name, key)


def test_every_network_of_the_usual_pairs_is_here() -> None:
    assert len(REFERENCE) == 15 and {*REFERENCE} <= {*models.known()}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_keys_and_shapes_are_the_published_ones(name: str) -> None:
    with torch.device("meta"):
        model = models.build(name, 100)
    assert profiling.count(model)["parameters"] == REFERENCE[name]["parameters"]
    assert [(key, tuple(value.shape)) for key, value in model.state_dict().items()] == [*shapes_of(name).items()]


@pytest.mark.parametrize("name", REFERENCE)
def test_first_weights_are_those_that_the_same_seed_gives_there(name: str) -> None:
    for key, value in build(name).state_dict().items():
        assert float(rms(value)) == pytest.approx(REFERENCE[name][FIRST][key][1], rel=1e-5), key


@torch.no_grad()
@pytest.mark.parametrize("name", REFERENCE)
def test_a_published_checkpoint_loads_and_gives_the_published_logits(name: str, tmp_path: Path) -> None:
    state = {key: value if value.ndim == 0 else value.float() for key, value in state_of(shapes_of(name)).items()}
    path, model = tmp_path / "ckpt_epoch_240.pth", build(name, seed=1)
    torch.save({"epoch": 240, "model": state, "best_acc": torch.tensor(75.61)}, path)
    weights.load_weights(model, path)
    expected = REFERENCE[name]["outputs at 32"]["logits"]
    found = kept(model.eval()(images(32).float()))
    assert found["sample"] == pytest.approx(expected["sample"], rel=1e-4, abs=1e-4 * expected["rms"])


@torch.no_grad()
@pytest.mark.parametrize(("name", "side"), PASSES)
def test_logits_are_the_published_ones(name: str, side: int) -> None:
    assert_as_in(REFERENCE[name][f"outputs at {side}"], {"logits": published(name)(images(side))})


@torch.no_grad()
@pytest.mark.parametrize(("name", "side"), [one for one in PASSES if one[0] in NETWORKS])
def test_features_are_the_published_ones(name: str, side: int) -> None:
    reference, found = REFERENCE[name][f"outputs at {side}"], published(name).features(images(side))
    tensors = {f"maps {number}": map for number, map in enumerate(found.maps)}
    tensors |= {f"preactivations {number}": map for number, map in enumerate(found.preactivations)}
    tensors |= {"vector": found.vector, "logits": found.logits}
    assert tensors.keys() == reference.keys()
    assert_as_in(reference, tensors)


@torch.no_grad()
@pytest.mark.parametrize("name", NETWORKS)
def test_logits_are_the_classifier_of_the_vector_and_what_the_network_gives(name: str) -> None:
    model, x = build(name).eval(), images(32).float()
    found = model.features(x)
    assert isinstance(found, Features) and isinstance(model.classifier, nn.Linear)
    assert torch.equal(found.logits, model(x)) and torch.equal(found.logits, model.classifier(found.vector))


@pytest.mark.parametrize("name", NETWORKS)
def test_stage_norms_are_the_published_ones(name: str) -> None:
    model = build(name)
    names = {module: key for key, module in model.named_modules()}
    assert [names[norm] for norm in model.stage_norms] == REFERENCE[name]["stage_norms"]
    assert all(isinstance(norm, nn.BatchNorm2d) for norm in model.stage_norms)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_pass_in_training_updates_the_statistics_once(name: str) -> None:
    """mdistiller's Wide ResNet counts the batch norms between its stages twice, as it runs them again."""
    model = build(name).train()
    model.features(images(32).float())
    counters = [value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")]
    assert counters and all(int(value) == 1 for value in counters)


def trained(name: str) -> dict[str, Tensor]:
    """After two steps, of a loss of the logits and one of every map."""
    model = build(name).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    for _ in range(2):
        found = model.features(images(32).float().contiguous(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(found.logits, torch.tensor([3, 99]))
        for one in (*found.maps, *found.preactivations):
            loss = loss + one.square().mean()
        optimizer.zero_grad()
        loss.backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
        optimizer.step()
    return model.state_dict()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_gives_the_same_bytes_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)
    torch.use_deterministic_algorithms(True)
    try:
        first, again = trained(name), trained(name)
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert all(value.isfinite().all() for value in first.values())
    untrained = build(name).state_dict()
    assert not any(torch.equal(first[key], untrained[key]) for key in first if key.endswith("weight"))


@pytest.mark.parametrize("name", REFERENCE)
def test_images_that_the_pools_use_up_are_refused_in_one_line(name: str) -> None:
    smallest = 8 if name.startswith("vgg") else 1
    models.check_input_size(name, smallest)
    models.check_input_size(name, 33)
    if smallest > 1:
        with pytest.raises(
            CellarError, match=rf"^{name} does not take images of 7 x 7 pixels \(8 x 8 it does\); [^\n]*$"
        ):
            models.check_input_size(name, 7)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("groups", [2, 3])
def test_channels_are_shuffled_as_torch_shuffles_them(groups: int, layout: torch.memory_format) -> None:
    maps = torch.randn(2, 12, 3, 4).contiguous(memory_format=layout)
    shuffled = channel_shuffle(maps, groups)
    assert torch.equal(shuffled, nn.functional.channel_shuffle(maps, groups))
    assert shuffled.is_contiguous(memory_format=torch.channels_last)
