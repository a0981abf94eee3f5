"""The small-dataset study end to end with the real tools: a line of every method, few identities, small pictures."""

import json
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import yaml

from .conftest import Project, clone

pytestmark = pytest.mark.long

KEPT = ["oneshot_convnet9", "oneshot_resnet50", "meta_convnet9", "transfer_resnet50", "mse_resnet18_features", "mse_resnet18",
        "bce_resnet18_features", "bce_resnet18"]  # fmt: skip
NETWORK = "mobilenet_v1"  # the smallest


def pins_alone(shipped: dict[str, Any]) -> dict[str, Any]:
    """params.yaml with nothing but this study, every network the smallest one."""
    raw = deepcopy(shipped)
    pins = raw["datasets"]["pins"] | {
        "enabled": True, "input_size": 32, "train_per_class": 6, "validation_per_class": 4,
        "source": {"draw": {"seed": 1, "identities": 5, "per_identity": 14}},
    }  # fmt: skip
    raw |= {"threads": 1, "datasets": {"pins": pins}, "sweeps": {}}
    for recipe in raw["recipes"].values():
        recipe |= {"epochs": 2}
    raw["recipes"]["pins_triplets"]["batch_size"] = 12
    raw["generators"]["pins"] |= {"size": 16, "latent": 8, "channel_base": 64, "channel_max": 8}
    raw["faces"]["pins"] |= {"count": 40, "size": 32}
    raw["teachers"] = {name: raw["teachers"][name] for name in ("pins_resnet50", "pins_resnet50_sigmoid")}
    raw["experiments"] = {f"pins-{row}": raw["experiments"][f"pins-{row}"] for row in KEPT}
    for name, line in {**raw["teachers"], **raw["experiments"]}.items():
        suffix = "+sigmoid" if name.endswith("sigmoid") else "+connector"  # all have 2048 features
        line |= {"model": NETWORK + suffix}
        line.pop("input_size", None)
        line.get("features", {}).update({"images_per_epoch": 32} if "features" in line else {})
        line.get("triplets", {}).update({"per_epoch": 8} if "triplets" in line else {})
        line.get("tasks", {}).update({"ways": 2, "per_epoch": 2} if "tasks" in line else {})
    return raw


@pytest.fixture(scope="module")
def pins(tmp_path_factory: pytest.TempPathFactory, shipped: dict[str, Any]) -> Project:
    project = clone(tmp_path_factory.mktemp("pins") / "project", pins_alone(shipped))
    project.snakemake()
    project.commit("built")
    return project


def metrics(project: Project, row: str) -> dict[str, Any]:
    return json.loads((project.folder / f"results/metrics/students/pins-{row}/seed-0.json").read_text())


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
    stages = yaml.safe_load((pins.folder / "dvc.lock").read_text())["stages"]
    for table in (pins.folder / "results/tables").glob("*.json"):
        cells = [cell for row in json.loads(table.read_text())["rows"] for cell in row["cells"].values()]
        named = {stage for cell in cells for stage in cell.get("stage") or []}
        assert named <= stages.keys(), table.name


def test_a_generator_is_trained_in_float32_whatever_precision_is_asked_for(pins: Project) -> None:
    stages = yaml.safe_load((pins.folder / "dvc.lock").read_text())["stages"]
    (name,) = (name for name in stages if name.startswith("train_generator@"))
    assert "precision" not in stages[name]["params"]["params.yaml"]
    weights = next(out["path"] for out in stages[name]["outs"] if out["path"].endswith("weights.safetensors"))
    assert json.loads((pins.folder / weights).with_name("run.json").read_text())["params"]["precision"] == "fp32"


def test_a_connector_is_an_input_of_its_networks_alone(pins: Project) -> None:
    stages = yaml.safe_load((pins.folder / "dvc.lock").read_text())["stages"]
    hanging = {name for name, stage in stages.items() for dep in stage.get("deps", []) if "connected.py" in dep["path"]}
    assert "train_student_transfer_connected@pins-mse_resnet18-seed-0" in hanging
    assert "extract_features_connected@pins-pins_resnet50" in hanging
    assert not [name for name in hanging if name.startswith(("prepare", "train_generator", "tabulate"))]


def test_a_stage_of_another_method_says_which_is_right(pins: Project) -> None:
    done = pins.run("python", "-m", "cellar", "evaluate_features", "pins-oneshot_convnet9", "--seed", "0", ok=False)
    assert done.stderr.splitlines() == [
        "cellar: experiments.pins-oneshot_convnet9 learns from triplets; its stages are train_siamese and evaluate_triplets_connected"
    ]


def test_each_method_says_what_it_is_judged_by(pins: Project) -> None:
    taught, pretrained = metrics(pins, "mse_resnet18"), metrics(pins, "mse_resnet18_features")
    assert {"train", "micro", "best_on_test", "macro"} <= taught.keys()
    assert {"r2", "mse", "mae", "validation_r2", "last_epoch", "faces"} <= pretrained.keys()
    assert {"n", "accuracy", "loss", "train", "best_on_test"} <= metrics(pins, "oneshot_convnet9").keys()
    assert {"ways", "before_adaptation", "accuracy"} <= metrics(pins, "meta_convnet9").keys()


def test_the_second_step_trains_the_last_layer_alone(pins: Project) -> None:
    from safetensors.numpy import load_file

    first, second = (
        load_file(pins.folder / f"results/students/pins-{row}/seed-0/last.safetensors")
        for row in ("bce_resnet18_features", "bce_resnet18")
    )
    chosen = load_file(pins.folder / "results/students/pins-bce_resnet18_features/seed-0/weights.safetensors")
    moved = {name for name in second if not np.array_equal(second[name], chosen[name])}
    assert moved == {"fc.weight", "fc.bias"} and first.keys() == second.keys()


def test_faces_are_of_the_seeds_asked_for(pins: Project) -> None:
    index = json.loads((pins.folder / "data/faces/pins/index.json").read_text())
    assert (index["first"], sum(shard["images"] for shard in index["shards"])) == (0, 40)
    features = np.load(pins.folder / "results/features/pins-pins_resnet50/features.npy", mmap_mode="r")
    assert (features.shape, features.dtype) == ((40, 2048), np.float16)


def test_a_changed_margin_reruns_one_method(pins: Project) -> None:
    path = pins.folder / "params.yaml"
    before = path.read_text()
    raw = yaml.safe_load(before)
    raw["experiments"]["pins-oneshot_convnet9"]["triplets"]["margin"] = 2.0
    path.write_text(yaml.safe_dump(raw, sort_keys=False))
    planned = pins.planned()
    path.write_text(before)
    assert {rule for rule in planned if rule not in ("tabulate", "plot")} == {"train_siamese", "evaluate_triplets"}
