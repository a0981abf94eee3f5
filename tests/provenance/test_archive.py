"""`cellar verify runs/NAME`: silent about a whole archive, one line for each planted fault."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellar.cli import main
from cellar.errors import CellarError
from cellar.provenance.archive import formulas, layout, verify
from cellar.provenance.archive.layout import Archive

from . import archived_run
from .archived_run import IN_STUDY, metrics_path, weights

WHOLE, LARGE = metrics_path("alone", 0), metrics_path("student", 0)
TABLE = "tables/own_table.json"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    archived_run.write_project()
    return archived_run.write_archive()


def edit(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change a JSON file in place; the list of digests stays."""
    content = json.loads((folder / name).read_text())
    change(content)
    if name in layout.DEPTHS:
        layout.write_json(folder, name, content)
    else:
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def set_cell(row: str, column: str, field: str, value: Any) -> Callable[[Any], Any]:
    def change(table: Any) -> None:
        next(line for line in table["rows"] if line["id"] == row)["cells"][column][field] = value

    return change


def test_a_whole_archive_has_no_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "runs/mine"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"runs/mine: no record of {IN_STUDY}plot-curves, evaluate-2, {IN_STUDY}tabulate-own_table",
        "runs/mine: made in an earlier history of the project: its commits are not in this repository",
        "verified runs/mine: 3 of 3 computed cells recomputed from metrics.json, 0 problems",
    ]


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a changed cell": (
        lambda folder: edit(folder, TABLE, set_cell("student", "accuracy", "value", 61.26)),
        r"tables/own_table.json: cell student, accuracy: value is 61.26, metrics.json gives 61.25 \(mean accuracy\)",
    ),
    "a changed deviation": (
        lambda folder: edit(folder, TABLE, set_cell("student", "accuracy", "std", 0.76)),
        r"tables/own_table.json: cell student, accuracy: std is 0.76, metrics.json gives 0.75 \(mean accuracy\)",
    ),
    "a changed interval": (
        lambda folder: edit(folder, TABLE, set_cell("student", "accuracy", "interval", [59.0, 63.5])),
        r"tables/own_table.json: cell student, accuracy: interval is \[59.0, 63.5\], metrics.json gives \[59.3869, 63.1131\].*",
    ),
    "a changed difference": (
        lambda folder: edit(folder, TABLE, set_cell("student", "gain", "value", 3.4)),
        r"tables/own_table.json: cell student, gain: value is 3.4, metrics.json gives 3.3333 \(difference accuracy\)",
    ),
    "a changed cell that no metrics give": (
        lambda folder: edit(folder, TABLE, set_cell("alone", "gain", "value", 12.6)),
        r"tables/own_table.json: lock.json has md5 \w{32} for results/tables/own_table.json, tables/own_table.json gives \w{32}",
    ),
    "a changed page": (
        lambda folder: replace(folder / "tables/own_table.md", "61.25", "61.26"),
        r"tables/own_table.md: lock.json has md5 \w{32} for results/tables/own_table.md, tables/own_table.md gives \w{32}",
    ),
    "a changed metric of a complete file": (
        lambda folder: edit(folder, "metrics.json", lambda metrics: metrics[WHOLE].update(accuracy=58.1)),
        rf"metrics.json: lock.json has md5 \w{{32}} for {WHOLE}, metrics.json gives \w{{32}}",
    ),
    "a changed metric of a reduced file": (
        lambda folder: edit(folder, "metrics.json", lambda metrics: metrics[LARGE].update(loss=1.6)),
        rf"metrics.json: lock.json has md5 \w{{32}} for {LARGE}, metrics.json gives \w{{32}}",
    ),
    "a changed history": (
        lambda folder: replace(folder / "histories.json", "1,1.9", "1,1.8"),
        r"histories.json: lock.json has md5 \w{32} for \S+seed-1/history.csv, histories.json gives \w{32}",
    ),
    "a changed figure": (
        lambda folder: (folder / "figures/curves.png").write_bytes(b"PNG"),
        r"figures/curves.png: lock.json has md5 \w{32} for results/figures/curves.png, figures/curves.png gives \w{32}",
    ),
    "a changed md5 of a metrics file": (
        lambda folder: edit(folder, "lock.json", lambda lock: lock["stages"]["evaluate-0"]["outs"].update({WHOLE: "0" * 32})),
        rf"lock.json: lock.json has md5 0{{32}} for {WHOLE}, metrics.json gives \w{{32}}",
    ),
    "a changed md5 of a file that a stage read": (
        lambda folder: edit(folder, "lock.json", lambda lock: lock["stages"]["train-0"]["outs"].update({weights(0): "0" * 32})),
        rf"lock.json: {weights(0)} has md5 0{{32}}, but evaluate-0 read \w{{32}}",
    ),
    "a changed command": (
        lambda folder: edit(folder, "lock.json", lambda lock: lock["stages"]["train-0"].update(command="train 9")),
        r"lock.json: changed since the run was archived: its sha256 is not that of SHA256SUMS",
    ),
    "a changed parameter in the lock": (
        lambda folder: edit(folder, "lock.json", lambda lock: lock["stages"]["train-0"]["params"].update(threads=1)),
        r"lock.json: train-0 ran with threads = 1, params.yaml has 2",
    ),
    "changed parameters": (
        lambda folder: replace(folder / "params.yaml", "threads: 2", "threads: 4"),
        r"params.yaml: train-2, train-1, train-0 ran with threads = 2, params.yaml has 4",
    ),
    "a changed recipe": (
        lambda folder: replace(folder / "params.yaml", "epochs: 3", "epochs: 4"),
        r"params.yaml: changed since the run was archived: its sha256 is not that of SHA256SUMS",
    ),
    "a parameter under its key in params.yaml, as in earlier archives": (
        lambda folder: edit(folder, "lock.json", lambda lock: lock["stages"]["train-0"]["params"].update({"studies.own.recipes.short": {"epochs": 9}})),
        r"lock.json: train-0 ran with studies.own.recipes.short.epochs = 9, params.yaml has 3",
    ),
    "a changed record": (
        lambda folder: replace(folder / "records.json", "60.0", "61.0"),
        r"records.json: changed since the run was archived: its sha256 is not that of SHA256SUMS",
    ),
    "a record of no stage": (
        lambda folder: edit(folder, "records.json", lambda records: records["stages"].update(other={"environment": 0})),
        r"records.json: other is no stage of lock.json",
    ),
    "a missing table": (
        lambda folder: (folder / TABLE).unlink(),
        r"tables/own_table.json: missing; restore it with: git checkout -- runs/mine",
    ),
    "missing metrics": (
        lambda folder: (folder / "metrics.json").unlink(),
        r"metrics.json: missing; restore it with: git checkout -- runs/mine",
    ),
    "a missing lock": (
        lambda folder: (folder / "lock.json").unlink(),
        r"lock.json: missing; restore it with: git checkout -- runs/mine",
    ),
    "a missing list of digests": (
        lambda folder: (folder / "SHA256SUMS").unlink(),
        r"SHA256SUMS: missing; restore it with: git checkout -- runs/mine",
    ),
    "an additional file": (
        lambda folder: (folder / "notes.txt").write_text("mine"),
        r"notes.txt: not listed in SHA256SUMS; it is no file of this archive",
    ),
    "metrics that are no JSON": (
        lambda folder: (folder / "metrics.json").write_text("{"),
        r"metrics.json: not JSON; restore it with: git checkout -- runs/mine",
    ),
    "parameters that are no YAML": (
        lambda folder: (folder / "params.yaml").write_text("{"),
        r"params.yaml: not YAML \(.*\)",
    ),
}  # fmt: skip


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    plant, line = FAULTS[fault]
    plant(folder)
    assert main(["verify", "runs/mine"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("runs/mine/")]
    assert len(lines) == 1 and re.fullmatch(f"runs/mine/{line}", lines[0]), lines


@pytest.mark.parametrize("fault", ["a changed cell", "a changed metric of a complete file", "a changed history"])
def test_new_digests_do_not_hide_a_fault(folder: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    plant, line = FAULTS[fault]
    plant(folder)
    layout.write_sums(folder)
    assert main(["verify", "runs/mine"]) == 1
    assert re.search(line, capsys.readouterr().out)


def test_a_cell_is_recomputed_even_if_all_digests_fit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, TABLE, set_cell("student", "accuracy", "value", 61.26))
    digest = layout.file_md5(folder / TABLE)
    path = "results/tables/own_table.json"
    edit(
        folder, "lock.json", lambda lock: lock["stages"][f"{IN_STUDY}tabulate-own_table"]["outs"].update({path: digest})
    )
    layout.write_sums(folder)
    assert main(["verify", "runs/mine"]) == 1
    assert "cell student, accuracy: value is 61.26, metrics.json gives 61.25" in capsys.readouterr().out


def test_large_metrics_lose_their_classes_and_are_marked_as_reduced(folder: Path) -> None:
    archive = Archive(folder)
    assert "per_class" not in archive.metrics[LARGE] and archive.metrics[LARGE]["macro"] == {"f1": 60.25}
    assert WHOLE not in archive.lock.reduced and LARGE in archive.lock.reduced
    assert archive.metrics[WHOLE] == json.loads(Path(WHOLE).read_text())


def test_records_keep_what_the_lock_has_not(folder: Path) -> None:
    record = Archive(folder).records["train-0"]
    whole = archived_run.record("train-0")
    assert record["machine"] == {"system": "Linux", "cores": 2, "memory_gb": 25.3}
    assert {key: record[key] for key in record if key != "machine"} == {
        key: value for key, value in whole.items() if key not in ("machine", *layout.IN_LOCK)
    }


def test_the_standard_tool_reads_the_digests(folder: Path) -> None:
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    listed = (folder / "SHA256SUMS").read_text().splitlines()
    assert done.returncode == 0 and done.stdout.count(": OK") == len(listed) > 5


def test_an_unknown_run_is_named(folder: Path) -> None:
    with pytest.raises(CellarError, match=r"^runs/other is not an archived run; archived: mine$"):
        verify.run(Path("runs/other"))


def test_an_archive_is_verified_as_a_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "runs/mine", "student", "accuracy"]) == 1
    assert "runs/mine takes no row" in capsys.readouterr().err


def test_equal_scalars_are_told_apart_by_the_labels() -> None:
    metrics = [{"accuracy": 50.0, "last_epoch.accuracy": 50.0, "macro.recall": 50.0}]
    cell = {"value": 50.0, "kind": "measured", "metrics": ["m.json"]}
    assert formulas.search(cell, ["last_epoch", "last epoch (%)"], metrics) == "mean last_epoch.accuracy"
    assert formulas.search(cell, ["rec", "REC (%)"], metrics) == "mean macro.recall"
    assert formulas.search(cell, ["w0.5"], metrics) == "mean accuracy"
    zeros = [{f"pairs.{i}": 0 for i in range(9)}]
    assert formulas.search({"value": 0, "metrics": ["m.json"]}, ["empty"], zeros) is None
