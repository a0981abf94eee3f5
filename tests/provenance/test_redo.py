"""What redo says of a clone that has run: the same bytes, other bytes and why, times within their spread or not.

The clone itself is made and run in tests/workflow/test_cells.py.
"""

import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from cellar import files
from cellar.errors import CellarError
from cellar.pipeline import content
from cellar.provenance import lineage, redo
from cellar.provenance.lineage import Stage

from .cell_project import RUN, STUDY_LOCK, lock, record, settings, target, write

FIRST, LAST = "train_student-a-seed-0", "evaluate_student-a-seed-0"
WEIGHTS, METRICS = Path("results/w"), Path("results/metrics/m.json")
COSTS = "results/metrics/costs/fer2013-a.json"


def tiny_lock(**values: Any) -> dict[str, Any]:
    """The lock for the bytes of the current folder. `values`: settings of the first stage."""

    def entries(*paths: Path) -> list[dict[str, str]]:
        return [{"path": str(path), "hash": "md5", "md5": content.md5(path)} for path in paths]

    return {
        FIRST: {"cmd": "train", "params": settings(FIRST, values), "outs": entries(WEIGHTS)},
        LAST: {"cmd": "evaluate", "deps": entries(WEIGHTS), "outs": entries(METRICS)},
    }


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two stages, the current directory, and a clone that has the same bytes but a later record."""
    monkeypatch.chdir(tmp_path)
    files.write_text(WEIGHTS, "weights")
    files.write_text(METRICS, "{}")
    lock(STUDY_LOCK, tiny_lock(threads=2))
    shutil.copytree(tmp_path, tmp_path / "clone")
    record(chain()[-1])
    made_again(tmp_path / "clone", started="2031", seconds=99)
    return tmp_path / "clone"


def made_again(clone: Path, values: dict[str, Any] | None = None, **facts: Any) -> None:
    """The lock of a clone for its own bytes, and the record of its first stage."""
    with chdir(clone):
        lock(STUDY_LOCK, tiny_lock(**(values or {"threads": 2})))
        record(lineage.load().made[str(WEIGHTS)][0], **facts)


def chain() -> list[Stage]:
    return lineage.load().chain([str(METRICS)])


def test_the_same_bytes_are_counted_and_records_are_not(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert redo.compared(chain(), clone) == 0
    assert capsys.readouterr().out == "identical: 2 files\n"


def test_other_bytes_are_told_where_they_begin_with_what_the_records_say(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.write_text(clone / WEIGHTS, "other weights")
    files.write_text(clone / METRICS, "{1}")
    made_again(clone, threads=1, device="cuda", versions=RUN["versions"] | {"torch": "3.0"})
    assert redo.compared(chain(), clone) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"different: 2 of 2 files, from {target(FIRST)} on"
    assert said[2:] == [
        "  cause    versions.torch: 2.13.0 here, 3.0 in the clone",
        "  cause    device: cpu here, cuda in the clone",
        "  cause    threads: 2 here, 1 in the clone",
    ]


def test_parameters_that_are_committed_but_not_built_are_a_cause(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.write_text(clone / WEIGHTS, "other weights")
    made_again(clone, {"threads": 1})
    shutil.rmtree(clone / "results/records")  # the locks tell it too
    assert redo.compared(chain(), clone) == 1
    assert "  cause    threads: 2 here, 1 in the clone\n" in capsys.readouterr().out


def test_a_stage_that_does_not_repeat_is_called_so(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clone / METRICS).unlink()
    assert redo.compared(chain(), clone) == 1
    said = capsys.readouterr().out
    assert f"from {target(LAST)} on" in said and "None in the clone" in said and "does not repeat" in said


def costs(median: float, p95: float, memory: float = 100, threads: int = 2) -> dict[str, Any]:
    latency = {"1": {"median_ms_per_batch": median, "p95_ms_per_batch": p95}}
    return {"model": "a", "threads": threads, "latency": latency, "peak_memory_mb": memory}


@pytest.mark.parametrize(
    ("new", "code", "said"),
    [
        (costs(6.5, 6.6), 0, "batch 1: median +0.5 ms, within the spread of 0.5 ms"),
        (costs(7.0, 8.0), 1, "cause    batch 1: its own spread is 1 ms, so other work may have run beside it"),
        (costs(5.5, 5.6), 0, "batch 1: median -0.5 ms, within"),
        (costs(6.75, 6.8), 1, "batch 1: median +0.75 ms, outside the spread of 0.5 ms"),
        (costs(6.0, 6.5, memory=110), 0, "memory +10 MB; no spread is stated for it"),
        (costs(9.0, 9.1, threads=1), 1, "cause    threads: 2 here, 1 in the clone"),
    ],
)
def test_times_are_within_the_spread_that_is_stated(
    clone: Path, capsys: pytest.CaptureFixture[str], new: dict[str, Any], code: int, said: str
) -> None:
    files.write_json(Path(COSTS), costs(6.0, 6.5))
    files.write_json(clone / COSTS, new)
    assert redo.timed([COSTS], clone) == code
    printed = capsys.readouterr().out
    assert said in printed
    assert printed.splitlines()[-1] == ("outside" if code else "within") + " the stated spread"


def test_times_without_a_spread_are_shown_and_not_judged(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, seconds in ((Path(COSTS), 2.0), (clone / COSTS, 9.0)):
        files.write_json(path, {"threads": 2, "seconds_per_epoch": seconds, "images_per_second": 18 / seconds})
    assert redo.timed([COSTS], clone) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"  {COSTS}: seconds_per_epoch 2.0 here, 9.0 in the clone",
        f"  {COSTS}: images_per_second 9.0 here, 2.0 in the clone",
        "no spread is stated for it: not judged",
    ]


def test_a_number_of_the_paper_has_nothing_to_redo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write()
    with pytest.raises(CellarError, match="table_vi, qcs, parameters: nothing to redo, the cell is reported"):
        redo.report("table_vi", "qcs", "parameters")


def test_raw_data_is_brought_into_the_clone_as_it_is(clone: Path) -> None:
    files.write_text(Path("elsewhere/a/one.txt"), "a face")
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/faces").symlink_to(Path("elsewhere").resolve())
    redo.bring([lineage.File("data/raw/faces", "aa.dir")], clone)
    assert (clone / "data/raw/faces/a/one.txt").read_text() == "a face"
    assert not (clone / "data/raw/faces").is_symlink()
    with pytest.raises(CellarError, match="data/raw/none does not exist, and no stage makes it"):
        redo.bring([lineage.File("data/raw/none", "bb")], clone)


def test_a_failing_command_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match=r"^exit 3 ended with 3 in a clone \(see above\); nothing of it was kept$"):
        redo.run(["exit 3"], tmp_path)
    with pytest.raises(CellarError, match=r"^git clone nowhere ended with 128 in a clone"):
        redo.command(["git", "clone", "nowhere"], tmp_path)


@pytest.mark.parametrize(("columns", "refused"), [("epoch,train_loss,processor", True), ("epoch,train_loss", False)])
def test_a_training_on_two_types_of_processor_is_known_by_its_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str, refused: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    history = "results/students/E1/seed-0/history.csv"
    files.write_text(Path(history), f"{columns}\n1,0.5,1\n")
    stage = Stage("train", "train", Path("dvc.lock"), "", {}, (), (lineage.File(history, "aa"),))
    assert redo.is_of_several_processors(stage) == refused
