"""From params.yaml to stages: names, mistakes that only the plan can see, the text that DVC reads."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cellar import config, paths
from cellar.config import Config
from cellar.config.section import Section
from cellar.errors import CellarError
from cellar.paths import stage_address, stage_name
from cellar.pipeline import dvc_yaml, plan, resolved
from cellar.pipeline.stage import Job, Stage, StageKind
from tests.conftest import ROOT

Raw = dict[str, Any]
SMALL = "studies.small_dataset_kd"


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Methods and networks are found from the project's root."""
    monkeypatch.chdir(ROOT)


def loaded(raw: Raw, folder: Path) -> Config:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False))
    return config.load(path)


class Width(Section):
    width: int = 3


def kind(*jobs: Job, **fields: Any) -> StageKind:
    return StageKind("kind", lambda config: jobs, Width, lambda settings: {}, ("src/cellar/files.py",), **fields)


@pytest.mark.parametrize(
    ("job", "name"),
    [("", "kind"), ("fer2013-E1/seed-0", "kind-fer2013-E1-seed-0"), ("a w0.5+b/seed-1", "kind-a-w0-5-b-seed-1")],
)
def test_a_name_has_the_characters_that_dvc_takes(job: str, name: str) -> None:
    assert stage_name("kind", job) == name
    assert stage_address("kind", job, "s") == f"studies/s/dvc.yaml:{name}"
    assert stage_address("kind", job, "s", sweep=True) == f"studies/s/sweeps/dvc.yaml:{name}"


def test_two_stages_of_one_name_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = kind(Job("a.b", "a.b", Width()), Job("a b", "a b", Width()))
    monkeypatch.setattr(plan, "KINDS", {"kind": alike})
    with pytest.raises(CellarError) as caught:
        plan.stages(config.load())
    assert str(caught.value) == "params.yaml: a.b and a b would both be the stage kind-a-b; rename one of them"


def test_two_studies_may_use_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = kind(*(Job("a", f"{study}/a", Width(), study=study) for study in ("one", "two", "")))
    monkeypatch.setattr(plan, "KINDS", {"kind": alike})
    assert [stage.address for stage in plan.stages(config.load())] == [
        "studies/one/dvc.yaml:kind-a", "studies/two/dvc.yaml:kind-a", "kind-a",
    ]  # fmt: skip


@pytest.mark.parametrize("source", ["weights", "generator"])
def test_faces_of_a_published_file_depend_on_the_code_that_reads_it(source: str, raw: Raw, tmp_path: Path) -> None:
    faces = raw["studies"]["small_dataset_kd"]["faces"]["pins"]
    if source == "weights":
        del faces["generator"]
        faces["weights"] = "ffhq.pkl"
    stages = {stage.name: stage for stage in plan.stages(loaded(raw, tmp_path))}
    readers = {"src/cellar/models/checkpoint_files", "src/cellar/data/safe_pickle"}
    assert (readers <= set(stages["generate_faces-pins"].inputs)) == (source == "weights")


def test_planning_leaves_the_pipelines_of_others_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study's folder may hold a DVC pipeline that is not of this project."""
    monkeypatch.chdir(tmp_path)
    own = [Path(f"studies/mine/{folder}/dvc.yaml") for folder in ("data", "results/raw", "params/old")]
    for path in own:
        path.parent.mkdir(parents=True)
        path.write_text("stages: {}\n")
        path.with_suffix(".lock").write_text("schema: '2.0'\n")
    assert dvc_yaml.write([]) == []
    assert all(path.exists() and path.with_suffix(".lock").exists() for path in own)
    assert paths.pipeline_files() == paths.pipeline_files("dvc.lock") == []


def teacher(raw: Raw, study: str, name: str, model: str) -> None:
    raw["studies"][study]["teachers"][name]["model"] = model


@pytest.mark.parametrize(
    ("study", "name", "model", "words"),
    [
        ("mini_resemotenet", "fer2013", "resemotnet", "did you mean 'resemotenet'"),
        ("small_dataset_kd", "pins_mobilenet_v1", "cnn4+sigmoid", "takes no +sigmoid"),
    ],
)
def test_a_network_that_is_none_is_one_line_with_its_key(
    raw: Raw, tmp_path: Path, study: str, name: str, model: str, words: str
) -> None:
    teacher(raw, study, name, model)
    with pytest.raises(CellarError) as caught:
        plan.stages(loaded(raw, tmp_path))
    message = str(caught.value)
    assert f".yaml: studies.{study}.teachers.{name}.model: " in message  # of the file that has brought the line
    assert words in message and "\n" not in message


