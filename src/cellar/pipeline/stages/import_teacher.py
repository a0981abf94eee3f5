"""`import_teacher`: published weights instead of a training of one's own; the file is read, never executed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cellar.config import Config
from cellar.config.section import Section
from cellar.errors import CellarError
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind

if TYPE_CHECKING:
    from torch import nn

CODE = ("src/cellar/data/class_names.py", "src/cellar/models/outputs.py")
HEADER = "epoch,train_loss,validation_loss,validation_accuracy,learning_rate,chosen\n"  # of a history without epochs


class Settings(Section):
    """`classes`: what the file's outputs stand for; None or `as_dataset`: the data set's classes in its own order."""

    key: str
    seed: int
    dataset: str
    layout: str
    model: str
    model_file: str
    input_size: int
    weights: str
    classes: list[str] | str | None = None  # resolved settings leave out what is None
    weights_key: str | None = None
    normalisation: str
    threads: int


def jobs(config: Config) -> Iterator[Job]:
    from cellar.pipeline import class_order  # which needs the readers of data sets, slow to import

    for params, name, line, seed in runs.teachers(config):
        if line.weights is not None:
            class_order.check(params, name, line)
            trained = runs.training(params, "teachers", name, line, seed)
            settings = Settings(
                key=name,
                seed=seed,
                dataset=line.dataset,
                layout=params.datasets[line.dataset].layout,
                model=line.model,
                model_file=trained.model_file,
                input_size=trained.input.input_size,
                weights=line.weights,
                classes=line.classes,
                weights_key=line.weights_key,
                normalisation=trained.input.normalisation,
                threads=params.threads,
            )
            reads, own = (*runs.data_files(line.dataset), line.weights), code.of_model(line.model, params.study)
            yield Job(f"{name}/seed-{seed}", f"{name}/seed-{seed}", settings, reads, own)


def run(settings: Settings) -> Facts:
    """Write the file's tensors as safetensors, its outputs in the order of the data set's classes, and a history without
    epochs."""
    import numpy as np

    from cellar import files, models, paths
    from cellar.data.inputs import prepared
    from cellar.engine import runtime

    models.check_input_size(settings.model, settings.input_size, settings.model_file)
    runtime.prepare(settings.threads)
    folder = paths.trained("teachers", settings.key, settings.seed)
    classes = prepared.load(paths.prepared(settings.dataset)).classes
    model = load(settings, classes)
    for name in ("weights.safetensors", "last.safetensors"):
        files.write_tensors(folder / name, model.state_dict())
    files.write_text(folder / "history.csv", HEADER)
    files.write_arrays(folder / "losses.npz", loss=np.empty(0, np.float32))
    return {"seed": settings.seed}


def load(settings: Settings, classes: tuple[str, ...]) -> "nn.Module":
    """The network with the file's weights. Raises CellarError when it has another number of outputs than the data set has
    classes, or their names do not match."""
    from pathlib import Path

    from cellar import models
    from cellar.data import class_names
    from cellar.models import outputs
    from cellar.models.checkpoint_files import weights

    path, axes = Path(settings.weights), outputs.class_axes(settings.model, settings.model_file)
    found = (outputs.width(one.state, axes) for one in weights.read_candidates(path, numbers=False))
    widths = {width for width in found if width is not None}
    if widths and len(classes) not in widths:
        raise CellarError(
            f"{path} has {min(widths)} outputs, but {settings.dataset} has {len(classes)} classes "
            f"({class_names.listed(classes)}); give weights of a network with these classes"
        )
    model = models.build(settings.model, len(classes), settings.model_file)
    weights.load_weights(model, path, settings.normalisation, settings.weights_key)
    if isinstance(settings.classes, list):
        try:
            order = class_names.match(settings.classes, classes, settings.layout)
        except CellarError as error:
            raise CellarError(f"teachers.{settings.key}.classes in params.yaml: {error}") from None
        outputs.reorder(model, axes, order)
    return model


KIND = StageKind(
    "import_teacher",
    jobs,
    Settings,
    run,
    (*code.FILES, *code.INPUTS, *code.NETWORKS, *code.STARTING, *CODE, "src/cellar/engine/runtime.py"),
    *runs.trained("teachers"),
    torch=True,
)
