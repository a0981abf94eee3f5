"""`extract_features`: a teacher's penultimate activations of the data set's validation and test images, float32.

Computed once, for the evaluation of all students; of the faces that these learn on, each training computes its own.
"""

from collections.abc import Iterator
from pathlib import Path

from cellar import paths
from cellar.config import Config
from cellar.config.resolved import InputSettings
from cellar.config.section import Section
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind


class Settings(Section):
    folder: str  # of the outputs
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
            settings = Settings(
                folder=str(teacher.features),
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
            reads = (*runs.data_files(settings.dataset), settings.weights)
            yield Job(item, item, settings, reads, code.of_model(teacher.model, params.study))


def run(settings: Settings) -> Facts:
    import numpy as np
    import torch

    from cellar import files, models
    from cellar.data.inputs import prepared
    from cellar.data.inputs.augmentation import build_augmentation, to_tensor
    from cellar.engine import runtime
    from cellar.engine.runtime import Progress
    from cellar.engine.teacher import FixedBatchTeacher
    from cellar.models.feature_extractor import FeatureExtractor

    device, folder = runtime.prepare(settings.threads), Path(settings.folder)
    image_set, shown = prepared.load(paths.prepared(settings.dataset)), settings.input
    model = models.build(settings.model, len(image_set.classes), settings.model_file)
    models.load_weights(model, Path(settings.weights))
    batch = (settings.batch_size, 3, shown.input_size, shown.input_size)
    model = runtime.place(FeatureExtractor(model), device, batch, settings.precision)
    rows = np.flatnonzero(image_set.split != "train")
    images = to_tensor(image_set.images[rows], shown.input_size, device)
    augmentation = build_augmentation(shown.augmentation, shown.normalisation)
    teacher = FixedBatchTeacher(lambda: model, images, augmentation, settings.batch_size, settings.precision)
    progress, parts, index = Progress(folder.name, len(images)), [], torch.arange(len(images), device=device)
    for part in teacher.outputs(index, torch.zeros_like(index)):  # unaugmented
        parts.append(part.cpu().numpy())
        progress.advance(len(part))
    files.write_arrays(folder / "held_out.npz", features=np.concatenate(parts), index=rows)
    progress.print_line()
    return runtime.device_facts(device, settings.threads)


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
        "src/cellar/models/feature_extractor.py",
    ),
    outs=("results/features/{item}/held_out.npz",),
    torch=True,
)
