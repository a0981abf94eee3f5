"""explain on a small made-up project: the chain in order, the commands, and names that people may type."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import explain, files
from cellar.errors import CellarError

METRICS = "results/metrics/students/fer2013-E1/seed-0.json"
COMMIT = "a" * 40
RUN = {
    "commit": COMMIT,
    "dirty": True,
    "python": "3.11.7",
    "versions": {"torch": "2.13.0", "numpy": "2.3.0", "dvc": "3.67"},
    "machine": {"host": "vm", "system": "Linux"},
    "device": "cpu",
    "device_name": "a processor",
    "threads": 2,
    "seed": 0,
    "started": "2030-01-01T00:00:00+00:00",
    "seconds": 12.5,
}
MEASURED = {
    "value": 61.5,
    "kind": "measured",
    "unit": "%",
    "paper": 76.33,
    "paper_variants": [76.42],
    "verdict": "not comparable",
    "reason": "scale sample",
    "interval": [55.0, 67.0],
    "metrics": [METRICS],
}
TABLE = {
    "id": "table_vi",
    "title": "Table VI. Accuracy",
    "study": "mini_resemotenet",
    "scale": {"name": "sample", "drawn": True, "note": "drawn"},
    "notes": [],
    "columns": [
        {"id": "fer2013_accuracy", "label": "FER2013 accuracy (%)", "unit": "%"},
        {"id": "parameters", "label": "parameters", "unit": "count"},
    ],
    "rows": [
        {"id": "qcs", "label": "QCS", "cells": {"parameters": {"value": 82874119, "kind": "reported"}}},
        {
            "id": "E1",
            "label": "Student Model A(E1)",
            "cells": {
                "fer2013_accuracy": MEASURED,
                "parameters": {"value": None, "kind": "not_run", "paper": 20069383, "reason": "switched off"},
            },
        },
        {
            "id": "E4",
            "label": "Student Model B(E4)",
            "cells": {"fer2013_accuracy": {**MEASURED, "metrics": ["other.json"]}},
        },
    ],
}
CODE = {f"src/cellar/{name}.py": f"{i}" * 32 for i, name in enumerate(("metrics", "files", "models"))}


def entries(**md5s: str) -> list[dict[str, str]]:
    return [{"path": path, "hash": "md5", "md5": value} for path, value in md5s.items()]


def stages() -> dict[str, Any]:
    """Written out of order, so that the order of the story is explain's own."""
    arrays, weights, teacher = "data/prepared/fer2013/arrays.npz", "results/students/w", "results/teachers/t"
    return {
        "draw_faces@fer2013": {"cmd": "draw", "outs": entries(**{"data/raw/faces": "aa.dir"})},
        "unrelated": {"cmd": "other", "outs": entries(**{"elsewhere": "00"})},
        "train_teacher@fer2013-seed-0": {
            "cmd": "teach",
            "deps": entries(**{arrays: "bb"}),
            "outs": entries(**{teacher: "cc"}),
        },
        "prepare@fer2013": {
            "cmd": "prepare",
            "deps": entries(**{"data/raw/faces": "aa.dir"}),
            "outs": entries(**{arrays: "bb"}),
        },
        "distill_student@fer2013-E1-seed-0": {
            "cmd": "distill",
            "deps": entries(**{teacher: "cc", arrays: "bb"}),
            "outs": entries(**{weights: "dd"}),
        },
        "evaluate_student@fer2013-E1-seed-0": {
            "cmd": "python -m cellar evaluate_student fer2013-E1\n  --seed 0",
            "deps": entries(**CODE, **{weights: "dd", arrays: "bb"}),
            "params": {"params.yaml": {"threads": 2, "evaluation": {"batch_size": 128}}},
            "outs": entries(**{METRICS: "ee", "results/predictions/run.json": "ff"}),
        },
        "tabulate_table_vi": {
            "cmd": "tabulate",
            "deps": entries(**{METRICS: "ee"}),
            "outs": entries(**{"results/tables/table_vi.json": "99"}),
        },
    }


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files.write_json(Path("results/tables/table_vi.json"), TABLE)
    files.write_json(Path("results/predictions/run.json"), RUN)
    lock(Path("dvc.lock"), stages())
    Path("dvc.yaml").write_text("stages: {tabulate_table_vi: {}, tabulate_table_iv: {}, prepare: {}}\n")
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://me:secret@example.org/cellar.git"], check=True)
    return tmp_path


