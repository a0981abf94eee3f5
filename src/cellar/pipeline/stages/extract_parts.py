"""`extract_parts`: activations of a trained and an untrained network for parts cut from faces (eyes, noses, mouths)."""

from collections.abc import Iterator
from pathlib import Path

from cellar import paths
from cellar.config import Config
from cellar.config.resolved import InputSettings
from cellar.config.section import Section
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind

FACES = 20  # of which the parts are cut
OUTPUT = "results/features/parts/{item}/activations.npz"


class Settings(Section):
    teacher: str
    seed: int
    weights: str
    model: str
    model_file: str
    dataset: str
    input: InputSettings
    threads: int


def jobs(config: Config) -> Iterator[Job]:
    """Of the teachers whose activations a figure shows."""
    from cellar import figures

    shown = figures.read_by_any(config)
    for params, name, line, seed in runs.teachers(config):
        if OUTPUT.format(item=name) in shown and seed == params.teacher_seed(name):
            trained = runs.training(params, "teachers", name, line, seed)
            settings = Settings(
                teacher=name,
                seed=seed,
                weights=str(paths.trained("teachers", name, seed) / runs.WEIGHTS),
                model=line.model,
                model_file=trained.model_file,
                dataset=line.dataset,
                input=trained.input,
                threads=params.threads,
            )
            reads = (*runs.data_files(line.dataset), settings.weights)
            yield Job(name, name, settings, reads, code.of_model(line.model, params.study))


def run(settings: Settings) -> Facts:
    import numpy as np
    import torch
    from torch import nn

    from cellar import files, models
    from cellar.data.face_parts import cut_parts, faces_to_cut
    from cellar.data.inputs import prepared
    from cellar.data.inputs.augmentation import build_augmentation, to_tensor
    from cellar.engine import runtime
    from cellar.models.feature_extractor import FeatureExtractor
    from cellar.seeding import derive

    device, shown = runtime.prepare(settings.threads), settings.input
    image_set = prepared.load(paths.prepared(settings.dataset))
    faces = image_set.images[faces_to_cut(image_set.labels, image_set.split, FACES)]
    parts, names = cut_parts(faces)
    images = to_tensor(parts, shown.input_size, device)
    augmentation = build_augmentation(shown.augmentation, shown.normalisation)

    def activations(model: nn.Module) -> np.ndarray:
        model = runtime.place(FeatureExtractor(model), device)
        return runtime.predict(model, images, augmentation, len(images)).cpu().numpy()

    torch.manual_seed(derive(settings.seed, "initial weights"))
    network = models.build(settings.model, len(image_set.classes), settings.model_file)
    before = activations(network)
    models.load_weights(network, Path(settings.weights))
    output = Path(OUTPUT.format(item=settings.teacher))
    files.write_arrays(output, untrained=before, trained=activations(network), part=names, images=faces)
    return {"seed": settings.seed, **runtime.device_facts(device, settings.threads)}


KIND = StageKind(
    "extract_parts",
    jobs,
    Settings,
    run,
    (
        *code.FILES,
        *code.INPUTS,
        *code.ENGINE,
        *code.NETWORKS,
        "src/cellar/data/face_parts.py",
        "src/cellar/models/feature_extractor.py",
    ),
    outs=(OUTPUT,),
    torch=True,
)
