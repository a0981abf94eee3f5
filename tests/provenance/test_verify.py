"""verify on a small made-up project: nothing to say while it is whole, one line for each planted fault."""

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from cellar import config, files, tables
from cellar.errors import CellarError
from cellar.metrics import classification, from_predictions
from cellar.paths import STUDIES
from cellar.pipeline import content, dvc_yaml, plan, resolved
from cellar.pipeline.stage import Stage as PlannedStage
from cellar.provenance import explain, lineage, recomputed, verify
from cellar.provenance.lineage import Stage
from cellar.tables import cells, render
from cellar.tables.cells import Cell, Column, Row, Table
from tests.scores import write_scores
from tests.table_project import put_studies

from . import cell_project
from .cell_project import EVALUATION, LOCK, STUDY, STUDY_LOCK, TABULATED, settings, target

ROOT = Path(__file__).parents[2]
CLASSES = ["happy", "sad", "anger"]
NAME = f"{STUDY}/fer2013-E1"
METRICS = Path(f"results/metrics/students/{NAME}/seed-0.json")
DETAILS = Path(f"results/predictions/students/{NAME}/seed-0/details.json")
PREDICTIONS = Path(f"results/predictions/students/{NAME}/seed-0/predictions.npz")
WEIGHTS = Path(f"results/students/{NAME}/seed-0/weights.safetensors")
CODE = Path("src/cellar/engine")
RAW = Path("data/raw/faces")
TRAINING = "train_student-fer2013-E1-seed-0"
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
    cell = Cell("measured", value, "%", stage=[target(EVALUATION)], metrics=[str(METRICS)])
    scale = {"name": "sample", "synthetic": True, "note": "a sample"}
    rows = [Row("E1", "Student Model A(E1)", {"fer2013_accuracy": cell})]
    return Table(
        table, "Table VI", "mini_resemotenet", scale, [], [Column("fer2013_accuracy", "FER2013 (%)", "%")], rows
    )


def lock(of_evaluation: dict[str, Any] | None = None) -> None:
    """The locks as DVC would write them for the bytes that are here now. `of_evaluation`: its resolved settings."""

    def entries(*found: Path) -> list[dict[str, str]]:
        return [{"path": str(path), "hash": "md5", "md5": content.md5(path)} for path in found]

    cell_project.lock(LOCK, {"make_synthetic-fer2013": {"cmd": "draw", "outs": entries(RAW)}})
    stages = {
        TRAINING: {"cmd": "train", "deps": entries(CODE, RAW), "outs": entries(WEIGHTS)},
        EVALUATION: {
            "cmd": "evaluate",
            "deps": entries(CODE, WEIGHTS),
            "params": settings(EVALUATION, of_evaluation or {"threads": 1}),
            "outs": entries(PREDICTIONS, METRICS, DETAILS),
        },
        TABULATED: {"cmd": "tabulate", "deps": entries(METRICS), "outs": entries(SOURCE, PAGE)},
    }
    cell_project.lock(STUDY_LOCK, stages)


def evaluation() -> Stage:
    made = lineage.load().maker(str(METRICS))
    assert made is not None
    return made[0]


def track(*found: Path) -> None:
    """Put files into git, as a clone has them."""
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "add", *map(str, found)], check=True)


def commit() -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, "commit", "--quiet", "-m", "one"], check=True)


