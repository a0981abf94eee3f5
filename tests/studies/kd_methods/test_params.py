"""The scales: which experiments they have, and that the paper's is what the tables print."""

import pytest

from cellar.config.compose import compose
from cellar.pipeline import plan, resolved
from cellar.tables import comparable
from cellar.tables.runs import runs_of
from tests.as_printed import write_counts
from tests.conftest import ROOT
from tests.studies.kd_methods.conftest import KEY, Fabricate

METHODS = 30


def test_the_default_leaves_the_study_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert f"{KEY}/sample" not in compose(["sample"]).names
    assert f"{KEY}/sample" in compose(["sample", f"{KEY}/sample"]).names


def test_the_sample_trains_all_methods_and_the_student_alone(project: Fabricate) -> None:
    made = project("sample")
    lines = made.params(KEY).experiments
    assert len(lines) == 1 + METHODS
    assert [key for key, line in lines.items() if line.teacher is None] == ["resnet20-resnet8-alone"]
    assert len({(line.method_name, line.method.get("standardise")) for line in lines.values()}) == 1 + METHODS
    resolved.by_file(made.config())  # every method serves the two networks


def test_the_usual_pairs_have_every_method_that_serves_them(project: Fabricate) -> None:
    """Not FSP where channels differ, not OFD where sizes differ, not SimKD of a WRN; five students alone serve two pairs each."""
    lines = project("paper").params(KEY).experiments
    by_pair: dict[str, set[str]] = {}
    for key in lines:
        pair, _, method = key.rpartition("-")
        by_pair.setdefault(pair, set()).add(method)
    everything = set.union(*by_pair.values())
    assert len(by_pair) == 13 and len(everything) == 1 + METHODS
    assert everything - by_pair["resnet32x4-resnet8x4"] == set()
    assert everything - by_pair["wrn_40_2-wrn_40_1"] == {"fsp", "simkd"}
    assert everything - by_pair["resnet50-vgg8"] == {"alone", "fsp", "ofd"}


@pytest.mark.parametrize("scale", ["paper", "cpu", "night", "evening"])
def test_every_method_of_a_scale_serves_its_networks(project: Fabricate, scale: str) -> None:
    made = project(scale)
    assert [stage for stage in plan.stages(made.config()) if stage.kind.name == "distill_student"]
    resolved.by_file(made.config())


def test_the_papers_scale_follows_what_the_tables_print(project: Fabricate) -> None:
    made = project("paper")
    params = made.params(KEY)
    write_counts("cifar100", train=45000, validation=5000, test=10000)
    for key, line in params.experiments.items():
        if line.method_name != "mlkd":
            assert comparable.obstacles(params, runs_of(params, key, line)) == [], key


def test_a_method_with_a_recipe_of_its_own_is_not_judged(project: Fabricate) -> None:
    """MLKD's authors train all pairs otherwise; here one recipe is that of all methods."""
    params = project("paper").params(KEY)
    write_counts("cifar100", train=45000, validation=5000, test=10000)

    def reasons(key: str) -> list[str]:
        return comparable.obstacles(params, runs_of(params, key, params.experiment(key)))

    assert reasons("resnet32x4-resnet8x4-mlkd") == ["learning rate 0.05, printed 0.025"]
    assert reasons("resnet32x4-resnet8x4-mlkd_lskd") == ["240 epochs, printed 480", "learning rate 0.05, printed 0.025"]
    assert reasons("vgg13-mobilenet_v2-mlkd_lskd") == ["240 epochs, printed 480"]
    assert reasons("resnet32x4-shufflenet_v2-mlkd_lskd") == [
        "240 epochs, printed 960",
        "learning rate 0.01, printed 0.001",
    ]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("non_target_weight", 8, "non target weight 8, printed 6"),
        ("name", "nkd", "name nkd, printed dkd"),
    ],
)
def test_another_parameter_prevents_a_verdict(project: Fabricate, key: str, value: object, reason: str) -> None:
    made = project("paper")
    made.experiment("vgg13-vgg8-dkd")["method"][key] = value
    params = made.params(KEY)
    write_counts("cifar100", train=45000, validation=5000, test=10000)
    runs = runs_of(params, "vgg13-vgg8-dkd", params.experiment("vgg13-vgg8-dkd"))
    assert reason in comparable.obstacles(params, runs)


def test_held_out_images_prevent_verdicts(project: Fabricate) -> None:
    params = project("base").params(KEY)
    write_counts("cifar100", train=45000, validation=5000, test=10000)
    runs = runs_of(params, "vgg13-vgg8-kd", params.experiment("vgg13-vgg8-kd"))
    (reason, of_teacher) = comparable.obstacles(params, runs)
    assert reason == "train on train, printed train_and_validation" and of_teacher == f"its teacher: {reason}"
