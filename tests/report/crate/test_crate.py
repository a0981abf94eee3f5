"""The crate: every stage an action, every file named, nothing of the host; and the profile's own validator."""

import json
import re
import shutil
from collections.abc import Callable
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import pytest

from cellar import paths
from cellar.errors import CellarError
from cellar.provenance import lineage
from cellar.report import crate
from tests.report.conftest import RECORD, STAGE

TERMS = "https://w3id.org/ro/terms/workflow-run#"
BIOSCHEMAS = "https://bioschemas.org/"

Graph = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def run(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one record, and its crate."""
    made = tmp_path_factory.mktemp("run") / "project"
    shutil.copytree(built, made)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        crate.write()
    return made


@pytest.fixture(scope="session")
def graph(run: Path) -> Graph:
    found = json.loads((run / paths.CRATE / crate.METADATA).read_text())["@graph"]
    return {entity["@id"]: entity for entity in found}


def ids(entity: dict[str, Any], key: str) -> list[str]:
    value = entity.get(key, [])
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def test_every_stage_is_an_action_with_its_files(run: Path, graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    for stage in lineage.load().stages:
        action = graph[f"#action/{stage.target}"]
        assert len(ids(action, "result")) == len({file.md5 for file in stage.makes})
        named = {graph[one].get("md5") for one in ids(action, "object")} - {None}
        assert named <= {file.md5 for file in stage.data}


def test_a_record_gives_times_software_and_machine(graph: Graph) -> None:
    action = graph[f"#action/{STAGE}"]
    assert (action["startTime"], action["endTime"]) == (RECORD["started"], RECORD["finished"])
    assert "threads 2" in action["description"] and "a processor" in action["description"]
    assert graph[ids(action, "resourceUsage")[0]]["value"] == "1.5"
    tool = graph[ids(action, "instrument")[0]]
    assert tool["softwareVersion"] == RECORD["commit"]
    assert {"#software/torch-2.13.0", "#software/numpy-2.3.0"} == set(ids(tool, "softwareRequirements"))


def test_parameters_are_slots_and_their_values(graph: Graph) -> None:
    action = graph[f"#action/{STAGE}"]
    values = {graph[one]["name"]: graph[one] for one in ids(action, "object") if one.startswith("#value/")}
    assert values["threads"]["value"] == 1
    assert json.loads(values["recipe"]["value"])["epochs"] == 14
    assert ids(values["threads"], "exampleOfWork") == ["#parameter/threads"]
    assert "#parameter/threads" in ids(graph["Snakefile"], "input")


def test_every_reference_leads_somewhere(graph: Graph) -> None:
    for entity in graph.values():
        for key, value in entity.items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and not one["@id"].startswith("http"):
                    assert one["@id"] in graph, f"{entity['@id']} {key}"


def test_every_name_is_an_address(graph: Graph) -> None:
    """RFC 3986's letters, which RO-Crate asks for; RDF cannot be written of others."""
    assert [one for one in graph if not re.fullmatch(r"([\w.~!$&'()*+,;=:@/?#-]|%[0-9A-F]{2})+", one, re.ASCII)] == []


def test_every_file_of_the_crate_is_there(run: Path, graph: Graph) -> None:
    named = {one for one, entity in graph.items() if "File" in entity["@type"] and "://" not in one}
    assert f"{paths.TABLES}/table_vi.md" in named
    assert all((run / paths.CRATE / one).is_file() for one in named)


def test_its_licence_is_cellars_and_of_no_data(graph: Graph) -> None:
    (licence,) = ids(graph["./"], "license")
    assert licence == "https://spdx.org/licenses/MIT" and graph[licence]["name"] == "MIT License"
    assert "Data sets and published weights have their publishers' licences" in graph[licence]["description"]
    assert [one for one, entity in graph.items() if "license" in entity] == ["./"]


def test_no_host_and_no_record_goes_along(run: Path) -> None:
    for path in (run / paths.CRATE).rglob("*"):
        assert "records" not in path.relative_to(run).parts
        assert path.is_dir() or RECORD["machine"]["host"].encode() not in path.read_bytes()


def test_same_run_same_bytes(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    crate.write(tmp_path / "again")
    assert (tmp_path / "again" / crate.METADATA).read_bytes() == (run / paths.CRATE / crate.METADATA).read_bytes()


def test_a_folder_of_something_else_is_left_alone(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    monkeypatch.chdir(run)
    with pytest.raises(CellarError, match="holds something that is no crate"):
        crate.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_built_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CellarError, match=r"nothing is built: dvc.lock has no stage"):
        crate.write()


class Answer:
    """What the network would have answered: a JSON-LD context."""

    status_code = 200
    from_cache = True

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers = {"Content-Type": "application/ld+json"}

    def json(self) -> Any:
        if "terms" in self.url:
            return {"@context": {term: TERMS + term for term in ("md5", "resourceUsage")}}
        context = json.loads(resources("rocrate").joinpath("data/ro-crate.jsonld").read_text())
        # the library ships the context of RO-Crate 1.3; these are named otherwise in 1.1
        own = {name: BIOSCHEMAS + name for name in ("ComputationalWorkflow", "FormalParameter")}
        slots = {name: f"{BIOSCHEMAS}ComputationalWorkflow#{name}" for name in ("input", "output")}
        context["@context"] |= own | slots
        return context

    @property
    def text(self) -> str:
        return json.dumps(self.json())


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], list[str]]:
    """What the validator says that a Provenance Run Crate must have and a folder has not."""
    from rocrate_validator import models, services  # takes seconds to import
    from rocrate_validator.utils.http import HttpRequester

    monkeypatch.setattr(HttpRequester, "get", lambda self, url, **_: Answer(url), raising=False)
    monkeypatch.setattr(HttpRequester, "head", lambda self, url, **_: Answer(url), raising=False)

    def validate(folder: Path) -> list[str]:
        settings = services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="provenance-run-crate",
            requirement_severity=models.Severity.REQUIRED,
            skip_availability_check=True,
        )
        found = services.validate(settings).get_issues(models.Severity.REQUIRED)
        return [f"{one.check.identifier}: {one.message}" for one in found]

    return validate


@pytest.mark.filterwarnings("ignore")  # of the validator's own libraries
def test_the_validator_has_nothing_to_say(run: Path, problems: Callable[[Path], list[str]]) -> None:
    assert problems(run / paths.CRATE) == []


@pytest.mark.filterwarnings("ignore")
def test_the_validator_would_have_said_it(run: Path, tmp_path: Path, problems: Callable[[Path], list[str]]) -> None:
    shutil.copytree(run / paths.CRATE, tmp_path / "spoilt")
    metadata = tmp_path / "spoilt" / crate.METADATA
    found = json.loads(metadata.read_text())
    for entity in found["@graph"]:
        entity.pop("instrument", None)
    metadata.write_text(json.dumps(found))
    assert any("MUST have an instrument" in one for one in problems(tmp_path / "spoilt"))