def lock(path: Path, found: dict[str, Any]) -> None:
    files.write_text(path, yaml.safe_dump({"schema": "2.0", "stages": found}, sort_keys=False))


def story(row: str = "E1", column: str = "fer2013_accuracy", table: str = "table_vi") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(explain.report(table, row, column, as_json=True))
    return found


def test_the_chain_leads_from_the_metrics_to_the_raw_data_nearest_first(project: Path) -> None:
    assert [stage["stage"] for stage in story()["stages"]] == [
        "evaluate_student@fer2013-E1-seed-0",
        "distill_student@fer2013-E1-seed-0",
        "prepare@fer2013",
        "train_teacher@fer2013-seed-0",
        "draw_faces@fer2013",
    ]


def test_a_stage_says_what_the_lock_and_the_record_say(project: Path) -> None:
    stage = story()["stages"][0]
    assert stage["command"] == "python -m cellar evaluate_student fer2013-E1 --seed 0"
    assert stage["params"] == {"threads": 2, "evaluation": {"batch_size": 128}}
    assert stage["reads"][0] == {"path": "results/students/w", "md5": "dd"}
    assert stage["makes"][0] == {"path": METRICS, "md5": "ee"}
    assert stage["code"]["files"] == 3
    assert stage["run"] == RUN | {"versions": {"torch": "2.13.0", "numpy": "2.3.0"}}
    assert story()["stages"][1]["run"] is None


def test_another_code_file_gives_another_hash_of_the_code(project: Path) -> None:
    before = story()["stages"][0]["code"]["md5"]
    found = stages()
    found["evaluate_student@fer2013-E1-seed-0"]["deps"][0]["md5"] = "f" * 32
    lock(Path("dvc.lock"), found)
    assert story()["stages"][0]["code"]["md5"] != before


def test_the_commands_begin_with_a_clone_and_show_no_password(project: Path) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "-m", "one"], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert story()["redo"] == [
        "git clone https://example.org/cellar.git redo",
        "cd redo",
        f"git checkout {head}",
        "make setup",
        ". .venv/bin/activate",
        "dvc repro evaluate_student@fer2013-E1-seed-0",
        "dvc repro --single-item tabulate_table_vi",
    ]


def test_a_sweep_is_named_by_its_own_pipeline_file(project: Path) -> None:
    found = stages()
    sweep = {
        name: found.pop(name)
        for name in ("distill_student@fer2013-E1-seed-0", "evaluate_student@fer2013-E1-seed-0", "tabulate_table_vi")
    }
    lock(Path("dvc.lock"), found)
    lock(Path("sweeps/dvc.lock"), sweep)
    told = story()
    assert told["stages"][0]["stage"] == "sweeps/dvc.yaml:evaluate_student@fer2013-E1-seed-0"
    assert told["stages"][-1]["stage"] == "draw_faces@fer2013"
    assert told["redo"][-2:] == [
        "dvc repro sweeps/dvc.yaml:evaluate_student@fer2013-E1-seed-0",
        "dvc repro --single-item sweeps/dvc.yaml:tabulate_table_vi",
    ]


