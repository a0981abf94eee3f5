"""Arrays by name as each NumPy and each protocol pickles them are read; nothing that a file names is run."""

import collections
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellar.data.safe_pickle.plain_pickle import PlainArray, read_plain
from cellar.errors import CellarError

ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)
CONTENT: dict[str, Any] = {
    "rows": ROWS,
    "columns": np.asfortranarray(ROWS),
    "a part": ROWS[:, ::2],
    "half": ROWS.astype(np.float16),
    "swapped": ROWS.astype(">f4"),
    "unwritable": np.frombuffer(ROWS.tobytes(), np.float32),
    "float": np.float64(2.5),
    "counter": np.int64(7),
    "none": np.empty((0, 3), np.float32),
}


def put(path: Path, content: Any, protocol: int, old: bool) -> Path:
    """`old`: under the names of NumPy before 2; only protocols without lengths of names and frames can be changed so."""
    data = pickle.dumps(content, protocol)
    path.write_bytes(data.replace(b"numpy._core.", b"numpy.core.") if old else data)
    return path


@pytest.mark.parametrize(("protocol", "old"), [(2, True), (0, True), *((protocol, False) for protocol in range(6))])
@pytest.mark.parametrize("kind", [dict, collections.OrderedDict])
def test_arrays_and_numbers_are_read(kind: type, protocol: int, old: bool, tmp_path: Path) -> None:
    path = put(tmp_path / "weights.pkl", kind(CONTENT), protocol, old)
    found = read_plain(path)
    assert list(found) == list(CONTENT) and type(found).__module__ != "collections"
    for name, value in found.items():
        assert isinstance(value, PlainArray)
        built, expected = value.build(), np.asarray(CONTENT[name])
        assert built.dtype == expected.dtype and built.shape == expected.shape and np.array_equal(built, expected)


def test_python_2s_ordered_dict_is_read(tmp_path: Path) -> None:
    """Made of a list of pairs, which are lists."""
    program = b"ccollections\nOrderedDict\np0\n((lp1\n(lp2\nS'a'\np3\naI1\naa(lp4\nS'b'\np5\naI2\naatp6\nRp7\n."
    assert pickle.loads(program, encoding="latin1") == {"a": 1, "b": 2}
    (tmp_path / "old.pkl").write_bytes(program)
    assert read_plain(tmp_path / "old.pkl") == {"a": 1, "b": 2}


def test_a_dict_copied_for_ever_ends(tmp_path: Path) -> None:
    pairs = b"(" + b"".join(b"(K%cNt" % number for number in range(200)) + b"l"
    program = b"\x80\x02" + pairs + b"q\x000" + b"ccollections\nOrderedDict\nh\x00\x85R0" * 2000 + b"N."
    (tmp_path / "bomb.pkl").write_bytes(program)
    with pytest.raises(CellarError, match="copies its parts without end"):
        read_plain(tmp_path / "bomb.pkl")


@pytest.mark.parametrize("order", ["K", None, [1]])
def test_an_array_in_no_known_order_is_one_line(order: Any, tmp_path: Path) -> None:
    (tmp_path / "odd.pkl").write_bytes(pickle.dumps(Buffer(order), 5))
    with pytest.raises(CellarError, match="neither by rows nor by columns"):
        read_plain(tmp_path / "odd.pkl")


class Buffer:
    def __init__(self, order: Any) -> None:
        self.order = order

    def __reduce__(self) -> tuple[Any, ...]:
        return np._core.numeric._frombuffer, (b"0000", np.dtype("f4"), (1,), self.order)  # type: ignore[attr-defined]
