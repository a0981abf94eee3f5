"""Writes the corpus's whole files anew: python -m tests.fuzz.write_corpus. The `found-` files beside them, which broke a
reader once, are kept as they are.
"""

import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.torch
import torch

from cellar.data.synthetic.objects import write_cifar100
from cellar.models.stylegan2 import file as stylegan_file
from cellar.models.stylegan2.network import Generator
from tests.data.readers.test_cifar100 import dump
from tests.fuzz.readers import ARRAYS, CORPUS, INDEX, MANIFEST, npy, npz, picture
from tests.models.test_stylegan2_file import SETTINGS, Writer, write

Named = Iterator[tuple[str, str, bytes]]  # reader, name of the file, content
STATE = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.arange(3), "one": torch.tensor(1.5)}


def pickles(folder: Path) -> Named:
    data = np.arange(2 * 3072, dtype=np.uint8).reshape(2, 3072) % 7
    batch = {
        b"data": data,
        b"fine_labels": [1, 2],
        b"coarse_labels": [1, 2],
        b"filenames": [b"a", b"b"],
        b"batch_label": b"x",
    }
    names = {
        b"fine_label_names": [b"f%d" % n for n in range(100)],
        b"coarse_label_names": [b"c%d" % n for n in range(20)],
    }
    plain = {"a": np.arange(6, dtype="<f4").reshape(2, 3), "b": [1, 2.5, None, "x"], "c": np.asfortranarray(np.eye(2))}
    for reader, content in (("cifar100_batch", batch), ("cifar100_names", names), ("pickle", plain)):
        for python in (2, 3):
            dump(content, folder / "pickle", python)
            yield reader, f"python{python}", (folder / "pickle").read_bytes()
    yield "weights_pickle", "arrays", pickle.dumps({"w": np.arange(6, dtype=np.float32).reshape(2, 3)}, 2)


def texts() -> Named:
    usages = ["Training"] * 7 + ["PublicTest"] * 7 + ["PrivateTest"] * 7
    rows = [f"{n % 7},{' '.join([str(n)] * 48**2)},{usage}" for n, usage in enumerate(usages)]
    yield "fer2013_csv", "whole", "\n".join(["emotion,pixels,Usage", *rows, ""]).encode()
    yield (
        "raf_db_csv",
        "whole",
        b"image,label\n" + b"".join(b"train_%05d_aligned.jpg,%d\n" % (n, n) for n in range(1, 8)),
    )
    yield "raf_db_list", "whole", b"".join(b"train_%05d.jpg %d\ntest_%04d.jpg %d\n" % (n, n, n, n) for n in range(1, 8))
    yield "shard_index", "whole", json.dumps(INDEX).encode()
    yield "manifest", "whole", json.dumps(MANIFEST).encode()
    files = {"train": {"a": ["1.png"], "b": ["2.png"]}}
    yield "manifest", "with files", json.dumps({**MANIFEST, "files": files}).encode()


def packed(folder: Path) -> Named:
    """What readers take out of archives, and parquet files."""
    table = next(content for reader, _, content in texts() if reader == "fer2013_csv")
    for name, content in (
        ("whole.tgz", tar_of({"fer2013/fer2013.csv": table})),
        ("whole.zip", zip_of("fer2013.csv", table)),
    ):
        yield "packed_csv", name, content
    objects = folder / "objects"
    write_cifar100(objects, 3, 1000, 100)
    pickles = {f"cifar-100-python/{name}": plain(objects / name) for name in ("train", "test", "meta")}
    yield "packed_cifar100", "whole.tgz", tar_of(pickles)
    rows = [(picture(1, 8), n % 2) for n in range(24)]
    images = pa.array([{"bytes": data, "path": None} for data, _ in rows])
    pq.write_table(pa.table({"image": images, "label": [label for _, label in rows]}), folder / "table.parquet")
    yield "parquet", "whole", (folder / "table.parquet").read_bytes()


def plain(path: Path) -> bytes:
    """The pickle at `path`, its images made black: they pack to a few bytes."""
    content = pickle.loads(path.read_bytes(), encoding="bytes")
    if b"data" in content:
        content[b"data"] = np.zeros_like(content[b"data"])
    return pickle.dumps(content, 2)


def tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, content)
    return buffer.getvalue()


def images() -> Named:
    for reader in ("image_folder", "identity_folder"):
        for form in ("PNG", "JPEG", "BMP", "WEBP"):
            yield reader, form.lower(), picture(1, 8, form)
        yield reader, "grey", picture(1, 8, "PNG", "L")


def archives() -> Named:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("set/train/1.txt", b"one")
        made.writestr("set/test/2.txt", b"two" * 50)
    yield "archive", "deflated.zip", buffer.getvalue()
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as tar:
            for name, kind in (
                ("set/a.txt", tarfile.REGTYPE),
                ("set/link", tarfile.SYMTYPE),
                ("set/hard", tarfile.LNKTYPE),
            ):
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, "a.txt" if kind == tarfile.SYMTYPE else "set/a.txt"
                member.size = 3 if kind == tarfile.REGTYPE else 0
                tar.addfile(member, io.BytesIO(b"one"))
        yield "archive", f"tar{mode[1:].replace(':', '.')}", buffer.getvalue()


def arrays() -> Named:
    yield "shard", "whole.npy", npy(np.zeros((2, 4, 4, 3), np.uint8))
    yield "prepared_arrays", "whole.npz", npz(**ARRAYS)
    yield "arrays", "predictions.npz", npz(logits=np.zeros((3, 2), np.float32), labels=np.arange(3))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, logits=np.zeros((3, 2), np.float32))
    yield "arrays", "compressed.npz", buffer.getvalue()


def weights(folder: Path) -> Named:
    for zipped in (True, False):
        for content, name in ((STATE, "bare"), ({"model": STATE, "epoch": 3}, "wrapped")):
            buffer = io.BytesIO()
            torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
            yield "torch_file", f"{name}.{'zip' if zipped else 'legacy'}", buffer.getvalue()
    yield "safetensors", "whole", safetensors.torch.save(STATE)
    torch.manual_seed(0)
    generator = Generator(SETTINGS)
    stylegan_file.save(generator, folder / "own.safetensors")
    yield "stylegan_own", "whole", (folder / "own.safetensors").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        writer = Writer(patch)
        yield "stylegan_pickle", "whole", write(folder / "ffhq.pkl", writer.content(generator), writer).read_bytes()


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for reader, file, content in (
            *pickles(folder),
            *texts(),
            *packed(folder),
            *images(),
            *archives(),
            *arrays(),
            *weights(folder),
        ):
            path = CORPUS / reader / file.replace(" ", "-")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


if __name__ == "__main__":
    main()
