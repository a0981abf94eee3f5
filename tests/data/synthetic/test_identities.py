"""Drawn people: the same bytes for the same seed, one person recognisable in many pictures but not by all of them."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellar.data.readers import identity_folder
from cellar.data.synthetic.identities import LONGER, SHORT_SIDE, draw_portrait, name_of, write_pins

PEOPLE, PICTURES = 8, 16


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people") / "pins"
    write_pins(folder, seed=4, identities=PEOPLE, per_identity=PICTURES)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.jpg"))
    }


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


def test_layout_and_sizes(people: Path) -> None:
    assert sorted(folder.name for folder in people.iterdir()) == [f"pins_{name_of(n)}" for n in range(PEOPLE)]
    sizes = [size_of(file) for file in people.rglob("*.jpg")]
    assert len(sizes) == PEOPLE * PICTURES and len(set(sizes)) > 20
    assert all(SHORT_SIDE[0] <= min(size) <= SHORT_SIDE[1] and max(size) <= LONGER * min(size) + 1 for size in sizes)


def test_same_seed_same_bytes_and_more_people_leave_the_first_alone(people: Path, tmp_path: Path) -> None:
    write_pins(tmp_path / "a", seed=4, identities=3, per_identity=5)
    drawn = hashes(tmp_path / "a")
    assert len(drawn) == 15 and drawn.items() <= hashes(people).items()
    write_pins(tmp_path / "b", seed=5, identities=3, per_identity=5)
    assert not set(hashes(tmp_path / "b").values()) & set(drawn.values())


def test_no_two_pictures_are_alike(people: Path) -> None:
    assert len(set(hashes(people).values())) == PEOPLE * PICTURES


def test_writing_replaces_the_folder_whole(tmp_path: Path) -> None:
    (tmp_path / "p" / "pins_old").mkdir(parents=True)
    write_pins(tmp_path / "p", seed=1, identities=2, per_identity=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p"]
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [f"pins_{name_of(n)}" for n in range(2)]


def test_a_portrait_is_drawn_alone() -> None:
    portrait = draw_portrait(4, 1, 2)
    assert portrait.dtype == np.uint8 and portrait.ndim == 3
    assert (portrait == draw_portrait(4, 1, 2)).all()


def test_people_can_be_told_apart_but_not_by_their_mean(people: Path) -> None:
    """Nearest mean on 12 x 12 pixels: far above chance (1/8), far from all."""
    found = identity_folder.load(people, 12, train_per_class=12)
    pixels, train = found.images.reshape(len(found), -1).astype(float), found.split == "train"
    means = np.stack([pixels[train & (found.labels == n)].mean(0) for n in range(PEOPLE)])
    nearest = ((pixels[~train, None] - means) ** 2).sum(-1).argmin(1)
    accuracy = (nearest == found.labels[~train]).mean()
    assert 2.5 / PEOPLE < accuracy < 0.9
