"""explain on a small made-up project: the chain in order, the commands, and names that people may type."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cellar import files
from cellar.errors import CellarError
from cellar.provenance import cell_names, diff, explain, redo, redo_commands
from cellar.provenance.lineage import File, Lineage, Stage

from .cell_project import (
    COMMIT,
    DRAWN,
    EVALUATION,
    LOCK,
    METRICS,
    PREPARED,
    RUN,
    STUDENT,
    STUDY,
    STUDY_LOCK,
    TABLE,
    TABULATED,
    TEACHER,
    entries,
    evaluation,
    lock,
    record,
    settings,
    stages,
    study_stages,
    target,
    write,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write()
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://me:secret@example.org/cellar.git"], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "-m", "one"], check=True)
    return tmp_path


def origin(row: str = "E1", column: str = "fer2013_accuracy", table: str = "table_vi") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(explain.report(table, row, column, as_json=True))
    return found


def test_the_chain_leads_from_the_metrics_to_the_raw_data_nearest_first(project: Path) -> None:
    assert [stage["stage"] for stage in origin()["stages"]] == [
        target(EVALUATION),
        target(STUDENT),
        TEACHER,
        PREPARED,
        DRAWN,
    ]


def test_a_stage_says_what_the_lock_and_the_record_say(project: Path) -> None:
    stage = origin()["stages"][0]
    assert stage["command"] == "python -m cellar evaluate_student fer2013-E1/seed-0 --study mini_resemotenet"
    assert stage["params"] == {"threads": 2, "method": {"name": "logit_kd", "temperature": 3}}
    assert stage["reads"][0] == {"path": "results/students/w", "md5": "dd"}
    assert stage["makes"][0] == {"path": METRICS, "md5": "ee"}
    assert stage["code"]["files"] == 3
    assert stage["run"] == RUN
    assert stage["record"].startswith(f"results/records/{STUDY}/{EVALUATION}/")
    assert origin()["stages"][1]["run"] is None


def test_another_code_file_gives_another_hash_of_the_code(project: Path) -> None:
    before = origin()["stages"][0]["code"]["md5"]
    found = study_stages()
    found[EVALUATION]["deps"][0]["md5"] = "f" * 32
    lock(STUDY_LOCK, found)
    assert origin()["stages"][0]["code"]["md5"] != before


def test_the_commands_begin_with_a_clone_and_show_no_password(project: Path) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert origin()["redo"] == [
        "git clone https://example.org/cellar.git redo",
        "cd redo",
        f"git checkout {head}",
        "make setup",
        ". .venv/bin/activate",
        f"dvc repro --force {target(EVALUATION)}",
        f"dvc repro --force --single-item {target(TABULATED)}",
    ]


def test_what_cannot_be_cloned_is_no_advice_to_clone_it(project: Path) -> None:
    """A folder without .git, as after the download of a zip, and a repository without a commit."""
    shutil.rmtree(".git")
    said = explain.report("table_vi", "E1", "fer2013_accuracy")
    assert "git clone" not in said and "this folder is no git repository" in said
    with pytest.raises(CellarError, match="this folder is no git repository"):
        redo.report("table_vi", "E1", "fer2013_accuracy")
    with pytest.raises(CellarError, match="this folder is no git repository"):
        diff.report("table_vi", "E1", "fer2013_accuracy", "HEAD", "HEAD")
    subprocess.run(["git", "init", "--quiet"], check=True)
    said = explain.report("table_vi", "E1", "fer2013_accuracy")
    assert "git clone" not in said and "nothing is committed here" in said


def test_a_sweep_is_named_by_its_own_pipeline_file(project: Path) -> None:
    own = Path(f"studies/{STUDY}/sweeps/dvc.lock")
    STUDY_LOCK.rename(STUDY_LOCK.with_name("moved"))
    lock(own, study_stages())
    found = origin()
    assert found["stages"][0]["stage"] == f"studies/{STUDY}/sweeps/dvc.yaml:{EVALUATION}"
    assert found["stages"][0]["run"] == RUN  # its record is that of the study
    assert found["stages"][-1]["stage"] == DRAWN
    assert found["redo"][-2:] == [
        f"dvc repro --force {target(EVALUATION, own)}",
        f"dvc repro --force --single-item {target(TABULATED, own)}",
    ]


def test_the_text_says_the_same(project: Path) -> None:
    said = explain.report("table_vi", "E1", "fer2013_accuracy")
    for words in (
        "61.5 % (measured)",
        "[55.0, 67.0], 95 %",
        "76.33 or 76.42",
        "not comparable",
        "synthetic images",
        "studies/mini_resemotenet/printed.yaml, tables.table_VI.rows.Student Model A(E1).fer2013_accuracy",
        'method: {"name": "logit_kd", "temperature": 3}',
        "data/raw/faces  aa.dir",
        "3 files and folders",
        f"{COMMIT} and changes not committed",
        "python 3.11.7, torch 2.13.0, numpy 2.3.0, dvc 3.67",
        "vm, Linux, a processor, device cpu, threads 2, seed 0",
        "2030-01-01T00:00:00+00:00, 12.5 s, 1.5 GB at most, the last part: it went on from epoch 3",
        " && ".join(origin()["redo"]),
    ):
        assert words in said, words


@pytest.mark.parametrize("row", ["e1", "Student Model A(E1)", "student model a", "STUDENT-MODEL-A (E1) "])
@pytest.mark.parametrize("column", ["FER2013_accuracy", "fer2013 accuracy (%)", "FER2013 accuracy", "fer2013-accuracy"])
def test_names_are_ids_or_labels_in_any_case(project: Path, row: str, column: str) -> None:
    assert origin(row, column, table="Table VI")["row"]["id"] == "E1"
    assert origin(row, column)["column"]["id"] == "fer2013_accuracy"


def test_a_column_of_the_paper_is_the_column_beside_it(project: Path) -> None:
    assert origin(column="parameters (paper)")["column"]["id"] == "parameters"


def test_an_unknown_row_is_answered_with_close_and_known_names(project: Path) -> None:
    with pytest.raises(CellarError, match=r"table_vi has no row 'E11' \(did you mean 'E1'.*known: qcs, E1, E4$"):
        origin(row="E11")


def test_an_unknown_column_is_answered_with_known_names(project: Path) -> None:
    with pytest.raises(CellarError, match="no column 'zzz'; known: fer2013_accuracy, parameters"):
        origin(column="zzz")


def test_an_unknown_table_is_answered_with_those_built_and_not(project: Path) -> None:
    with pytest.raises(CellarError, match=r"no table 'table_vii' \(did you mean .*known: table_vi, table_iv$"):
        origin(table="table_vii")


def test_a_table_that_is_not_built_comes_with_the_command_that_builds_it(project: Path) -> None:
    with pytest.raises(CellarError, match=r"snakemake --cores 4 results/tables/table_iv\.md"):
        origin(table="table_iv")


def test_a_row_without_that_column_says_which_it_has(project: Path) -> None:
    with pytest.raises(
        CellarError, match="table_vi: row qcs has no cell in column fer2013_accuracy; it has: parameters"
    ):
        origin(row="qcs")


def test_a_name_that_means_several_rows_is_asked_for(project: Path) -> None:
    twice = TABLE | {"rows": [{"id": f"r{i}", "label": "same", "cells": {}} for i in range(2)]}
    files.write_json(Path("results/tables/table_vi.json"), twice)
    with pytest.raises(CellarError, match="could be several rows; say which: r0, r1"):
        origin(row="same")


@pytest.mark.parametrize(("row", "words"), [("QCS", "the paper's own"), ("E1", "was not run (switched off)")])
def test_a_number_that_was_not_made_here_has_nothing_to_redo(project: Path, row: str, words: str) -> None:
    found, said = origin(row, "parameters"), explain.report("table_vi", row, "parameters")
    assert (found["stages"], found["redo"]) == ([], [])
    key = ", tables.table_VI.rows.QCS.parameters" if row == "QCS" else ""  # a table without keys, as of an older commit
    assert found["paper_file"] == f"studies/mini_resemotenet/printed.yaml{key}"
    assert "Nothing to redo" in said
    assert words in said


def test_a_file_that_no_stage_made_is_named(project: Path) -> None:
    assert origin("E4")["without_stage"] == ["other.json"]
    assert "other.json: no stage of dvc.lock made it" in explain.report("table_vi", "E4", "fer2013_accuracy")


def test_a_broken_lock_is_one_line(project: Path) -> None:
    Path("dvc.lock").write_text("stages: [\n")
    with pytest.raises(CellarError, match=r"dvc\.lock cannot be read .*git checkout dvc\.lock") as caught:
        origin()
    assert "\n" not in str(caught.value)


def test_a_record_that_is_not_here_is_named(project: Path) -> None:
    evaluation().record.unlink()
    assert origin()["stages"][0]["run"] is None
    assert (
        explain.report("table_vi", "E1", "fer2013_accuracy").count("no record of the run that made these bytes is here")
        == 5
    )


@pytest.mark.parametrize("part", ["outs", "deps", "params", "cmd"])
def test_a_record_is_shown_only_for_what_it_describes(project: Path, part: str) -> None:
    """Another branch has other bytes, inputs, settings or another command; after going back the record is there again."""
    found = study_stages()
    stage = found[EVALUATION]
    if part == "params":
        stage["params"] = settings(EVALUATION, {"threads": 2, "method": {"name": "logit_kd", "temperature": 4}})
    elif part == "cmd":
        stage["cmd"] += " --other"
    else:
        stage[part][-1]["md5"] = "0" * 32
    lock(STUDY_LOCK, found)
    assert origin()["stages"][0]["run"] is None
    lock(STUDY_LOCK, study_stages())
    assert origin()["stages"][0]["run"] == RUN


def test_each_of_two_branches_has_the_record_of_its_own_bytes(project: Path) -> None:
    found = study_stages()
    found[EVALUATION]["outs"][0]["md5"] = "0" * 32
    lock(STUDY_LOCK, found)
    record(evaluation(), machine={"host": "other"})
    assert origin()["stages"][0]["run"]["machine"] == {"host": "other"}
    lock(STUDY_LOCK, study_stages())
    assert origin()["stages"][0]["run"]["machine"] == RUN["machine"]


def with_raw(source: dict[str, Any]) -> dict[str, Any]:
    """The root's stages, with raw data as an external input."""
    found = stages()
    del found[DRAWN]
    values = {"dataset": "fer2013", "section": {"path": "data/raw/faces", "source": source}}
    found[PREPARED]["params"] = settings(PREPARED, values, study="")
    return found


