"""Writes what RepDistiller's networks give: `python -m tests.reference.kd_networks.write CLONE-OF-REPDISTILLER`."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .values import images, kept, rms, rounded, state_of

HERE = Path(__file__).parent
PAGE = "https://github.com/HobbitLong/RepDistiller/blob"
COMMIT, MOBILE = "eedab9d1450cafbc7afbb19f616be0ac08d8aa3b", "b13aecc3ede5b073640a40a37187e5e3ec4f466b"
CLASSES = 100
PUBLISHED = {  # our name -> commit, module and function
    **{f"resnet{depth}": (COMMIT, "resnet", f"resnet{depth}") for depth in ("20", "32", "56", "110", "8x4", "32x4")},
    **{f"wrn_{size}": (COMMIT, "wrn", f"wrn_{size}") for size in ("16_2", "40_1", "40_2")},
    "vgg8": (COMMIT, "vgg", "vgg8_bn"),
    "vgg13": (COMMIT, "vgg", "vgg13_bn"),
    "mobilenet_v2_half": (MOBILE, "mobilenetv2", "mobile_half"),
    "shufflenet_v1": (COMMIT, "ShuffleNetv1", "ShuffleV1"),
    "shufflenet_v2": (COMMIT, "ShuffleNetv2", "ShuffleV2"),
    "resnet50_cifar": (COMMIT, "resnetv2", "ResNet50"),
}
SIDES = {"vgg8": (32, 64), "vgg13": (32, 64)}  # others are made for 32 alone


def main(folder: str) -> None:
    sys.path.insert(0, folder)
    for name, (commit, module, function) in PUBLISHED.items():
        torch.manual_seed(0)
        network = getattr(import_module(f"models.{module}"), function)(num_classes=CLASSES)
        source = f"{PAGE}/{commit}/models/{module}.py, {function}"
        (HERE / f"{name}.json").write_text(lines({"source": source, **described(network, SIDES.get(name, (32,)))}))


def described(network: nn.Module, sides: tuple[int, ...]) -> dict[str, Any]:
    state = network.state_dict()
    first = {name: [list(value.shape), rounded(rms(value))] for name, value in state.items()}
    network.double().eval().load_state_dict(state_of({name: tuple(value.shape) for name, value in state.items()}))
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "stage_norms": norms(network),
        **{f"outputs at {side}": outputs(network, side) for side in sides},
        "shape and root mean square of the first weights at seed 0": first,
    }


def norms(network: Any) -> list[str]:
    """Names of the batch norms; none for the ShuffleNets, which refuse to say."""
    try:
        wanted = network.get_bn_before_relu()
    except NotImplementedError:
        return []
    names = {module: name for name, module in network.named_modules()}
    return [names[norm] for norm in wanted]


@torch.no_grad()
def outputs(network: nn.Module, side: int) -> dict[str, Any]:
    """The published lists end in the pooled vector."""
    (*maps, vector), logits = network(images(side), is_feat=True)
    (*before, _), _ = network(images(side), is_feat=True, preact=True)
    tensors = {f"maps {i}": one for i, one in enumerate(maps)} | {
        f"preactivations {i}": one for i, one in enumerate(before)
    }
    return {name: kept(tensor) for name, tensor in {**tensors, "vector": vector, "logits": logits}.items()}


def lines(content: dict[str, Any]) -> str:
    """JSON with one tensor a line."""
    parts = [
        f"{json.dumps(key)}: {braced(value) if isinstance(value, dict) else json.dumps(value)}"
        for key, value in content.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def braced(values: dict[str, Any]) -> str:
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()) + "\n}"


if __name__ == "__main__":
    main(sys.argv[1])
