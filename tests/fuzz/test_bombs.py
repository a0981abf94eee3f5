"""Small files that would take memory, time or the process itself, had their readers no bounds."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cellar.errors import CellarError
from cellar.models.checkpoint_files import torch_file
from cellar.models.stylegan2 import file as stylegan_file
from tests.fuzz.readers import READERS, npz
from tests.fuzz.watch import assert_answers

START = b"\x80\x04"
HEAD = b"".join(pickle.dumps(part, 2) for part in (torch_file.MAGIC, torch_file.PROTOCOL, {"little_endian": True}))
LAUGHS = b")" + b"2\x86" * 100  # a tuple of itself twice, a hundred times: 2^100 parts, 200 bytes
NESTED = b")" + b"\x85" * 100_000
TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQ"
    b"K\x00%s%s\x89NtR"
)
ENDLESS = TENSOR % (
    b"K\x02\x8a\x06\x00\x00\x00\x00\x00\x01\x86",
    b"K\x00K\x00\x86",
)  # 2 x 2^40 numbers, of one in the file

PROGRAMS = {
    "a memo of 2^31 entries": b"Nr\xff\xff\xff\x7f",
    "a bytearray of 8 GB": b"\x96" + struct.pack("<Q", 1 << 33),
    "bytes of 2^62": b"\x8e" + struct.pack("<Q", 1 << 62),
    "a frame of 2^62": b"\x95" + struct.pack("<Q", 1 << 62),
    "a nested key": b"}" + NESTED + b"Ns",
    "a nested key of many": b"}(" + NESTED + b"Nu",
    "a nested key of a dict at once": b"(" + NESTED + b"Nd",
    "a nested member": b"\x8f(" + NESTED + b"\x90",
    "a nested frozen member": b"(" + NESTED + b"\x91",
    "a key without end": b"}" + LAUGHS + b"Ns",
    "a value without end": b"}X\x01\x00\x00\x00a" + LAUGHS + b"s",
    "an array's type without end": b"cnumpy\ndtype\n" + LAUGHS + b"\x85R",
    "an encoding without end": b"c_codecs\nencode\nX\x01\x00\x00\x00a" + LAUGHS + b"\x86R",
    "a dict copied for ever": b"(" + b"NN" * 500 + b"d\x94" + b"0ccollections\nOrderedDict\nh\x00\x85R" * 5_000,
    "a pair of OrderedDict's that is nested": b"ccollections\nOrderedDict\n" + NESTED + b"N\x86\x85\x85R",
    "a set of what is nested": b"cbuiltins\nset\n" + NESTED + b"\x85\x85R",
    "a view without end, filled": ENDLESS + b"K\x00K\x01s",
    "a tensor's own state": ENDLESS + b"(h\x00h\x00h\x00h\x00tb",
    "a number without end": b"}\x8b\x00\x00\x01\x00" + b"\x7f" * (1 << 16) + b"Ns",
}


@pytest.mark.parametrize("reader", ["pickle", "weights_pickle", "stylegan_pickle", "torch_file"])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_pickle(program: bytes, reader: str, tmp_path: Path) -> None:
    head = HEAD if reader == "torch_file" else b""
    assert_answers(READERS[reader], head + START + program + b"." + pickle.dumps(["0"], 2), tmp_path / "case")


def test_a_label_without_end_is_not_printed(tmp_path: Path) -> None:
    shape = b"(K\x01M\x00\x0ct"
    kind = b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85R"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01"
        + shape
        + kind
        + b"\x89B"
        + struct.pack("<I", 3072)
        + bytes(3072)
        + b"tb"
    )
    entries = {
        "data": array, "fine_labels": b"](" + LAUGHS + b"e", "coarse_labels": b"](K\x01e", "filenames": b"](Ne", "batch_label": b"N",
    }  # fmt: skip
    named = b"".join(b"X" + struct.pack("<I", len(key)) + key.encode() + value for key, value in entries.items())
    assert assert_answers(READERS["cifar100_batch"], START + b"}(" + named + b"u.", tmp_path / "case") == "refused"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def layer_that_holds_itself(names: list[str]) -> bytes:
    """G_ema as a published file has it, with itself among its layers by each of `names`."""
    settings = pickle.dumps({"z_dim": 6, "w_dim": 8, "img_resolution": 16}, 2)[2:-1]
    parts = b"".join(
        text(key) + value for key, value in (("_parameters", b"}"), ("_buffers", b"}"), ("_init_args", b")"))
    )
    state = b"}(" + parts + text("_init_kwargs") + settings + text("_modules") + b"}r\xe7\x03\x00\x00u"
    meta = b"}(" + text("class_name") + text("Generator") + text("state") + state + b"u"
    made = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n" + meta + b"\x85Rr\xe8\x03\x00\x00"
    children = b"".join(text(name) + b"j\xe8\x03\x00\x00" for name in names)
    return START + b"}" + text("G_ema") + made + b"j\xe7\x03\x00\x00(" + children + b"u0s."


@pytest.mark.parametrize(
    "names", [["x" * 100_000], [str(n) for n in range(10_000)], ["x"]], ids=["long", "many", "one"]
)
def test_a_layer_that_holds_itself(names: list[str], tmp_path: Path) -> None:
    assert assert_answers(READERS["stylegan_pickle"], layer_that_holds_itself(names), tmp_path / "case") == "refused"
    with pytest.raises(CellarError, match="without end"):
        stylegan_file.load(tmp_path / "case" / "ffhq.pkl")


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def long_name() -> bytes:
    """A tar whose first member's name is 512 MiB of zeros: half a megabyte, packed."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 512 << 20
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(member.tobuf())
        for _ in range(member.size >> 22):
            file.write(bytes(1 << 22))
    return packed.getvalue()


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(16 << 20))
    return buffer.getvalue()


