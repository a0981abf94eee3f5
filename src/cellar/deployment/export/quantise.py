"""int8 by onnxruntime's static quantisation: weights and activations, scales from calibration images."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import quantization
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType

from cellar.deployment.export.graph import IMAGES

LAYERS = ["Conv", "Gemm", "MatMul"]  # preprocessing and softmax stay as they are


class Images(CalibrationDataReader):  # type: ignore[misc]  # without type hints
    """Images uint8 (N, H, W, 3), one by one."""

    def __init__(self, images: np.ndarray) -> None:
        self.rows: Iterator[np.ndarray] = iter(images)

    def get_next(self) -> dict[str, np.ndarray] | None:
        image = next(self.rows, None)
        return None if image is None else {IMAGES: image[None]}


def quantise(model: onnx.ModelProto, images: np.ndarray) -> onnx.ModelProto:
    """The int8 model: activations of 8 bits, weights of 7, one scale an output channel.

    With the eighth bit of weights, processors without int8 dot products (AVX2, AVX-512 without VNNI) saturate the sum
    of two products, so that the same file would give other numbers on them.
    """
    logging.disable(logging.WARNING)  # which recommends a step that merges batch norm, as the exporter has done
    try:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "int8.onnx"
            quantization.quantize_static(
                model,
                target,
                Images(images),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=LAYERS,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
            )
            return onnx.load(target)
    finally:
        logging.disable(logging.NOTSET)
