"""Files of torch.save in both formats give the numbers that torch gives, or one line where they are not sound."""

import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from cellar.errors import CellarError
from cellar.models.checkpoint_files import torch_file, weights

BOTH_FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])

STATE = {"w": torch.arange(4.0), "b": torch.arange(3)}


def refusal(path: Path) -> str:
    """The one line that `path` is refused with."""
    with pytest.raises(CellarError) as caught:
        weights.read_candidates(path)
    line = str(caught.value)
    assert str(path) in line and "\n" not in line
    return line


def legacy_file(path: Path, *opcodes: bytes, keys: bytes = pickle.dumps([], 2)) -> None:
    """A file of the older format whose content is the program given."""
    head = (torch_file.MAGIC, torch_file.PROTOCOL, {"little_endian": True})
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in head) + b"\x80\x02" + b"".join(opcodes) + b"." + keys)


STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu%sNtQ"

TENSOR = b"}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE % b"K\x02" + b"%stRs"

WRONG = {
    "view that leaves its storage": TENSOR % b"K\x00K\x64\x85K\x01\x85\x89N",
    "view that starts before it": TENSOR % b"J\xff\xff\xff\xffK\x02\x85K\x01\x85\x89N",
    "storage longer than the file": STORAGE % b"J\xff\xff\xff\x7f",
    "storage of negative length": STORAGE % b"J\xff\xff\xff\xff",
    "tensor of a stand-in": b"ctorch._utils\n_rebuild_tensor_v2\n(cos\nsystem\nK\x00))\x89NtR",
    "storage of a foreign kind": STORAGE.replace(b"ctorch\nFloatStorage", b"cos\nsystem") % b"K\x02",
}


@BOTH_FORMATS
@pytest.mark.parametrize("kind", torch_file.STORAGES.values(), ids=str)
def test_every_kind_of_number_is_read_as_torch_reads_it(kind: torch.dtype, zipped: bool, tmp_path: Path) -> None:
    numbers = torch.arange(24).to(kind)
    state = {
        "whole": numbers,
        "view": numbers.view(4, 6).T[1:4, ::2],
        "same": numbers[3:5],
        "one": numbers[7],
        "none": torch.empty(0, 3, dtype=kind),
    }
    torch.save(state, tmp_path / "some.pth", _use_new_zipfile_serialization=zipped)
    found, expected = weights.read_candidates(tmp_path / "some.pth")[0].state, torch.load(tmp_path / "some.pth")
    for name in state:
        assert found[name].dtype == kind and found[name].stride() == expected[name].stride()
        assert torch.equal(found[name], expected[name])


@BOTH_FORMATS
def test_parameters_are_read_as_tensors(zipped: bool, tmp_path: Path) -> None:
    named = nn.Parameter(torch.arange(3.0))
    named.tag = "weight decay off"  # type: ignore[attr-defined]
    state = {"plain": nn.Parameter(torch.ones(2)), "named": named}
    torch.save(state, tmp_path / "some.pth", _use_new_zipfile_serialization=zipped)
    found = weights.read_candidates(tmp_path / "some.pth")[0].state
    assert found["plain"].tolist() == [1, 1] and found["named"].tolist() == [0, 1, 2]


def test_a_view_of_a_storage_as_torch_0_4_wrote_it(tmp_path: Path) -> None:
    """Storage 0 to 5, its view of three from 2 on, and a tensor of two that starts one into the view."""
    view = b"(X\x01\x00\x00\x00vK\x02K\x03t"
    content = (TENSOR % b"K\x01K\x02\x85K\x01\x85\x89N").replace(b"cpuK\x02N", b"cpuK\x06" + view)
    numbers = struct.pack("<q6f", 6, *range(6))
    legacy_file(tmp_path / "some.pth", content, keys=pickle.dumps(["0"], 2) + numbers)
    assert weights.read_candidates(tmp_path / "some.pth")[0].state["w"].tolist() == [3, 4]
    assert torch.load(tmp_path / "some.pth")["w"].tolist() == [3, 4]


@pytest.mark.parametrize("opcodes", WRONG.values(), ids=WRONG)
def test_a_tensor_that_lies_is_one_line(opcodes: bytes, tmp_path: Path) -> None:
    legacy_file(tmp_path / "some.pth", opcodes)
    assert "broken or no weights file" in refusal(tmp_path / "some.pth")


def test_a_tensor_whose_numbers_are_missing_is_one_line(tmp_path: Path) -> None:
    legacy_file(tmp_path / "some.pth", TENSOR % b"K\x00K\x02\x85K\x01\x85\x89N")
    assert "storages are not those of its tensors" in refusal(tmp_path / "some.pth")


@pytest.mark.parametrize("change", ["other numbers", "too many"])
def test_a_storage_that_does_not_fit_is_one_line(change: str, tmp_path: Path) -> None:
    torch.save({"w": torch.full((5,), 1.5)}, tmp_path / "some.pth")
    numbers, content = struct.pack("<5f", *[1.5] * 5), (tmp_path / "some.pth").read_bytes()
    assert content.count(numbers) == 1
    if change == "other numbers":
        (tmp_path / "some.pth").write_bytes(content.replace(numbers, numbers[::-1]))
    else:
        with zipfile.ZipFile(tmp_path / "some.pth") as good, zipfile.ZipFile(tmp_path / "more.pth", "w") as more:
            for name in good.namelist():
                more.writestr(name, good.read(name) + (numbers if name.endswith("data/0") else b""))
        (tmp_path / "more.pth").replace(tmp_path / "some.pth")
    expected = "CRC" if change == "other numbers" else "longer than its tensors say"
    assert expected in refusal(tmp_path / "some.pth")


def test_a_layers_source_code_is_not_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.load appends a "patch" to a file of the pickle's choice, if that can set attributes of a function."""
    monkeypatch.chdir(tmp_path)
    function = b"ctorch._utils\n_rebuild_tensor_v2\n"
    planted = b"N}X\x0c\x00\x00\x00dump_patches\x88s\x86b"
    source = b"(X\x06\x00\x00\x00module" + function + b"X\x01\x00\x00\x00aX\x01\x00\x00\x00btQ"
    legacy_file(tmp_path / "some.pth", function, planted, b"0", source)
    assert "_rebuild_tensor_v2" in refusal(tmp_path / "some.pth")
    assert [path.name for path in tmp_path.iterdir()] == ["some.pth"]
    assert not hasattr(torch._utils._rebuild_tensor_v2, "dump_patches")


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "stored.pth")
    with (
        zipfile.ZipFile(tmp_path / "stored.pth") as stored,
        zipfile.ZipFile(tmp_path / "some.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    assert "compressed" in refusal(tmp_path / "some.pth")


def test_numbers_of_the_other_byte_order_are_refused(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "stored.pth")
    with zipfile.ZipFile(tmp_path / "stored.pth") as stored, zipfile.ZipFile(tmp_path / "some.pth", "w") as turned:
        for name in stored.namelist():
            turned.writestr(name, b"big" if name.endswith("byteorder") else stored.read(name))
    assert "byte order" in refusal(tmp_path / "some.pth")
