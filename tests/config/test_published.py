"""Published weights meet the images that they learnt, or the user is told before anything is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cellar import config
from cellar.cli import commands
from cellar.config import published
from cellar.config.compose import compose
from cellar.errors import CellarError
from cellar.pipeline import plan
from tests.conftest import ROOT

Raw = dict[str, Any]
INCEPTION = "studies.small_dataset_kd.experiments.pins-transfer_inceptionv3"
RAF_DB = "studies.mini_resemotenet.teachers.raf_db"


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Raw:
    """The parameters of the papers' scale."""
    monkeypatch.chdir(ROOT)
    return compose(["base"]).values


def read(raw: Raw) -> config.Config:
    return config.validate(raw, lambda key: Path("params.yaml"))


def doubts(raw: Raw) -> list[tuple[str, str, str]]:
    return [doubt for params in read(raw).all_params() for doubt in published.doubts(params)]


def test_the_papers_scale_feeds_its_files_as_they_were(paper: Raw) -> None:
    assert doubts(paper) == []
    lines = paper["studies"]["small_dataset_kd"]["experiments"]
    assert lines["pins-transfer_inceptionv3"]["normalisation"] == "symmetric"


@pytest.mark.parametrize(
    ("line", "fed", "learnt"),
    [
        ("transfer_inceptionv3", "imagenet", "symmetric"),
        ("transfer_inceptionv3", None, "symmetric"),  # the data set's
        ("transfer_mobilenet", "symmetric", "imagenet"),
        ("transfer_resnet50", "imagenet", "vggface2"),
    ],
)
def test_a_published_file_fed_otherwise_is_refused(paper: Raw, line: str, fed: str | None, learnt: str) -> None:
    section = paper["studies"]["small_dataset_kd"]["experiments"][f"pins-{line}"]
    section.pop("normalisation")
    section |= {"normalisation": fed} if fed else {}
    with pytest.raises(CellarError) as caught:
        read(paper)
    said = str(caught.value)
    assert said.startswith(
        f"params.yaml: studies.small_dataset_kd.experiments.pins-{line}.normalisation: {fed or 'unit'}, "
    )
    assert section["start"]["weights"] in said and f"learnt images of normalisation {learnt}; say that" in said
    assert "\n" not in said


def test_what_is_off_is_not_refused(paper: Raw) -> None:
    paper["studies"]["small_dataset_kd"]["experiments"]["pins-transfer_inceptionv3"]["normalisation"] = "imagenet"
    with pytest.raises(CellarError, match="learnt images of normalisation symmetric"):
        read(paper)
    paper["datasets"]["pins"]["enabled"] = False
    assert not read(paper).datasets["pins"].enabled


def test_weights_of_ones_own_are_taken_and_noted(paper: Raw) -> None:
    line = paper["studies"]["small_dataset_kd"]["experiments"]["pins-transfer_inceptionv3"]
    line |= {"normalisation": "imagenet", "start": {"weights": "mine.pth"}}
    [(key, what, do)] = doubts(paper)
    assert key == INCEPTION and "if mine.pth is a copy" in what and "symmetric, not imagenet" in what
    assert do == f"set {INCEPTION}.normalisation: symmetric"


Change = Callable[[Raw], object]
GREY = "learnt grey images, not colour"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: teacher(raw, "raf_db", "data/weights/resemotenet_raf_db.pth"), f"is published.resemotenet_raf_db, which {GREY}"),
        (lambda raw: teacher(raw, "raf_db", "best.pth"), f"published.resemotenet_raf_db, if best.pth is a copy, {GREY}"),
        (lambda raw: (teacher(raw, "raf_db", "best.pth"), raw["datasets"]["raf_db"].update(greyscale=True)), None),
        (lambda raw: teacher(raw, "fer2013", "best.pth"), None),  # grey as it is
    ],
)  # fmt: skip
def test_grey_weights_on_colour_images_are_noted(paper: Raw, change: Change, said: str | None) -> None:
    change(paper)
    found = doubts(paper)
    assert bool(found) == bool(said)
    for key, what, do in found:
        assert key == RAF_DB and said is not None and said in what and do == "set datasets.raf_db.greyscale: true"


def teacher(raw: Raw, name: str, weights: str) -> None:
    raw["studies"]["mini_resemotenet"]["teachers"][name]["weights"] = weights


def test_cellar_plan_says_it(paper: Raw, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    teacher(paper, "raf_db", "best.pth")
    monkeypatch.setattr(config, "load", lambda: read(paper))
    commands.plan(check=True, sweeps=False)
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
    assert notes == [
        f"note: {RAF_DB}: published.resemotenet_raf_db, if best.pth is a copy, {GREY}; set datasets.raf_db.greyscale: true"
    ]


def test_a_network_that_is_misspelt_is_one_line(paper: Raw) -> None:
    paper["studies"]["small_dataset_kd"]["published"]["imagenet_inception_v3"]["model"] = "inceptionv3"
    with pytest.raises(
        CellarError, match=r"published\.imagenet_inception_v3\.model: no model is called 'inceptionv3' \(did"
    ):
        plan.stages(read(paper))
