"""What an exported file says of itself, in the metadata of the ONNX model: classes, licence, preprocessing, origin."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from cellar.errors import CellarError

FORMAT = "cellar student 1"


@dataclass(frozen=True)
class Description:
    """`student`: study/experiment/seed; `weights`: SHA-256 of its safetensors; `input_size`: side in pixels of what the
    network sees, to which the graph resizes; `grey`: the graph turns colours grey first; `normalisation`: its name
    (cellar.data.inputs.augmentation); `precision`: fp32 or int8."""

    classes: tuple[str, ...]
    licence: str
    student: str
    dataset: str
    weights: str
    input_size: int
    grey: bool
    normalisation: str
    synthetic: bool
    precision: str = "fp32"

    def as_metadata(self) -> dict[str, str]:
        """Every value as JSON, but for plain text."""
        values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asdict(self).items()}
        return {"format": FORMAT, **values}


def from_metadata(metadata: Mapping[str, str], name: str) -> Description:
    """What `as_metadata` wrote. Raises CellarError when the file `name` is an ONNX model of another kind."""
    kinds = {field.name: field.type for field in fields(Description)}
    try:
        if metadata["format"] != FORMAT:
            raise ValueError(metadata["format"])
        values: dict[str, Any] = {
            key: metadata[key] if kind is str else json.loads(metadata[key]) for key, kind in kinds.items()
        }
        return Description(**values | {"classes": tuple(map(str, values["classes"]))})
    except (KeyError, ValueError, TypeError):
        raise CellarError(
            f"{name} is no student of Cellar ({FORMAT!r} is not in its metadata); give a file that export_student wrote"
        ) from None
