"""The paper's scale has the recipes that the paper prints, and its label KD the teacher that section 5.5 names."""

import pytest

from cellar.config import validate
from cellar.config.compose import compose
from cellar.pipeline import runs
from studies.small_dataset_kd.printed import KEY
from tests.conftest import ROOT

PRINTED = {  # row -> epoch, learning rate, and batch size where the text says it: read in the paper, Tables 1 to 6 and section 6
    "oneshot_convnet9": (100, 0.001, None),
    "oneshot_resnet50": (50, 0.001, None),
    "scratch_resnet50": (100, 0.001, 16),
    "scratch_resnet18": (185, 0.001, 16),
    "scratch_convnet9": (200, 0.001, 16),
    "scratch_inceptionv3": (272, 0.01, 16),
    "scratch_mobilenet": (71, 0.01, 16),
    "transfer_resnet50": (58, 0.001, 16),
    "transfer_inceptionv3": (242, 0.01, 16),
    "transfer_mobilenet": (56, 0.01, 16),
    "labels_convnet9": (89, 0.001, 32),
    "mse_convnet9": (86, 0.001, 16),
    "bce_resnet18": (200, 0.001, 16),
    "bce_convnet9": (200, 0.001, 16),
}


def test_the_papers_scale_has_the_papers_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    study = compose([f"{KEY}/base"]).values["studies"][KEY]
    for row, (epochs, rate, batch) in PRINTED.items():
        recipe = study["recipes"][study["experiments"][f"pins-{row}"]["recipe"]]
        assert (row, recipe["epochs"], recipe["learning_rate"]) == (row, epochs, rate)
        assert batch is None or recipe["batch_size"] == batch


@pytest.mark.parametrize("scale", ["base", "sample"])
def test_label_kd_learns_from_the_transferred_inception_and_sees_what_that_sees(
    scale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Section 6.3 (4): "Preprocessor: Inception Preprocessor", which is (p - 0.5) / 0.5."""
    monkeypatch.chdir(ROOT)
    composition = compose([f"{KEY}/{scale}"])
    params = validate(composition.values, composition.source_of).params(KEY)
    student = runs.training(
        params, "students", f"{KEY}/pins-labels_convnet9", params.experiment("pins-labels_convnet9"), 0
    )
    assert student.teacher is not None
    assert student.teacher.weights == f"results/students/{KEY}/pins-transfer_inceptionv3/seed-0/weights.safetensors"
    assert (student.teacher.model, student.model) == ("inception_v3", "convnet9")
    assert student.teacher.input.normalisation == student.input.normalisation == "symmetric"
