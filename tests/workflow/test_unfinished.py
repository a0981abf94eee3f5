"""A run of which a part is finished: what `cellar use --finished` keeps, in a project that the real tools built."""

from copy import deepcopy
from typing import Any

import pytest

from cellar import config as configuration
from cellar.config.compose import Composition
from cellar.config.composed import entries
from cellar.deployment import packages
from cellar.errors import CellarError
from cellar.provenance.finished import reduce

from .conftest import FACES, Project, experiment

Raw = dict[str, Any]


def reduced(project: Project, monkeypatch: pytest.MonkeyPatch) -> Raw:
    """What is kept of the project's parameters."""
    monkeypatch.chdir(project.folder)
    raw = configuration.read_yaml(configuration.PARAMS_FILE)
    composition = Composition([], entries(raw, configuration.PARAMS_FILE))
    reduce(composition, configuration.load())
    configuration.validate(composition.values, lambda key: configuration.PARAMS_FILE)
    return composition.values


def lines(raw: Raw) -> dict[str, list[str]]:
    sections = raw["studies"][FACES]
    return {name: sorted(sections.get(name, {})) for name in ("teachers", "experiments")}


def test_of_a_whole_run_everything_is_kept(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = reduced(built, monkeypatch)
    monkeypatch.undo()
    whole = configuration.read_yaml(built.folder / "params.yaml")
    assert lines(kept) == lines(whole) and lines(kept)["experiments"]


def test_what_has_not_run_is_left_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new experiment, a further seed, and a student whose recipe was changed after it had run."""

    def spoil(params: Raw) -> None:
        sections = params["studies"][FACES]
        sections["experiments"]["fer2013-later"] = {**experiment(params, "fer2013-E1"), "row": "later"}
        experiment(params, "fer2013-scratch_a")["seeds"] = [0, 1]
        recipe = experiment(params, "fer2013-E4")["recipe"]
        sections["recipes"]["changed"] = {**deepcopy(sections["recipes"][recipe]), "learning_rate": 0.123}
        experiment(params, "fer2013-E4")["recipe"] = "changed"

    before = lines(configuration.read_yaml(project.folder / "params.yaml"))["experiments"]
    project.change(spoil)
    kept = reduced(project, monkeypatch)
    assert lines(kept)["experiments"] == [name for name in before if name != "fer2013-E4"]
    assert kept["studies"][FACES]["experiments"]["fer2013-scratch_a"]["seeds"] == [0]


def test_an_export_of_what_has_not_run_is_left_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a seed it means the first, and no other in its stead."""

    def ask(params: Raw) -> None:
        sections = params["studies"][FACES]
        experiment(params, "fer2013-scratch_a")["seeds"] = [7, 0]  # of which 0 has run
        sections["teachers"]["later"] = {**deepcopy(sections["teachers"]["fer2013"]), "seeds": [9]}
        sources = {
            "ready": {"experiment": "fer2013-E1"},
            "large": {"teacher": "fer2013"},
            "first": {"experiment": "fer2013-scratch_a"},
            "second": {"experiment": "fer2013-scratch_a", "seed": 0},
            "later": {"teacher": "later"},
        }
        sections["exports"] = {name: source | {"licence": "MIT"} for name, source in sources.items()}

    monkeypatch.setattr(packages, "need", lambda modules, what: None)
    project.change(ask)
    assert sorted(reduced(project, monkeypatch)["studies"][FACES]["exports"]) == ["large", "ready", "second"]


def test_where_nothing_is_finished_one_line_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.change(lambda params: params.update(threads=params["threads"] + 1))
    threads = configuration.read_yaml(project.folder / "params.yaml")["threads"]
    why = f"no run of these lines is finished here: .* ran with threads {threads - 1}, which is {threads} now; build one first"
    with pytest.raises(CellarError, match=why):
        reduced(project, monkeypatch)
