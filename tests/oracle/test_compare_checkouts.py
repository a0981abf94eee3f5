"""Planted differences between two small fabricated checkouts, one in the old layout and one in the new.

tests/oracle is no package: its script runs alone, and its modules import each other by their plain names.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from compare_checkouts import main
from contents import mean_losses
from fabricated import COUNTS, NEW_RUN, OLD_RUN, write, write_arrays, write_figure, write_new, write_old
from renames import Renames, load


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_old(tmp_path / "old")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return write_new(tmp_path / "new")


def edit(path: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Change the content of a JSON file in place."""

    def apply(root: Path) -> None:
        content = json.loads((root / path).read_text())
        change(content)
        (root / path).write_text(json.dumps(content))

    return apply


def flip_last_byte(path: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        content = bytearray((root / path).read_bytes())
        content[-1] ^= 1
        (root / path).write_bytes(content)

    return apply


def replace(path: str, before: str, after: str) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        content = (root / path).read_text()
        assert before in content
        (root / path).write_text(content.replace(before, after))

    return apply


def accuracy_cell(content: Any, row: int = 0) -> Any:
    return content["rows"][row]["cells"]["accuracy"]


LIST = Path(__file__).with_name("renamed.yaml")
TABLE = "results/tables/table_v.json"
METRICS = f"results/metrics/students/{NEW_RUN}.json"
MORE = f"results/predictions/students/{NEW_RUN}/details.json"
WEIGHTS = f"results/students/{NEW_RUN}/weights.safetensors"
HISTORY = f"results/students/{NEW_RUN}/history.csv"
PLANTED = {
    "weight": (flip_last_byte(WEIGHTS), "weights.safetensors: layer.bias[1] (1 of 2 elements differ): 2.0 != 8.0"),
    "raw image": (flip_last_byte("data/raw/sample/pins/pins_Drawn Person 001/1.jpg"), "1.jpg: md5: "),
    "face": (flip_last_byte("data/faces/pins/000000000.npy"), "000000000.npy: md5: "),
    "audit": (flip_last_byte("results/audit/fer2013/pairs.csv"), "pairs.csv: md5: "),
    "feature": (
        lambda root: write_arrays(root / "results/features/pins-teacher/held_out.npz", features=[1, 3]),
        "held_out.npz: features[1] (1 of 2 elements differ): 2.0 != 3.0",
    ),
    "prediction": (
        lambda root: write_arrays(root / f"results/predictions/students/{NEW_RUN}/predictions.npz", logits=[[1, 2]]),
        "predictions.npz: logits: 'float32[2, 2]' != 'float32[1, 2]'",
    ),
    "manifest": (
        edit("data/prepared/fer2013/manifest.json", lambda content: content.update(count=True)),
        "manifest.json: count: 2 != True",
    ),
    "scalar": (edit(METRICS, lambda content: content.update(accuracy=34.26)), "accuracy: 34.25 != 34.26"),
    "absent scalar": (edit(METRICS, lambda content: content.pop("macro")), "macro/f1: 20.5 != (absent)"),
    "detail": (
        edit(MORE, lambda content: content["confusion"][0].reverse()),
        "confusion/0/0: 71 != 27",
    ),
    "contradiction": (edit(MORE, lambda content: content.update(epoch=4)), "details.json): 3 != 4"),
    "count of a network": (
        edit("results/metrics/models/small_dataset_kd.json", lambda content: content["convnet9"].update(parameters=5)),
        "results/metrics/models.json: convnet9/parameters: 17625833 != 5",
    ),
    "lost counts of a study": (
        lambda root: (root / "results/metrics/models/cifar100_kd.json").unlink(),
        "results/metrics/models.json: cnn4/parameters: 799652 != (absent)",
    ),
    "two counts of a network": (
        edit("results/metrics/models/cifar100_kd.json", lambda content: content.update(resemotenet={"parameters": 5})),
        "resemotenet/parameters (NEW, also in results/metrics/models/cifar100_kd.json): 80238599 != 5",
    ),
    "history": (replace(HISTORY, "34.0", "34.1"), "history.csv: validation_accuracy/1: 34.0 != 34.1"),
    "lost loss term": (replace(HISTORY, "task_loss", "term"), "history.csv: task_loss/1: 1.0 != (absent)"),
    "lost epoch": (replace(HISTORY, "1,1.5,34.0,1.0,2.0\n", ""), "history.csv: train_loss/1: 1.5 != (absent)"),
    "cell": (
        edit(TABLE, lambda content: accuracy_cell(content).update(value=34.3)),
        f"{TABLE}: rows/E1/cells/accuracy/value: 34.25 != 34.3",
    ),
    "another run's metrics": (
        edit(TABLE, lambda content: accuracy_cell(content).update(metrics=[METRICS.replace("E1", "E2")])),
        "rows/E1/cells/accuracy/metrics/0: ",
    ),
    "number in a note": (replace(TABLE, "3 seeds", "5 seeds"), "notes/0: '3 seeds are said of it' != 'Mean over 5 "),
    "order of rows": (edit(TABLE, lambda content: content["rows"].reverse()), "rows/#order/0: 'E1' != 'time'"),
    "kind of a timed cell": (
        edit(TABLE, lambda content: accuracy_cell(content, 1).update(kind="measured")),
        "rows/time/cells/accuracy/kind: 'timed' != 'measured'",
    ),
    "printed value of a timed cell": (
        edit(TABLE, lambda content: accuracy_cell(content, 1).update(paper=1.5)),
        "rows/time/cells/accuracy/paper: 1.4 != 1.5",
    ),
    "absent file": (lambda root: (root / WEIGHTS).unlink(), f"{WEIGHTS}: missing in NEW"),
    "further file": (
        lambda root: write(root / "results/metrics/students/x/seed-0.json", {}),
        "results/metrics/students/x/seed-0.json: missing in OLD",
    ),
    "file at the old place": (
        lambda root: shutil.move(root / WEIGHTS, root / "results/students/last.safetensors"),
        f"{WEIGHTS}: missing in NEW",
    ),
}


def test_renamed_moved_and_timed_values_are_no_differences(
    old: Path, new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(old), str(new)]) == 0, capsys.readouterr().out
    output = capsys.readouterr().out
    assert output.endswith("EQUAL\n")
    assert "values of tables: 13 values, 1 excluded, 2 explained, 1 reworded" in output
    assert [line.split() for line in output.splitlines() if line.split()[:1] == ["metrics"]] == [
        ["metrics", "2", "2", "0", "0", "0", "1"]
    ]


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_difference_is_found(name: str, old: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant, line = PLANTED[name]
    plant(new)
    assert main([str(old), str(new)]) == 1
    assert line in capsys.readouterr().out


def test_figures_are_information(old: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_figure(new / "results/figures/fig_3.png", 101)
    assert main([str(old), str(new)]) == 0
    assert "information: results/figures/fig_3.png: pixels: 'equal' != '16 differ'" in capsys.readouterr().out


def test_at_most_20_lines_per_file(old: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(METRICS, lambda content: content.update({f"score_{number}": number for number in range(50)}))(new)
    assert main([str(old), str(new)]) == 1
    output = capsys.readouterr().out
    assert (output.count("(absent) != "), output.count("and 30 more differences")) == (20, 1)


def test_the_same_layout(old: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(old), str(shutil.copytree(old, old / "../copy")), "--same-layout"]) == 0
    assert main([str(new), str(shutil.copytree(new, new / "../new_copy")), "--same-layout"]) == 0
    flip_last_byte(MORE.replace("details.json", "predictions.npz"))(new / "../new_copy")
    assert main([str(new), str(new / "../new_copy"), "--same-layout"]) == 1
    assert main([str(old), str(new), "--same-layout"]) == 1
    assert f"results/students/{OLD_RUN}/weights.safetensors: missing in NEW" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("md5", "folder", "fault"),
    [
        ("aa", "results/features/pins-teacher", None),
        (
            "bb",
            "results/features/pins-teacher",
            "tabulate used another version of results/metrics/models/cifar100_kd.json",
        ),
        ("aa", "results/features/other", "results/features/other is in the lock and does not exist"),
    ],
)
def test_an_incomplete_build(
    md5: str, folder: str, fault: str | None, old: Path, new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [{"path": "results/metrics/models/cifar100_kd.json", "md5": "aa"}, {"path": folder, "md5": "cc.dir"}]
    deps = [{"path": "results/metrics/models/cifar100_kd.json", "md5": md5}, {"path": "src", "md5": "dd"}]
    write(new / "dvc.lock", {"stages": {"count_models": {"outs": outs}, "tabulate": {"deps": deps}}})
    assert main([str(old), str(new)]) == (1 if fault else 0)
    assert (fault or "EQUAL") in capsys.readouterr().out


def test_a_class_without_files(old: Path, new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for root in (old, new):
        shutil.rmtree(root / "results/features")
    assert main([str(old), str(new)]) == 1
    assert "features: no file in OLD, nothing is compared" in capsys.readouterr().out


def test_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), str(tmp_path)])


