"""verify on a small made-up project: nothing to say while it is whole, one line for each planted fault."""

import json
import shutil
import subprocess
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from cellar import files, tables
from cellar.engine import run_record
from cellar.errors import CellarError
from cellar.metrics import classification, from_predictions
from cellar.pipeline import dvc_yaml, plan
from cellar.provenance import artefacts, verify
from cellar.tables import cells, render
from cellar.tables.cells import Cell, Column, Row, Table
from tests.scores import write_scores

ROOT = Path(__file__).parents[2]
CLASSES = ["happy", "sad", "anger"]
RUN = "students/fer2013-E1/seed-0"
METRICS = Path(f"results/metrics/{RUN}.json")
DETAILS = Path(f"results/predictions/{RUN}/details.json")
PREDICTIONS = Path(f"results/predictions/{RUN}/predictions.npz")
RECORD = Path(f"results/predictions/{RUN}/run.json")
WEIGHTS = Path(f"results/{RUN}/weights.safetensors")
RAW = Path("data/raw/faces")
SOURCE, PAGE = Path("results/tables/table_vi.json"), Path("results/tables/table_vi.md")


def predict(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits, last = rng.normal(size=(2, 40, 3)).astype(np.float32)
    return {"logits": logits, "last_logits": last, "labels": np.arange(40) % 3, "index": np.arange(40)}


def score(kept: dict[str, np.ndarray]) -> dict[str, Any]:
    last = classification.from_logits(kept["last_logits"], kept["labels"], CLASSES)
    head = {"dataset": "fer2013", "model": "resemotenet_a", "epoch": 3}
    given = classification.from_logits(kept["logits"], kept["labels"], CLASSES)
    return {**head, **given, "last_epoch": {name: last[name] for name in ("accuracy", "loss")}}


def build(table: str, params: object) -> Table:
    """The stand-in for cellar.tables.build: one cell, the accuracy of one metrics file."""
    value = files.read_json(METRICS)["accuracy"]
    cell = Cell("measured", value, "%", stage=["evaluate_student@fer2013-E1-seed-0"], metrics=[str(METRICS)])
    scale = {"name": "sample", "drawn": True, "note": "drawn"}
    rows = [Row("E1", "Student Model A(E1)", {"fer2013_accuracy": cell})]
    return Table(
        table, "Table VI", "mini_resemotenet", scale, [], [Column("fer2013_accuracy", "FER2013 (%)", "%")], rows
    )


def lock() -> None:
    """dvc.lock as DVC would write it for the bytes that are here now."""

    def entries(*found: Path) -> list[dict[str, str]]:
        return [{"path": str(path), "hash": "md5", "md5": artefacts.digest(path).md5} for path in found]

    stages = {
        "draw_faces@fer2013": {"cmd": "draw", "outs": entries(RAW)},
        "train_student@fer2013-E1-seed-0": {"cmd": "train", "deps": entries(RAW), "outs": entries(WEIGHTS)},
        "evaluate_student@fer2013-E1-seed-0": {
            "cmd": "evaluate",
            "deps": entries(WEIGHTS),
            "outs": entries(PREDICTIONS, RECORD, METRICS, DETAILS),
        },
        "tabulate_table_vi": {"cmd": "tabulate", "deps": entries(METRICS), "outs": entries(SOURCE, PAGE)},
    }
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


def track(*found: Path) -> None:
    """Put files into git, as a clone has them."""
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "add", *map(str, found)], check=True)


def keep(kept: dict[str, np.ndarray]) -> None:
    files.write_arrays(PREDICTIONS, **kept)