def test_a_method_that_is_none_is_one_line(raw: Raw, tmp_path: Path) -> None:
    raw["studies"]["mini_resemotenet"]["experiments"]["fer2013-E1"]["method"]["name"] = "logit_kt"
    with pytest.raises(CellarError) as caught:
        plan.stages(loaded(raw, tmp_path))
    assert "no method is called 'logit_kt' (did you mean 'logit_kd'?)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_parameter_that_its_method_does_not_take_is_one_line_with_its_key(raw: Raw, tmp_path: Path) -> None:
    raw["studies"]["mini_resemotenet"]["experiments"]["fer2013-E1"]["method"]["temprature"] = 3
    with pytest.raises(CellarError) as caught:
        resolved.by_file(loaded(raw, tmp_path))
    message = str(caught.value)
    assert ".yaml: studies.mini_resemotenet.experiments.fer2013-E1: method logit_kd: " in message
    assert "temprature" in message and "\n" not in message


TEXTS = [
    "python -m cellar prepare a/seed-0 --study s", "a: b", "# none", "a #b", "- a", "1e-05", "yes", "null", "true", "off", "No", "NULL", "y", "a ",
    "it's", 'a "b"', "é", "[a]", "*a", "&a", "%a", "@a", "a\nb", "", " a", "~", "results/x_y.json", "a=b+c", "a,b",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_quoted_reads_as_itself(text: str) -> None:
    """In a list and as a value, by PyYAML and by DVC's parser, which follows YAML 1.2."""
    from dvc.utils.serialize import parse_yaml

    written = f"list:\n  - {dvc_yaml.quoted(text)}\nkey: {dvc_yaml.quoted(text)}\n"
    assert yaml.safe_load(written) == {"list": [text], "key": text}
    assert parse_yaml(written, "dvc.yaml") == {"list": [text], "key": text}


def test_the_text_of_a_stage(tmp_path: Path) -> None:
    made = kind(outs=("results/{item}/w", "data/{item}/"), plots={"results/{item}/h.csv": {"x": "epoch"}},
                metrics=("results/m/{item}.json",), tracked=("results/{item}.md",))  # fmt: skip
    stage = Stage(made, Job("a/seed-0", "s/a/seed-0", Width(), reads=("data/x: y.npz",), study="s"))
    read = yaml.safe_load(dvc_yaml.render([stage]))["stages"]
    assert read == {
        "kind-a-seed-0": {
            "wdir": "../..",
            "cmd": "python -m cellar kind a/seed-0 --study s",
            "deps": ["src/cellar/pipeline/stages/kind.py", "src/cellar/files.py", "data/x: y.npz"],
            "params": [{"results/resolved/s/kind-a-seed-0.json": None}],
            "outs": ["results/s/a/seed-0/w", "data/s/a/seed-0", {"results/s/a/seed-0.md": {"cache": False}}],
            "metrics": [{"results/m/s/a/seed-0.json": {"cache": False}}],
            "plots": [{"results/s/a/seed-0/h.csv": {"x": "epoch"}}],
        }
    }


def test_no_command_ends_in_a_blank() -> None:
    assert Stage(kind(), Job("", "", Width())).command == "python -m cellar kind"
    assert Stage(kind(), Job("", "s", Width(), study="s")).command == "python -m cellar kind --study s"


def test_the_shipped_pipeline_files_say_what_params_yaml_says() -> None:
    assert dvc_yaml.outdated(plan.stages(config.load())) == []


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("pins-oneshot_convnet9", "triplet"),
        ("pins-meta_convnet9", "maml"),
        ("pins-mse_convnet9_features", "feature_kd"),
    ],
)
def test_a_teacher_of_logits_has_learnt_classes(raw: Raw, tmp_path: Path, name: str, method: str) -> None:
    """The last layer of the others is as random as at first, or has another size."""
    experiments = raw["studies"]["small_dataset_kd"]["experiments"]
    experiments["pins-labels_convnet9"]["teacher"] = {"experiment": name}
    with pytest.raises(CellarError) as caught:
        plan.stages(loaded(raw, tmp_path))
    key = "studies.small_dataset_kd.experiments.pins-labels_convnet9.teacher.experiment"
    assert str(caught.value).endswith(f": {key}: {name} learns by {method}, not classes; name an experiment that does")


def test_the_features_of_any_experiment_can_be_learnt(raw: Raw, tmp_path: Path) -> None:
    experiments = raw["studies"]["small_dataset_kd"]["experiments"]
    experiments["pins-mse_convnet9_features"]["teacher"] = {"experiment": "pins-oneshot_resnet50"}
    stages = {stage.address: stage for stage in plan.stages(loaded(raw, tmp_path))}
    read = next(
        stage.inputs
        for name, stage in stages.items()
        if name.endswith("distill_student-pins-mse_convnet9_features-seed-0")
    )
    assert "results/features/small_dataset_kd-pins-oneshot_resnet50/held_out.npz" in read