@pytest.mark.parametrize(
    ("old_path", "new_path"),
    [
        ("results/students/fer2013-E1/seed-0/last.safetensors", "mini_resemotenet"),
        ("results/metrics/students/raf_db-E4/seed-0.json", "mini_resemotenet"),
        ("results/predictions/students/fer2013_sweep-T3-w0.15/seed-0/predictions.npz", "mini_resemotenet"),
        ("results/students/cifar100-student_kd/seed-4/losses.npz", "cifar100_kd"),
        ("results/metrics/students/cifar100_grid-T4-w0.25/seed-0.json", "cifar100_kd"),
        ("results/students/pins-mse_convnet9/seed-0/history.csv", "small_dataset_kd"),
        ("results/teachers/fer2013/seed-0/history.csv", None),
        ("results/tables/fer2013_sweep.json", None),
    ],
)
def test_the_listed_paths(old_path: str, new_path: str | None) -> None:
    expected = old_path.replace("students/", f"students/{new_path}/") if new_path else old_path
    assert load(LIST, same_layout=False).new_path(old_path) == expected
    assert load(LIST, same_layout=True).new_path(old_path) == old_path


def test_cells_name_the_counts_of_their_study() -> None:
    old = {f"rows/{study}.models.x/cells/cell/value": "results/metrics/models.json, x" for study in COUNTS}
    new = {key: f"results/metrics/models/{study}.json, x" for study, key in zip(COUNTS, old, strict=True)}
    assert load(LIST, same_layout=False).reconcile("results/tables/verdicts.json", old, new)["reworded"] == 3
    assert old == new
    listed = (
        {"rows/x/cells/a/metrics/0": "results/metrics/models.json"},
        {"rows/x/cells/a/metrics/0": "results/metrics/models/cifar100_kd.json"},
    )
    load(LIST, same_layout=False).reconcile("results/tables/table_i.json", *listed)
    assert listed == ({}, {})


