"""What people are used to from Snakemake and DVC works here too: graphs, forced rules, pipes, experiments."""

import json

import pytest

from .conftest import FACES, Project

TABLE = "results/tables/table_vi.md"
COUNTS = f"studies/{FACES}/dvc.yaml:count_models"


@pytest.fixture(scope="module")
def used(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built.copy_to(tmp_path_factory.mktemp("used") / "project")


def said(project: Project, *arguments: str) -> str:
    return project.run("snakemake", "--cores", "1", *arguments, TABLE).stdout


def test_graphs_are_printed_and_nothing_else(used: Project) -> None:
    assert json.loads(said(used, "--d3dag"))["nodes"]
    graph = said(used, "--filegraph").strip()
    assert graph.startswith("digraph") and graph.endswith("}")
    assert "|" not in said(used, "-np")
    assert "|" in said(used)  # a run ends with the table, also if there was nothing to do


def test_a_forced_rule_runs(used: Project) -> None:
    before = used.record(COUNTS)["started"]
    used.snakemake("--forcerun", "count_models", "--", TABLE)
    assert used.record(COUNTS)["started"] > before
