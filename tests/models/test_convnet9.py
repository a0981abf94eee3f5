"""ConvNet-9 is the authors': its count to the unit, the shapes of fig. 7, their first weights."""

import math

import pytest
import torch
import torch.nn.functional as f
from torch import Tensor

from cellar import models
from cellar.errors import CellarError

# As the paper's fig. 7 has them at 224x224, after each convolution.
SHAPES = {
    "layer1": (32, 224, 224),
    "layer2": (128, 56, 56),
    "layer2_2": (64, 28, 28),
    "layer3": (256, 14, 14),
    "layer4": (128, 4, 4),
    "layer4_2": (512, 2, 2),
    "layer5": (1024, 2, 2),
    "layer6": (512, 1, 1),
    "layer6_2": (2048, 1, 1),
}
POOLED_AFTER = ("layer1", "layer3", "layer5")


def test_shapes_are_those_of_figure_7() -> None:
    found = {}
    with torch.device("meta"):
        model = models.build("convnet9", 105)
    for name in SHAPES:
        layer = model.get_submodule(name)
        layer.register_forward_hook(lambda _, inputs, output, name=name: found.update({name: tuple(output.shape[1:])}))
    assert model(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 105)
    assert found == SHAPES
    assert list(found) == list(SHAPES)


def test_logits_are_the_authors_layers_by_hand() -> None:
    torch.manual_seed(0)
    model, x = models.build("convnet9", 3), torch.rand(2, 3, 150, 146)
    model(x)  # running statistics other than 0 and 1
    w = model.eval().state_dict()
    expected = model(x)

    def convolve(x: Tensor, name: str) -> Tensor:
        stride = 1 if name == "layer1" else 2
        x = f.conv2d(x, w[f"{name}.0.weight"], w[f"{name}.0.bias"], stride=stride, padding=1)
        parts = (w[f"{name}.1.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return f.relu(f.batch_norm(x, *parts))

    for name in SHAPES:
        x = convolve(x, name)
        x = f.max_pool2d(x, 2) if name in POOLED_AFTER else x
    torch.testing.assert_close(expected, f.linear(x.flatten(1), w["fc.weight"], w["fc.bias"]))


def test_first_weights_are_the_authors() -> None:
    """normal(0, sqrt(2 / (k * k * outputs))), also of the one 2x2 kernel."""
    torch.manual_seed(0)
    state = models.build("convnet9", 105).state_dict()
    for name, kernel, outputs in (("layer5", 2, 1024), ("layer6_2", 3, 2048), ("layer2_2", 3, 64)):
        expected = math.sqrt(2 / (kernel * kernel * outputs))
        assert float(state[f"{name}.0.weight"].std()) == pytest.approx(expected, rel=0.02)
        assert abs(float(state[f"{name}.0.weight"].mean())) < expected / 20


def test_the_smallest_image_has_146_pixels() -> None:
    models.check_input_size("convnet9", 146)
    line = r"^convnet9 does not take images of 145 x 145 pixels \(146 x 146 it does\); mend input_size of its data set"
    with pytest.raises(CellarError, match=line):
        models.check_input_size("convnet9", 145)


def test_an_image_that_does_not_end_as_one_pixel_is_no_input() -> None:
    models.check_input_size("convnet9", 1024)
    with pytest.raises(CellarError, match="does not take images of 2304 x 2304 pixels; mend"):
        models.check_input_size("convnet9", 2304)