def huge_table() -> bytes:
    """A zip with 1.5 GiB of zeros as fer2013.csv: 1.5 MB, packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("fer2013.csv", "w") as file:
        for _ in range(384):
            file.write(bytes(1 << 22))
    return buffer.getvalue()


def packed_arrays() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=np.zeros(16 << 20, np.uint8))
    return buffer.getvalue()


def array_header(shape: str) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def stored(member: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("images.npy", member)
    return buffer.getvalue()


def tensors_that_claim(size: int) -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [size], "data_offsets": [0, 4 * size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(16)


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an image of 10^10 pixels": ("image_folder", lambda: png(100_000, 100_000)),
    "an image of 2^62 pixels": ("identity_folder", lambda: png(2**31 - 1, 2**31 - 1)),
    "a tar's name of 512 MiB": ("archive", long_name),
    "a zip that grows": ("archive", zip_bomb),
    "a table of one line of 1.5 GiB": ("packed_csv", huge_table),
    "packed arrays": ("arrays", packed_arrays),
    "an array that claims a terabyte": ("arrays", lambda: stored(array_header("(1099511627776,)"))),
    "a prepared set that claims a terabyte": ("prepared_arrays", lambda: stored(array_header("(1099511627776,)"))),
    "a shard that claims a terabyte": ("shard", lambda: array_header("(1099511627776, 4, 4, 3)")),
    "a header without end": ("shard", lambda: array_header("(" * 60)),
    "nested JSON": ("manifest", lambda: b"[" * 100_000),
    "a nested index": ("shard_index", lambda: b'{"identity": ' * 100_000),
    "a number of JSON without end": ("manifest", lambda: b"9" * 100_000),
    "tensors that claim 2^40 numbers": ("safetensors", lambda: tensors_that_claim(1 << 40)),
    "a header of tensors of 2^62 bytes": ("safetensors", lambda: struct.pack("<Q", 1 << 62) + b"{}"),
    "a csv of one field": ("fer2013_csv", lambda: b"emotion,pixels,Usage\n0," + b"1 " * 1_000_000),
}


@pytest.mark.parametrize(("reader", "make"), BOMBS.values(), ids=BOMBS)
def test_a_bomb(reader: str, make: Callable[[], bytes], tmp_path: Path) -> None:
    assert assert_answers(READERS[reader], make(), tmp_path / "case") == "refused"


def test_arrays_as_they_are_written_are_no_bomb(tmp_path: Path) -> None:
    assert assert_answers(READERS["arrays"], npz(images=np.zeros(1 << 20, np.uint8)), tmp_path / "case") == "read"