def test_verdicts_on_timed_cells_are_excluded() -> None:
    """Their printed value and kind are not; nor is a verdict on another cell."""
    old: dict[str, Any] = {}
    for row, kind in (("time", "timed"), ("accuracy", "measured")):
        cells = {"printed/value": 1.4, "measured/kind": kind, "measured/value": 8.2, "difference/value": 6.8}
        old |= {f"rows/{row}/cells/{key}": value for key, value in (cells | {"verdict/value": "differs"}).items()}
    new = dict(old)
    assert load(LIST, same_layout=True).reconcile("results/tables/verdicts.json", old, new)["excluded"] == 3
    left = {"rows/time/cells/printed/value", "rows/time/cells/measured/kind"}
    assert {key for key in old if "time" in key} == {key for key in new if "time" in key} == left
    assert len(old) == 7


@pytest.mark.parametrize(("term", "left"), [("0.375", set()), ("0.376", {"task_loss/1"})])
def test_a_loss_term_that_is_gone_equals_the_losses_of_the_steps(tmp_path: Path, term: str, left: set[str]) -> None:
    """Where train_loss is another value, of a method that adds to the loss of the steps."""
    history = tmp_path / "history.csv"
    write(history, f"epoch,train_loss,task_loss\n1,2.0,{term}\n")
    write_arrays(history.with_name("losses.npz"), loss=[0.5, 0.25])
    old, new = ({"train_loss/1": 2.0, "task_loss/1": float(term)} | mean_losses(history), mean_losses(history))
    new["train_loss/1"] = 2.0
    load(LIST, same_layout=False).reconcile("results/students/a/x/seed-0/history.csv", old, new)
    assert old.keys() - new.keys() == left


def test_the_main_loss_beside_an_auxiliary_head() -> None:
    old = {"train_loss/1": 2.0, "task_loss/1": 1.6}
    new = {"train_loss/1": 2.0, "main_loss/1": 1.6, "auxiliary_loss/1": 1.0}
    load(LIST, same_layout=False).reconcile("results/teachers/pins_inception_v3/seed-0/history.csv", old, new)
    assert old == new == {"train_loss/1": 2.0, "main_loss/1": 1.6}


def test_replaced_words() -> None:
    rule = {"files": ".*", "key": "verdict/.*", "text": {"old": "drawn", "new": "synthetic"}, "reason": "vocabulary"}
    old, new = (
        {"verdict/value": "drawn faces", "title": "drawn"},
        {"verdict/value": "synthetic faces", "title": "drawn"},
    )
    assert Renames({"values": [rule]}).reconcile("table.json", old, new)["reworded"] == 1
    assert old == new


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"files": ".*", "key": ".*", "ignore": True}, "gives no reason"),
        ({"files": ".*", "key": ".*", "skip": True, "reason": "typing error"}, "needs exactly one action"),
    ],
)
def test_a_faulty_list(entry: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Renames({"values": [entry]})
