"""Files that are well formed on the outside and say anything inside: hypothesis makes them, its seed stays the same."""

import io
import json
import pickle
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, example, given, settings

from tests.fuzz.mutations import TOKENS
from tests.fuzz.readers import INDEX, MANIFEST, READERS
from tests.fuzz.test_bombs import HEAD, START, png, stored
from tests.fuzz.watch import assert_answers

FEW = settings(
    max_examples=40,
    deadline=None,  # the watch has its own
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def assert_answers_anew(reader: str, content: bytes) -> str:
    with TemporaryDirectory() as folder:
        return assert_answers(READERS[reader], content, Path(folder) / "case")


# Pickles: opcodes in any order, over values and names that readers know.

VALUES = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.binary(max_size=5), st.none(), st.booleans(),
    st.sampled_from(["u1", "f4", "latin1", "storage", "0", "cpu", "G_ema", "class_name", "state", "data", "fine_labels"]),
).map(lambda value: pickle.dumps(value, 2)[2:-1])  # fmt: skip
OPCODES = st.one_of(
    VALUES,
    st.sampled_from(TOKENS),
    st.sampled_from([b"(", b"t", b"\x85", b"\x86", b"\x87", b"R", b"}", b"]", b"u", b"b"]),
)
PROGRAMS = st.lists(OPCODES, max_size=30).map(b"".join)


@FEW
@given(
    reader=st.sampled_from(["pickle", "weights_pickle", "stylegan_pickle", "cifar100_batch", "cifar100_names"]),
    program=PROGRAMS,
)
def test_any_program_of_a_pickle(reader: str, program: bytes) -> None:
    assert_answers_anew(reader, START + program + b".")


@FEW
@given(program=PROGRAMS, keys=st.lists(st.text(max_size=3), max_size=3), numbers=st.binary(max_size=40))
def test_any_program_in_a_file_of_torch(program: bytes, keys: list[str], numbers: bytes) -> None:
    assert_answers_anew("torch_file", HEAD + START + program + b"." + pickle.dumps(keys, 2) + numbers)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", START + program + b".")
        archive.writestr("archive/data/0", numbers)
    assert_answers_anew("torch_file", buffer.getvalue())


# Archives: members of any name and kind.

PARTS = st.sampled_from(
    ["..", ".", "", "a", "b", "con", "\x1b[2J", "\\", "..\\x", "é", "a" * 300, ".unpacked", "__MACOSX", "\n"]
)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
KINDS = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, b"?"]
)
MEMBERS = st.lists(st.tuples(NAMES, KINDS, NAMES, st.binary(max_size=9), st.integers(0, 0o7777)), max_size=5)
Members = list[tuple[str, bytes, str, bytes, int]]


def as_tar(members: Members) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, link, content, mode in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size, member.mode = kind, link, len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def as_zip(members: Members) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, kind, link, content, mode in members:
            member = zipfile.ZipInfo(name)
            member.external_attr = ((0o120000 if kind == tarfile.SYMTYPE else 0) | mode) << 16
            archive.writestr(member, link.encode() if kind == tarfile.SYMTYPE else content)
    return buffer.getvalue()


@FEW
@given(members=MEMBERS, make=st.sampled_from([as_tar, as_zip]))
@example(members=[("a", tarfile.SYMTYPE, "..", b"", 0o777), ("a/evil", tarfile.REGTYPE, "", b"x", 0o777)], make=as_tar)
@example(members=[("a", tarfile.REGTYPE, "", b"x", 0o777), ("a/b", tarfile.REGTYPE, "", b"x", 0o777)], make=as_zip)
def test_any_members_of_an_archive(members: Members, make: Callable[[Members], bytes]) -> None:
    with TemporaryDirectory() as folder:
        case = Path(folder) / "case"
        assert_answers(READERS["archive"], make(members), case)
        assert sorted(path.name for path in case.iterdir()) == ["set.zip", "unpacked"]
        assert not [path for path in (case / "unpacked").rglob("*") if path.is_symlink()]


# Text: JSON in which any value stands anywhere, csv with any fields, lists with any words.

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.just("../../etc/passwd")
)
JSONS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], by)
    return copied


@FEW
@given(data=st.data(), reader=st.sampled_from(["manifest", "shard_index"]), by=JSONS)
def test_any_value_in_json(data: st.DataObject, reader: str, by: Any) -> None:
    whole = MANIFEST if reader == "manifest" else INDEX
    path = data.draw(st.sampled_from(places(whole)))
    assert_answers_anew(reader, json.dumps(replaced(whole, path, by)).encode())


FIELDS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["0", "6", "7", "-1", "Training", "PublicTest", "255 " * 2304, "1e3", '"', "\x00"]),
)


@FEW
@given(rows=st.lists(st.lists(FIELDS, max_size=4), max_size=4), mark=st.sampled_from(["", "\ufeff"]))
def test_any_fields_of_a_csv(rows: list[list[str]], mark: str) -> None:
    lines = "\n".join(",".join(fields) for fields in rows)
    assert_answers_anew("fer2013_csv", f"{mark}emotion,pixels,Usage\n{lines}".encode(errors="surrogatepass"))


@FEW
@given(
    lines=st.lists(
        st.lists(st.one_of(st.text(max_size=6), st.sampled_from(["train_00001.jpg", "test_1.jpg", "5"])), max_size=3),
        max_size=4,
    )
)
def test_any_words_of_a_list(lines: list[list[str]]) -> None:
    assert_answers_anew("raf_db_list", "\n".join(map(" ".join, lines)).encode(errors="surrogatepass"))


# Headers that claim anything.


@FEW
@given(
    width=st.integers(0, 2**31),
    height=st.integers(0, 2**31),
    reader=st.sampled_from(["image_folder", "identity_folder"]),
)
def test_any_size_of_an_image(width: int, height: int, reader: str) -> None:
    outcome = assert_answers_anew(reader, png(width, height))
    assert outcome == "refused" or 0 < width * height < 1000  # the data has no more


SHAPES = st.lists(st.one_of(st.integers(-3, 9), st.integers(2**30, 2**66)), max_size=4).map(tuple)
TYPES = st.sampled_from(["|u1", "<f8", "|O", "<U10", "V9", "<M8", "[('a', '<i4')]", "x"])


@FEW
@given(
    shape=SHAPES,
    kind=TYPES,
    content=st.binary(max_size=99),
    reader=st.sampled_from(["shard", "arrays", "prepared_arrays"]),
)
def test_any_header_of_an_array(shape: tuple[int, ...], kind: str, content: bytes, reader: str) -> None:
    text = f"{{'descr': {kind if kind[0] == '[' else repr(kind)}, 'fortran_order': False, 'shape': {shape}, }}\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content
    assert_answers_anew(reader, array if reader == "shard" else stored(array))


@FEW
@given(
    header=JSONS,
    size=st.one_of(st.none(), st.integers(0, 2**64 - 1)),
    reader=st.sampled_from(["safetensors", "stylegan_own"]),
)
@example(header={"w": {"dtype": "F32", "shape": [2**40, 0], "data_offsets": [0, 0]}}, size=None, reader="safetensors")
def test_any_header_of_tensors(header: Any, size: int | None, reader: str) -> None:
    text = json.dumps(header).encode()
    assert_answers_anew(reader, struct.pack("<Q", len(text) if size is None else size) + text + bytes(64))
