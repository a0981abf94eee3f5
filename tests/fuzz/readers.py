"""Every reader of a file from the web, or of one that a disk can spoil, as a function of a folder and the file's bytes.

A reader puts `content` where its library function expects it, beside whole files, and calls that function.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cellar import files
from cellar.data import face_shards
from cellar.data.inputs import prepared
from cellar.data.readers import cifar100, fer2013, hub, identity_folder, image_folder, raf_db, raf_db_folders
from cellar.data.safe_pickle.plain_pickle import PlainArray, read_plain
from cellar.data.unpack import unpack
from cellar.models.checkpoint_files import weights
from cellar.models.stylegan2 import file

Reader = Callable[[Path, bytes], Any]
CORPUS = Path(__file__).parent / "corpus"
MOST_UNPACKED = 8 << 20  # bytes: what an archive may grow to here
MANIFEST = {
    "dataset": "faces", "layout": "image_folder", "classes": ["a", "b"], "image_shape": [2, 2], "counts": {"train": {"a": 1, "b": 1}},
    "sources": {"raw": "0"},
}  # fmt: skip
INDEX = {
    "identity": {"seed": 1}, "size": 4, "first": 0,
    "shards": [{"file": "000000000.npy", "first": 0, "images": 2, "origin": "x", "sha256": "0"}],
}  # fmt: skip


def picture(seed: int = 0, side: int = 8, form: str = "PNG", mode: str = "RGB") -> bytes:
    shape = (side, side, 3) if mode == "RGB" else (side, side)
    image = Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


ARRAYS = {
    "images": np.zeros((2, 2, 2), np.uint8),
    "labels": np.arange(2),
    "split": np.array(["train", "train"], dtype="U10"),
}


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read_pickle(folder: Path, content: bytes) -> Any:
    found = read_plain(put(folder / "file.pkl", content))
    parts = list(found.values()) if isinstance(found, dict) else [found]
    for part in parts:
        if isinstance(part, PlainArray):
            try:
                part.build()
            except (ValueError, TypeError):
                continue  # as its users expect
    return found


def read_cifar100_batch(folder: Path, content: bytes) -> Any:
    return cifar100.read_batch(put(folder / "train", content))


def read_cifar100_names(folder: Path, content: bytes) -> Any:
    return cifar100.read_classes(put(folder / "meta", content))


def read_fer2013_csv(folder: Path, content: bytes) -> Any:
    return fer2013.load(put(folder / "fer2013.csv", content))


def read_packed_csv(folder: Path, content: bytes) -> Any:
    return fer2013.load(put(folder / "fer2013.tar.gz", content))


def read_packed_cifar100(folder: Path, content: bytes) -> Any:
    return cifar100.load(put(folder / "cifar-100-python.tar.gz", content), "any")


def read_parquet(folder: Path, content: bytes) -> Any:
    put(folder / "test.parquet", content)
    return hub.load_images(put(folder / "train.parquet", content).parent, 8)


def read_raf_db_csv(folder: Path, content: bytes) -> Any:
    return raf_db_folders.read_labels(put(folder / "train_labels.csv", content))


def read_raf_db_list(folder: Path, content: bytes) -> Any:
    put(folder / raf_db.LIST, content)
    return raf_db.read_list(folder)


def read_image_folder(folder: Path, content: bytes) -> Any:
    for split in ("train", "validation", "test"):
        for name in ("cat", "dog"):
            put(folder / split / name / "1.png", picture())
            put(folder / split / name / "3.png", picture())
    put(folder / "train" / "cat" / "2.png", content)
    return image_folder.load(folder, size=8)


def read_identity_folder(folder: Path, content: bytes) -> Any:
    for name in ("pins_Ann", "pins_Bob"):
        for number in range(2):
            put(folder / name / f"{number}.jpg", picture())
    put(folder / "pins_Ann" / "2.jpg", content)
    return identity_folder.load(folder, 8, 1)


def read_archive(folder: Path, content: bytes) -> Any:
    archive = put(folder / "set.zip", content)
    (folder / "unpacked").mkdir()
    return unpack(archive, folder / "unpacked", MOST_UNPACKED)


def read_shard_index(folder: Path, content: bytes) -> Any:
    put(folder / "000000000.npy", npy(np.zeros((2, 4, 4, 3), np.uint8)))
    put(folder / "index.json", content)
    return face_shards.open_faces(folder)[:]


def read_shard(folder: Path, content: bytes) -> Any:
    put(folder / "000000000.npy", content)
    put(folder / "index.json", json.dumps(INDEX).encode())
    return face_shards.open_faces(folder)[:]


def read_manifest(folder: Path, content: bytes) -> Any:
    put(folder / "arrays.npz", npz(**ARRAYS))
    put(folder / "manifest.json", content)
    return prepared.load(folder)


def read_prepared_arrays(folder: Path, content: bytes) -> Any:
    put(folder / "arrays.npz", content)
    put(folder / "manifest.json", json.dumps(MANIFEST).encode())
    return prepared.load(folder)


def read_torch_file(folder: Path, content: bytes) -> Any:
    return weights.read_candidates(put(folder / "model.pth", content))


def read_weights_pickle(folder: Path, content: bytes) -> Any:
    return weights.read_candidates(put(folder / "model.pkl", content))


def read_safetensors(folder: Path, content: bytes) -> Any:
    return weights.read_candidates(put(folder / "model.safetensors", content))


def read_stylegan_pickle(folder: Path, content: bytes) -> Any:
    return file.load(put(folder / "ffhq.pkl", content))


def read_stylegan_own(folder: Path, content: bytes) -> Any:
    return file.load(put(folder / "faces.safetensors", content))


def read_arrays(folder: Path, content: bytes) -> Any:
    return files.read_arrays(put(folder / "predictions.npz", content))


READERS: dict[str, Reader] = {
    name.removeprefix("read_"): reader
    for name, reader in list(globals().items())
    if name.startswith("read_") and name != "read_plain"
}


def seeds(reader: str) -> list[bytes]:
    """The corpus's files of a reader, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPUS / reader).iterdir())]
