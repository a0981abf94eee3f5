"""Composition: what a name stands for, how an override changes what is below it, and what is refused."""

import shutil
from pathlib import Path

import pytest

from cellar.config.compose import compose, merge_studies, resolve_names, study_keys
from cellar.errors import CellarError
from tests.config.conftest import BASE, OTHER, QUICK, write_study

OVERRIDES = {  # an override of study one -> dotted key of study one, its composed value
    "a value": ("recipes:\n  long:\n    epochs: 3\n", "recipes.long.epochs", 3),
    "what it leaves alone": ("recipes:\n  long:\n    epochs: 3\n", "recipes.long.batch_size", 16),
    "what an alias repeats is its own": ("recipes:\n  long:\n    epochs: 3\n", "recipes.longer.epochs", 90),
    "one form for another": (
        "recipes:\n  long:\n    schedule:\n      inverse_sqrt: true\n",
        "recipes.long.schedule",
        {"inverse_sqrt": True},
    ),
    "a parameter of a method": (
        "experiments:\n  taught:\n    method:\n      task_weight: 0.5\n",
        "experiments.taught.method",
        {"name": "logit_kd", "temperature": 3, "task_weight": 0.5},
    ),
    "another method": (
        "experiments:\n  taught:\n    method:\n      name: dkd\n      alpha: 1\n",
        "experiments.taught.method",
        {"name": "dkd", "alpha": 1},
    ),
    "a key taken out": ("experiments:\n  taught:\n    teacher: null\n", "experiments.taught.teacher", None),
    "a line taken out": ("experiments:\n  taught: null\n", "experiments.taught", None),
    "a section taken out": ("experiments: null\n", "experiments", None),
    "a line added": ("recipes:\n  third:\n    epochs: 1\n", "recipes.third", {"epochs": 1}),
    "some kept": ("keep:\n  experiments: [taught]\n", "experiments.alone", None),
    "none kept": ("keep:\n  experiments: []\n", "experiments", None),
    "none kept, one added": (
        "keep:\n  recipes: []\nrecipes:\n  short:\n    epochs: 1\n",
        "recipes",
        {"short": {"epochs": 1}},
    ),
    "upon another override": ("base: quick\n", "recipes.long.epochs", 2),
    "upon several": ("base: [quick, slow]\n", "recipes.long.epochs", 100),
    "upon nothing": ("base: []\nrecipes: {}\n", "experiments", None),
}


@pytest.mark.parametrize(("text", "key", "value"), OVERRIDES.values(), ids=OVERRIDES.keys())
def test_an_override_changes(studies: Path, text: str, key: str, value: object) -> None:
    write_study("one", slow="recipes:\n  long:\n    epochs: 100\n", mine=text)
    found = merge_studies({"one": "mine"}).values["studies"]["one"]
    for name in key.split("."):
        found = found.get(name) if found else None
    assert found == value


COMPOSED = """\
scale: {name: quick, synthetic: false, note: quickly}
threads: 1  # of every stage
precision: fp32
seeds: [0]
teacher_cache: {batch_size: 128, storage: fp32, budget_mb: 64}
evaluation: {batch_size: 128}
costs: {batch_sizes: [1], warmup: 1, repeats: 2}

# Where images come from.
datasets:
  faces: {enabled: true, layout: fer2013, path: data/raw/faces, input_size: 48, augmentation: flip,
    normalisation: imagenet, source: {kaggle: someone/faces}}

studies:
  # Paper one, quickly.
  one:
    recipes:
      long:
        epochs: 2  # as in sec. III
        batch_size: 16
        learning_rate: 0.0010
        momentum: 0.9
        weight_decay: 0
        schedule: {plateau: {factor: 0.1, patience: 5}}
        class_weighting: none
        select_on: last_epoch
      longer: {epochs: 90, batch_size: 16, learning_rate: 0.0010, momentum: 0.9, weight_decay: 0,
        schedule: {plateau: {factor: 0.1, patience: 5}}, class_weighting: none, select_on: last_epoch}

    teachers:
      big: {dataset: faces, model: resemotenet, recipe: long}

    # Rows of the paper's table.
    experiments:
      alone: {dataset: faces, row: alone, model: resemotenet_a, recipe: long}
      # The paper's best.
      taught: {dataset: faces, row: taught, model: resemotenet_a, recipe: longer, teacher: big,
        method: {name: logit_kd, temperature: 4, task_weight: 0.20}}

  # Paper two.
  two:
    recipes:
      long: {epochs: 5, batch_size: 8, learning_rate: 0.1, momentum: 0, weight_decay: 0,
        schedule: {step: {every: 2, factor: 0.5}}, class_weighting: none, select_on: last_epoch}

    experiments:
      alone: {dataset: faces, row: alone, model: cnn4, recipe: long}
"""


def test_a_composition_is_complete_and_keeps_comments_and_spelling(studies: Path) -> None:
    assert compose(["quick"]).text == COMPOSED


