"""Trained weights -> student.onnx and student.int8.onnx."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from torch import nn

from cellar import files, models, paths
from cellar.data.inputs import prepared
from cellar.data.inputs.augmentation import build_augmentation
from cellar.deployment.export import graph, quantise
from cellar.deployment.export.description import Description
from cellar.deployment.export.session import FP32, INT8, in_colour
from cellar.deployment.export.settings import ExportSettings
from cellar.engine import runtime
from cellar.engine.setup import load_method


def run(settings: ExportSettings) -> dict[str, Any]:
    """Write both files of a student; return facts for the run record."""
    student = settings.student
    runtime.prepare(student.threads)
    image_set = prepared.load(paths.prepared(student.dataset))
    weights = paths.trained(student.kind, student.key, student.seed) / "weights.safetensors"
    method = load_method(student.method, student.method_file)
    outputs = method.num_outputs(len(image_set.classes))
    network = method.wrap(models.build(student.model, outputs, student.model_file))
    models.load_weights(network, weights)
    about = Description(
        classes=image_set.classes,
        licence=settings.licence,
        student=f"{student.key}/seed-{student.seed}",
        dataset=student.dataset,
        weights=files.hash_file(weights),
        input_size=student.input.input_size,
        grey=settings.grey,
        normalisation=student.input.normalisation,
        synthetic=settings.synthetic,
    )
    folder = paths.export(settings.item)
    write_fp32(network, about, folder / FP32)
    images = calibration_images(image_set, settings.calibration_images)
    write_int8(folder / FP32, about, images, folder / INT8)
    versions = {package.__name__: package.__version__ for package in (onnx, onnxruntime)}
    return {"threads": student.threads, "device": "cpu", "optional_versions": versions}


def calibration_images(image_set: prepared.ImageSet, most: int) -> np.ndarray:
    """At most so many images uint8 (N, H, W, 3), evenly spread over the validation images, or over the training images
    where none are held out."""
    rows = np.flatnonzero(image_set.split == "validation")
    rows = rows if len(rows) else np.flatnonzero(image_set.split == "train")
    spread = np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)
    return in_colour(image_set.images[rows[spread]])


def write_fp32(network: nn.Module, about: Description, target: Path) -> None:
    """`network`: (B, 3, S, S) -> logits (B, C), with its weights."""
    augmentation = build_augmentation("flip", about.normalisation)  # of which normalisation alone is exported
    model = graph.build(network.eval(), augmentation, about.input_size, about.grey)
    save(model, about, target)


def write_int8(fp32: Path, about: Description, images: np.ndarray, target: Path) -> None:
    """`images`: uint8 (N, H, W, 3), on which the ranges of the activations are measured."""
    save(quantise.quantise(onnx.load(fp32), images), replace(about, precision="int8"), target)


def save(model: onnx.ModelProto, about: Description, target: Path) -> None:
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, about.as_metadata())
    model.producer_name, model.producer_version = "cellar", ""
    onnx.checker.check_model(model)
    with files.atomic(target) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
