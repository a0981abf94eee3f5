"""The CIFAR-100 student is the author's: count to the unit, keys of the checkpoint, no ReLU after conv 2."""

import pytest
import torch
import torch.nn.functional as f

from cellar import models
from cellar.errors import CellarError


def test_parameters_are_the_printed_number() -> None:
    assert sum(p.numel() for p in models.build("cnn4", 100).parameters()) == 799_652


def test_state_dict_has_the_published_keys_and_shapes() -> None:
    shapes = {key: tuple(value.shape) for key, value in models.build("cnn4", 100).state_dict().items()}
    assert {key: shape for key, shape in shapes.items() if key.endswith("weight")} == {
        "feature_extractor.0.weight": (32, 3, 5, 5),
        "feature_extractor.2.weight": (64, 32, 3, 3),
        "feature_extractor.4.weight": (128, 64, 3, 3),
        "feature_extractor.6.weight": (256, 128, 3, 3),
        "linear.weight": (100, 4096),
    }
    assert {key for key in shapes if key.endswith("bias")} == {
        *(f"feature_extractor.{i}.bias" for i in (0, 2, 4, 6)),
        "linear.bias",
    }


def test_logits_are_the_layers_in_the_published_order() -> None:
    torch.manual_seed(0)
    model, x = models.build("cnn4", 10), torch.randn(3, 3, 32, 32)
    w = model.state_dict()
    layers = [(w[f"feature_extractor.{i}.weight"], w[f"feature_extractor.{i}.bias"]) for i in (0, 2, 4, 6)]
    expected = model(x)
    x = f.relu(f.conv2d(x, *layers[0], padding=2))
    x = f.max_pool2d(f.conv2d(x, *layers[1], stride=2, padding=1), 2)
    x = f.relu(f.conv2d(x, *layers[2], stride=2, padding=1))
    x = f.relu(f.conv2d(x, *layers[3], padding=1))
    assert x.shape == (3, 256, 4, 4)
    torch.testing.assert_close(expected, f.linear(x.flatten(1), w["linear.weight"], w["linear.bias"]))


@pytest.mark.parametrize("size", [26, 35, 64])
def test_another_size_does_not_pass_silently(size: int) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        models.build("cnn4", 100)(torch.zeros(1, 3, size, size))


def test_a_size_that_does_not_fit_is_one_line() -> None:
    models.check_input_size("cnn4", 32)
    with pytest.raises(CellarError, match="cnn4 does not take images of 48 x 48 pixels; mend input_size"):
        models.check_input_size("cnn4", 48)
