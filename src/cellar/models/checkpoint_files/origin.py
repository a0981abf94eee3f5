"""Whether weights that fit a network by name and shape are those of another one, or were trained on other inputs.

A batch norm undoes the size of the weights before it. So the running variance of the first one over the squared length
of a filter of the first convolution is a variance of the pixels that the network was trained on, whatever became of the
weights. A filter sees differences of pixels or sums, which moves it by a factor of ten or so either way, and some filters
die: the median filter's is taken. Of 48 faces of Pins, for filters of 7x7 that are random, edges or blobs, the medians are
0.02 to 1 for pixels from 0 to 1, 0.2 to 19 for normalised ones, 1,000 to 63,000 for those from 0 to 255; of the single filters
none is between 56 and 126.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from cellar.errors import CellarError
from cellar.models.heads import heads

SPREAD = 0.25  # the standard deviation of pixels from 0 to 1 in photographs
BETWEEN = 64.0  # of the variances of normalised pixels, 1.2, and of those from 0 to 255, 4,000: their geometric mean
RANGES = {False: "0 to 1 or normalised", True: "0 to 255"}


def check_origin(path: Path, network: nn.Module, state: Mapping[str, Tensor], normalisation: str | None) -> None:
    """Raises CellarError for weights of a network that looks like this one, or that know other inputs.

    `state`: the file's tensors under the names of `network`, its last layer included if there is one.
    """
    wide = knows_wide_pixels(network, state)
    other = lookalike(network, state)
    if other and not wide:
        raise CellarError(
            f"{path} is {other}, whose weights have the names and shapes of {type(network).__name__}'s and compute "
            "something else; give this network's own, or name that network in params.yaml"
        )
    if normalisation is None or wide is None or wide == gives_wide_pixels(normalisation):
        return
    raise CellarError(
        f"{path} was trained on pixels of {RANGES[wide]}, by the variance in its first batch norm, and normalisation "
        f"{normalisation} gives those of {RANGES[not wide]}; set the normalisation that its publisher used, or give the "
        "weights that were trained with this one"
    )


def lookalike(network: nn.Module, state: Mapping[str, Tensor]) -> str:
    """What a network's class says of weights whose last layer has so many classes."""
    others: Mapping[int, str] = getattr(network, "lookalikes", {})
    last = state.get(f"{heads(network)[0]}.weight") if others else None
    return others.get(len(last), "") if last is not None and last.ndim else ""


def knows_wide_pixels(network: nn.Module, state: Mapping[str, Tensor]) -> bool | None:
    """Whether the first layers were trained on pixels from 0 to 255; None where the file does not tell."""
    layers = list(network.named_modules())
    first = next((name for name, layer in layers if isinstance(layer, nn.Conv2d)), None)
    norm = next((name for name, layer in layers if isinstance(layer, nn.BatchNorm2d)), None)
    weight, variance = state.get(f"{first}.weight"), state.get(f"{norm}.running_var")
    if weight is None or variance is None or len(weight) != len(variance) or bool((variance == 1).all()):
        return None  # no batch norm behind it, or one that has seen no image
    lengths = weight.double().square().flatten(1).sum(1)
    alive = lengths > 0
    return bool((variance.double()[alive] / lengths[alive]).median() > BETWEEN) if bool(alive.any()) else None


def gives_wide_pixels(normalisation: str) -> bool:
    from cellar.data.inputs.augmentation import NORMALISATIONS

    _, deviations = NORMALISATIONS[normalisation]
    return bool((SPREAD / deviations[0]) ** 2 > BETWEEN)
