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
            yield Job(name, name, settings, reads, code.of_model(line.model, trained.model_file))


def run(settings: Settings) -> Facts:
    import numpy as np
    import torch
    from torch import nn

    from cellar import files, models
    from cellar.data import prepared
    from cellar.data.augmentation.views import to_tensor, view_set
    from cellar.data.face_parts import cut_parts, faces_to_cut
    from cellar.engine import devices, inference
    from cellar.models.checkpoint_files import weights
    from cellar.models.features_of import FeaturesOf
    from cellar.seeding import derive

    device, shown = devices.prepare(settings.threads), settings.input
    image_set = prepared.load(paths.prepared(settings.dataset))
    faces = image_set.images[faces_to_cut(image_set.labels, image_set.split, FACES)]
    parts, names = cut_parts(faces)
    images = to_tensor(parts, shown.input_size, device)
    views = view_set(shown.model_dump()["augmentation"], shown.normalisation)

    def activations(model: nn.Module) -> np.ndarray:
        model = devices.place(FeaturesOf(model), device)
        return inference.predict(model, images, views, len(images)).cpu().numpy()

    torch.manual_seed(derive(settings.seed, "initial weights"))
    network = models.build(settings.model, len(image_set.classes), settings.model_file)
    before = activations(network)
    weights.load_weights(network, Path(settings.weights))
    output = Path(OUTPUT.format(item=settings.teacher))
    files.write_arrays(output, untrained=before, trained=activations(network), part=names, images=faces)
    return {"seed": settings.seed, "device": device.type, "device_name": devices.name(device)}


KIND = StageKind(
    "extract_parts",
    jobs,
    Settings,
    run,
    (
        *code.GROUND,
        *code.IMAGES,
        *code.AUGMENTATION,
        *code.ENGINE,
        *code.MODELS,
        "src/cellar/data/face_parts.py",
        "src/cellar/models/features_of.py",
    ),
    outs=(OUTPUT,),
    torch=True,
)
