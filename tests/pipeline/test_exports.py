"""`exports` in params.yaml: which stages it asks for, and what is refused in one line."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cellar import config
from cellar.config import compose
from cellar.deployment import packages
from cellar.errors import CellarError
from cellar.pipeline import exports, plan, resolved

KINDS = {"export_student", "evaluate_export", "time_export"}
Raw = dict[str, Any]


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])


@pytest.fixture
def with_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether they are here is no matter to what is planned."""
    monkeypatch.setattr(packages, "need", lambda modules, what: None)


def asking(raw: Raw, study: str = "mini_resemotenet", **export: Any) -> Raw:
    line = {"experiment": "fer2013-scratch_c", "licence": "MIT"} | export
    raw["studies"][study]["exports"] = {"small": line}
    return raw


def read(raw: Raw) -> config.Config:
    return config.validate(raw, lambda key: Path("params.yaml"))


def test_the_shipped_parameters_export_nothing(raw: Raw) -> None:
    assert not KINDS & {stage.kind.name for stage in plan.stages(read(raw))}


def test_an_export_is_three_stages_and_a_table(raw: Raw, with_packages: None) -> None:
    before = {stage.address for stage in plan.stages(read(raw))}
    after = {stage.address for stage in plan.stages(read(asking(raw)))} - before
    study = "studies/mini_resemotenet"
    assert after == {
        f"{study}/dvc.yaml:export_student-small",
        f"{study}/dvc.yaml:time_export-small",
        f"{study}/results/dvc.yaml:evaluate_export-small",
        f"{study}/results/dvc.yaml:tabulate-exports",
    }


def test_the_student_of_another_seed_is_another_file(raw: Raw, with_packages: None) -> None:
    raw["studies"]["mini_resemotenet"]["experiments"]["fer2013-scratch_c"]["seeds"] = [4, 2]
    found = {seed: next(exports.exports(read(asking(raw, **seeds)))) for seed, seeds in {4: {}, 2: {"seed": 2}}.items()}
    assert {seed: one.student.seed for seed, one in found.items()} == {4: 4, 2: 2}
    assert found[2].weights.endswith("fer2013-scratch_c/seed-2/weights.safetensors")


def with_teacher(raw: Raw, **teacher: Any) -> Raw:
    raw["studies"]["mini_resemotenet"]["teachers"]["fer2013"] |= teacher
    return asking(raw, experiment=None, teacher="fer2013")


def test_a_teacher_is_exported_too(raw: Raw, with_packages: None) -> None:
    (one,) = exports.exports(read(with_teacher(raw)))
    assert (one.student.kind, one.given, one.teacher) == ("teachers", None, None)
    assert one.weights == "results/teachers/fer2013/seed-0/weights.safetensors"
    settings = resolved.by_file(read(raw))[Path("results/resolved/mini_resemotenet/evaluate_export-small.json")]
    assert settings["recipe"]["epochs"] and "given" not in settings


def test_of_given_weights_the_card_names_the_file_and_no_recipe(raw: Raw, with_packages: None) -> None:
    config = read(with_teacher(raw, weights="data/weights/published.pth"))
    settings = resolved.by_file(config)[Path("results/resolved/mini_resemotenet/evaluate_export-small.json")]
    assert settings["given"] == "data/weights/published.pth" and "recipe" not in settings
    stages = {stage.kind.name for stage in plan.stages(config)}
    assert {"import_teacher", *KINDS} <= stages


def test_weights_from_a_file_have_no_seed(raw: Raw, with_packages: None) -> None:
    for seed in (0, 3):
        given = with_teacher(raw, weights="data/weights/published.pth")
        given["studies"]["mini_resemotenet"]["exports"]["small"]["seed"] = seed
        with pytest.raises(
            CellarError, match=r"exports\.small\.seed: fer2013 is a file of weights, without a seed; take it out"
        ):
            read(given)


def test_the_card_says_what_a_training_began_with(raw: Raw, with_packages: None) -> None:
    lines = raw["studies"]["small_dataset_kd"]["experiments"]
    started = next(key for key, line in lines.items() if (line.get("start") or {}).get("teacher") and line["freeze"])
    (one,) = exports.exports(read(asking(raw, "small_dataset_kd", experiment=started)))
    assert one.start == lines[started]["start"]["teacher"]
    settings = resolved.by_file(read(raw))[Path("results/resolved/small_dataset_kd/evaluate_export-small.json")]
    assert settings["start"] == one.start and settings["frozen"] is True


def test_a_student_of_grey_images_gets_grey_ones(raw: Raw, with_packages: None) -> None:
    settings = resolved.by_file(read(asking(raw)))
    asked = settings[Path("results/resolved/mini_resemotenet/export_student-small.json")]
    assert asked["grey"] is True and asked["synthetic"] is True and asked["calibration_images"] == 500


def test_a_data_set_that_is_off_exports_nothing(raw: Raw, with_packages: None) -> None:
    raw["datasets"]["fer2013"]["enabled"] = False
    assert not KINDS & {stage.kind.name for stage in plan.stages(read(asking(raw)))}


@pytest.mark.parametrize(
    ("study", "export", "said"),
    [
        ("mini_resemotenet", {"experiment": "fer2013-scratch_d"}, "exports.small.experiment: .*did you mean|experiments has no"),
        ("mini_resemotenet", {"experiment": None, "teacher": "fer2031"}, "exports.small.teacher: .*did you mean|teachers has no"),
        ("mini_resemotenet", {"teacher": "fer2013"}, r"exports\.small: give exactly one of experiment, teacher \(found: experiment, teacher\)"),
        ("mini_resemotenet", {"experiment": None}, r"exports\.small: give exactly one of experiment, teacher \(found: none\)"),
        ("mini_resemotenet", {"seed": 3}, r"exports\.small\.seed: fer2013-scratch_c is trained with the seeds 0; name one"),
        *(("mini_resemotenet", {"licence": text}, r"exports\.small\.licence: a licence is one line of text") for text in ("", "  ", "a\nb")),
        ("small_dataset_kd", {"experiment": "pins-oneshot_convnet9"}, r"exports\.small\.experiment: .* learns by triplet, not classes"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_key(
    raw: Raw, with_packages: None, study: str, export: dict[str, Any], said: str
) -> None:
    with pytest.raises(CellarError, match=said) as error:
        plan.stages(read(asking(raw, study, **export)))
    assert "\n" not in str(error.value)


def test_missing_packages_are_one_line_when_stages_are_planned(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "EXPORT", ("json", "no_such_module"))
    with pytest.raises(CellarError, match=r"mini_resemotenet\.exports\.small needs no_such_module; .*: make using"):
        plan.stages(read(asking(raw)))


def test_a_studys_file_asks_for_an_export_as_the_documentation_says(
    tmp_path: Path, with_packages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path("docs/using.md").read_text()
    lines = page[page.index("exports:\n") : page.index("YAML\ncellar use")]
    shutil.copytree("studies", tmp_path / "studies", ignore=shutil.ignore_patterns("__pycache__", "dvc.*"))
    (tmp_path / "src").symlink_to(Path("src").resolve())
    monkeypatch.chdir(tmp_path)
    with Path("studies/mini_resemotenet/params/sample.yaml").open("a") as file:
        file.write(lines)
    Path("params.yaml").write_text(compose.compose(["sample"]).text)
    (one,) = exports.exports(config.load())
    assert one.item == "mini_resemotenet/emotions" and one.student.key == "mini_resemotenet/fer2013-scratch_c"
