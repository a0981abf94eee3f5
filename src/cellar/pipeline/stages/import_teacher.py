"""`import_teacher`: published weights instead of a training of one's own; the file is read, never executed."""

from collections.abc import Iterator

from cellar.config import Config
from cellar.config.section import Section
from cellar.pipeline import code, runs
from cellar.pipeline.stage import Facts, Job, StageKind

HEADER = "epoch,train_loss,validation_loss,validation_accuracy,learning_rate,chosen\n"  # of a history without epochs


class Settings(Section):
    key: str
    seed: int
    dataset: str
    model: str
    model_file: str
    input_size: int
    weights: str
    weights_key: str | None = None
    normalisation: str
    threads: int


def jobs(config: Config) -> Iterator[Job]:
    for params, name, line, seed in runs.teachers(config):
        if line.weights is not None:
            trained = runs.training(params, "teachers", name, line, seed)
            settings = Settings(
                key=name,
                seed=seed,
                dataset=line.dataset,
                model=line.model,
                model_file=trained.model_file,
                input_size=trained.input.input_size,
                weights=line.weights,
                weights_key=line.weights_key,
                normalisation=trained.input.normalisation,
                threads=params.threads,
            )
            reads, own = (*runs.data_files(line.dataset), line.weights), code.of_model(line.model, params.study)
            yield Job(f"{name}/seed-{seed}", f"{name}/seed-{seed}", settings, reads, own)


def run(settings: Settings) -> Facts:
    """Write the file's tensors as safetensors, and a history without epochs."""
    from pathlib import Path

    import numpy as np

    from cellar import files, models, paths
    from cellar.data.inputs import prepared
    from cellar.engine import runtime
    from cellar.models.checkpoint_files import weights

    models.check_input_size(settings.model, settings.input_size, settings.model_file)
    runtime.prepare(settings.threads)
    folder = paths.trained("teachers", settings.key, settings.seed)
    classes = prepared.load(paths.prepared(settings.dataset)).classes
    model = models.build(settings.model, len(classes), settings.model_file)
    weights.load_weights(model, Path(settings.weights), settings.normalisation, settings.weights_key)
    for name in ("weights.safetensors", "last.safetensors"):
        files.write_tensors(folder / name, model.state_dict())
    files.write_text(folder / "history.csv", HEADER)
    files.write_arrays(folder / "losses.npz", loss=np.empty(0, np.float32))
    return {"seed": settings.seed}


KIND = StageKind(
    "import_teacher",
    jobs,
    Settings,
    run,
    (*code.FILES, *code.INPUTS, *code.NETWORKS, *code.STARTING, "src/cellar/engine/runtime.py"),
    outs=(
        "results/teachers/{item}/weights.safetensors",
        "results/teachers/{item}/last.safetensors",
        "results/teachers/{item}/losses.npz",
    ),
    plots={"results/teachers/{item}/history.csv": {"x": "epoch", "y": "validation_loss"}},
    torch=True,
)
