"""`cellar verify runs/NAME` and `runs`: a file that cannot be read is a problem of its own, and hides no other."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cellar import files
from cellar.cli import main
from cellar.provenance.archive import layout

from . import archived_run

TABLE, FORM, RESTORE = (
    "tables/own_table.json",
    "has another form than `cellar archive` writes",
    "git checkout -- runs/mine",
)
UNREADABLE: dict[str, tuple[str, bytes, str]] = {  # file, its content, the line about it
    "an empty lock": ("lock.json", b"{}", f"{FORM} (commit: Field required); restore it with: {RESTORE}"),
    "a lock of something else": ("lock.json", b"[]", f"{FORM} (all of it: "),
    "an empty list of metrics": ("metrics.json", b"[]", f"{FORM} (all of it: "),
    "a history that is no text": ("histories.json", b'{"history.csv": 1}', f"{FORM} (history.csv: "),
    "a formula that is no text": ("cells.json", b'{"own_table": {"student": {"accuracy": 1}}}', f"{FORM} (own_table.student"),
    "no records": ("records.json", b"{}", f"{FORM} (environments: Field required); restore it with: {RESTORE}"),
    "a record of no environment": (
        "records.json", b'{"environments": [], "stages": {"train-0": {"environment": 7}}}', f"{FORM} (IndexError: ",
    ),
    "an empty table": (TABLE, b"{}", f"{FORM} (rows: Field required); restore it with: {RESTORE}"),
    "a cell without a kind": (TABLE, b'{"rows": [{"id": "student", "cells": {"accuracy": {}}}]}', f"{FORM} (KeyError: 'kind')"),
    "parameters that are no UTF-8": ("params.yaml", b"\xff", "not YAML ("),
    "parameters without end": ("params.yaml", b"{a: " * 2000 + b"}" * 2000, "not YAML ("),
    "digests that are no UTF-8": ("SHA256SUMS", b"\xff", f"{FORM} (UnicodeDecodeError: "),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    archived_run.write_project()
    return archived_run.write_archive()


def verified(what: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is printed of problems."""
    assert main(["verify", what]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    return [line for line in said.out.splitlines() if not line.startswith(("runs/mine:", "runs/other:"))]


@pytest.mark.parametrize("fault", UNREADABLE)
def test_the_file_that_cannot_be_read_is_named(folder: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    name, content, words = UNREADABLE[fault]
    (folder / name).write_bytes(content)
    problem, summary = verified("runs/mine", capsys)
    assert problem.startswith(f"runs/mine/{name}: {words}")
    assert summary.startswith("verified runs/mine: ") and summary.endswith("1 problem")


@pytest.mark.parametrize("name", [*layout.REQUIRED, "SHA256SUMS"])
def test_archives_after_one_that_lacks_a_file_are_verified_too(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    shutil.copytree(folder, "runs/other")
    (folder / name).unlink()
    problem, summary, other = verified("runs", capsys)
    assert problem == f"runs/mine/{name}: missing; restore it with: {RESTORE}"
    assert summary.endswith("1 problem")
    assert other == "verified runs/other: 3 of 3 computed cells recomputed from metrics.json, 0 problems"


@pytest.mark.parametrize("name", ["params.yaml", "records.json", TABLE, "figures/curves.png"])
def test_a_file_that_may_not_be_read_is_a_problem_of_its_archive(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As by its permissions, which the superuser does not feel."""

    def refusing(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == folder / name:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    opened = Path.open
    monkeypatch.setattr(Path, "open", refusing)
    problem, summary = verified("runs/mine", capsys)
    assert problem == f"runs/mine/{name}: cannot be read (Permission denied); mend that, then verify again"
    assert summary.endswith("1 problem")


def test_faults_after_the_file_that_cannot_be_read_are_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = json.loads((folder / TABLE).read_text())
    table["rows"][0]["cells"]["accuracy"]["value"] = 61.26
    files.write_json(folder / TABLE, table)
    (folder / "lock.json").write_text("{}")
    (folder / "params.yaml").write_text("{")
    problems = verified("runs/mine", capsys)[:-1]
    assert sorted(line.split(":")[0] for line in problems) == [
        "runs/mine/lock.json", "runs/mine/params.yaml", f"runs/mine/{TABLE}",
    ]  # fmt: skip


def test_no_archive_at_all_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verify", "runs"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("cellar: no archived run is in runs; ")
