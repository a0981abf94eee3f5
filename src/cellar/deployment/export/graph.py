"""A trained student as an ONNX graph: images uint8 (N, H, W, 3) red, green, blue in, probabilities float32 (N, C) out.

Preprocessing is part of the graph, so whoever runs the file cannot get it wrong: grey where the student learnt grey
images (in integers, as Pillow's mode L), resized as its data set was (cellar.deployment.export.resizing), normalised.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import torch
from onnx import NodeProto, TensorProto, compose, helper, numpy_helper
from torch import nn

from cellar.data.inputs.augmentation import FiniteAugmentation
from cellar.deployment.export import resizing

OPSET, IR_VERSION = 18, 10
LUMA, HALF, WHOLE = (19595, 38470, 7471), 1 << 15, 1 << 16  # ITU-R BT.601 in 16 bits, as Pillow has it
IMAGES, INPUTS, PROBABILITIES = "images", "inputs", "probabilities"


def build(network: nn.Module, augmentation: FiniteAugmentation, input_size: int, grey: bool) -> onnx.ModelProto:
    """The whole graph of a network in evaluation mode, (B, 3, S, S) -> logits (B, C); the same bytes every time."""
    before = preprocessing(augmentation, input_size, grey)
    after = compose.add_prefix(exported(network, input_size), "network/", rename_inputs=False, rename_outputs=False)
    whole = compose.merge_models(before, after, io_map=[(INPUTS, INPUTS)])
    del whole.opset_import[1:]  # each half's, the same twice
    return whole


def preprocessing(augmentation: FiniteAugmentation, size: int, grey: bool) -> onnx.ModelProto:
    """Images uint8 (N, H, W, 3) -> inputs float32 (N, 3, size, size)."""
    constants: dict[str, Any] = {
        "white": np.float32(255),
        "mean": np.array(augmentation.mean, np.float32).reshape(1, 3, 1, 1),
        "std": np.array(augmentation.std, np.float32).reshape(1, 3, 1, 1),
    }
    if grey:
        constants |= {
            "channels": np.array([1], np.int64),
            "luma": np.array(LUMA, np.int32),
            "colours": np.array([3], np.int64),
        }
        constants |= {"half": np.int32(HALF), "whole": np.int32(WHOLE)}
    if augmentation.blue_first:
        constants["blue_first"] = np.array([2, 1, 0], np.int64)
    graph = helper.make_graph(
        list(steps(grey, augmentation.blue_first)),
        "preprocessing",
        [helper.make_tensor_value_info(IMAGES, TensorProto.UINT8, ["N", "H", "W", 3])],
        [helper.make_tensor_value_info(INPUTS, TensorProto.FLOAT, ["N", 3, size, size])],
        [
            *(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()),
            *resizing.constants(size),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def steps(grey: bool, blue_first: bool) -> Iterator[NodeProto]:
    yield from grey_plane() if grey else colour_planes()
    yield from resizing.steps("planes", "resized")
    node = helper.make_node
    yield node("Cast", ["resized"], ["float"], to=TensorProto.FLOAT)
    yield node("Div", ["float", "white"], ["unit"])
    yield node("Sub", ["unit", "mean"], ["centred"])  # mean and std have three channels, and make three of a grey one
    yield node("Div", ["centred", "std"], ["normalised" if blue_first else INPUTS])
    if blue_first:
        yield node("Gather", ["normalised", "blue_first"], [INPUTS], axis=1)


def grey_plane() -> Iterator[NodeProto]:
    """Images (N, H, W, 3) -> planes uint8 (N, 1, H, W)."""
    node = helper.make_node
    yield node("Cast", [IMAGES], ["levels"], to=TensorProto.INT32)
    yield node("Mul", ["levels", "luma"], ["weighted"])
    yield node("ReduceSum", ["weighted", "colours"], ["sum"], keepdims=0)
    yield node("Add", ["sum", "half"], ["rounded"])
    yield node("Div", ["rounded", "whole"], ["divided"])
    yield node("Cast", ["divided"], ["grey"], to=TensorProto.UINT8)
    yield node("Unsqueeze", ["grey", "channels"], ["planes"])


def colour_planes() -> Iterator[NodeProto]:
    """Images (N, H, W, 3) -> planes uint8 (N, 3, H, W)."""
    yield helper.make_node("Transpose", [IMAGES], ["planes"], perm=[0, 3, 1, 2])


def exported(network: nn.Module, size: int) -> onnx.ModelProto:
    """Inputs float32 (N, 3, size, size) -> probabilities (N, C), without what the exporter notes of source files."""
    program = torch.onnx.export(
        nn.Sequential(network, nn.Softmax(dim=1)).eval(),
        (torch.zeros(2, 3, size, size),),
        dynamo=True,
        verbose=False,
        opset_version=OPSET,
        input_names=[INPUTS],
        output_names=[PROBABILITIES],
        dynamic_shapes=({0: torch.export.Dim("N")},),
    )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    model.ir_version = IR_VERSION
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info, graph, model):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model