def keep(kept: dict[str, np.ndarray]) -> None:
    files.write_arrays(PREDICTIONS, **kept)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole project of one run, with its record, and one table, and the current directory."""
    monkeypatch.chdir(tmp_path)
    put_studies()
    monkeypatch.setattr(tables, "build", build)
    monkeypatch.setattr(tables, "find", lambda table, config: SimpleNamespace(inputs=lambda: [str(METRICS)]))
    monkeypatch.setattr(dvc_yaml, "outdated", lambda config: [])
    monkeypatch.setattr(plan, "stages", lambda config: [])
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    files.write_text(RAW / "sub" / "one.txt", "a face\n")
    files.write_text(CODE / "training.py", "code = 1\n")
    files.write_text(WEIGHTS, "weights\n")
    keep(predict(0))
    write_scores("students", NAME, 0, score(predict(0)))
    render.write(build("table_vi", None), SOURCE.parent)
    lock()
    cell_project.record(evaluation())
    return tmp_path


def assert_only(problems: list[str], *words: str) -> None:
    """Exactly one problem has all the words, and every problem is one line that begins with a file."""
    assert len([problem for problem in problems if all(word in problem for word in words)]) == 1, problems
    assert all(
        "\n" not in problem and problem.startswith(("results/", "data/", "dvc.yaml", "src/", "studies/"))
        for problem in problems
    )


def test_a_whole_project_has_no_problem(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = verify.verify(None)
    assert (found.problems, found.absent, found.checked) == ([], [], 7)
    assert verify.report(None, complete=True) == 0
    assert capsys.readouterr().out == "verified: 1 table, 7 files, 0 problems\n"


def test_nothing_is_judged_by_an_earlier_look(project: Path) -> None:
    assert verify.verify("table_vi").problems == []
    WEIGHTS.write_text("Weights\n")
    assert_only(verify.verify("table_vi").problems, f"{WEIGHTS}: its md5")


def test_a_metric_edited_by_hand(project: Path) -> None:
    said = files.read_json(METRICS)
    said["macro"]["f1"] += 1
    files.write_json(METRICS, said)
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
    lock()
    assert_only(verify.verify(None).problems, str(METRICS), "confusion is None")


def test_a_confusion_edited_by_hand(project: Path) -> None:
    """It is no file of the lock here: the predictions alone give it away."""
    confusion = DETAILS.with_name("confusion.csv")
    files.write_text(confusion, from_predictions.confusion_csv(predict(0), CLASSES))
    assert not verify.verify(None).problems
    files.write_text(confusion, confusion.read_text().replace("happy,sad", "happy,happy", 1))
    assert_only(verify.verify(None).problems, str(confusion), "gives other classes")


def test_predictions_of_another_run_that_the_lock_agrees_with(project: Path) -> None:
    keep(predict(1))
    lock()
    found = verify.verify(None).problems
    assert len(found) == 1
    assert_only(found, str(METRICS), "gives other numbers", "accuracy is")


def test_a_flipped_byte_in_predictions(project: Path) -> None:
    content = bytearray(PREDICTIONS.read_bytes())
    content[len(content) // 2] ^= 1
    PREDICTIONS.write_bytes(content)
    assert_only(verify.verify(None).problems, f"{PREDICTIONS}: its md5", "dvc.lock has", target(EVALUATION))


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
    assert verify.verify(None).problems == [f"{PAGE}: differs from {SOURCE}"]


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


def test_of_a_table_that_is_wrong_throughout_ten_cells_are_named() -> None:
    """As when the tables of another params.yaml are here."""
    built, found = (
        {"rows": [{"id": str(row), "cells": {"x": {"value": row + add}}} for row in range(13)]} for add in (0, 1)
    )
    *named, more = recomputed.differences(built, found, None)
    assert named == [f"cell {row}, x is not what its inputs give: {row + 1} here, {row} from them" for row in range(10)]
    assert more == "3 more cells not what its inputs give"


def test_a_title_that_is_not_what_params_give(project: Path) -> None:
    found = files.read_json(SOURCE) | {"title": "Table 6"}
    files.write_json(SOURCE, found)
    assert_only(verify.verify(None).problems, str(SOURCE), "title not as its inputs")


def spoil_lock(change: Any) -> None:
    found = yaml.safe_load(STUDY_LOCK.read_text())
    change(found["stages"])
    STUDY_LOCK.write_text(yaml.safe_dump(found))


def test_a_stage_that_read_another_file_than_was_made(project: Path) -> None:
    """The maker stands in the same lock here; of the raw data, in another."""
    spoil_lock(lambda found: found[EVALUATION]["deps"][1].update(md5="0" * 32))
    spoil_lock(lambda found: found[TRAINING]["deps"][1].update(md5="1" * 32))
    problems = verify.verify(None).problems
    assert_only(problems, f"{WEIGHTS}: {target(EVALUATION)} read {'0' * 32}, {target(TRAINING)} made", str(STUDY_LOCK))
    assert_only(problems, f"{RAW}: {target(TRAINING)} read {'1' * 32}, make_synthetic-fer2013 made")


@pytest.mark.parametrize(
    ("part", "change"),
    [("inputs", {str(WEIGHTS): "0" * 32}), ("outputs", {str(METRICS): "0" * 32}), ("settings", {"threads": 2})],
)
def test_an_altered_record(project: Path, part: str, change: dict[str, Any]) -> None:
    record = evaluation().record
    found = files.read_json(record)
    files.write_json(record, found | {part: found[part] | change})
    assert verify.verify(None).problems == [
        f"{record}: was altered: its content is not what its name stands for; remove it, or restore it"
    ]


@pytest.mark.parametrize("text", ["[]", "{", "{}"])
def test_a_record_that_is_none(project: Path, text: str) -> None:
    record = evaluation().record
    record.write_text(text)
    problems = verify.verify(None).problems
    assert len(problems) == 1
    assert_only(problems, f"{record}: is no record")


def test_a_record_of_other_bytes_or_none_is_no_fault(project: Path) -> None:
    """The bytes are proven all the same; where and when they were made is not known then."""
    before = evaluation().record
    lock({"threads": 2})
    assert evaluation().record != before and not evaluation().record.exists()
    assert verify.verify(None).problems == []
    assert "no record of the run" in explain.report("table_vi", "E1", "fer2013_accuracy")


def test_code_that_has_changed_since(project: Path) -> None:
    files.write_text(CODE / "training.py", "code = 2\n")
    assert verify.verify(None).problems == [
        f"{CODE}: the code has changed since {target(EVALUATION)} and 1 more stage ran; build again: snakemake --cores 4"
    ]
    shutil.rmtree(CODE)
    assert verify.verify(None).problems == [
        f"{CODE}: the code is gone since {target(EVALUATION)} and 1 more stage ran; build again: snakemake --cores 4"
    ]


@pytest.fixture
def planned(project: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedStage:
    """The evaluation as params.yaml asks for it; the lock has its resolved settings."""
    monkeypatch.undo()
    monkeypatch.chdir(project)
    stage = next(stage for stage in plan.stages(config.load()) if stage.address == target(EVALUATION))
    monkeypatch.setattr(plan, "stages", lambda config: [stage])
    monkeypatch.setattr(tables, "build", build)
    monkeypatch.setattr(tables, "find", lambda table, config: SimpleNamespace(inputs=lambda: [str(METRICS)]))
    monkeypatch.setattr(dvc_yaml, "outdated", lambda config: [])
    lock(resolved.settings_of(stage))
    return stage


def test_settings_that_are_as_they_were(planned: PlannedStage) -> None:
    assert verify.verify(None).problems == []


def test_a_default_that_has_changed_since(planned: PlannedStage) -> None:
    """Nothing of params.yaml or of the lock differs: the schema gives another value where nothing is written."""
    assert "face_count: " not in Path("params.yaml").read_text()
    lock(resolved.settings_of(planned) | {"face_count": 5})
    assert verify.verify(None).problems == [
        f"{target(EVALUATION)}: ran with face_count 5, which is None now; build again: snakemake --cores 4"
    ]


def test_a_setting_that_is_new_or_gone(planned: PlannedStage) -> None:
    now = resolved.settings_of(planned)
    lock({key: value for key, value in now.items() if key != "precision"} | {"amp": True})
    assert [line.partition(": ")[2] for line in verify.verify(None).problems] == [
        "ran with precision None, which is fp32 now; build again: snakemake --cores 4",
        "ran with amp True, which is None now; build again: snakemake --cores 4",
    ]


def test_what_a_clone_has_not_fetched_is_counted_not_failed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that git does not keep is away; of a number's chain nothing is left but the number."""
    for path in (WEIGHTS, PREDICTIONS, evaluation().record, DETAILS):
        path.unlink()
    shutil.rmtree(RAW)
    track(METRICS, SOURCE, PAGE, Path("src"), STUDIES)
    commit()
    found = verify.verify("table_vi")
    assert (found.problems, len(found.absent), found.checked) == ([], 4, 3)
    assert verify.report("table_vi", complete=False) == 0
    assert "4 artefacts are missing: dvc pull or rebuild\n" in capsys.readouterr().out
    assert verify.report("table_vi", complete=True) == 1
    assert f"{WEIGHTS}: missing" in capsys.readouterr().out


