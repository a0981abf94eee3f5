"""A record's name is computed by the run, from files and dvc.yaml, and again by readers, from dvc.lock alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cellar import files
from cellar.pipeline import content, records
from cellar.provenance import lineage
from cellar.provenance import records as reading

STAGE = "train_student-a-seed-0"
COMMAND = "python -m cellar train_student a/seed-0 --study s"
SETTINGS = {
    "learning_rate": 1e-05,
    "weight": 0.3,
    "momentum": 1.0,
    "tiny": 2.5e-07,
    "large": 1e16,
    "epochs": 3,
    "text": "1e-05",
    "word": "off",
    "time": "1:30",
    "number": "007",
    "dotted": "1.0.1",
    "nothing": "~",
    "freeze": False,
    "schedule": {"step": {"every": 1, "factor": 0.5}},
    "betas": [0.9, 0.999],
    "empty": {},
}
DEFINITION = {
    "cmd": COMMAND,
    "deps": ["src/cellar/engine", "data/arrays.npz"],
    "outs": ["results/weights", {"results/table.md": {"cache": False}}],
    "metrics": [{"results/m.json": {"cache": False}}],
    "plots": [{"results/history.csv": {"x": "epoch"}}],
}
PATHS = ("results/weights", "results/table.md", "results/m.json", "results/history.csv")


def dvc_lock(settings: dict[str, Any]) -> str:
    """The lock's text by DVC's own writer, after these bytes."""
    from dvc.utils.serialize import dumps_yaml

    def entries(paths: Any) -> list[dict[str, Any]]:
        return [{"path": path, "hash": "md5", "md5": content.md5(Path(path)), "size": 1} for path in paths]

    stage = {
        "cmd": COMMAND,
        "deps": entries(DEFINITION["deps"]),
        "params": {f"results/resolved/s/{STAGE}.json": settings},
        "outs": entries(sorted(PATHS)),  # as DVC sorts them
    }
    return dumps_yaml({"schema": "2.0", "stages": {STAGE: stage}})


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The record of a run in the current folder, and the lock that DVC writes after it."""
    monkeypatch.chdir(tmp_path)
    for name in ("src/cellar/engine/a.py", "src/cellar/engine/b/c.py", "data/arrays.npz", *PATHS):
        files.write_text(Path(name), name)
    path = records.write("s", STAGE, DEFINITION, SETTINGS, datetime.now(UTC), {"seed": 0, "device": "cpu"})
    files.write_text(Path("studies/s/dvc.lock"), dvc_lock(SETTINGS))
    return path


def test_the_lock_gives_the_name_that_the_run_gave(written: Path) -> None:
    """Floats in whatever form, text that looks like a number or a truth value, nested and empty settings."""
    stage = lineage.load().stages[0]
    assert stage.params == SETTINGS
    assert stage.record == written == records.place("s", STAGE, written.stem)
    assert list(reading.wrong([stage])) == []


def test_a_record_says_what_ran_where_and_how_long(written: Path) -> None:
    record = files.read_json(written)
    assert (record["stage"], record["study"], record["command"]) == (STAGE, "s", COMMAND)
    assert (record["seed"], record["device"], record["settings"]) == (0, "cpu", SETTINGS)
    assert record["outputs"] == {path: content.md5(Path(path)) for path in PATHS}
    assert record["inputs"]["src/cellar/engine"].endswith(".dir")
    assert record["seconds"] >= 0 and record["peak_memory_gb"] > 0 and record["versions"]["numpy"]


@pytest.mark.parametrize("change", ["settings", "command", "input", "output"])
def test_another_input_gives_another_name(written: Path, change: str) -> None:
    definition, settings = dict(DEFINITION), dict(SETTINGS)
    if change == "settings":
        settings["learning_rate"] = 1.1e-05
    elif change == "command":
        definition["cmd"] += " --other"
    else:
        files.write_text(Path("data/arrays.npz" if change == "input" else PATHS[0]), "other")
    assert records.write("s", STAGE, definition, settings, datetime.now(UTC), {}) != written


def test_the_same_bytes_made_again_have_the_same_name_and_the_later_record(written: Path) -> None:
    again = records.write("s", STAGE, DEFINITION, SETTINGS, datetime.now(UTC), {"seed": 0, "device": "cuda"})
    assert again == written and files.read_json(written)["device"] == "cuda"


def test_what_no_study_owns_is_shared() -> None:
    assert records.place("", "prepare-a", "0123456789abcdef0") == Path(
        "results/records/shared/prepare-a/0123456789abcdef.json"
    )
