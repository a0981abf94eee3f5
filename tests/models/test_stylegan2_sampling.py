"""Faces by their seeds, or from a folder, in shards: the same bytes however they were asked for, kept, found and made again."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cellar.data import face_shards
from cellar.errors import CellarError
from cellar.models.stylegan2 import sampling
from cellar.models.stylegan2.network import Generator, Settings

SETTINGS = Settings(z_dim=8, w_dim=8, img_resolution=16, num_layers=2, channel_base=128, channel_max=16)


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(SETTINGS).requires_grad_(False)


@pytest.fixture
def make(generator: Generator, tmp_path: Path) -> Callable[..., Path]:
    def made(name: str, seeds: range, size: int = 16, **changes: object) -> Path:
        sampling.generate_faces(
            generator,
            tmp_path / name,
            seeds,
            size,
            **{"batch_size": 8, "shard": 10, **changes},  # type: ignore[arg-type]
        )
        return tmp_path / name

    return made


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash of every file and when it was last written."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.iterdir())
    }


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(CellarError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_z_is_numpys_by_the_seed() -> None:
    z = sampling.latents(range(3, 5), 4)
    assert z.dtype == torch.float32 and z.shape == (2, 4)
    assert z[1].tolist() == [np.float32(v) for v in np.random.RandomState(4).randn(1, 4)[0]]
    assert sampling.latents(range(1), 2)[0].tolist() == pytest.approx([1.7640523, 0.4001572])  # NumPy's own for seed 0


def test_pixels_are_rounded_as_published() -> None:
    x = torch.tensor([-3.0, -1.0, -0.999, 0.0, 0.5, 0.996, 1.0, 3.0])
    assert sampling.to_pixels(x).tolist() == [0, 0, 0, 128, 191, 254, 255, 255]


def test_a_face_is_what_its_seed_gives(generator: Generator, make: Callable[..., Path]) -> None:
    faces = face_shards.open_faces(make("faces", range(1, 26)))
    assert faces.shape == (25, 16, 16, 3) and faces.dtype == np.uint8 and len(faces) == 25
    for number in (0, 9, 24):
        z = torch.from_numpy(np.random.RandomState(1 + number).randn(1, 8))
        alone = (generator(z)[0].permute(1, 2, 0) * 127.5 + 128).clamp(0, 255)
        assert (torch.from_numpy(faces[number]).float() - alone).abs().max() <= 1  # another batch, other last bits
    assert np.std(faces[:], axis=0).mean() > 5


def test_a_face_depends_on_its_seed_alone(make: Callable[..., Path]) -> None:
    whole = face_shards.open_faces(make("whole", range(40)))
    assert np.array_equal(face_shards.open_faces(make("part", range(13, 30)))[:], whole[13:30])
    assert np.array_equal(face_shards.open_faces(make("one", range(21, 22)))[0], whole[21])
    assert np.array_equal(face_shards.open_faces(make("other", range(40), shard=7))[:], whole[:])


def test_a_seeds_place_in_its_batch_is_always_the_same(
    make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bits may depend on it, seldom ones that show in so small an image."""
    asked, original = [], sampling.latents
    monkeypatch.setattr(sampling, "latents", lambda seeds, z_dim: asked.append(seeds) or original(seeds, z_dim))
    make("faces", range(13, 30), shard=99)
    assert asked == [range(8, 16), range(16, 24), range(24, 32)]


def test_another_batch_moves_a_pixel_by_one_at_most(make: Callable[..., Path]) -> None:
    faces = [face_shards.open_faces(make(f"b{size}", range(20), batch_size=size))[:].astype(int) for size in (1, 3, 8)]
    assert max(np.abs(other - faces[0]).max() for other in faces[1:]) <= 1


def test_the_usual_batch_fits_into_memory() -> None:
    with torch.device("meta"):
        batches = {side: sampling.usual_batch(Generator(Settings(img_resolution=side))) for side in (32, 256, 1024)}
    assert batches == {32: 64, 256: 16, 1024: 4}


