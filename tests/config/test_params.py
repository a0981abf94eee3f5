"""params.yaml is read strictly: every mistake is one line that says where, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config
from cellar.errors import CellarError

ROOT = Path(__file__).parents[2]
Spoil = Callable[[dict[str, Any]], object]


def read(raw: dict[str, Any], folder: Path) -> config.Params:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False))
    return config.load(path)


@pytest.mark.parametrize(
    "path", [ROOT / "params.yaml", *sorted((ROOT / "params").glob("*.yaml"))], ids=lambda p: p.name
)
def test_every_shipped_scale_is_valid(path: Path) -> None:
    loaded = config.load(path)
    assert loaded.experiments
    assert loaded.scale.drawn == any(d.source.draw for d in loaded.datasets.values() if d.enabled)


SPOILS: dict[str, tuple[Spoil, list[str]]] = {
    "misspelt key": (lambda p: p["experiments"]["fer2013-E1"].update(temprature=3), ["experiments.fer2013-E1.temprature", "did you mean 'temperature'"]),
    "misspelt section": (lambda p: p.update(experimets={}), ["experimets", "did you mean 'experiments'"]),
    "temperature 0": (lambda p: p["experiments"]["fer2013-E1"].update(temperature=0), ["experiments.fer2013-E1.temperature", "greater than 0"]),
    "negative temperature": (lambda p: p["experiments"]["fer2013-E1"].update(temperature=-1), ["temperature", "found -1"]),
    "epochs 0": (lambda p: p["recipes"]["student_a"].update(epochs=0), ["recipes.student_a.epochs", "greater than or equal to 1"]),
    "number as text": (lambda p: p["recipes"]["student_a"].update(learning_rate="1e-3"), ["recipes.student_a.learning_rate", "1e-3 is text to YAML", "write 0.001"]),
    "momentum of Adam": (lambda p: p["recipes"]["student_a"].update(optimizer="adam"), ["recipes.student_a", "adam has no momentum", "momentum: 0"]),
    "unknown optimizer": (lambda p: p["recipes"]["student_a"].update(optimizer="adamw"), ["recipes.student_a.optimizer", "'sgd' or 'adam'", "adamw"]),
    "two schedules": (lambda p: p["recipes"]["student_a"]["schedule"].update(inverse_sqrt=True), ["recipes.student_a.schedule", "exactly one of", "found: plateau, inverse_sqrt"]),
    "a schedule switched off": (lambda p: p["recipes"]["student_a"].update(schedule={"inverse_sqrt": False}), ["recipes.student_a.schedule.inverse_sqrt", "should be True"]),
    "betas of SGD": (lambda p: p["recipes"]["student_a"].update(betas=[0.0, 0.99]), ["recipes.student_a", "betas are Adam's", "say optimizer: adam"]),
    "missing key": (lambda p: p["recipes"]["student_a"].pop("momentum"), ["recipes.student_a.momentum", "missing"]),
    "unknown recipe": (lambda p: p["experiments"]["fer2013-E1"].update(recipe="student_aa"), ["experiments.fer2013-E1.recipe", "did you mean 'student_a'"]),
    "unknown teacher": (lambda p: p["experiments"]["fer2013-E1"].update(teacher="fer"), ["experiments.fer2013-E1.teacher", "teachers has no 'fer'"]),
    "unknown model": (lambda p: p["teachers"]["fer2013"].update(model="resemotnet"), ["teachers.fer2013.model", "did you mean 'resemotenet'"]),
    "teacher of another set": (lambda p: p["experiments"]["fer2013-E1"].update(teacher="raf_db"), ["experiments.fer2013-E1", "knows raf_db, not fer2013"]),
    "one row twice": (lambda p: p["experiments"]["fer2013-E2"].update(row="E1"), ["fer2013-E2", "fer2013-E1", "both row E1"]),
    "two sources": (lambda p: p["datasets"]["fer2013"]["source"].update(manual="x"), ["datasets.fer2013.source", "exactly one of"]),
    "url without checksum": (lambda p: p["datasets"]["fer2013"].update(source={"url": "https://x"}), ["sha256 belong together"]),
    "no teacher but a weight": (lambda p: p["experiments"]["fer2013-scratch_a"].update(distill_weight=0.5), ["distill_weight without a teacher"]),
    "no seeds": (lambda p: p.update(seeds=[]), ["seeds"]),
    "drawn set elsewhere": (lambda p: p["datasets"]["fer2013"].update(path="data/raw/fer2013"), ["data/raw/sample/fer2013"]),
    "text for a boolean": (lambda p: p["datasets"]["fer2013"].update(enabled="yes please"), ["datasets.fer2013.enabled", "yes please"]),
    "a batch that cuts a triplet": (lambda p: p["recipes"]["pins_triplets"].update(batch_size=16), ["pins-oneshot_convnet9", "multiple of 3"]),
    "a batch that cuts a task": (lambda p: p["recipes"]["pins_tasks"].update(batch_size=16), ["pins-meta_convnet9", "multiple of 20"]),
    "unbounded features": (lambda p: p["experiments"]["pins-bce_resnet18_features"].update(teacher="pins_resnet50"), ["pins-bce_resnet18_features", "+sigmoid"]),
    "a file called like a data set": (lambda p: p.update(published={"pins": {"path": "x", "manual": "y"}}), ["published.pins", "rename one of them"]),
    "published without checksum": (lambda p: p.update(published={"a": {"path": "x", "url": "https://y"}}), ["published.a", "sha256 belong together"]),
    "starts in a circle": (lambda p: p["experiments"]["pins-mse_resnet18"].update(start={"experiment": "pins-mse_resnet18"}), ["start leads back to"]),
    "faces of no generator": (lambda p: p["faces"]["pins"].update(generator="pin"), ["faces.pins.generator", "did you mean 'pins'"]),
    "a suffix that is none": (lambda p: p["teachers"]["pins_mobilenet_v1"].update(model="cnn4+sigmoid"), ["teachers.pins_mobilenet_v1.model", "takes no +sigmoid"]),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), SPOILS.values(), ids=SPOILS.keys())
def test_a_mistake_is_one_line_that_says_where(
    spoil: Spoil, said: list[str], raw: dict[str, Any], tmp_path: Path
) -> None:
    spoil(raw)
    with pytest.raises(CellarError) as caught:
        read(raw, tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    for words in said:
        assert words in message


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text().replace("threads: 1", "threads: 1\nthreads: 4", 1)
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(CellarError, match=r"line .* 'threads' is given twice"):
        config.load(tmp_path / "params.yaml")


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("scale: {name: x\nthreads: 2\n")
    with pytest.raises(CellarError, match=r"line \d+ is not YAML"):
        config.load(tmp_path / "params.yaml")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match="is not here"):
        config.load(tmp_path / "params.yaml")


def test_a_sweep_is_its_grid(raw: dict[str, Any], tmp_path: Path) -> None:
    loaded = read(raw, tmp_path)
    grid = loaded.sweeps["fer2013_sweep"].experiments("fer2013_sweep")
    assert len(grid) == 5 * 3
    point = grid["fer2013_sweep-T3-w0.15"]
    assert (point.temperature, point.task_weight, point.distill_weight) == (3, 0.15, 0.85)
    assert loaded.experiment("fer2013_sweep-T3-w0.15") == point


def test_a_recipe_is_sgds_unless_it_says_adam(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["recipes"]["student_bc"].update(optimizer="adam", momentum=0, schedule={"inverse_sqrt": True})
    recipes = read(raw, tmp_path).recipes
    assert (recipes["student_a"].optimizer, recipes["student_bc"].optimizer) == ("sgd", "adam")
    assert recipes["student_bc"].schedule.inverse_sqrt is True and recipes["student_a"].schedule.inverse_sqrt is None


def test_a_line_may_give_its_own_seeds(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["experiments"]["fer2013-E1"]["seeds"] = [0, 1, 2]
    loaded = read(raw, tmp_path)
    assert loaded.seeds_of(loaded.experiments["fer2013-E1"]) == [0, 1, 2]
    assert loaded.seeds_of(loaded.experiments["fer2013-E2"]) == [0]
