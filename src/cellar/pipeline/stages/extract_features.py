"""`cellar extract_features FACES TEACHER`: a teacher's penultimate activations, once for all students.

Of the faces, fp16, memory-mapped by whoever learns from them; of the data set's validation and test images, fp32,
to judge by. No image is augmented: the faces are as many as one likes.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from cellar import config as parameters
from cellar import files, models, paths
from cellar.config.resolved import InputSettings
from cellar.data import prepared
from cellar.data.augmentation.inputs import Images, build_augmentation, to_tensor
from cellar.data.face_images import FaceImages
from cellar.data.face_shards import open_faces
from cellar.engine import run_record, runtime
from cellar.engine.runtime import Progress
from cellar.engine.teacher import FixedBatchTeacher
from cellar.errors import CellarError
from cellar.models.feature_extractor import FeatureExtractor


def run(faces: str, teacher: str) -> None:
    params = parameters.load()
    line, section = params.teacher(teacher), params.faces_of(faces)
    wanted = InputSettings.model_validate(params.input_of(line))
    device = runtime.prepare(params.threads)
    folder, data = paths.features(faces, teacher), paths.prepared(line.dataset)
    trained = paths.trained("teachers", teacher, params.teacher_seed(teacher)) / "weights.safetensors"
    inputs, outputs = (
        [paths.faces(faces), trained, data / "arrays.npz"],
        [folder / "features.npy", folder / "held_out.npz"],
    )
    described = {"model": line.model, "precision": params.precision, "threads": params.threads, **wanted.model_dump()}
    with run_record.record(folder / "run.json", inputs, outputs, described, device=device.type):
        image_set = prepared.load(data)
        model = models.build(line.model, len(image_set.classes))
        models.load_weights(model, trained)
        model = runtime.place(FeatureExtractor(model), device)
        augmentation = build_augmentation(wanted.augmentation, wanted.normalisation)
        pictures = FaceImages(open_faces(paths.faces(faces), section.count), wanted.input_size, device)
        index = np.flatnonzero(image_set.split != "train")
        held_out = to_tensor(image_set.images[index], wanted.input_size, device)
        progress = Progress(f"{faces} {teacher}", len(pictures) + len(held_out))

        def of(images: Images) -> Iterator[np.ndarray]:
            size = params.teacher_cache.batch_size
            network = FixedBatchTeacher(lambda: model, images, augmentation, size, params.precision)
            return activations(network, len(images), progress.advance)

        write_rows(outputs[0], of(pictures), len(pictures))
        files.write_arrays(outputs[1], features=np.concatenate(list(of(held_out))), index=index)
        progress.print_line()


def activations(network: FixedBatchTeacher, count: int, advance: Callable[[int], None]) -> Iterator[np.ndarray]:
    """Activations (b, D) float32 of all images in order, batch after batch."""
    index = torch.arange(count, device=network.images.device)
    for part in network.outputs(index, torch.zeros_like(index)):
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
