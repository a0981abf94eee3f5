"""`cellar pretrain_student EXPERIMENT --seed S`: a student that learns a teacher's features on faces without labels.

The first of two steps (small-dataset study, 5.6); the second is a line that starts from this one and is frozen.
"""

from pathlib import Path

import numpy as np
import torch

from cellar import config as parameters
from cellar import models, paths
from cellar.config import Experiment, Params
from cellar.data import prepared
from cellar.data.augmentation.views import to_tensor, view_set
from cellar.data.face_images import FaceImages
from cellar.data.face_shards import open_faces
from cellar.data.image_set import ImageSet
from cellar.engine import devices
from cellar.engine.fit import Lesson, open_model, settings_of, train
from cellar.engine.inference import Split
from cellar.engine.samplers import RandomImages
from cellar.errors import CellarError
from cellar.files import read_arrays
from cellar.methods.judges.features import OnFeatures
from cellar.methods.objectives.features import FeatureDistillation
from cellar.models.features_of import FeaturesOf

UNAUGMENTED = 1  # views of a face: faces are as many as one likes


def run(experiment: str, seed: int) -> None:
    params = parameters.load()
    line = params.experiment_by(experiment, "features")
    features, wanted = line.features, params.input_of(line)
    assert features is not None and line.teacher is not None
    models.check_input_size(line.model, wanted["input_size"])
    known, pictures = paths.features(features.faces, line.teacher), paths.faces(features.faces)

    def prepare_lesson(device: torch.device) -> Lesson:
        image_set = prepared.load(paths.prepared(line.dataset))
        model = devices.place(FeaturesOf(open_model(line, len(image_set.classes), None, seed, device)), device)
        faces = FaceImages(open_faces(pictures, params.faces_of(features.faces).count), wanted["input_size"], device)
        unlabelled = torch.zeros(len(faces), dtype=torch.long, device=device)
        split = Split(faces, unlabelled, view_set(wanted["augmentation"], wanted["normalisation"]))
        sampler = RandomImages(features.images_per_epoch, len(faces), UNAUGMENTED, seed, device)
        objective = FeatureDistillation(open_targets(known / "features.npy", len(faces)), features.loss)
        judge = judge_on(line, params, image_set, known, "validation", device)
        return Lesson(model, split, objective, sampler, judge if len(judge.wanted) else None)

    inputs = [paths.prepared(line.dataset) / "arrays.npz", pictures, known / "features.npy", known / "held_out.npz"]
    folder = paths.trained("students", experiment, seed)
    train(folder, settings_of(line, params), params.recipes[line.recipe], params, seed, inputs, prepare_lesson)


def open_targets(path: Path, faces: int) -> np.ndarray:
    """The teacher's activations of all faces, memory-mapped. Raises CellarError when they are of other faces."""
    targets: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    if len(targets) != faces:
        raise CellarError(f"{path} is of {len(targets)} faces, not {faces}; extract the features again")
    return targets


def judge_on(
    line: Experiment, params: Params, image_set: ImageSet, known: Path, name: str, device: torch.device
) -> OnFeatures:
    """Compares with the teacher's activations of one split of the data set's own images."""
    held_out, wanted = read_arrays(known / "held_out.npz"), params.input_of(line)
    chosen = image_set.split[held_out["index"]] == name
    index = held_out["index"][chosen]
    images = to_tensor(image_set.images[index], wanted["input_size"], device)
    labels = torch.from_numpy(image_set.labels[index]).to(device)
    split = Split(images, labels, view_set(wanted["augmentation"], wanted["normalisation"]))
    bounded = line.features is not None and line.features.loss == "bce"
    return OnFeatures(split, held_out["features"][chosen], bounded, params.precision)
