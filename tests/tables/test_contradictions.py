"""The table of contradictions: what the checks find, as one line each, at any scale."""

import pytest

from cellar import files, paths, studies, tables
from cellar.errors import CellarError
from cellar.tables import render
from cellar.tables.cells import from_json
from tests.table_project import Project

MINI = "mini_resemotenet"


def test_every_study_of_params_yaml_has_lines_and_names_are_unique(project: Project) -> None:
    found = [row.id for row in project.build("contradictions").rows]
    assert len(set(found)) == len(found)
    assert {one.partition(".")[0] for one in found} == {study.key for study in studies.used(project.config())}


def test_it_holds_at_any_scale(project: Project) -> None:
    drawn = project.build("contradictions").rows
    project.real()
    assert project.build("contradictions").rows == drawn


def test_another_printed_value_is_another_line(project: Project) -> None:
    printed = paths.printed(MINI)
    text = printed.read_text(encoding="utf-8")
    files.write_text(printed, text.replace("model_size_mb: 331.50", "model_size_mb: 331.60"))
    found = {row.id for row in project.build("contradictions").rows}
    assert f"{MINI}.sizes_Table_I_size_of_QCS" in found


def test_the_page_follows_from_the_json(project: Project) -> None:
    project.tabulate("contradictions")
    kept = (paths.TABLES / "contradictions.md").read_text(encoding="utf-8")
    assert render.markdown(from_json(files.read_json(paths.TABLES / "contradictions.json"))) == kept
    assert "### printed twice" in kept and "| study | all | " in kept
    assert "Scale: sample" in kept and "synthetic images" in kept.splitlines()[0]


def test_without_the_printed_values_it_is_one_line(project: Project) -> None:
    config = project.config()
    paths.printed(MINI).unlink()
    with pytest.raises(CellarError, match=rf"^{paths.printed(MINI)} does not exist; take it back: [^\n]+$"):
        tables.build("contradictions", config)
