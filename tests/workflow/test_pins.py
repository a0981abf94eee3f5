"""The small-dataset study end to end with the real tools: a line of every method, few identities, small pictures."""

import json
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from cellar.metrics import scalars

from .conftest import PINS, Project, clone, experiment, student
from .loaded_code import undeclared

pytestmark = pytest.mark.long

KEPT = ["oneshot_convnet9", "oneshot_resnet50", "meta_convnet9", "transfer_resnet50", "mse_resnet18_features", "mse_resnet18",
        "bce_resnet18_features", "bce_resnet18"]  # fmt: skip
SMALL = {"feature_kd": {"images_per_epoch": 32}, "triplet": {"per_epoch": 8}, "maml": {"ways": 2, "per_epoch": 2}}
NETWORK = "mobilenet_v1"  # the smallest


def pins_alone(shipped: dict[str, Any]) -> dict[str, Any]:
    """params.yaml with nothing but this study, every network the smallest one."""
    raw = deepcopy(shipped)
    study = raw["studies"][PINS]
    pins = raw["datasets"]["pins"] | {
        "enabled": True, "input_size": 32, "train_per_class": 6, "validation_per_class": 4,
        "source": {"synthetic": {"seed": 1, "identities": 5, "per_identity": 14}},
    }  # fmt: skip
    raw |= {"threads": 1, "datasets": {"pins": pins}, "studies": {PINS: study}}
    for recipe in study["recipes"].values():
        recipe |= {"epochs": 2}
    study["recipes"]["pins_triplets"]["batch_size"] = 12
    study["generators"]["pins"] |= {"size": 16, "latent": 8, "channel_base": 64, "channel_max": 8}
    study["faces"]["pins"] |= {"count": 40, "size": 32}
    study["teachers"] = {name: study["teachers"][name] for name in ("pins_resnet50", "pins_resnet50_sigmoid")}
    study["experiments"] = {f"pins-{row}": study["experiments"][f"pins-{row}"] for row in KEPT}
    for name, line in {**study["teachers"], **study["experiments"]}.items():
        suffix = "+sigmoid" if name.endswith("sigmoid") else "+connector"  # all have 2048 features
        line |= {"model": NETWORK + suffix}
        line.pop("input_size", None)
        method = line.get("method", {})
        method.update(SMALL.get(method.get("name"), {}))
    return raw


@pytest.fixture(scope="module")
def pins(tmp_path_factory: pytest.TempPathFactory, shipped: dict[str, Any]) -> Project:
    project = clone(tmp_path_factory.mktemp("pins") / "project", pins_alone(shipped))
    project.snakemake()
    project.commit("built")
    return project


def metrics(project: Project, row: str) -> dict[str, Any]:
    """Those of the metrics file and of details.json."""
    place = f"students/{PINS}/pins-{row}/seed-0"
    named = (f"results/metrics/{place}.json", f"results/predictions/{place}/details.json")
    return scalars.merge(*(json.loads((project.folder / path).read_text()) for path in named))


def test_every_method_is_built_and_nothing_is_left_to_do(pins: Project) -> None:
    assert pins.planned() == {}
    assert pins.out_of_date() == set()
    tables = sorted(path.stem for path in (pins.folder / "results/tables").glob("pins_*.md"))
    assert tables == [f"pins_table_{number}" for number in range(1, 7)]
    assert (pins.folder / "results/figures/pins_fig_4.png").exists()


def test_all_of_it_verifies(pins: Project) -> None:
    done = pins.run("python", "-m", "cellar", "verify")
    assert "0 problems" in done.stdout


def test_every_stage_that_a_cell_names_was_run(pins: Project) -> None:
    stages = pins.locked()
    for table in (pins.folder / "results/tables").glob("*.json"):
        cells = [cell for row in json.loads(table.read_text())["rows"] for cell in row["cells"].values()]
        named = {stage for cell in cells for stage in cell.get("stage") or []}
        assert named <= stages.keys(), table.name