def note(inputs: list[Path], outputs: list[Path]) -> None:
    hashes = [{str(path): files.hash_file(path) for path in some} for some in (inputs, outputs)]
    files.write_json(RECORD, {"inputs": hashes[0], "outputs": hashes[1]})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole project of one run and one table, and the current directory."""
    monkeypatch.chdir(tmp_path)
    put_studies()
    monkeypatch.setattr(tables, "build", build)
    monkeypatch.setattr(tables, "inputs", lambda table, params: [str(METRICS)])
    monkeypatch.setattr(dvc_yaml, "outdated", lambda params: [])
    monkeypatch.setattr(plan, "families", lambda params: [])
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    files.write_text(RAW / "sub" / "one.txt", "a face\n")
    files.write_text(WEIGHTS, "weights\n")
    keep(predict(0))
    write_scores("students", "fer2013-E1", 0, score(predict(0)))
    note([WEIGHTS], [PREDICTIONS, METRICS, DETAILS])
    render.write(build("table_vi", None), SOURCE.parent)
    lock()
    return tmp_path


def assert_only(problems: list[str], *words: str) -> None:
    """Exactly one problem has all the words, and every problem is one line that begins with a file."""
    assert len([problem for problem in problems if all(word in problem for word in words)]) == 1, problems
    assert all("\n" not in problem and problem.startswith(("results/", "data/", "dvc.yaml")) for problem in problems)


def test_a_whole_project_has_no_problem(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = verify.verify(None)
    assert (found.problems, found.absent, found.checked) == ([], [], 8)
    assert verify.report(None, complete=True) == 0
    assert capsys.readouterr().out == "verified: 1 table, 8 files, 0 problems\n"


def test_nothing_is_judged_by_an_earlier_look(project: Path) -> None:
    assert verify.verify("table_vi").problems == []
    WEIGHTS.write_text("Weights\n")
    assert_only(verify.verify("table_vi").problems, f"{WEIGHTS}: its md5")


def test_a_metric_edited_by_hand(project: Path) -> None:
    said = files.read_json(METRICS)
    said["macro"]["f1"] += 1
    files.write_json(METRICS, said)
    note([WEIGHTS], [PREDICTIONS, METRICS, DETAILS])
    lock()
    wanted = said["macro"]["f1"] - 1
    found = verify.verify(None).problems
    assert len(found) == 1
    assert_only(found, str(METRICS), "macro.f1 is", f"not {wanted}")


def test_a_last_epoch_edited_by_hand(project: Path) -> None:
    said = files.read_json(METRICS)
    said["last_epoch"]["accuracy"] = 99.0
    files.write_json(METRICS, said)
    assert_only(verify.verify(None).problems, str(METRICS), "last_epoch.accuracy is 99.0")


def test_a_metric_left_out(project: Path) -> None:
    details = files.read_json(DETAILS)
    del details["confusion"]
    files.write_json(DETAILS, details)
    note([WEIGHTS], [PREDICTIONS, METRICS, DETAILS])
    lock()
    assert_only(verify.verify(None).problems, str(METRICS), "confusion is None")


def test_a_confusion_edited_by_hand(project: Path) -> None:
    """It is no file of the lock here: the predictions alone give it away."""
    confusion = DETAILS.with_name("confusion.csv")
    files.write_text(confusion, from_predictions.confusion_csv(predict(0), CLASSES))
    assert not verify.verify(None).problems
    files.write_text(confusion, confusion.read_text().replace("happy,sad", "happy,happy", 1))
    assert_only(verify.verify(None).problems, str(confusion), "gives other classes")


def test_predictions_of_another_run_that_the_lock_and_the_record_agree_with(project: Path) -> None:
    keep(predict(1))
    note([WEIGHTS], [PREDICTIONS, METRICS, DETAILS])
    lock()
    found = verify.verify(None).problems
    assert len(found) == 1
    assert_only(found, str(METRICS), "gives other numbers", "accuracy is")


def test_a_flipped_byte_in_predictions(project: Path) -> None:
    content = bytearray(PREDICTIONS.read_bytes())
    content[len(content) // 2] ^= 1
    PREDICTIONS.write_bytes(content)
    found = verify.verify(None).problems
    assert_only(found, f"{PREDICTIONS}: its md5", "dvc.lock has", "evaluate_student@fer2013-E1-seed-0")
    assert_only(found, f"{RECORD}: {PREDICTIONS} has sha256")


def test_predictions_that_are_no_archive_are_one_line(project: Path) -> None:
    PREDICTIONS.write_bytes(b"no archive")
    assert_only(verify.verify(None).problems, f"{PREDICTIONS} cannot be read")


def test_predictions_without_logits_are_one_line(project: Path) -> None:
    kept = predict(0)
    del kept["last_logits"]
    keep(kept)
    assert_only(verify.verify(None).problems, f"{METRICS}: cannot be compared", "last_logits")


def test_metrics_that_are_no_json_are_named(project: Path) -> None:
    METRICS.write_text("{")
    found = verify.verify(None).problems
    assert_only(found, f"{METRICS}: its md5")
    assert_only(found, f"{METRICS} is not JSON")


def test_a_page_edited_by_hand(project: Path) -> None:
    PAGE.write_text(PAGE.read_text().replace("FER2013", "FER-2013"))
    lock()
    assert verify.verify(None).problems == [f"{PAGE}: does not say what {SOURCE} says"]


def test_a_table_that_is_not_what_its_inputs_give(project: Path) -> None:
    found = files.read_json(SOURCE)
    value = found["rows"][0]["cells"]["fer2013_accuracy"]["value"]
    found["rows"][0]["cells"]["fer2013_accuracy"]["value"] = 99.5
    files.write_json(SOURCE, found)
    PAGE.write_text(render.markdown(cells.from_json(found)))
    lock()
    problems = verify.verify(None).problems
    assert problems == [
        f"{SOURCE}: cell E1, fer2013_accuracy is not what its inputs give: 99.5 here, {value} from them"
    ]


def test_a_title_that_is_not_what_params_give(project: Path) -> None:
    found = files.read_json(SOURCE) | {"title": "Table 6"}
    files.write_json(SOURCE, found)
    assert_only(verify.verify(None).problems, str(SOURCE), "title not as its inputs")


def test_a_stage_that_read_another_file_than_was_made(project: Path) -> None:
    found = yaml.safe_load(Path("dvc.lock").read_text())
    found["stages"]["evaluate_student@fer2013-E1-seed-0"]["deps"][0]["md5"] = "0" * 32
    Path("dvc.lock").write_text(yaml.safe_dump(found))
    problems = verify.verify(None).problems
    assert_only(
        problems, f"{WEIGHTS}: evaluate_student@fer2013-E1-seed-0 read {'0' * 32}", "train_student@fer2013-E1-seed-0"
    )


def test_a_record_of_other_bytes(project: Path) -> None:
    found = files.read_json(RECORD)
    found["inputs"][str(WEIGHTS)] = "0" * 64
    files.write_json(RECORD, found)
    lock()
    problems = verify.verify(None).problems
    assert problems == [
        f"{RECORD}: {WEIGHTS} has sha256 {files.hash_file(WEIGHTS)}, the record says {'0' * 64}",
    ]


def test_a_record_of_a_folder_is_compared_as_it_is_written(project: Path) -> None:
    found = files.read_json(RECORD)
    found["inputs"][str(RAW)] = run_record.content_hash.__wrapped__(RAW)
    files.write_json(RECORD, found)
    lock()
    assert verify.verify(None).problems == []
    files.write_text(RAW / "sub" / "one.txt", "another face\n")
    found_now = verify.verify(None).problems
    assert_only(found_now, f"{RECORD}: {RAW} has sha256")
    assert_only(found_now, f"{RAW}: its md5", ".dir")


def test_a_record_that_is_none(project: Path) -> None:
    RECORD.write_text("[]")
    assert_only(verify.verify(None).problems, f"{RECORD}: is no record")


def test_what_a_clone_has_not_fetched_is_counted_not_failed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that git does not keep is away; of a number's chain nothing is left but the number."""
    for path in (WEIGHTS, PREDICTIONS, RECORD, DETAILS):
        path.unlink()
    shutil.rmtree(RAW)
    track(METRICS, SOURCE, PAGE)
    found = verify.verify("table_vi")
    assert (found.problems, len(found.absent), found.checked) == ([], 5, 3)
    assert verify.report("table_vi", complete=False) == 0
    assert "5 artefacts are not here: dvc pull or rebuild\n" in capsys.readouterr().out
    assert verify.report("table_vi", complete=True) == 1
    assert f"{WEIGHTS}: not here" in capsys.readouterr().out


