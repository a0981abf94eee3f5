"""Parts of faces: the right pixels, in the right order, and whose faces are cut."""

import numpy as np

from cellar.data.face_parts import PARTS, cut_parts, faces_to_cut


def banded(rows: int) -> np.ndarray:
    """Faces 100 x 100 whose pixels tell their own height, row after row; face i is i brighter in red."""
    face = np.repeat(np.arange(100, dtype=np.uint8)[:, None, None], 100, axis=1).repeat(3, axis=2)
    faces = np.stack([face] * rows)
    faces[..., 0] += np.arange(rows, dtype=np.uint8)[:, None, None]
    return faces


def test_each_part_comes_from_its_own_height_and_all_are_of_one_size() -> None:
    parts, names = cut_parts(banded(2))
    assert parts.shape == (6, 50, 50, 3) and parts.dtype == np.uint8
    assert list(names) == ["eyes", "eyes", "nose", "nose", "mouth", "mouth"]
    for part, name in zip(parts, names, strict=True):
        _, top, _, bottom = PARTS[name]
        assert top * 100 - 1 <= part[..., 1].min() < part[..., 1].max() <= bottom * 100
        assert abs(int(part[0, 0, 1]) - top * 100) <= 1


def test_faces_keep_their_order_within_a_part() -> None:
    parts, _ = cut_parts(banded(3))
    reds = parts[:, 25, 25, 0].astype(int) - parts[:, 25, 25, 1]
    assert list(reds) == [0, 1, 2] * 3


def test_left_and_right_are_cut_too() -> None:
    """A face of two halves: the nose sees both, a pixel at the image's edge is in no part."""
    face = np.zeros((1, 100, 100, 3), np.uint8)
    face[:, :, 50:] = 200
    face[:, :, [0, -1]] = 255
    parts, _ = cut_parts(face)
    assert parts.max() == 200
    assert (parts[:, :, 0] == 0).all() and (parts[:, :, -1] == 200).all()


def test_an_oblong_face_is_cut_by_its_own_sides() -> None:
    parts, _ = cut_parts(np.zeros((1, 120, 80, 3), np.uint8))
    assert parts.shape == (3, 60, 40, 3)


def test_every_identity_in_turn_and_test_images_alone() -> None:
    labels = np.array([1, 0, 1, 1, 0, 2, 0])
    split = np.array(["train", "test", "test", "test", "test", "test", "validation"])
    assert list(faces_to_cut(labels, split, 4)) == [1, 2, 5, 4]  # 0, 1, 2, then 0 again
    assert list(faces_to_cut(labels, split, 20)) == [1, 2, 5, 4, 3]


def test_without_test_images_there_is_nothing_to_cut() -> None:
    assert len(faces_to_cut(np.array([0, 1]), np.array(["train", "train"]), 20)) == 0