@pytest.mark.parametrize(
    ("names", "composed"),
    [
        (["quick"], ["one/quick", "two/quick"]),
        (["one/quick"], ["one/quick"]),
        (["two/quick", "one/quick"], ["one/quick", "two/quick"]),
        (["base"], ["one/base"]),
    ],
)
def test_a_name_is_one_file_or_every_studys(studies: Path, names: list[str], composed: list[str]) -> None:
    assert compose(names).names == composed


def test_a_study_only_by_name_is_left_out_of_names_without_a_study(studies: Path) -> None:
    write_study("two", base="only_by_name: true\n", quick="scale:\n  name: quick\n")
    assert compose(["quick"]).names == ["one/quick"]
    assert resolve_names(["two/quick", "quick"]) == {"one": "quick", "two": "quick"}
    with pytest.raises(CellarError, match=r"no study has studies/…/params/slow.yaml; known: base, quick$"):
        write_study("two", slow="scale:\n  name: slow\n")
        compose(["slow"])


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"base": "only_by_name: perhaps\n"}, ["studies/two/params/base.yaml: only_by_name: perhaps is neither"]),
        ({"quick": "only_by_name: true\n"}, ["studies/two/params/quick.yaml: only_by_name: unknown key"]),
    ],
)
def test_only_by_name_is_true_or_false_and_stands_in_base(
    studies: Path, files: dict[str, str], words: list[str]
) -> None:
    write_study("two", **files)
    assert_refused(["quick"], words)


NAMES = {
    "no such file": (["quik"], ["no study has studies/…/params/quik.yaml", "did you mean 'quick'"]),
    "no such file of a study": (["one/quik"], ["one has no params/quik.yaml", "did you mean 'quick'"]),
    "no such study": (["on/quick"], ["studies has no 'on'", "did you mean 'one'"]),
    "a study without a file": (["one"], ["one is a study", "one/base, one/quick"]),
    "a study twice": (["quick", "one/base"], ["one is named twice", "one/quick and one/base"]),
}


@pytest.mark.parametrize(("names", "words"), NAMES.values(), ids=NAMES.keys())
def test_a_wrong_name_is_one_line(studies: Path, names: list[str], words: list[str]) -> None:
    assert_refused(names, words)


def assert_refused(names: list[str], words: list[str]) -> None:
    with pytest.raises(CellarError) as caught:
        compose(names)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