def test_truncation_reaches_the_images(make: Callable[..., Path]) -> None:
    spread = [
        face_shards.open_faces(make(f"{psi}", range(16), truncation_psi=psi))[:].std(0).mean() for psi in (1, 0.3)
    ]
    assert spread[1] < 0.6 * spread[0]


@pytest.mark.parametrize("size", [4, 23])
def test_faces_are_resized_as_pillow_does_by_default(make: Callable[..., Path], size: int) -> None:
    full = face_shards.open_faces(make("full", range(6)))
    other = face_shards.open_faces(make("other", range(6), size))
    assert np.array_equal(
        other[:], np.stack([np.asarray(Image.fromarray(face).resize((size, size))) for face in full[:]])
    )


def test_any_faces_are_read_across_shards(make: Callable[..., Path]) -> None:
    faces = face_shards.open_faces(make("faces", range(5, 33)))
    assert [len(shard) for shard in faces.shards] == [10, 10, 8]
    assert all(isinstance(shard, np.memmap) for shard in faces.shards)
    whole = np.concatenate(faces.shards)
    asked = np.array([27, 0, 9, 10, 10, 19, 20])
    assert np.array_equal(faces[asked], whole[asked])
    assert np.array_equal(faces[8:22:3], whole[8:22:3]) and np.array_equal(faces[-1], whole[-1])
    assert faces[asked[:0]].shape == (0, 16, 16, 3)
    with pytest.raises(IndexError):
        faces[28]


def test_the_index_has_the_hash_of_every_shard(make: Callable[..., Path]) -> None:
    folder = make("faces", range(25))
    index = json.loads((folder / "index.json").read_text())
    assert [(entry["first"], entry["images"]) for entry in index["shards"]] == [(0, 10), (10, 10), (20, 5)]
    for entry in index["shards"]:
        assert entry["sha256"] == hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest()


@pytest.mark.parametrize("damage", ["cut short", "one byte", "gone"])
def test_a_broken_shard_is_made_again_and_no_other(damage: str, make: Callable[..., Path]) -> None:
    folder = make("faces", range(30))
    before, broken = contents(folder), folder / "000000010.npy"
    content = bytearray(broken.read_bytes())
    content[500] ^= 1
    broken.write_bytes({"cut short": content[:-100], "one byte": content, "gone": b""}[damage])
    if damage == "gone":
        broken.unlink()
    make("faces", range(30))
    after = contents(folder)
    assert {name: value[0] for name, value in after.items()} == {name: value[0] for name, value in before.items()}
    assert {name for name in after if after[name][1] != before[name][1]} == {"000000010.npy", "index.json"}


