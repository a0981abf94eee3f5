"""An exported student, loaded to be run: images in, probabilities out."""

from pathlib import Path

import numpy as np

from cellar.deployment.export import description
from cellar.deployment.export.description import Description
from cellar.errors import CellarError, reason

FP32, INT8 = "student.onnx", "student.int8.onnx"
BATCH = 64  # images of one run


class Student:
    """`threads`: of a run; 1 gives the same bits on every machine of one kind, more are faster for large batches."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Raises CellarError for a file that is missing, no ONNX model, or no student, whatever its metadata say."""
        import onnxruntime

        if not path.is_file():
            raise CellarError(f"{path} does not exist; give the .onnx file of a student (docs/using.md)")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        try:
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # whose types are onnxruntime's own, without a common one
            raise CellarError(f"{path} is no ONNX model ({reason(error)}); give a student's .onnx file") from None
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.description: Description = description.from_metadata(metadata, str(path))
        if not self.gives_a_value_for_each_class():
            raise CellarError(
                f"{path} is no student of Cellar (from 'images' it does not make a value for each of its classes); "
                "give a file that export_student wrote"
            )

    def gives_a_value_for_each_class(self) -> bool:
        """Metadata can be copied onto any model: a blank image shows what comes out."""
        try:
            given = self.probabilities(np.zeros((1, 32, 32, 3), np.uint8))
        except Exception:  # onnxruntime's, of another input, type or shape
            return False
        return given.shape == (1, len(self.description.classes))

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Images uint8 (N, H, W, 3), red first -> float32 (N, C), rows that add up to 1."""
        parts = [images[first : first + BATCH] for first in range(0, len(images), BATCH)]
        runs = [self.session.run(None, {"images": part})[0] for part in parts]
        return np.concatenate(runs) if runs else np.empty((0, len(self.description.classes)), np.float32)


def in_colour(images: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W) grey or (N, H, W, 3) -> (N, H, W, 3), as a student takes them."""
    return images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=3)
