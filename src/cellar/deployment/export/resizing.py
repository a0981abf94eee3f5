"""Resizing in an ONNX graph, to the bit as torchvision resizes the images of a data set: bilinear, antialiased, in
integers.

As PyTorch has it for uint8 (aten/native/cpu/UpSampleKernel.cpp): first the rows, then the columns; the weights of each
output pixel are a triangle as wide as the pixel, at least one of the source, rounded to 15 bits; each pass is rounded
to 8 bits. onnxruntime's own Resize has other weights, and differs by a level in one of a hundred pixels.
"""

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

WEIGHT_BITS, MOST_BITS = 15, 22


def constants(size: int) -> list[TensorProto]:
    values = {
        "size": np.float64(size),
        "middles": (np.arange(size) + 0.5).reshape(size, 1),
        "zero": np.float64(0),
        "half": np.float64(0.5),
        "one": np.float64(1),
        "two": np.float64(2),
        "log_2": np.log(np.float64(2)),
        "largest_weight": np.float64(2**WEIGHT_BITS - 0.5),
        "most_bits": np.float64(MOST_BITS),
        "white_level": np.float64(255),
        "across": np.array([1], np.int64),
    }
    return [numpy_helper.from_array(np.asarray(value), f"resize/{name}") for name, value in values.items()]


def steps(images: str, resized: str) -> Iterator[NodeProto]:
    """uint8 (N, C, H, W) -> float64 whole numbers (N, C, size, size)."""
    yield node("Cast", [images], "resize/pixels", to=TensorProto.DOUBLE)
    yield node("Shape", [images], "resize/width", start=3, end=4)
    yield node("Shape", [images], "resize/height", start=2, end=3)
    yield from weights("width")
    yield node("Transpose", ["resize/width/weights"], "resize/width/columns", perm=[1, 0])
    yield from rounded("width", ["resize/pixels", "resize/width/columns"], "resize/narrow")
    yield from weights("height")
    yield from rounded("height", ["resize/height/weights", "resize/narrow"], resized)


def weights(side: str) -> Iterator[NodeProto]:
    """weights (size, length): whole numbers; unit: what they add up to in a row, a power of two."""
    own = f"resize/{side}"
    yield node("Cast", [own], f"{own}/lengths", to=TensorProto.DOUBLE)
    yield node("Squeeze", [f"{own}/lengths"], f"{own}/length")
    yield node("Range", ["resize/zero", f"{own}/length", "resize/one"], f"{own}/places")
    yield node("Div", [f"{own}/length", "resize/size"], f"{own}/scale")
    yield node("Max", [f"{own}/scale", "resize/one"], f"{own}/reach")
    yield node("Mul", ["resize/middles", f"{own}/scale"], f"{own}/centres")
    yield node("Sub", [f"{own}/places", f"{own}/centres"], f"{own}/offsets")
    yield node("Add", [f"{own}/offsets", "resize/half"], f"{own}/distances")
    yield node("Div", [f"{own}/distances", f"{own}/reach"], f"{own}/relative")
    yield node("Abs", [f"{own}/relative"], f"{own}/absolute")
    yield node("Sub", ["resize/one", f"{own}/absolute"], f"{own}/slopes")
    yield node("Max", [f"{own}/slopes", "resize/zero"], f"{own}/triangle")
    yield node("ReduceSum", [f"{own}/triangle", "resize/across"], f"{own}/sums", keepdims=1)
    yield node("Div", [f"{own}/triangle", f"{own}/sums"], f"{own}/shares")
    yield from unit(own)
    yield node("Mul", [f"{own}/shares", f"{own}/unit"], f"{own}/scaled")
    yield node("Add", [f"{own}/scaled", "resize/half"], f"{own}/raised")
    yield node("Floor", [f"{own}/raised"], f"{own}/weights")


def unit(own: str) -> Iterator[NodeProto]:
    """The largest power of two, 2**22 at most, by which the largest weight still fits into 15 bits when it is
    rounded."""
    yield node("ReduceMax", [f"{own}/shares"], f"{own}/largest", keepdims=0)
    yield node("Div", ["resize/largest_weight", f"{own}/largest"], f"{own}/room")
    yield node("Log", [f"{own}/room"], f"{own}/log")
    yield node("Div", [f"{own}/log", "resize/log_2"], f"{own}/exponent")
    yield node("Ceil", [f"{own}/exponent"], f"{own}/above")
    yield node("Sub", [f"{own}/above", "resize/one"], f"{own}/fitting")
    yield node("Min", [f"{own}/fitting", "resize/most_bits"], f"{own}/bits")
    yield node("Pow", ["resize/two", f"{own}/bits"], f"{own}/unit")


def rounded(side: str, factors: list[str], result: str) -> Iterator[NodeProto]:
    """The product of two matrices, in units, rounded to levels from 0 to 255. float64 holds all of it exactly."""
    own = f"resize/{side}"
    yield node("MatMul", factors, f"{own}/product")
    yield node("Div", [f"{own}/product", f"{own}/unit"], f"{own}/mean")
    yield node("Add", [f"{own}/mean", "resize/half"], f"{own}/lifted")
    yield node("Floor", [f"{own}/lifted"], f"{own}/whole")
    yield node("Min", [f"{own}/whole", "resize/white_level"], result)


def node(kind: str, inputs: list[str], output: str, **how: object) -> NodeProto:
    return helper.make_node(kind, inputs, [output], **how)
