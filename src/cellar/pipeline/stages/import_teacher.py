"""`cellar import_teacher TEACHER --seed S`: published weights instead of a training of our own."""

from pathlib import Path

import numpy as np

from cellar import config as parameters
from cellar import files, models, paths
from cellar.data import prepared
from cellar.engine import run_record, runtime
from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights


def run(teacher: str, seed: int) -> None:
    """Write the given file's tensors as safetensors; the file is read without executing what it holds."""
    params = parameters.load()
    line = params.teacher(teacher)
    if line.weights is None:
        raise CellarError(f"teachers.{teacher} gives no weights; train it with: cellar train_teacher {teacher}")
    models.check_input_size(line.model, params.input_of(line)["input_size"])
    runtime.prepare(params.threads)
    folder, source = paths.trained("teachers", teacher, seed), Path(line.weights)
    outputs = [folder / name for name in ("weights.safetensors", "last.safetensors", "history.csv", "losses.npz")]
    classes = prepared.load(paths.prepared(line.dataset)).classes
    model = models.build(line.model, len(classes))
    weights.load_weights(model, source)
    with run_record.record(folder / "run.json", [source], outputs, line.model_dump(), seed=seed):
        for path in outputs[:2]:
            files.write_tensors(path, model.state_dict())
        files.write_text(
            outputs[2],
            "epoch,train_loss,validation_loss,validation_accuracy,learning_rate,chosen\n",
        )
        files.write_arrays(outputs[3], loss=np.empty(0, np.float32))