def test_a_row_whose_checkpoint_is_gone(project: Path) -> None:
    evaluation().record.unlink()
    track(METRICS, SOURCE, PAGE, Path("src"), STUDIES)
    commit()
    WEIGHTS.unlink()
    assert verify.verify(None).problems == [
        f"{WEIGHTS}: missing, though {PREDICTIONS} exists (table_vi, row E1); dvc pull or rebuild"
    ]


def test_a_table_that_no_stage_made(project: Path) -> None:
    spoil_lock(lambda found: found.pop(TABULATED))
    assert_only(verify.verify(None).problems, f"{SOURCE}: no stage of dvc.lock made it")


def test_a_pipeline_file_out_of_date(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvc_yaml, "outdated", lambda config: [Path("dvc.yaml")])
    assert_only(verify.verify(None).problems, "dvc.yaml: ", "cellar plan")


def test_a_problem_makes_the_exit_code_1(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WEIGHTS.write_text("other\n")
    assert verify.report(None, complete=False) == 1
    assert capsys.readouterr().out.endswith("verified: 1 table, 7 files, 1 problem\n")


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
    assert "not verified, since params.yaml does not ask for them: custom_pets" in said
    assert said[-1] == "verified: 1 table, 7 files, 0 problems"


def test_without_any_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CellarError, match="no table yet; build them with: snakemake --cores 4"):
        verify.verify(None)
