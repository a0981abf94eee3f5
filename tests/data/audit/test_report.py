"""The counts of an audit, against what was planted."""

import numpy as np

from cellar.data.audit import report
from cellar.data.inputs.prepared import ImageSet

from .conftest import MakeSet, Paint


def planted(paint: Paint, image_set: MakeSet) -> ImageSet:
    """10 train, 3 validation, 5 test: test image 13 copies train 0 (other class), 14 is train 1 brighter, 15 and 16
    are equal; train 2 and 3 are equal but of two classes; 17 is grey."""
    images, labels = paint(18, 6), [0, 1] * 9
    images[13], images[16], images[3] = images[0], images[15], images[2]
    images[14] = np.clip(images[1].astype(int) + 10, 0, 255)
    images[17] = 77
    return image_set(images, labels, train=10, validation=3, test=5)


def test_counts_are_those_of_what_was_planted(paint: Paint, image_set: MakeSet) -> None:
    pairs, said = report.audit(planted(paint, image_set), "fer2013")
    nothing = {"exact": 0, "near": 0, "mirrored": 0}
    assert said["images"] == {"train": 10, "validation": 3, "test": 5}
    assert said["pairs"]["train"] == nothing | {"exact": 1}
    assert said["pairs"]["train_test"] == {"exact": 1, "near": 1, "mirrored": 0}
    assert said["pairs"]["test"] == nothing | {"exact": 1}
    assert said["pairs"]["validation"] == said["pairs"]["train_validation"] == nothing
    assert said["conflicts"]["train"] == said["conflicts"]["test"] == nothing | {"exact": 1}
    assert said["conflicts"]["train_test"] == {"exact": 1, "near": 1, "mirrored": 0}
    assert said["groups"] == {"count": 4, "images": 8, "largest": 2, "of_several_classes": 4, "across_splits": 2}
    assert said["leaked"]["test"] == 2 and said["leaked"]["by_train"] == 2 and said["leaked"]["by_validation"] == 0
    assert said["leaked"]["test_of_other_class"] == 2
    assert said["leaked"]["test_per_class"] == {"cat": 1, "dog": 1}
    assert said["content"]["nearly_constant"]["rows"] == [17]
    assert len(pairs) == 4 and pairs["group"].tolist() == [0, 1, 2, 15]
    assert pairs.loc[0, ["first", "first_split", "first_class", "second", "second_split", "second_class"]].tolist() == [
        0, "train", "cat", 13, "test", "dog",
    ]  # fmt: skip


def test_every_near_pair_was_proposed(paint: Paint, image_set: MakeSet) -> None:
    _, said = report.audit(planted(paint, image_set), "fer2013")
    proposed, confirmed = (said[f"near_pairs_{word}"] for word in ("proposed", "confirmed"))
    assert sum(confirmed.values()) == 1
    assert all(proposed[bits] >= confirmed[bits] for bits in confirmed)


def test_a_clean_set_has_nothing_to_say(paint: Paint, image_set: MakeSet) -> None:
    pairs, said = report.audit(image_set(paint(12, 7), [0, 1] * 6, train=8, test=4), "fer2013")
    assert pairs.empty and said["groups"]["count"] == said["leaked"]["test"] == 0
    assert set(said["pairs"]) == {"train", "train_test", "test"}
    assert {n for found in said["pairs"].values() for n in found.values()} == {0}
    assert said["content"]["nearly_constant"]["count"] == said["content"]["placeholders"]["count"] == 0


def test_a_placeholder_is_flagged_among_faces_only(paint: Paint, image_set: MakeSet) -> None:
    images = paint(12, 8)
    images[5] = 0
    images[5, 10:30, 10:20] = 255
    made = image_set(images, [0, 1] * 6, train=8, test=4)
    assert report.audit(made, "fer2013")[1]["content"]["placeholders"]["rows"] == [5]
    assert "placeholders" not in report.audit(made, "cifar100")[1]["content"]


def test_files_are_named_where_the_layout_keeps_their_names(paint: Paint, image_set: MakeSet) -> None:
    from dataclasses import replace

    made = replace(planted(paint, image_set), files=tuple(f"{row}.jpg" for row in range(18)))
    pairs, _ = report.audit(made, "identity_folder")
    assert pairs["first_file"].tolist() == ["0.jpg", "1.jpg", "2.jpg", "15.jpg"]