def test_the_text_says_the_same(project: Path) -> None:
    said = explain.report("table_vi", "E1", "fer2013_accuracy")
    for words in (
        "61.5 % (measured)",
        "[55.0, 67.0], 95 %",
        "76.33 or 76.42",
        "not comparable",
        "scale sample",
        "workflow/reference/paper_values.yaml, studies.mini_resemotenet.tables.table_VI",
        'evaluation: {"batch_size": 128}',
        "data/raw/faces  aa.dir",
        "3 files of src",
        f"{COMMIT} and changes in src not committed",
        "python 3.11.7, torch 2.13.0, numpy 2.3.0",
        "vm, Linux, a processor, device cpu, threads 2, seed 0",
        "2030-01-01T00:00:00+00:00, 12.5 s",
        " && ".join(story()["redo"]),
    ):
        assert words in said, words


@pytest.mark.parametrize("row", ["e1", "Student Model A(E1)", "student model a", "STUDENT-MODEL-A (E1) "])
@pytest.mark.parametrize("column", ["FER2013_accuracy", "fer2013 accuracy (%)", "FER2013 accuracy", "fer2013-accuracy"])
def test_names_are_ids_or_labels_in_any_case(project: Path, row: str, column: str) -> None:
    assert story(row, column, table="Table VI")["row"]["id"] == "E1"
    assert story(row, column)["column"]["id"] == "fer2013_accuracy"


def test_a_column_of_the_paper_is_the_column_beside_it(project: Path) -> None:
    assert story(column="parameters (paper)")["column"]["id"] == "parameters"


def test_an_unknown_row_is_answered_with_close_and_known_names(project: Path) -> None:
    with pytest.raises(CellarError, match=r"table_vi has no row 'E11' \(did you mean 'E1'.*known: qcs, E1, E4$"):
        story(row="E11")


def test_an_unknown_column_is_answered_with_known_names(project: Path) -> None:
    with pytest.raises(CellarError, match="no column 'zzz'; known: fer2013_accuracy, parameters"):
        story(column="zzz")


def test_an_unknown_table_is_answered_with_those_built_and_not(project: Path) -> None:
    with pytest.raises(CellarError, match=r"no table 'table_vii' \(did you mean .*known: table_vi, table_iv$"):
        story(table="table_vii")


def test_a_table_that_is_not_built_comes_with_the_command_that_builds_it(project: Path) -> None:
    with pytest.raises(CellarError, match=r"snakemake --cores 4 results/tables/table_iv\.md"):
        story(table="table_iv")


def test_a_name_that_means_several_rows_is_asked_for(project: Path) -> None:
    twice = TABLE | {"rows": [{"id": f"r{i}", "label": "same", "cells": {}} for i in range(2)]}
    files.write_json(Path("results/tables/table_vi.json"), twice)
    with pytest.raises(CellarError, match="could be several rows; say which: r0, r1"):
        story(row="same")


@pytest.mark.parametrize(("row", "words"), [("QCS", "the paper's own"), ("E1", "was not run (switched off)")])
def test_a_number_that_was_not_made_here_has_nothing_to_redo(project: Path, row: str, words: str) -> None:
    found, said = story(row, "parameters"), explain.report("table_vi", row, "parameters")
    assert (found["stages"], found["redo"]) == ([], [])
    assert found["paper_file"] == "workflow/reference/paper_values.yaml, studies.mini_resemotenet.tables.table_VI"
    assert "Nothing to redo" in said
    assert words in said


def test_a_file_that_no_stage_made_is_named(project: Path) -> None:
    assert story("E4")["without_stage"] == ["other.json"]
    assert "other.json: no stage of dvc.lock made it" in explain.report("table_vi", "E4", "fer2013_accuracy")


def test_a_broken_lock_is_one_line(project: Path) -> None:
    Path("dvc.lock").write_text("stages: [\n")
    with pytest.raises(CellarError, match=r"dvc\.lock cannot be read .*git checkout dvc\.lock") as caught:
        story()
    assert "\n" not in str(caught.value)


def test_no_heavy_library_is_imported() -> None:
    """What makes the command wait: torch, pandas, scikit-learn, DVC."""
    heavy = "{'torch', 'pandas', 'sklearn', 'dvc', 'scipy'}"
    code = f"import sys, cellar.explain; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
