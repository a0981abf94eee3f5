"""The optional packages that exporting and using a student needs: the extra `using`, which the pipeline does
without."""

from importlib.util import find_spec

from cellar.errors import CellarError

EXPORT = ("onnx", "onnxscript", "onnxruntime")
PREDICT = ("onnxruntime", "cv2")
NAMES = {"cv2": "opencv-python-headless"}


def need(modules: tuple[str, ...], what: str) -> None:
    """Raises CellarError, one line, that names the packages which `what` lacks."""
    missing = [NAMES.get(module, module) for module in modules if find_spec(module) is None]
    if missing:
        raise CellarError(f"{what} needs {', '.join(missing)}; install the optional packages: make using")