def test_a_generator_is_trained_in_float32_whatever_precision_is_asked_for(pins: Project) -> None:
    before = (pins.folder / "params.yaml").read_text()
    pins.change(lambda params: params.update(precision="bf16"))
    planned = pins.planned()
    (pins.folder / "params.yaml").write_text(before)
    pins.resolve()
    assert planned["train_teacher"] == 2 and not planned.keys() & {"train_generator", "generate_faces"}


def test_a_connector_is_an_input_of_its_networks_alone(pins: Project) -> None:
    stages = pins.locked()
    users = {name for name, stage in stages.items() for dep in stage.get("deps", []) if "connected.py" in dep["path"]}
    assert student("train_student", "pins-mse_resnet18") in users
    assert "extract_features-pins_resnet50" in users
    assert not [name for name in users if name.startswith(("prepare", "train_generator")) or "tabulate" in name]


@pytest.mark.parametrize(
    "address",
    [
        "train_generator-pins-seed-0",
        "generate_faces-pins",
        "extract_features-pins_resnet50",
        student("train_student", "pins-oneshot_convnet9"),
        student("train_student", "pins-meta_convnet9"),
        student("distill_student", "pins-mse_resnet18_features"),
        student("evaluate_student", "pins-mse_resnet18_features"),
        student("evaluate_student", "pins-oneshot_convnet9"),
        student("evaluate_student", "pins-meta_convnet9"),
    ],
)
def test_the_code_that_a_stage_runs_is_declared(pins: Project, address: str) -> None:
    assert undeclared(pins, address) == []


def test_a_stage_of_an_earlier_version_says_what_to_type_now(pins: Project) -> None:
    done = pins.run("python", "-m", "cellar", "evaluate_features", "pins-oneshot_convnet9", "--seed", "0", ok=False)
    assert done.returncode != 0 and "cellar evaluate_student EXPERIMENT/seed-N --study STUDY" in done.stderr


def test_each_method_says_what_it_is_judged_by(pins: Project) -> None:
    taught, pretrained = metrics(pins, "mse_resnet18"), metrics(pins, "mse_resnet18_features")
    assert {"train", "best_on_test", "macro"} <= taught.keys()
    assert {"r2", "mse", "mae", "validation_r2", "last_epoch", "faces"} <= pretrained.keys()
    assert {"n", "accuracy", "loss", "train", "best_on_test"} <= metrics(pins, "oneshot_convnet9").keys()
    assert {"ways", "before_adaptation", "accuracy"} <= metrics(pins, "meta_convnet9").keys()


def test_the_second_step_trains_the_last_layer_alone(pins: Project) -> None:
    from safetensors.numpy import load_file

    first, second = (
        load_file(pins.folder / f"results/students/{PINS}/pins-{row}/seed-0/last.safetensors")
        for row in ("bce_resnet18_features", "bce_resnet18")
    )
    chosen = load_file(pins.folder / f"results/students/{PINS}/pins-bce_resnet18_features/seed-0/weights.safetensors")
    moved = {name for name in second if not np.array_equal(second[name], chosen[name])}
    assert moved == {"fc.weight", "fc.bias"} and first.keys() == second.keys()


def test_faces_are_of_the_seeds_asked_for(pins: Project) -> None:
    index = json.loads((pins.folder / "data/faces/pins/index.json").read_text())
    assert (index["first"], sum(shard["images"] for shard in index["shards"])) == (0, 40)


def test_a_changed_margin_reruns_one_method(pins: Project) -> None:
    path = pins.folder / "params.yaml"
    before = path.read_text()
    pins.change(lambda params: experiment(params, "pins-oneshot_convnet9", PINS)["method"].update(margin=2.0))
    planned = pins.planned()
    path.write_text(before)
    pins.resolve()
    trained = {rule: count for rule, count in planned.items() if rule not in ("tabulate", "plot", "index")}
    assert trained == {"train_student": 1, "evaluate_student": 1}
