"""greyscale: the images that Pillow and torchvision make of the same files, in training and in evaluation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from cellar.config import Dataset
from cellar.data.greyscale import to_grey
from cellar.data.inputs import prepared
from cellar.data.inputs.augmentation import open_split, unaugmented
from cellar.pipeline.stages import prepare

# ResEmoteNet's own chain, for training and for evaluation, but for the flip and the resizing
ITS_OWN = transforms.Compose(
    [
        transforms.Grayscale(num_output_channels=3),
        transforms.ToTensor(),
        transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ]
)


def made(drawn: Path, folder: Path, **more: Any) -> prepared.ImageSet:
    """RAF-DB as the stage prepares it."""
    section = {"enabled": True, "layout": "raf_db", "path": str(drawn / "raf_db"), "input_size": 100,
               "augmentation": "flip", "normalisation": "imagenet", "source": {"manual": "ask"}, **more}  # fmt: skip
    prepare.run(prepare.Settings(dataset="raf_db", section=Dataset.model_validate(section)))
    return prepared.load(folder / "data/prepared/raf_db")


def test_each_input_is_resemotenets_own(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    colour = made(drawn, tmp_path)
    plain = (tmp_path / "data/prepared/raf_db/arrays.npz").read_bytes()
    made(drawn, tmp_path, greyscale=False)
    assert (tmp_path / "data/prepared/raf_db/arrays.npz").read_bytes() == plain
    grey = made(drawn, tmp_path, greyscale=True)
    assert grey.images.shape == colour.images.shape and np.array_equal(grey.labels, colour.labels)

    class Input:
        input_size, augmentation, normalisation = 100, "flip", "imagenet"

    for split in prepared.SPLITS:
        rows = np.flatnonzero(grey.split == split)[:8]
        opened = open_split(grey, rows, Input(), torch.device("cpu"))
        inputs = next(unaugmented(opened.images, opened.augmentation, 8))
        expected = torch.stack([ITS_OWN(Image.fromarray(image)) for image in colour.images[rows]])
        torch.testing.assert_close(inputs, expected)
        assert not torch.equal(opened.images, torch.from_numpy(colour.images[rows]).permute(0, 3, 1, 2))


def test_every_colour_is_weighted_as_the_standard_says() -> None:
    """ITU-R 601: within the rounding to a whole number."""
    images = np.random.default_rng(0).integers(256, size=(5, 7, 9, 3), dtype=np.uint8)
    grey = to_grey(images)
    assert grey.shape == images.shape and grey.dtype == np.uint8
    assert (grey == grey[..., :1]).all()
    assert np.abs(grey[..., 0] - images @ np.array([0.299, 0.587, 0.114])).max() <= 0.51


def test_grey_images_stay() -> None:
    images = np.random.default_rng(0).integers(256, size=(5, 7, 9), dtype=np.uint8)
    assert np.array_equal(to_grey(images), images)
