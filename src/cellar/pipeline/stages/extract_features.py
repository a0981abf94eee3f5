"""`extract_features`: a teacher's penultimate activations, computed once for all students.

Of the faces in float16, memory-mapped by the trainings that use them; of the data set's validation and test images in
float32, for evaluation. No image is augmented: any number of faces can be generated instead.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cellar import paths
from cellar.config import Config
from cellar.config.resolved import InputSettings
from cellar.config.section import Section
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from cellar.engine.teacher import FixedBatchTeacher


class Settings(Section):
    folder: str  # of the outputs
    faces: str  # folder
    face_count: int
    weights: str
    model: str
    model_file: str
    dataset: str
    input: InputSettings
    batch_size: int
    threads: int
    precision: str


def jobs(config: Config) -> Iterator[Job]:
    known = set()
    for params, _, line, _, _ in runs.experiments(config):
        teacher, trained = runs.teacher_of(params, line), params.teacher_of(line)
        if line.faces and teacher and trained and teacher.features not in known:
            known.add(teacher.features)
            faces = params.faces_of(line.faces)
            settings = Settings(
                folder=str(teacher.features),
                faces=str(paths.faces(line.faces)),
                face_count=faces.count,
                weights=teacher.weights,
                model=teacher.model,
                model_file=teacher.model_file,
                dataset=trained.dataset,
                input=teacher.input,
                batch_size=params.teacher_cache.batch_size,
                threads=params.threads,
                precision=params.precision,
            )
            item = Path(settings.folder).relative_to("results/features").as_posix()
            reads = (*runs.data_files(settings.dataset), settings.faces, settings.weights)
            yield Job(item, item, settings, reads, code.of_model(teacher.model, params.study))


def run(settings: Settings) -> Facts:
    import numpy as np

    from cellar import files, models
    from cellar.data.face_images import FaceImages
    from cellar.data.face_shards import open_faces
    from cellar.data.inputs import prepared
    from cellar.data.inputs.augmentation import Images, build_augmentation, to_tensor
    from cellar.engine import runtime
    from cellar.engine.runtime import Progress
    from cellar.engine.teacher import FixedBatchTeacher
    from cellar.models.feature_extractor import FeatureExtractor

    device, folder = runtime.prepare(settings.threads), Path(settings.folder)
    image_set, shown = prepared.load(paths.prepared(settings.dataset)), settings.input
    model = models.build(settings.model, len(image_set.classes), settings.model_file)
    models.load_weights(model, Path(settings.weights))
    model = runtime.place(FeatureExtractor(model), device)
    augmentation = build_augmentation(shown.augmentation, shown.normalisation)
    faces = FaceImages(open_faces(Path(settings.faces), settings.face_count), shown.input_size, device)
    index = np.flatnonzero(image_set.split != "train")
    held_out = to_tensor(image_set.images[index], shown.input_size, device)
    progress = Progress(folder.name, len(faces) + len(held_out))

    def features_of(images: Images) -> Iterator[np.ndarray]:
        teacher = FixedBatchTeacher(lambda: model, images, augmentation, settings.batch_size, settings.precision)
        for part in unaugmented(teacher, len(images)):
            progress.advance(len(part))
            yield part.cpu().numpy()

    write_rows(folder / "features.npy", features_of(faces), len(faces))
    files.write_arrays(folder / "held_out.npz", features=np.concatenate(list(features_of(held_out))), index=index)
    progress.print_line()
    return runtime.device_facts(device, settings.threads)


def unaugmented(teacher: "FixedBatchTeacher", count: int) -> "Iterator[Tensor]":
    """Activations (b, D) float32 of all images in order, batch after batch."""
    import torch

    index = torch.arange(count, device=teacher.images.device)
    return teacher.outputs(index, torch.zeros_like(index))


def write_rows(path: Path, parts: "Iterable[np.ndarray]", count: int) -> None:
    """An .npy (count, D) float16, written part by part. Raises CellarError for values that float16 cannot hold."""
    import numpy as np

    from cellar import files
    from cellar.errors import CellarError

    with files.atomic(path) as temporary, temporary.open("wb") as file:
        done = 0
        for part in parts:
            if not done:
                header = {"descr": "<f2", "fortran_order": False, "shape": (count, part.shape[1])}
                np.lib.format.write_array_header_1_0(file, header)
            rows = part.astype(np.float16)
            if not np.isfinite(rows).all():
                raise CellarError(f"{path}: the teacher's activations overflow float16; look at its training")
            file.write(rows.data)
            done += len(rows)


KIND = StageKind(
    "extract_features",
    jobs,
    Settings,
    run,
    (
        *code.FILES,
        *code.INPUTS,
        *code.ENGINE,
        *code.NETWORKS,
        "src/cellar/data/face_shards.py",
        "src/cellar/data/face_images.py",
        "src/cellar/models/feature_extractor.py",
    ),
    outs=("results/features/{item}/features.npy", "results/features/{item}/held_out.npz"),
    torch=True,
)