def test_a_run_that_was_killed_goes_on(
    make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = contents(make("whole", range(30)))
    asked = 0

    def latents(seeds: range, z_dim: int) -> torch.Tensor:
        nonlocal asked
        asked += 1
        if asked == 4:
            raise KeyboardInterrupt
        return original(seeds, z_dim)

    original = sampling.latents
    monkeypatch.setattr(sampling, "latents", latents)
    with pytest.raises(KeyboardInterrupt):
        make("faces", range(30))
    folder = tmp_path / "faces"
    assert [path.name for path in sorted(folder.iterdir())] == ["000000000.npy", "index.json"]
    assert "holds 10 images, not 30" in refusal(lambda: face_shards.open_faces(folder, 30))
    first = contents(folder)["000000000.npy"]
    again = contents(make("faces", range(30)))
    assert again["000000000.npy"] == first
    assert {name: value[0] for name, value in again.items()} == {name: value[0] for name, value in whole.items()}


def test_more_faces_are_added_to_those_there(make: Callable[..., Path]) -> None:
    folder = make("faces", range(20))
    before = contents(folder)
    assert "holds 20 images, not 25" in refusal(lambda: face_shards.open_faces(folder, 25))
    make("faces", range(25))
    after = contents(folder)
    assert all(after[name] == value for name, value in before.items() if name != "index.json")
    assert len(face_shards.open_faces(folder, 25)) == 25 and len(face_shards.open_faces(folder, 12)) == 12


def test_a_gap_ends_what_can_be_read(make: Callable[..., Path]) -> None:
    folder = make("faces", range(30))
    index = json.loads((folder / "index.json").read_text())
    del index["shards"][1]
    (folder / "index.json").write_text(json.dumps(index))
    assert len(face_shards.open_faces(folder)) == 10


def test_a_shard_cut_short_is_one_line_to_its_reader(make: Callable[..., Path]) -> None:
    folder = make("faces", range(20))
    shard = folder / "000000010.npy"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert str(shard) in refusal(lambda: face_shards.open_faces(folder))
    shard.unlink()
    assert str(shard) in refusal(lambda: face_shards.open_faces(folder))


@pytest.mark.parametrize("changes", [{"truncation_psi": 0.5}, {"batch_size": 4}, {"size": 8}])
def test_another_generators_folder_is_left_alone(changes: dict[str, float], make: Callable[..., Path]) -> None:
    folder = make("faces", range(10))
    before = contents(folder)
    assert "other images" in refusal(lambda: make("faces", range(10), **changes))
    assert contents(folder) == before


@pytest.mark.parametrize("seeds", [range(-1, 3), range(3, 3), range(0, 6, 2), range(2**32 - 2, 2**32 + 2)], ids=str)
def test_seeds_that_are_none_are_one_line(seeds: range, make: Callable[..., Path]) -> None:
    assert "seeds" in refusal(lambda: make("faces", seeds))


def test_images_that_are_no_numbers_are_one_line(tmp_path: Path) -> None:
    torch.manual_seed(0)
    broken = Generator(SETTINGS).requires_grad_(False)
    broken.synthesis.b8.torgb.bias.fill_(torch.inf)
    assert "seeds 0 to" in refusal(lambda: sampling.generate_faces(broken, tmp_path / "f", range(4), 16))
    assert not list((tmp_path / "f").glob("*.npy"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Seven photographs of two sizes in two folders, and what else lies about."""
    generator = np.random.default_rng(0)
    for number in range(7):
        path = tmp_path / "photos" / f"{number // 4:05d}" / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (20 + number % 2, 20, 3), np.uint8)).save(path)
    (tmp_path / "photos" / "LICENSE.txt").write_text("free")
    (tmp_path / "photos" / ".DS_Store").write_text("")
    return tmp_path / "photos"


def test_a_folder_of_faces_serves_as_well(photos: Path, tmp_path: Path) -> None:
    sampling.faces_from_folder(photos, tmp_path / "faces", 6, 10, shard=4)
    faces = face_shards.open_faces(tmp_path / "faces", 6)
    assert faces.shape == (6, 10, 10, 3)
    with Image.open(photos / "00001/00005.png") as image:
        assert np.array_equal(faces[5], np.asarray(image.resize((10, 10))))


def test_only_the_shard_of_a_changed_photograph_is_made_again(photos: Path, tmp_path: Path) -> None:
    sampling.faces_from_folder(photos, tmp_path / "faces", 7, 10, shard=4)
    before = contents(tmp_path / "faces")
    Image.new("RGB", (9, 9), "red").save(photos / "00001/00006.png")
    sampling.faces_from_folder(photos, tmp_path / "faces", 7, 10, shard=4)
    after = contents(tmp_path / "faces")
    assert after["000000000.npy"] == before["000000000.npy"]
    assert face_shards.open_faces(tmp_path / "faces")[6].tolist() == np.full((10, 10, 3), [255, 0, 0]).tolist()


def test_a_folder_with_too_few_is_one_line(photos: Path, tmp_path: Path) -> None:
    line = refusal(lambda: sampling.faces_from_folder(photos, tmp_path / "faces", 8, 10))
    assert "7 images, 8" in line
    assert "does not exist" in refusal(lambda: sampling.faces_from_folder(tmp_path / "no", tmp_path / "faces", 8, 10))


def test_an_unreadable_photograph_is_one_line_and_what_was_made_is_kept(photos: Path, tmp_path: Path) -> None:
    path = photos / "00001/00005.png"
    path.write_bytes(path.read_bytes()[:200])
    line = refusal(lambda: sampling.faces_from_folder(photos, tmp_path / "faces", 7, 10, shard=4))
    assert str(path) in line
    assert len(face_shards.open_faces(tmp_path / "faces")) == 4