def test_raw_data_that_can_be_fetched_is_fetched_first(project: Path) -> None:
    lock(LOCK, with_raw({"kaggle": "someone/faces"}))
    found = origin()
    assert [(file["path"], file["md5"]) for file in found["external_inputs"]] == [("data/raw/faces", "aa.dir")]
    assert found["redo"][5:7] == ["cellar download fer2013", f"dvc repro --force {target(EVALUATION)}"]


def test_raw_data_that_is_given_by_hand_is_copied_from_here_or_asked_for(project: Path) -> None:
    lock(LOCK, with_raw({"manual": "ask for it"}))
    assert origin()["redo"][5].startswith("dvc repro")
    said = explain.report("table_vi", "E1", "fer2013_accuracy")
    assert "data/raw/faces: an external input, made by no stage" in said and "data/README.md" in said
    files.write_text(Path("data/raw/faces/one.txt"), "a face\n")
    assert origin()["redo"][5] == f'(cd {project} && cp -rL --parents data/raw/faces "$OLDPWD")'


def test_what_other_cells_of_the_table_stand_on_is_copied_or_the_table_left_out(project: Path) -> None:
    other = "results/predictions/other.npz"
    found = study_stages()
    found[TABULATED]["deps"] += entries(**{other: "aa"})
    lock(STUDY_LOCK, found)
    assert origin()["redo"][5:] == [f"dvc repro --force {target(EVALUATION)}"]
    assert "Redo this cell: (not its table" in explain.report("table_vi", "E1", "fer2013_accuracy")
    files.write_text(Path(other), "predictions")
    assert origin()["redo"][5:] == [
        f'(cd {project} && cp -rL --parents {other} "$OLDPWD")',
        f"dvc repro --force {target(EVALUATION)}",
        f"dvc repro --force --single-item {target(TABULATED)}",
    ]
    subprocess.run(["git", "add", other], check=True)
    assert origin()["redo"][5].startswith(f"dvc repro --force {target(EVALUATION)}")


