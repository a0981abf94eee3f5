"""Drawn faces: same bytes for the same seed, other people in test, classes unbalanced as in the real sets."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from cellar.data.faces import EMOTIONS
from cellar.data.readers import fer2013
from cellar.data.synthetic import sample
from cellar.data.synthetic.expression import FULL_TABLE, NAMES, draw_expression
from cellar.data.synthetic.face import Canvas, Pose, draw_face
from cellar.data.synthetic.person import PEOPLE, build_person, person_number
from cellar.data.synthetic.picture import draw_picture
from cellar.errors import CellarError


def hash_tree(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_same_seed_same_bytes(drawn: Path, tmp_path: Path) -> None:
    sample.write_fer2013(tmp_path / "a", seed=3, train=84, validation=70, test=77)
    sample.write_raf_db(tmp_path / "b", seed=3, train=120, test=77)
    assert hash_tree(tmp_path / "a") == hash_tree(drawn / "fer2013")
    assert hash_tree(tmp_path / "b") == hash_tree(drawn / "raf_db")


def test_another_seed_draws_other_faces(drawn: Path, tmp_path: Path) -> None:
    sample.write_fer2013(tmp_path / "a", seed=4, train=84, validation=70, test=77)
    assert not set(hash_tree(tmp_path / "a").values()) & set(hash_tree(drawn / "fer2013").values())


def test_any_face_can_be_drawn_alone() -> None:
    faces = list(sample.draw_fer2013(seed=5, train=84, validation=70, test=77))
    assert [len([f for f in faces if f.split == split]) for split in PEOPLE] == [84, 70, 77]
    for face in faces[:: len(faces) // 9]:
        alone = draw_picture(5, face.split, face.index, face.label, 48, 1)
        assert (alone == face.picture).all()


def test_no_two_faces_are_alike() -> None:
    faces = list(sample.draw_fer2013(seed=5, train=84, validation=70, test=77))
    assert len({face.picture.tobytes() for face in faces}) == len(faces)


def test_nobody_sits_for_two_splits() -> None:
    rng = np.random.default_rng(0)
    sitters = {split: {person_number(split, rng) for _ in range(2000)} for split in PEOPLE}
    assert not sitters["train"] & sitters["test"]
    assert not sitters["train"] & sitters["validation"] and not sitters["validation"] & sitters["test"]
    assert len(sitters["train"]) > 100 and len(sitters["test"]) > 100
    skins = {build_person(1, number).skin.tobytes() for numbers in sitters.values() for number in numbers}
    assert len(skins) == sum(map(len, sitters.values()))


def test_classes_are_shared_out_in_proportion() -> None:
    # exact shares 50, 30, 20, 0: the last gets 8, taken one by one from 0, 1, 2, 0, 1, 2, 0, 1
    assert sample.share_out(100, (500, 300, 200, 0)).tolist() == [47, 27, 18, 8]
    assert sample.share_out(1000, sample.FER2013_COUNTS["train"]).tolist() == [
        251,
        111,
        168,
        139,
        15,
        143,
        173,
    ]
    assert sample.share_out(56, sample.FER2013_COUNTS["test"]).tolist() == [8] * 7
    assert sample.share_out(28709, sample.FER2013_COUNTS["train"]).tolist() == list(sample.FER2013_COUNTS["train"])


@pytest.mark.parametrize("total", [57, 70, 101, 200, 333, 500])
def test_share_out_sums_up_and_keeps_the_least(total: int) -> None:
    for proportions in (*sample.FER2013_COUNTS.values(), *sample.RAF_DB_COUNTS.values()):
        counts = sample.share_out(total, proportions)
        assert counts.sum() == total and counts.min() >= sample.LEAST


def test_too_few_faces_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match="56 or more"):
        sample.write_fer2013(tmp_path / "f", seed=1, train=84, validation=0, test=77)
    assert list(tmp_path.iterdir()) == []


def test_writing_replaces_the_folder_whole(tmp_path: Path) -> None:
    (tmp_path / "f" / "train" / "happy").mkdir(parents=True)
    (tmp_path / "f" / "train" / "happy" / "old.jpg").write_text("old")
    sample.write_fer2013(tmp_path / "f", seed=1, train=84, validation=70, test=77)
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]
    assert len(fer2013.load(tmp_path / "f")) == 231


def test_an_interrupted_writing_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "old").write_text("old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sample, "save_jpeg", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sample.write_fer2013(tmp_path / "f", seed=1, train=84, validation=70, test=77)
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["f", "f/old"]


def draw_plainly(label: int) -> np.ndarray:
    """Person 0 in a straight pose with a full expression, no noise: grey (144, 144)."""
    from cellar.data.synthetic.expression import Expression

    canvas = Canvas(144, np.full(3, 128.0), Pose(np.eye(2) * 66, np.array([72.0, 72.0]), 0.0))
    draw_face(canvas, build_person(0, 0), Expression(*FULL_TABLE[label].tolist()))
    return np.asarray(canvas.picture.convert("L"), dtype=float)


def test_emotions_differ_where_faces_do() -> None:
    plain = {name: draw_plainly(label) for label, name in enumerate(EMOTIONS)}
    forehead, mouth = slice(0, 62), slice(90, 130)
    for name in ("happy", "surprise", "sad", "disgust", "fear"):
        assert (np.abs(plain[name] - plain["neutral"])[mouth] > 30).sum() > 50, name
    for name in ("surprise", "anger", "fear", "sad", "disgust"):
        assert (np.abs(plain[name] - plain["neutral"])[forehead] > 30).sum() > 50, name


def test_expressions_are_weak_and_strong() -> None:
    rng = np.random.default_rng(0)
    happy = [draw_expression(0, np.zeros(len(NAMES)), rng).mouth_curve for _ in range(500)]
    full = FULL_TABLE[0, NAMES.index("mouth_curve")]
    assert np.quantile(happy, 0.1) < 0.9 * full and np.quantile(happy, 0.9) > 1.3 * full