FAULTS = {  # an override of study one -> what its one line says; it begins with the file
    "misspelt key": (
        "recipes:\n  long:\n    epocs: 3\n",
        ["studies/one/params/mine.yaml: studies.one.recipes.long.epocs: unknown key", "did you mean 'epochs'"],
    ),
    "wrong type": (
        "recipes:\n  long:\n    epochs: many\n",
        ["studies/one/params/mine.yaml: studies.one.recipes.long.epochs: ", "found 'many'"],
    ),
    "number as text": (
        "recipes:\n  long:\n    learning_rate: \"1e-3\"\n",
        ["studies/one/params/mine.yaml: studies.one.recipes.long.learning_rate", "write 0.001"],
    ),
    "of a data set": (
        "datasets:\n  faces:\n    input_size: 4\n",
        ["studies/one/params/mine.yaml: datasets.faces.input_size", "greater than or equal to 8"],
    ),
    "of a setting": ("threads: 0\n", ["studies/one/params/mine.yaml: threads: ", "found 0"]),
    "unknown name": (
        "experiments:\n  taught:\n    recipe: logn\n",
        ["studies/one/params/mine.yaml: studies.one.experiments.taught.recipe: ", "did you mean 'long'"],
    ),
    "a value of the base": (
        "recipes:\n  long:\n    epochs: null\n",
        ["studies/one/params/mine.yaml: studies.one.recipes.long.epochs: missing"],
    ),
    "an old key": (
        "experiments:\n  taught:\n    temperature: 5\n",
        ["mine.yaml: studies.one.experiments.taught.temperature is now studies.one.experiments.taught.method.temperature"],
    ),
    "misspelt section": (
        "experimets: {}\n",
        ["studies/one/params/mine.yaml: experimets: unknown key", "did you mean 'experiments'"],
    ),
    "null of nothing": (
        "experiments:\n  tought: null\n",
        ["studies/one/params/mine.yaml: experiments.tought: null", "did you mean 'taught'"],
    ),
    "keep of nothing": (
        "keep:\n  experiments: [tought]\n",
        ["studies/one/params/mine.yaml: keep.experiments: no 'tought'", "did you mean 'taught'"],
    ),
    "keep in no section": ("keep:\n  sweeps: []\n", ["mine.yaml: keep.sweeps: there is no such section"]),
    "keep without lists": ("keep: [taught]\n", ["mine.yaml: keep: give a list of names"]),
    "a circle of bases": ("base: mine\n", ["mine.yaml: base leads back to mine.yaml (mine -> mine)"]),
    "no such base": ("base: quik\n", ["mine.yaml: base: one has no params/quik.yaml", "did you mean 'quick'"]),
    "a key given twice": ("threads: 1\nthreads: 2\n", ["studies/one/params/mine.yaml: line 2", "given twice"]),
    "a key that is no text": ("recipes:\n  1: {}\n", ["mine.yaml: line 2", "not text to YAML"]),
    "no mapping": ("[1, 2]\n", ["studies/one/params/mine.yaml: line 1", "a mapping is expected"]),
    "no YAML": ("threads: {\n", ["studies/one/params/mine.yaml: line 2", "not YAML"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_an_error_names_the_file_that_the_value_came_from(studies: Path, text: str, words: list[str]) -> None:
    write_study("one", mine=text)
    assert_refused(["one/mine"], words)


def test_an_error_in_the_base_names_the_base(studies: Path) -> None:
    write_study("one", base=BASE.replace("batch_size: 16", "batch_sizes: 16"))
    assert_refused(["one/quick"], ["studies/one/params/base.yaml: studies.one.recipes.long.batch_sizes: unknown key"])


DATASET = BASE[BASE.index("datasets:") : BASE.index("recipes:")]
TEACHERS = "teachers:\n  big:\n    dataset: faces\n    model: resemotenet\n    recipe: long\n"
DISAGREEMENTS = {  # what study two adds -> what is said of it and study one
    "a setting": (
        "threads: 2\n",
        ["threads is 1 in studies/one/params/base.yaml, 2 in studies/two/params/quick.yaml"],
    ),
    "part of a setting": (
        "costs:\n  warmup: 9\n",
        ["costs.warmup is 1 in studies/one/params/base.yaml, 9 in studies/two/params/quick.yaml"],
    ),
    "a data set": (
        DATASET.replace("48", "64"),
        ["datasets.faces.input_size is 48 in studies/one/params/base.yaml, 64 in studies/two/params/quick.yaml"],
    ),
    "a key of a data set": (
        DATASET.replace("    augmentation", "    drop_leaked: true\n    augmentation"),
        ["datasets.faces.drop_leaked is stated in studies/two/params/quick.yaml, not in studies/one/params/base.yaml"],
    ),
    "a teacher": (
        TEACHERS.replace("resemotenet", "resnet8x4"),
        [
            "studies/two/params/quick.yaml: studies.two.teachers.big.model: 'resnet8x4'",
            "(studies/one/params/base.yaml)",
        ],
    ),
    "a teacher's recipe": (TEACHERS, ["studies.two.teachers.big.recipe", "'epochs': 5", "'epochs': 2"]),
}


@pytest.mark.parametrize(("text", "words"), DISAGREEMENTS.values(), ids=DISAGREEMENTS.keys())
def test_studies_that_share_something_must_agree(studies: Path, text: str, words: list[str]) -> None:
    write_study("two", quick=OTHER + text)
    assert_refused(["quick"], words)


def test_what_two_studies_state_alike_stands_once_with_the_comments_of_both(studies: Path) -> None:
    write_study("two", quick=OTHER + "# Faces, too.\n" + DATASET + "threads: 1\n")
    text = compose(["quick"]).text
    assert "# Where images come from.\n# Faces, too.\ndatasets:\n  faces:" in text
    assert text.count("data/raw/faces") == 1


def test_a_comment_of_an_override_replaces_the_bases(studies: Path) -> None:
    write_study("one", quick=QUICK + "threads: 1  # more threads, other bits\n# Which are few.\nseeds: [0]\n")
    text = compose(["one/quick"]).text
    assert "threads: 1  # more threads, other bits\n" in text
    assert "# Which are few.\nseeds: [0]" in text
    assert "of every stage" not in text


def test_a_comment_of_an_anchor_stands_once(studies: Path) -> None:
    assert compose(["one/quick"]).text.count("as in sec. III") == 1


def test_a_long_text_is_folded_and_a_hash_in_quotes_is_no_comment(studies: Path) -> None:
    note = " ".join(["many words"] * 20)
    write_study(
        "one", quick=f"{QUICK}evaluation:\n  batch_size: 64\n".replace("note: quickly", f'note: "{note} #1"  # why')
    )
    composition = compose(["one/quick"])
    assert composition.values["scale"]["note"] == f"{note} #1"
    assert "note: >-  # why\n" in composition.text
    assert max(map(len, composition.text.splitlines())) <= 120


def test_adding_and_removing_a_study_changes_no_byte(studies: Path) -> None:
    before = compose(["quick"]).text
    write_study("new", quick=OTHER.replace("Paper two", "Paper three"))
    assert study_keys() == ["new", "one", "two"]
    assert "Paper three" in compose(["quick"]).text
    shutil.rmtree("studies/new")
    assert compose(["quick"]).text == before