def test_a_table_that_collects_others_is_made_after_the_one_that_shows_the_cell() -> None:
    def stage(name: str, reads: list[str], makes: list[str]) -> Stage:
        files = ([File(path, "0") for path in paths] for paths in (reads, makes))
        return Stage(name, name, Path("dvc.lock"), name, {}, *map(tuple, files))

    collected = ["results/tables/table_iv.json", "results/tables/table_vi.json"]
    stages = (
        stage("tabulate-verdicts", collected, ["results/tables/verdicts.json"]),
        stage("tabulate-table_iv", ["m.json"], collected[:1]),
        stage("tabulate-table_vi", ["other.json"], collected[1:]),
        stage("plot-fig_4", ["m.json"], ["fig_4.png"]),
        stage("evaluate", ["weights"], ["m.json"]),
    )
    graph = Lineage(stages, {file.path: (one, file) for one in stages for file in one.makes})
    makers = [one.name for one in redo_commands.tabulating("verdicts", ["m.json"], graph)]
    assert makers == ["tabulate-table_iv", "tabulate-verdicts"]
    assert [one.name for one in redo_commands.tabulating("table_iv", ["m.json"], graph)] == ["tabulate-table_iv"]


def test_a_message_names_no_more_than_a_person_reads() -> None:
    said = cell_names.unknown("row", "no. 7x", [f"no. {i}" for i in range(100)], "verdicts")
    assert "did you mean 'no. 7" in said and said.endswith("no. 29 and 70 more")


SHIPPED = "import sys; from cellar.cli import main; main(['explain', *sys.argv[1:]])"


@pytest.mark.parametrize(
    "cell",
    [
        ("table_vi", "E1", "fer2013_accuracy"),
        ("cifar100_table_2", "student_kd", "accuracy_mean"),
        ("pins_table_2", "scratch_resnet18-acc", "best_on_test"),
    ],
    ids=lambda cell: cell[0],
)
def test_no_heavy_library_is_imported(cell: tuple[str, ...]) -> None:
    """On the project as shipped: nothing that makes one wait."""
    heavy = "{'torch', 'pandas', 'sklearn', 'dvc', 'scipy', 'matplotlib'}"
    code = f"{SHIPPED}; print('loaded', sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, *cell], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded []"
