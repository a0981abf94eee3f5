"""`cellar use`: params.yaml is written, an edited one is not overwritten, and a value's file is known later."""

import shutil
from pathlib import Path

import pytest

from cellar import config
from cellar.config.composed import read_header, source_of, use
from cellar.errors import CellarError
from tests.config.conftest import OTHER, QUICK, write_study

PARAMS = Path("params.yaml")


def edit(old: str, new: str) -> None:
    text = PARAMS.read_text()
    assert old in text
    PARAMS.write_text(text.replace(old, new, 1))


def refusal(*names: str) -> str:
    before = PARAMS.read_bytes()
    with pytest.raises(CellarError) as caught:
        use(list(names))
    assert PARAMS.read_bytes() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_composed_is_what_is_loaded(studies: Path) -> None:
    assert use(["quick"]) == ["one/quick", "two/quick"]
    loaded = config.load()
    assert list(loaded.studies) == ["one", "two"]
    assert loaded.params("one").experiment("taught").method == {
        "name": "logit_kd", "temperature": 4, "task_weight": 0.2,
    }  # fmt: skip
    assert (loaded.params("one").recipes["long"].epochs, loaded.params("two").recipes["long"].epochs) == (2, 5)


def test_the_header_says_what_the_file_was_composed_from(studies: Path) -> None:
    use(["quick"])
    header = read_header(PARAMS.read_text())
    assert header and header.names == ["one/quick", "two/quick"] and not header.edited


def test_a_file_of_before_the_schemas_is_not_edited(studies: Path) -> None:
    use(["quick"])
    edit("# yaml-language-server: $schema=params.schema.json\n", "")
    use(["one/quick"])
    assert PARAMS.read_text().startswith("# yaml-language-server: $schema=params.schema.json\n")


def test_another_schema_for_the_editor_is_no_edit(studies: Path) -> None:
    use(["quick"])
    edit("$schema=params.schema.json", "$schema=/elsewhere/params.schema.json")
    header = read_header(PARAMS.read_text())
    assert header and not header.edited


@pytest.mark.parametrize("gap", ["", "\n"])
@pytest.mark.parametrize("comment", ["", "# Quickly.\n", "# Quickly.\n\n"])
def test_a_studys_line_for_editors_is_not_composed(studies: Path, comment: str, gap: str) -> None:
    line = "# yaml-language-server: $schema=../../params.schema.json\n"
    write_study("one", quick=line + gap + comment + QUICK.partition("\n\n")[2])
    use(["quick"])
    text = PARAMS.read_text()
    assert text.count("yaml-language-server") == 1 and text.count("# Quickly.") == bool(comment)


def test_an_unedited_file_is_overwritten(studies: Path) -> None:
    use(["quick"])
    write_study("one", quick=QUICK.replace("epochs: 2", "epochs: 7"))
    use(["one/quick"])
    assert config.load().params("one").recipes["long"].epochs == 7


def test_edits_are_named_and_not_overwritten(studies: Path) -> None:
    use(["quick"])
    edit("temperature: 4", "temperature: 5")
    edit("      longer: {epochs: 90, ", "      longer: {early_stop: 2, ")
    message = refusal("quick")
    assert "params.yaml was edited since it was composed: " in message
    assert "studies.one.experiments.taught.method.temperature: 4 composed, 5 here" in message
    assert "studies.one.recipes.longer.epochs: 90 composed, removed here" in message
    assert "studies.one.recipes.longer.early_stop: not composed, 2 here" in message
    assert message.count("composed,") == 3
    assert "--force" in message


def test_force_overwrites_edits(studies: Path) -> None:
    use(["quick"])
    before = PARAMS.read_bytes()
    edit("temperature: 4", "temperature: 5")
    use(["quick"], force=True)
    assert PARAMS.read_bytes() == before


def test_an_edit_undone_is_none(studies: Path) -> None:
    use(["quick"])
    edit("temperature: 4", "temperature: 5")
    edit("temperature: 5", "temperature: 4")
    assert use(["base"]) == ["one/base"]  # without --force
    assert "temperature: 3" in PARAMS.read_text() and config.load().scale.name == "paper"


def test_a_users_comment_is_not_lost(studies: Path) -> None:
    use(["quick"])
    edit("precision: fp32", "precision: fp32  # do not change")
    assert "comments or layout" in refusal("quick")


def test_a_users_own_study_is_not_lost(studies: Path) -> None:
    use(["one/quick"])
    with PARAMS.open("a") as file:
        file.write("\n  mine:\n    recipes: {}\n")
    assert "studies.mine: not composed, {1 keys} here" in refusal("one/quick")


def test_edits_are_told_from_what_changed_in_the_studies(studies: Path) -> None:
    use(["quick"])
    edit("temperature: 4", "temperature: 5")
    write_study("one", quick=QUICK.replace("epochs: 2", "epochs: 7"))
    message = refusal("quick")
    assert "(studies/*/params changed since, too)" in message
    assert "temperature: 4 composed, 5 here" in message


def test_the_values_of_a_study_that_is_gone_are_absent(studies: Path) -> None:
    use(["quick"])
    shutil.rmtree("studies/two")
    use(["quick"])
    assert list(config.load().studies) == ["one"]


