"""`pairs` and `methods` of a study's file: the experiments that they stand for, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from cellar.config.compose import compose, merge_studies
from cellar.errors import CellarError
from tests.config.conftest import write_study

METHODS = """\
methods:
  labels_only: {method: {name: labels}}
  kd: {seeds: [0, 1], method: {name: logit_kd, temperature: 4, task_weight: 0.1, distill_weight: 0.9, loss_form: weighted}}
  dkd: {recipe: longer, method: {name: dkd, non_target_weight: 8}}
"""
PAIRS = """\
pairs:
  big-small: {dataset: faces, teacher: big, model: resemotenet_a, recipe: long}
"""


def experiments(**files: str) -> dict[str, Any]:
    write_study("one", **files)
    found: dict[str, Any] = merge_studies({"one": "mine"}).values["studies"]["one"]["experiments"]
    return {key: line for key, line in found.items() if key.startswith("big-")}


def test_each_pair_with_each_method_is_an_experiment(studies: Path) -> None:
    found = experiments(mine=METHODS + PAIRS)
    shared = {"dataset": "faces", "model": "resemotenet_a", "recipe": "long"}
    kd = {"name": "logit_kd", "temperature": 4, "task_weight": 0.1, "distill_weight": 0.9, "loss_form": "weighted"}
    assert found == {
        "big-small-labels_only": {"row": "big-small-labels_only", **shared, "method": {"name": "labels"}},
        "big-small-kd": {"row": "big-small-kd", **shared, "teacher": "big", "seeds": [0, 1], "method": kd},
        "big-small-dkd": {
            "row": "big-small-dkd", **shared, "recipe": "longer", "teacher": "big",
            "method": {"name": "dkd", "non_target_weight": 8},
        },
    }  # fmt: skip


def test_the_studys_other_experiments_stay_and_pairs_are_not_composed(studies: Path) -> None:
    write_study("one", mine=METHODS + PAIRS)
    found = compose(["one/mine"]).values["studies"]["one"]
    assert {"alone", "taught", "big-small-kd"} <= found["experiments"].keys()
    assert not {"pairs", "methods"} & found.keys()


CHANGES = {  # what else a file says -> experiment, dotted key, value (None: it is not there)
    "a method that a pair has not": ("    without: [dkd]\n", "big-small-dkd", "row", None),
    "a parameter of a pair": ("    methods: {dkd: {method: {non_target_weight: 2}}}\n", "big-small-dkd",
                              "method.non_target_weight", 2),
    "the name of the method stays": ("    methods: {dkd: {method: {non_target_weight: 2}}}\n", "big-small-dkd",
                                     "method.name", "dkd"),
    "a recipe of a pair": ("    methods: {dkd: {recipe: long}}\n", "big-small-dkd", "recipe", "long"),
    "an experiment of the same name": ("experiments: {big-small-dkd: {recipe: long}}\n", "big-small-dkd", "recipe", "long"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "key", "place", "value"), CHANGES.values(), ids=CHANGES.keys())
def test_a_file_states_what_differs(studies: Path, text: str, key: str, place: str, value: object) -> None:
    pair = "pairs:\n  big-small:\n    dataset: faces\n    teacher: big\n    model: resemotenet_a\n    recipe: long\n"
    found = experiments(mine=METHODS + pair + text).get(key)
    for name in place.split("."):
        found = found[name] if found else None
    assert found == value


def test_an_override_changes_methods_and_pairs_of_the_file_below(studies: Path) -> None:
    over = "base: below\nmethods: {dkd: {method: {non_target_weight: 3}}, kd: null}\npairs: {big-small: {model: resemotenet_b}}\n"
    found = experiments(below=METHODS + PAIRS, mine=over)
    assert found.keys() == {"big-small-labels_only", "big-small-dkd"}
    assert {line["model"] for line in found.values()} == {"resemotenet_b"}
    assert found["big-small-dkd"]["method"]["non_target_weight"] == 3


def test_an_override_keeps_some_pairs(studies: Path) -> None:
    over = "base: below\nkeep: {pairs: []}\npairs: {big-tiny: {dataset: faces, teacher: big, model: resemotenet_c, recipe: long}}\n"
    assert {key.rpartition("-")[0] for key in experiments(below=METHODS + PAIRS, mine=over)} == {"big-tiny"}


FAULTS = {
    "a method left out that is not there": ("pairs: {big-small: {without: [kdd]}}\n",
                                            ["pairs.big-small.without: no method 'kdd'", "did you mean 'kd'"]),
    "a change of a method that is not there": ("pairs: {big-small: {methods: {dk: {recipe: long}}}}\n",
                                               ["pairs.big-small.methods: no method 'dk'", "known: labels_only, kd, dkd"]),
    "a pair that is a name": ("pairs: {big-small: big}\n", ["pairs.big-small: it holds keys of an experiment; give a mapping"]),
    "a method that is a name": ("methods: {kd: logit_kd}\n", ["methods.kd: it holds keys of an experiment"]),
    "methods of a pair as a list": ("pairs: {big-small: {methods: [kd]}}\n", ["pairs.big-small.methods: it holds methods", "give a mapping"]),
    "a change that is a number": ("pairs: {big-small: {methods: {kd: 3}}}\n", ["pairs.big-small.methods.kd: it holds keys of an experiment"]),
    "pairs as a list": ("pairs: [big-small]\n", ["pairs: it holds pairs by their names; give a mapping"]),
    "methods as a list": ("methods: [kd]\n", ["methods: it holds methods by their names; give a mapping"]),
    "a name where a list is expected": ("pairs: {big-small: {without: kd}}\n", ["pairs.big-small.without: give a list of methods, such as [fsp]"]),
    "a method whose name has the sign between pair and method": ("methods: {kd-hot: {method: {name: labels}}}\n", ["methods.kd-hot: '-' stands between pair and method; write kd_hot"]),
    "a key that is none of an experiment": ("pairs: {big-small: {modle: resemotenet_b}}\n",
                                            ["experiments.big-small-labels_only.modle: unknown key"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_one_line_with_the_file(studies: Path, text: str, words: list[str]) -> None:
    write_study("one", below=METHODS + PAIRS, mine="base: below\n" + text)
    with pytest.raises(CellarError) as caught:
        compose(["one/mine"])
    assert str(caught.value).startswith("studies/one/params/mine.yaml: ") and "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