def test_a_row_whose_checkpoint_is_gone(project: Path) -> None:
    track(METRICS, SOURCE, PAGE)
    WEIGHTS.unlink()
    assert verify.verify(None).problems == [
        f"{WEIGHTS}: gone, though {PREDICTIONS} is here (table_vi, row E1); dvc pull or rebuild"
    ]


def test_a_table_that_no_stage_made(project: Path) -> None:
    found = yaml.safe_load(Path("dvc.lock").read_text())
    del found["stages"]["tabulate_table_vi"]
    Path("dvc.lock").write_text(yaml.safe_dump(found))
    assert_only(verify.verify(None).problems, f"{SOURCE}: no stage of dvc.lock made it")


def test_a_pipeline_file_out_of_date(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvc_yaml, "outdated", lambda params: [Path("dvc.yaml")])
    assert_only(verify.verify(None).problems, "dvc.yaml: ", "cellar plan")


def test_a_problem_makes_the_exit_code_1(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WEIGHTS.write_text("other\n")
    assert verify.report(None, complete=False) == 1
    assert capsys.readouterr().out.endswith("verified: 1 table, 8 files, 2 problems\n")


def test_only_the_chain_of_the_table_that_is_asked_for(project: Path) -> None:
    other = json.loads(SOURCE.read_text()) | {"id": "table_iv"}
    files.write_json(SOURCE.with_name("table_iv.json"), other)
    assert verify.verify("Table VI").problems == []
    assert_only(verify.verify(None).problems, "results/tables/table_iv.json", "no stage")


def test_a_table_of_lines_that_params_yaml_has_not_is_named_and_left_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files.write_json(SOURCE.with_name("custom_pets.json"), json.loads(SOURCE.read_text()) | {"id": "custom_pets"})
    assert verify.report(None, complete=False) == 0
    said = capsys.readouterr().out.splitlines()
    assert "not looked at, for params.yaml has no line of theirs: custom_pets" in said
    assert said[-1] == "verified: 1 table, 8 files, 0 problems"


def test_without_any_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CellarError, match="no table yet; build them with: snakemake --cores 4"):
        verify.verify(None)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    def fill(contents: dict[str, str]) -> Path:
        for name, content in contents.items():
            files.write_text(tmp_path / "out" / name, content)
        return tmp_path / "out"

    return fill


def test_md5_of_a_folder_is_that_of_dvc(folder: Callable[[dict[str, str]], Path]) -> None:
    """The expected md5 is what DVC 3.67.1 wrote to dvc.lock for this folder."""
    path = folder({"b.txt": "hi\n", "sub/a.txt": "ho\n", "é.txt": "é\n", "Z": "", ".hid": ""})
    assert artefacts.digest(path).md5 == "32d75b68b4380bebfa5817bf57c6663c.dir"
    (path / ".snakemake_timestamp").touch()
    assert artefacts.digest(path).md5 == "32d75b68b4380bebfa5817bf57c6663c.dir"


def test_md5_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"a\r\nb")
    assert artefacts.digest(tmp_path / "one").md5 == md5(b"a\r\nb").hexdigest()
