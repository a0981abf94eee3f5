"""`cellar extract_features FACES TEACHER`: a teacher's penultimate activations, once for all students.

Of the faces, fp16, memory-mapped by whoever learns from them; of the data set's validation and test images, fp32,
to judge by. No image is augmented: the faces are as many as one likes.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from cellar import config as parameters
from cellar import files, models, paths
from cellar.data import prepared
from cellar.data.augmentation.views import Images, to_tensor, view_set
from cellar.data.face_images import FaceImages
from cellar.data.face_shards import open_faces
from cellar.engine import devices, run_record
from cellar.engine.progress import Progress
from cellar.engine.teacher_logits import Advance, Asker
from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights
from cellar.models.features_of import FeaturesOf


def run(faces: str, teacher: str) -> None:
    params = parameters.load()
    line, section, wanted = params.teacher(teacher), params.faces_of(faces), params.input_of(params.teacher(teacher))
    device = devices.prepare(params.threads)
    folder, data = paths.features(faces, teacher), paths.prepared(line.dataset)
    trained = paths.trained("teachers", teacher, params.teacher_seed(teacher)) / "weights.safetensors"
    inputs, outputs = (
        [paths.faces(faces), trained, data / "arrays.npz"],
        [folder / "features.npy", folder / "held_out.npz"],
    )
    described = {"model": line.model, "precision": params.precision, "threads": params.threads, **wanted}
    with run_record.record(folder / "run.json", inputs, outputs, described, device=device.type):
        image_set = prepared.load(data)
        model = models.build(line.model, len(image_set.classes))
        weights.load_weights(model, trained)
        model = devices.place(FeaturesOf(model), device)
        views = view_set(wanted["augmentation"], wanted["normalisation"])
        pictures = FaceImages(open_faces(paths.faces(faces), section.count), wanted["input_size"], device)
        index = np.flatnonzero(image_set.split != "train")
        held_out = to_tensor(image_set.images[index], wanted["input_size"], device)
        progress = Progress(f"{faces} {teacher}", len(pictures) + len(held_out))

        def of(images: Images) -> Iterator[np.ndarray]:
            asker = Asker(lambda: model, images, views, params.teacher_cache.batch_size, params.precision)
            return activations(asker, len(images), progress.advance)

        write_rows(outputs[0], of(pictures), len(pictures))
        files.write_arrays(outputs[1], features=np.concatenate(list(of(held_out))), index=index)
        progress.say()


def activations(asker: Asker, count: int, advance: Advance) -> Iterator[np.ndarray]:
    """Activations (b, D) float32 of all images in order, batch after batch."""
    index = torch.arange(count, device=asker.images.device)
    for part in asker.batches(index, torch.zeros_like(index)):
        advance(len(part))
        yield part.cpu().numpy()


def write_rows(path: Path, parts: Iterable[np.ndarray], count: int) -> None:
    """An .npy (count, D) float16, written as it comes. Raises CellarError for what float16 cannot hold."""
    with files.atomic(path) as temporary, temporary.open("wb") as file:
        done = 0
        for part in parts:
            if not done:
                header = {"descr": "<f2", "fortran_order": False, "shape": (count, part.shape[1])}
                np.lib.format.write_array_header_1_0(file, header)
            rows = part.astype(np.float16)
            if not np.isfinite(rows).all():
                raise CellarError(f"{path}: the teacher's activations are no numbers of float16; look at its training")
            file.write(rows.data)
            done += len(rows)
