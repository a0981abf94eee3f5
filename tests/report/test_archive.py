"""`cellar archive`: what it refuses, what it leaves out, and the page that it writes."""

import subprocess
from pathlib import Path
from typing import Any

import matplotlib.figure
import pytest
import yaml

from cellar import figures, files, paths, tables
from cellar.cli import main
from cellar.errors import CellarError
from cellar.provenance import git, verify
from cellar.provenance.archive.layout import Archive
from cellar.report import archive

from ..provenance import archived_run
from .conftest import ROOT

Found = verify.Findings
RECORDS_OF = archive.records_of


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small built project on real data, committed on main; its tables and figures count as known and verified."""
    monkeypatch.chdir(tmp_path)
    archived_run.write_project()
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw |= {"scale": {"name": "mine", "synthetic": False, "note": "a few images"}, "threads": 2}
    write_params(raw)
    for name in archive.FROZEN:
        files.write_text(Path(name) / "code.py", "")
    subprocess.run(["git", "init", "--quiet", "-b", "main"], check=True)
    commit("a run")
    monkeypatch.setattr(verify, "verify", lambda table: Found())
    monkeypatch.setattr(tables, "known", lambda config: [archived_run.TABLE, "other_table"])
    monkeypatch.setattr(
        figures, "catalogue", lambda config: {name: figure(name) for name in ("curves", "images", "absent")}
    )
    monkeypatch.setattr(archive, "records_of", lambda stages: {"train-0": archived_run.record("train-0")})
    return tmp_path


def figure(name: str) -> figures.Entry:
    """One that reads images, or a history."""
    reads = ["arrays.npz" if name == "images" else "history.csv"]
    return figures.Entry(name, "", "", matplotlib.figure.Figure, lambda: reads, dict)


def write_params(raw: dict[str, Any]) -> None:
    files.write_text(Path("params.yaml"), yaml.safe_dump(raw, sort_keys=False))


def commit(message: str) -> None:
    subprocess.run(["git", "add", "--all"], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, "commit", "--quiet", "-m", message], check=True)


def assert_refused(words: str) -> None:
    with pytest.raises(CellarError, match=words) as caught:
        archive.archive()
    assert "\n" not in str(caught.value) and not paths.RUNS.exists()


def test_an_archive_names_head_and_verifies(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["archive"]) == 0 and main(["verify", "runs/mine"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "archived in runs/mine" and out[-1].endswith(
        "3 of 3 computed cells recomputed from metrics.json, 0 problems"
    )
    assert Archive(Path("runs/mine")).lock.commit == git.git("rev-parse", "HEAD")


def test_an_archive_can_have_a_name_of_its_own_and_is_replaced_whole(project: Path) -> None:
    folder, _ = archive.archive("other")
    assert folder == Path("runs/other")
    (folder / "notes.txt").write_text("of before")
    archive.archive("other")
    assert not (folder / "notes.txt").exists() and [path.name for path in paths.RUNS.iterdir()] == ["other"]


def test_a_table_whose_runs_are_incomplete_is_left_out(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = files.read_json(paths.TABLES / f"{archived_run.TABLE}.json")
    table["rows"][0]["cells"]["accuracy"]["metrics"].append("results/metrics/students/absent/seed-0.json")
    files.write_json(paths.TABLES / "other_table.json", table | {"id": "other_table"})
    assert main(["archive"]) == 0
    words = "archived in runs/mine; left out, since runs behind their cells are missing: other_table\n"
    assert capsys.readouterr().out == words
    assert Archive(Path("runs/mine")).tables() == [archived_run.TABLE]


def test_the_settings_go_along_without_the_line_that_names_the_editors_schema(project: Path) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(f"# yaml-language-server: $schema=params.schema.json\n{text}")
    archive.archive()
    assert Path("runs/mine/params.yaml").read_text() == text


def test_figures_of_images_are_left_out(project: Path) -> None:
    (paths.FIGURES / "images.png").write_bytes((paths.FIGURES / "curves.png").read_bytes())
    archive.archive()
    assert [path.name for path in Path("runs/mine/figures").iterdir()] == ["curves.png"]


def test_synthetic_data_are_refused(project: Path) -> None:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["scale"]["synthetic"] = True
    write_params(raw)
    assert_refused(r"^params.yaml: scale.synthetic is true; runs has runs on real data only$")


def test_results_without_the_records_of_their_runs_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `dvc pull` alone brings them."""
    monkeypatch.setattr(archive, "records_of", RECORDS_OF)
    assert_refused(r"^no record of these runs is here; fetch them: cellar pull, after cellar push where they ran$")


def test_a_run_that_does_not_verify_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "verify", lambda table: Found(problems=["a.json: is wrong", "b.json: too"]))
    assert_refused(r"^this run does not verify \(a.json: is wrong\); see: cellar verify$")


@pytest.mark.parametrize("folder", archive.FROZEN)
def test_uncommitted_code_is_refused(project: Path, folder: str) -> None:
    files.write_text(Path(folder) / "code.py", "changed = True\n")
    assert_refused(rf"^{folder}/code.py is not as committed; commit src and studies first$")


def test_files_that_a_run_writes_beside_the_code_are_not_code(project: Path) -> None:
    """As after `cellar use` of one study: its stages are others, those of other studies are gone."""
    for name in ("dvc.yaml", "dvc.lock", "results/dvc.yaml"):
        files.write_text(Path("studies/mine") / name, "stages: {}\n")
    commit("pipelines of a study")
    Path("studies/mine/dvc.lock").unlink()
    files.write_text(Path("studies/mine/dvc.yaml"), "stages: {one: {}}\n")
    files.write_text(Path("studies/mine/results/dvc.yaml"), "stages: {two: {}}\n")
    archive.archive()
    assert Path("runs/mine/README.md").is_file()


def test_a_commit_off_main_is_refused(project: Path) -> None:
    subprocess.run(["git", "switch", "--quiet", "-c", "branch"], check=True)
    files.write_text(Path("src/code.py"), "changed = True\n")
    commit("on a branch")
    assert_refused(r"^commit \w{7} is not on main; an archived run names a commit of main: merge it first$")


def test_a_name_that_is_no_folder_is_refused(project: Path) -> None:
    with pytest.raises(CellarError, match=r"^'\.\./up' cannot name a folder of runs"):
        archive.archive("../up")


def test_the_former_name_of_the_command_answers_with_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keep"]) == 2
    assert capsys.readouterr().err == "cellar: keep has a new name: cellar archive\n"


def test_the_page_counts_verdicts_and_costs(project: Path) -> None:
    rows = [{"id": str(i), "cells": {"verdict": {"value": verdict}}} for i, verdict in enumerate("abb")]
    head = {"id": "verdicts", "title": "", "study": "", "scale": {}, "columns": []}
    files.write_json(paths.TABLES / "verdicts.json", head | {"rows": rows})
    archive.archive()
    page = Path("runs/mine/README.md").read_text()
    assert "Printed values beside those of this run: 1 a, 2 b." in page
    assert f"Archived at commit {git.git('rev-parse', 'HEAD')[:7]}; its records name aaaaaaa." in page
    assert "## Costs: 1.0 minutes in recorded stages" in page and "| train-0 | cpu | 60.0 | 1.5 |  |  |" in page
    assert "* [A table](tables/own_table.md)" in page and "![curves](figures/curves.png)" in page
