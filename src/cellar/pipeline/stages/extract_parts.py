"""`cellar extract_parts TEACHER`: activations of eyes, noses and mouths, of the teacher and of its network untrained.

The experiment of section 3 of the small-dataset study: 20 faces, 60 parts; its figure 3 is drawn from them.
"""

import numpy as np
import torch
from torch import nn

from cellar import config as parameters
from cellar import files, models, paths
from cellar.data import prepared
from cellar.data.augmentation.views import to_tensor, view_set
from cellar.data.face_parts import cut_parts, faces_to_cut
from cellar.engine import devices, inference, run_record
from cellar.models.checkpoint_files import weights
from cellar.models.features_of import FeaturesOf
from cellar.seeding import derive

FACES = 20  # section 3


def run(teacher: str) -> None:
    params = parameters.load()
    line, seed = params.teacher(teacher), params.teacher_seed(teacher)
    device, wanted = devices.prepare(params.threads), params.input_of(line)
    data, output = paths.prepared(line.dataset), paths.part_activations(teacher)
    trained = paths.trained("teachers", teacher, seed) / "weights.safetensors"
    described = {"model": line.model, "threads": params.threads, **wanted}
    with run_record.record(
        output.with_name("run.json"), [data / "arrays.npz", trained], [output], described, device=device.type
    ):
        image_set = prepared.load(data)
        faces = image_set.images[faces_to_cut(image_set.labels, image_set.split, FACES)]
        parts, names = cut_parts(faces)
        images = to_tensor(parts, wanted["input_size"], device)
        views = view_set(wanted["augmentation"], wanted["normalisation"])

        def activations(model: nn.Module) -> np.ndarray:
            model = devices.place(FeaturesOf(model), device)
            return inference.predict(model, images, views, len(images)).cpu().numpy()

        torch.manual_seed(derive(seed, "initial weights"))
        untrained = models.build(line.model, len(image_set.classes))
        before = activations(untrained)
        weights.load_weights(untrained, trained)
        files.write_arrays(output, untrained=before, trained=activations(untrained), part=names, images=faces)
