"""How many files of src/cellar a reader meets in one distillation, from the command to the saved weights."""

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pandas as pd
import pytest

from cellar import files, paths
from cellar.cli import main
from cellar.config.resolved import EvaluationSettings, TrainingSettings
from cellar.pipeline import records
from cellar.pipeline.stages import evaluate_student, train_student, train_teacher

from .tiny import INPUT, RECIPE, settings_of, tiny_set

PACKAGE = Path(inspect.getfile(paths)).parent
NOT_COUNTED = {"errors.py", "files.py", "paths.py"}
# 17 for distillation itself; the rest for convolutions of small maps, checkpoints and the code they depend on.
MOST = 22


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a prepared set and a trained teacher, as the current folder."""
    folder = tmp_path_factory.mktemp("reading")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tiny_set("tiny")
        train_teacher.run(TrainingSettings.model_validate(settings_of("teachers", "teacher")))
        yield folder


def files_read(run: Callable[[], Any]) -> list[str]:
    """Files of the package of which a function was executed; bodies of modules and classes are no functions."""
    seen: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED and code.co_filename.startswith(str(PACKAGE)):
            seen.setdefault(str(Path(code.co_filename).relative_to(PACKAGE)))

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return [name for name in seen if name not in NOT_COUNTED]


def test_one_distillation_is_read_in_few_files(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method = {"name": "logit_kd", "temperature": 3, "task_weight": 0.2, "distill_weight": 0.8, "loss_form": "weighted"}
    settings = settings_of("students", "study/kd", method, teacher="teacher")
    resolved = paths.resolved("distill_student", "kd/seed-0", "study")
    files.write_json(resolved, settings)
    pipeline = {"stages": {"distill_student-kd-seed-0": {"cmd": "cellar", "params": [str(resolved)]}}}
    files.write_text(paths.pipeline_file("study"), json.dumps(pipeline))
    Path("src").mkdir()
    Path("src/cellar").symlink_to(PACKAGE)
    monkeypatch.setattr(records, "write", lambda *_: None)  # the weights are saved before
    read = files_read(lambda: main(["distill_student", "kd/seed-0", "--study", "study"]))
    assert (paths.trained("students", "study/kd", 0) / "weights.safetensors").exists()
    assert len(read) <= MOST, "\n".join(read)
    assert {"methods/logit_kd.py", "engine/training.py", "engine/teacher.py", "models/cnn4.py"} <= set(read)
    assert not [name for name in read if name.startswith(("methods/labels", "methods/maml", "methods/triplet"))]


def test_settings_read_back_equal_those_that_were_validated() -> None:
    probabilities = {"rotation": 0.5, "scaling": 0.5, "flip": 0.5, "blur": 0.1, "jitter": 0.0, "erasing": 0.0}
    said = settings_of("students", "study/kd", teacher="teacher") | {"input": INPUT | {"augmentation": probabilities}}
    validated = TrainingSettings.model_validate(said)
    again = files.construct(TrainingSettings, json.loads(json.dumps(validated.model_dump(mode="json"))))
    assert again.model_dump() == validated.model_dump()
    assert again.recipe.schedule.step == validated.recipe.schedule.step and again.recipe.schedule.plateau is None
    assert again.input.augmentation == validated.input.augmentation


def test_an_evaluation_writes_few_scalars_and_the_rest_beside_the_predictions(project: Path) -> None:
    method = {"name": "labels"}
    said = settings_of("students", "study/alone", method, recipe={**RECIPE, "watch": ["train"]})
    train_student.run(TrainingSettings.model_validate(said))
    keys = EvaluationSettings.model_fields.keys() & said.keys()
    evaluated = {key: said[key] for key in keys} | {"batch_size": 32}
    evaluate_student.run(EvaluationSettings.model_validate(evaluated))
    place = ("students", "study/alone", 0)
    metrics, details = files.read_json(paths.metrics(*place)), files.read_json(paths.details(*place))
    scalars = [value for part in metrics.values() for value in (part.values() if isinstance(part, dict) else [part])]
    assert len(scalars) == 10 and all(isinstance(value, int | float) for value in scalars)
    assert {
        "kind",
        "dataset",
        "model",
        "per_class",
        "confusion",
        "train",
        "auc",
        "epochs_run",
    } <= details.keys()
    assert not metrics.keys() & details.keys()
    history = pd.read_csv(paths.trained(*place) / "history.csv").query("chosen == 1").iloc[0]
    macro = {name: pytest.approx(history[f"train_{name}"], abs=1e-4) for name in ("precision", "recall", "f1")}
    assert details["train"] == {"accuracy": pytest.approx(history["train_accuracy"], abs=1e-4), "macro": macro}
    rows = paths.confusion(*place).read_text().splitlines()
    assert rows[0] == "actual,predicted" and len(rows) == 1 + metrics["n"]
    right = sum(actual == predicted for actual, predicted in (row.split(",") for row in rows[1:]))
    assert metrics["accuracy"] == round(100 * right / metrics["n"], 4)