def test_edits_are_named_though_a_study_is_gone(studies: Path) -> None:
    use(["quick"])
    edit("temperature: 4", "temperature: 5")
    shutil.rmtree("studies/two")
    message = refusal("quick")
    assert "temperature: 4 composed, 5 here" in message and "studies.two: not composed, {2 keys} here" in message


def test_edits_are_kept_where_what_was_composed_is_not_known_any_more(studies: Path) -> None:
    use(["quick"])
    edit("temperature: 4", "temperature: 5")
    Path("studies/two/params/quick.yaml").unlink()
    assert "one/quick, two/quick, which cannot be composed any more" in refusal("one/quick")


@pytest.mark.parametrize("text", ["threads: 1\n", "", "not: [yaml\n"])
def test_a_file_made_by_hand_is_not_overwritten(studies: Path, text: str) -> None:
    PARAMS.write_text(text)
    assert "made by hand" in refusal("quick")
    use(["quick"], force=True)
    assert config.load().studies


def test_an_edited_header_is_an_edit(studies: Path) -> None:
    use(["quick"])
    edit("#   two/quick\n", "")
    assert "studies.two: not composed, {2 keys} here" in refusal("quick")


def test_an_edit_that_is_no_yaml_is_one_line(studies: Path) -> None:
    use(["quick"])
    edit("threads: 1", "threads: [1")
    assert "is not YAML" in refusal("quick")
    use(["quick"], force=True)


def test_what_cannot_be_composed_writes_nothing(studies: Path) -> None:
    use(["quick"])
    before = PARAMS.read_bytes()
    write_study("two", quick=OTHER + "threads: 3\n")
    with pytest.raises(CellarError, match="threads is 1"):
        use(["quick"], force=True)
    assert PARAMS.read_bytes() == before


def test_adding_and_removing_a_study_changes_no_byte_of_params(studies: Path) -> None:
    use(["quick"])
    before = PARAMS.read_bytes()
    write_study("new", quick=OTHER)
    use(["quick"])
    assert PARAMS.read_bytes() != before
    shutil.rmtree("studies/new")
    use(["quick"])
    assert PARAMS.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("studies.one.recipes.long.epochs", "studies/one/params/quick.yaml"),
        ("studies.one.recipes.long.batch_size", "studies/one/params/base.yaml"),
        ("studies.one.experiments.taught.method.temperature", "studies/one/params/quick.yaml"),
        ("studies.one.experiments.taught.teacher", "studies/one/params/base.yaml"),
        ("studies.two.experiments.alone", "studies/two/params/quick.yaml"),
        ("datasets.faces.source.kaggle", "studies/one/params/base.yaml"),
        ("seeds.0", "studies/one/params/base.yaml"),
        ("studies.one.experiments.taught.method.unknown", "studies/one/params/quick.yaml"),
        ("studies.one.recipes.longer.epochs", "params.yaml"),
    ],
)
def test_a_value_is_of_its_file_unless_it_was_edited(studies: Path, key: str, file: str) -> None:
    use(["quick"])
    edit("epochs: 90", "epochs: 91")
    assert source_of(key) == Path(file)


def test_an_error_of_an_edited_value_names_params_yaml(studies: Path) -> None:
    use(["quick"])
    edit("epochs: 90", "epochs: 0")
    with pytest.raises(CellarError, match=r"^params\.yaml: studies\.one\.recipes\.longer\.epochs: "):
        config.load()


def test_an_error_that_a_study_has_brought_names_its_file(studies: Path) -> None:
    """A composed value is checked again whenever params.yaml is read; the rules may be newer than the file."""
    use(["quick"])
    write_study("one", quick=QUICK.replace("epochs: 2", "epochs: 0"))
    edit("epochs: 2", "epochs: 0")
    with pytest.raises(CellarError, match=r"^studies/one/params/quick\.yaml: studies\.one\.recipes\.long\.epochs: "):
        config.load()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n  faces: {enabled: true", "\n  people: {enabled: true"),
        ("\n      big: {dataset", "\n      large: {dataset"),
        ("\n      longer: {epochs", "\n      longest: {epochs"),
    ],
)
def test_what_no_longer_exists_is_missed_in_params_yaml(studies: Path, old: str, new: str) -> None:
    """The line that names it is as its study has it, but the edit is here, and mending the study's file helps nobody."""
    use(["quick"])
    edit(old, new)
    with pytest.raises(CellarError, match=r"^params\.yaml: studies\.one\..* has no '[a-z]+'"):
        config.load()


def test_a_decimal_comma_is_said_to_be_one(studies: Path) -> None:
    """In `{task_weight: 0,20}` the comma ends the value, and 20 is a key."""
    write_study("one", quick=QUICK.replace("method:\n      temperature: 4", "method: {task_weight: 0,20}"))
    with pytest.raises(CellarError, match=r"quick\.yaml: line 11 .* key 20 is .*, or write the point where a comma"):
        use(["quick"])
    write_study("one", quick=QUICK)
    use(["quick"])
    edit("task_weight: 0.2", "task_weight: 0,2")
    with pytest.raises(CellarError, match=r"^params\.yaml: .*\.20: .*, or write the point where a comma"):
        config.load()
