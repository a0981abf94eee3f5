"""`cellar extract_parts TEACHER`: activations of eyes, noses and mouths, of the teacher and of its network untrained.

The experiment of section 3 of the small-dataset study: 20 faces, 60 parts; its figure 3 is drawn from them.
"""

import numpy as np
import torch
from torch import nn

from cellar import config as parameters
from cellar import files, models, paths
from cellar.config.resolved import InputSettings
from cellar.data import prepared
from cellar.data.augmentation.inputs import build_augmentation, to_tensor
from cellar.data.face_parts import cut_parts, faces_to_cut
from cellar.engine import run_record, runtime
from cellar.models.feature_extractor import FeatureExtractor
from cellar.seeding import derive

FACES = 20  # section 3


def run(teacher: str) -> None:
    params = parameters.load()
    line, seed = params.teacher(teacher), params.teacher_seed(teacher)
    device, wanted = runtime.prepare(params.threads), InputSettings.model_validate(params.input_of(line))
    data, output = paths.prepared(line.dataset), paths.part_activations(teacher)
    trained = paths.trained("teachers", teacher, seed) / "weights.safetensors"
    described = {"model": line.model, "threads": params.threads, **wanted.model_dump()}
    with run_record.record(
        output.with_name("run.json"), [data / "arrays.npz", trained], [output], described, device=device.type
    ):
        image_set = prepared.load(data)
        faces = image_set.images[faces_to_cut(image_set.labels, image_set.split, FACES)]
        parts, names = cut_parts(faces)
        images = to_tensor(parts, wanted.input_size, device)
        augmentation = build_augmentation(wanted.augmentation, wanted.normalisation)

        def activations(model: nn.Module) -> np.ndarray:
            model = runtime.place(FeatureExtractor(model), device)
            return runtime.predict(model, images, augmentation, len(images)).cpu().numpy()

        torch.manual_seed(derive(seed, "initial weights"))
        untrained = models.build(line.model, len(image_set.classes))
        before = activations(untrained)
        models.load_weights(untrained, trained)
        files.write_arrays(output, untrained=before, trained=activations(untrained), part=names, images=faces)
