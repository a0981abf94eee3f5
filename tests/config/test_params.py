"""params.yaml is read strictly: every mistake is one line that says where, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config
from cellar.config.compose import compose, only_by_name, study_keys
from cellar.config.composed import with_header
from cellar.errors import CellarError

ROOT = Path(__file__).parents[2]
MINI, SMALL = "studies.mini_resemotenet", "studies.small_dataset_kd"
Spoil = Callable[[dict[str, Any]], object]


def line(raw: dict[str, Any], experiment: str) -> Any:
    return raw["studies"]["mini_resemotenet"]["experiments"][experiment]


def other_set(raw: dict[str, Any], section: str, name: str) -> None:
    """A line of the Pins study on a copy of its data set, which is off."""
    raw["datasets"]["own"] = raw["datasets"]["pins"] | {"enabled": False, "path": "own", "source": {"manual": "mine"}}
    small(raw)[section][name]["dataset"] = "own"


def recipe(raw: dict[str, Any]) -> Any:
    return raw["studies"]["mini_resemotenet"]["recipes"]["student_a"]


def teacher(raw: dict[str, Any], study: str, name: str) -> Any:
    return raw["studies"][study]["teachers"][name]


def small(raw: dict[str, Any]) -> Any:
    return raw["studies"]["small_dataset_kd"]


def mutual_teachers(raw: dict[str, Any]) -> None:
    line(raw, "fer2013-E1")["teacher"] = {"experiment": "fer2013-E2"}
    line(raw, "fer2013-E2")["teacher"] = {"experiment": "fer2013-E1"}


def read(raw: dict[str, Any], folder: Path) -> config.Config:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False))
    return config.load(path)


SHIPPED = sorted(ROOT.glob("studies/*/params/*.yaml"))


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: f"{p.parts[-3]}/{p.stem}")
def test_every_shipped_file_composes(path: Path) -> None:
    composition = compose([f"{path.parts[-3]}/{path.stem}"])
    loaded = config.validate(composition.values, composition.source_of)
    params = loaded.params(path.parts[-3])
    assert params.experiments or params.exports
    assert loaded.scale.synthetic == any(d.source.synthetic for d in loaded.datasets.values() if d.enabled)
    assert max(map(len, composition.text.splitlines())) <= 120


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: f"{p.parts[-3]}/{p.stem}")
def test_shipped_files_are_in_block_style(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert max(map(len, lines)) <= 120
    assert not [line for line in lines if "{" in line.partition("#")[0]]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["sample", "base"])
def test_the_scales_that_every_study_has_compose(name: str) -> None:
    shipped = [study for study in study_keys() if not only_by_name(study)]
    assert len(shipped) == 3 and compose([name]).names == [f"{study}/{name}" for study in shipped]


@pytest.mark.usefixtures("project")
def test_params_yaml_as_shipped_is_the_sample_scale() -> None:
    assert (ROOT / "params.yaml").read_text() == with_header(compose(["sample"]))


SPOILS: dict[str, tuple[Spoil, list[str]]] = {
    "misspelt key": (lambda p: line(p, "fer2013-E1").update(modle="x"), [f"{MINI}.experiments.fer2013-E1.modle", "did you mean 'model'"]),
    "misspelt section": (lambda p: p["studies"]["mini_resemotenet"].update(experimets={}), [f"{MINI}.experimets", "did you mean 'experiments'"]),
    "misspelt setting": (lambda p: p.update(thread=1), ["params.yaml: thread: ", "did you mean 'threads'"]),
    "no method": (lambda p: line(p, "fer2013-E1").update(method="logit_kd"), [f"{MINI}.experiments.fer2013-E1.method", "a mapping with its name"]),
    "a method without a name": (lambda p: line(p, "fer2013-E1")["method"].pop("name"), [f"{MINI}.experiments.fer2013-E1.method", "a mapping with its name"]),
    "epochs 0": (lambda p: recipe(p).update(epochs=0), [f"{MINI}.recipes.student_a.epochs", "greater than or equal to 1"]),
    "number as text": (lambda p: recipe(p).update(learning_rate="0.001"), [f"{MINI}.recipes.student_a.learning_rate", "0.001 is text to YAML", "write 0.001"]),
    "momentum of Adam": (lambda p: recipe(p).update(optimizer="adam"), [f"{MINI}.recipes.student_a", "adam has no momentum", "momentum: 0"]),
    "unknown optimizer": (lambda p: recipe(p).update(optimizer="adamw"), [f"{MINI}.recipes.student_a.optimizer", "'sgd' or 'adam'", "adamw"]),
    "two schedules": (lambda p: recipe(p)["schedule"].update(inverse_sqrt=True), [f"{MINI}.recipes.student_a.schedule", "exactly one of", "found: plateau, inverse_sqrt"]),
    "a schedule switched off": (lambda p: recipe(p).update(schedule={"inverse_sqrt": False}), [f"{MINI}.recipes.student_a.schedule.inverse_sqrt", "should be True"]),
    "betas of SGD": (lambda p: recipe(p).update(betas=[0.0, 0.99]), [f"{MINI}.recipes.student_a", "betas are Adam's", "say optimizer: adam"]),
    "missing key": (lambda p: recipe(p).pop("momentum"), [f"{MINI}.recipes.student_a.momentum", "missing"]),
    "unknown recipe": (lambda p: line(p, "fer2013-E1").update(recipe="student_aa"), [f"{MINI}.experiments.fer2013-E1.recipe", "did you mean 'student_a'"]),
    "recipe of another study": (lambda p: line(p, "fer2013-E1").update(recipe="pins_labels"), [f"{MINI}.recipes has no 'pins_labels'"]),
    "unknown data set": (lambda p: line(p, "fer2013-scratch_a").update(dataset="fer2014"), ["datasets has no 'fer2014' (did you mean 'fer2013'?)"]),
    "unknown teacher": (lambda p: line(p, "fer2013-E1").update(teacher="fer"), [f"{MINI}.experiments.fer2013-E1.teacher", f"{MINI}.teachers has no 'fer'"]),
    "unknown experiment as teacher": (lambda p: line(p, "fer2013-E1").update(teacher={"experiment": "fer2013-E"}), [f"{MINI}.experiments.fer2013-E1.teacher.experiment", "has no 'fer2013-E'", "did you mean"]),
    "misspelt form of a teacher": (lambda p: line(p, "fer2013-E1").update(teacher={"experimnt": "x"}), [f"{MINI}.experiments.fer2013-E1.teacher.experimnt", "unknown key"]),
    "its own teacher": (lambda p: line(p, "fer2013-E1").update(teacher={"experiment": "fer2013-E1"}), ["leads back to itself (experiments.fer2013-E1 -> experiments.fer2013-E1)"]),
    "two that teach each other": (mutual_teachers, ["(experiments.fer2013-E1 -> experiments.fer2013-E2 -> experiments.fer2013-E1)"]),
    "teacher of another set": (lambda p: line(p, "fer2013-E1").update(teacher="raf_db"), [f"{MINI}.experiments.fer2013-E1.teacher", "trained on raf_db, not fer2013"]),
    "experiment of another set as teacher": (lambda p: line(p, "fer2013-E1").update(teacher={"experiment": "raf_db-E1"}), [f"{MINI}.experiments.fer2013-E1.teacher", "trained on raf_db, not fer2013"]),
    "a sweep's teacher of another set": (lambda p: p["studies"]["mini_resemotenet"]["sweeps"]["fer2013_sweep"].update(teacher="raf_db"), [f"{MINI}.sweeps.fer2013_sweep.teacher", "trained on raf_db"]),
    "a sweep's experiment of another set as teacher": (lambda p: p["studies"]["mini_resemotenet"]["sweeps"]["fer2013_sweep"].update(teacher={"experiment": "raf_db-E1"}), [f"{MINI}.sweeps.fer2013_sweep.teacher", "trained on raf_db"]),
    "a sweep's unknown experiment as teacher": (lambda p: p["studies"]["mini_resemotenet"]["sweeps"]["fer2013_sweep"].update(teacher={"experiment": "fer2013-E0"}), [f"{MINI}.sweeps.fer2013_sweep.teacher.experiment", "has no 'fer2013-E0'"]),
    "one row twice": (lambda p: line(p, "fer2013-E2").update(row="E1"), [f"{MINI}.experiments.fer2013-E2.row", "fer2013-E1 is row E1"]),
    "two sources": (lambda p: p["datasets"]["fer2013"]["source"].update(manual="x"), ["datasets.fer2013.source", "exactly one of"]),
    "url without checksum": (lambda p: p["datasets"]["fer2013"].update(source={"url": "https://x"}), ["sha256 belong together"]),
    "no seeds": (lambda p: p.update(seeds=[]), ["seeds"]),
    "a seed twice": (lambda p: p.update(seeds=[0, 0]), ["params.yaml: seeds: a seed stands there twice; name each once"]),
    "a line's seed twice": (lambda p: line(p, "fer2013-E1").update(seeds=[1, 0, 1]), [f"{MINI}.experiments.fer2013-E1.seeds: a seed stands there twice", "found [1, 0, 1]"]),
    "a teacher of a set that is off": (lambda p: other_set(p, "teachers", "pins_resnet50_sigmoid"), [f"{SMALL}.experiments.pins-bce", "needs teachers.pins_resnet50_sigmoid, whose data set own is off; switch it on, or name another"]),
    "faces of a set that is off": (lambda p: other_set(p, "generators", "pins"), [f"{SMALL}.faces.pins: needs generators.pins, whose data set own is off; switch it on, or name another"]),
    "a start of a set that is off": (lambda p: other_set(p, "experiments", "pins-mse_resnet18_features"), [f"{SMALL}.experiments.", "needs experiments.pins-mse_resnet18_features, whose data set own is off"]),
    "drawn set elsewhere": (lambda p: p["datasets"]["fer2013"].update(path="data/raw/fer2013"), ["data/raw/sample/fer2013"]),
    "text for a boolean": (lambda p: p["datasets"]["fer2013"].update(enabled="yes please"), ["datasets.fer2013.enabled", "yes please"]),
    "a file called like a data set": (lambda p: small(p).update(published={"pins": {"path": "x", "manual": "y"}}), [f"{SMALL}.published.pins", "rename one of them"]),
    "published without checksum": (lambda p: small(p).update(published={"a": {"path": "x", "url": "https://y"}}), [f"{SMALL}.published.a", "sha256 belong together"]),
    "starts in a circle": (lambda p: small(p)["experiments"]["pins-mse_resnet18"].update(start={"experiment": "pins-mse_resnet18"}), ["leads back to itself"]),
    "unknown faces": (lambda p: small(p)["experiments"]["pins-mse_resnet18_features"].update(faces="pin"), [f"{SMALL}.experiments.pins-mse_resnet18_features.faces", "did you mean 'pins'"]),
    "faces of no generator": (lambda p: small(p)["faces"]["pins"].update(generator="pin"), [f"{SMALL}.faces.pins.generator", "did you mean 'pins'"]),
    "two processes of a generator": (lambda p: small(p)["recipes"]["pins_generator"].update(processes=2), [f"{SMALL}.generators.pins", "processes: 1 in recipes.pins_generator"]),
    "a temperature of earlier versions": (lambda p: line(p, "fer2013-E1").update(temperature=3), [f"{MINI}.experiments.fer2013-E1.temperature is now {MINI}.experiments.fer2013-E1.method.temperature"]),
    "triplets of earlier versions": (lambda p: line(p, "fer2013-E1").update(triplets={}), [f"{MINI}.experiments.fer2013-E1.triplets is now method: {{name: triplet"]),
    "a drawn scale": (lambda p: p["scale"].update(drawn=True), ["scale.drawn is now scale.synthetic; move it there"]),
    "training images of a data set": (lambda p: p["evaluation"].update(train_of=["pins"]), ["evaluation.train_of is now watch: [train] in the recipes of these data sets; move it there"]),
    "drawn data": (lambda p: p["datasets"]["fer2013"]["source"].update(draw={"seed": 1}), ["datasets.fer2013.source.draw is now datasets.fer2013.source.synthetic"]),
    "a flat key": (lambda p: p.update(experiments={"fer2013-E1": {"temperature": 4}}), [f"params.yaml: experiments.fer2013-E1.temperature is now {MINI}.experiments.fer2013-E1.method.temperature"]),
    "a flat recipe": (lambda p: p.update(recipes={"student_a": {"epochs": 4}}), [f"params.yaml: recipes.student_a.epochs is now {MINI}.recipes.student_a.epochs"]),
    "a flat key of no study": (lambda p: p.update(recipes={"mine": {"epochs": 4}}), ["recipes.mine.epochs is now studies.<study>.recipes.mine.epochs"]),
    "the flat form": (lambda p: p.update(p.pop("studies")["cifar100_kd"]), ["has the form of an earlier version; compose it anew: cellar use sample"]),
    "a study that is empty": (lambda p: p["studies"].update(mine=None), ["studies.mine"]),
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


@pytest.mark.parametrize(("text", "number"), [("1e-05", 1e-05), ("1e-3", 1e-3), ("2.5e-4", 2.5e-4), ("1E2", 100.0)])
def test_a_number_with_an_exponent_is_a_number(tmp_path: Path, text: str, number: float) -> None:
    """As DVC reads and writes it; YAML 1.1 takes 1e-05 for text."""
    shipped = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(shipped.replace("learning_rate: 0.003,", f"learning_rate: {text},"))
    assert config.load(tmp_path / "params.yaml").params("mini_resemotenet").recipes["student_a"].learning_rate == number


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("scale: {name: x\nthreads: 2\n")
    with pytest.raises(CellarError, match=r"line \d+ is not YAML"):
        config.load(tmp_path / "params.yaml")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match="does not exist"):
        config.load(tmp_path / "params.yaml")


def mini(raw: dict[str, Any], folder: Path) -> config.Params:
    return read(raw, folder).params("mini_resemotenet")


def test_a_sweep_is_its_grid(raw: dict[str, Any], tmp_path: Path) -> None:
    params = mini(raw, tmp_path)
    grid = params.sweeps["fer2013_sweep"].experiments("fer2013_sweep")
    assert len(grid) == 5 * 3
    point = grid["fer2013_sweep-T3-w0.15"]
    assert point.method == {
        "name": "logit_kd", "temperature": 3, "task_weight": 0.15, "distill_weight": 0.85, "loss_form": "weighted",
    }  # fmt: skip
    assert params.experiment("fer2013_sweep-T3-w0.15") == point


def test_a_recipe_is_sgds_unless_it_says_adam(raw: dict[str, Any], tmp_path: Path) -> None:
    recipe(raw).update(optimizer="adam", momentum=0, schedule={"inverse_sqrt": True})
    recipes = mini(raw, tmp_path).recipes
    assert (recipes["student_bc"].optimizer, recipes["student_a"].optimizer) == ("sgd", "adam")
    assert recipes["student_a"].schedule.inverse_sqrt is True and recipes["student_bc"].schedule.inverse_sqrt is None


def test_a_line_may_give_its_own_seeds(raw: dict[str, Any], tmp_path: Path) -> None:
    line(raw, "fer2013-E1")["seeds"] = [0, 1, 2]
    params = mini(raw, tmp_path)
    assert params.seeds_of(params.experiments["fer2013-E1"]) == [0, 1, 2]
    assert params.seeds_of(params.experiments["fer2013-E2"]) == [0]


def test_a_study_has_a_view_with_what_is_shared(raw: dict[str, Any], tmp_path: Path) -> None:
    loaded = read(raw, tmp_path)
    params = loaded.params("cifar100_kd")
    assert (params.study, params.scale, params.datasets) == ("cifar100_kd", loaded.scale, loaded.datasets)
    assert list(params.teachers) == ["cifar100"] and params.experiments["cifar100-student"].method_name == "labels"
    assert [params.study for params in loaded.all_params()] == ["cifar100_kd", "mini_resemotenet", "small_dataset_kd"]
    with pytest.raises(CellarError, match=r"studies has no 'cifar10_kd' \(did you mean 'cifar100_kd'\?\)"):
        loaded.params("cifar10_kd")


def test_names_of_experiments_belong_to_their_study(raw: dict[str, Any], tmp_path: Path) -> None:
    other = {key: small(raw)[key] for key in ("recipes", "teachers")}
    experiment = {"dataset": "pins", "row": "r", "model": "convnet9", "recipe": "pins"}
    raw["studies"]["mine"] = {**other, "experiments": {"pins-scratch_convnet9": experiment}}
    raw["studies"]["mine"]["recipes"] = {
        **other["recipes"],
        "pins_labels": {**other["recipes"]["pins_labels"], "epochs": 1},
    }
    loaded = read(raw, tmp_path)
    assert loaded.params("mine").student_folder("pins-scratch_convnet9", 0) == Path(
        "results/students/mine/pins-scratch_convnet9/seed-0"
    )
    assert loaded.declaring("teachers")["pins_resnet50"].study == "small_dataset_kd"


def test_what_studies_share_by_name_must_be_the_same(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["studies"]["mine"] = {"faces": {"pins": {**small(raw)["faces"]["pins"], "count": 7, "folder": "x"}}}
    raw["studies"]["mine"]["faces"]["pins"].pop("generator")
    with pytest.raises(CellarError, match=r"studies\.mine\.faces\.pins\.count: 7, but .* is 2048 \(.*params.yaml\)"):
        read(raw, tmp_path)


def test_a_teacher_may_be_an_experiment(raw: dict[str, Any], tmp_path: Path) -> None:
    line(raw, "fer2013-E2")["teacher"] = {"experiment": "fer2013-E1"}
    line(raw, "fer2013-E1")["seeds"] = [3, 4]
    params = mini(raw, tmp_path)
    student = params.experiments["fer2013-E2"]
    assert params.teacher_of(student) == params.experiments["fer2013-E1"]
    assert params.teacher_folder(student) == Path("results/students/mini_resemotenet/fer2013-E1/seed-3")
    assert params.teacher_folder(params.experiments["fer2013-E1"]) == Path("results/teachers/fer2013/seed-0")
    assert params.teacher_folder(params.experiments["fer2013-scratch_a"]) is None


def test_a_sweeps_teacher_may_be_an_experiment(raw: dict[str, Any], tmp_path: Path) -> None:
    raw["studies"]["mini_resemotenet"]["sweeps"]["fer2013_sweep"]["teacher"] = {"experiment": "fer2013-E1"}
    params = mini(raw, tmp_path)
    point = params.experiment("fer2013_sweep-T3-w0.15")
    assert params.teacher_folder(point) == Path("results/students/mini_resemotenet/fer2013-E1/seed-0")


def test_a_student_starts_from_an_experiment_of_its_study(raw: dict[str, Any], tmp_path: Path) -> None:
    params = read(raw, tmp_path).params("small_dataset_kd")
    started = params.start_file(params.experiments["pins-mse_convnet9"], 5)
    assert started == Path("results/students/small_dataset_kd/pins-mse_convnet9_features/seed-5/weights.safetensors")


def test_needed_weights_are_named_by_their_key(raw: dict[str, Any], tmp_path: Path) -> None:
    small(raw)["experiments"]["pins-scratch_convnet9"] |= {
        "start": {"weights": "w.pth"}, "freeze": False, "frozen_batch_norm": "eval",
    }  # fmt: skip
    needed = read(raw, tmp_path).params("small_dataset_kd").needed_weights()
    assert needed == {f"{SMALL}.experiments.pins-scratch_convnet9.start.weights": "w.pth"}
