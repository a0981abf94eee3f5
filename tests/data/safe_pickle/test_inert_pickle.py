"""A pickle's opcodes act on plain values only; names outside the table are neither imported nor obeyed."""

import io
import pickle
import sys
from typing import Any

import pytest

from cellar.data.safe_pickle.inert_pickle import Allowed, InertUnpickler, PlainDict, StandIn, origin

NAMED = b"cos\nsystem\n"  # GLOBAL: pushes what os.system stands for


def read(pickled: bytes, allowed: Allowed | None = None) -> Any:
    return InertUnpickler(io.BytesIO(pickled), allowed or {}).load()


def program(*opcodes: bytes) -> bytes:
    return b"\x80\x04" + b"".join(opcodes) + b"."


def test_plain_values_come_back() -> None:
    content = {"a": [1, 2.5, None, True], "b": ("ü", b"x"), 3: {4, 5}}
    assert read(pickle.dumps(content, 4)) == content


OPCODES = {
    "GLOBAL": NAMED,
    "STACK_GLOBAL": b"\x8c\x02os\x8c\x06system\x93",
    "REDUCE": NAMED + b"\x8c\x04true\x85R",
    "INST": b"(\x8c\x04trueios\nsystem\n",
    "OBJ": b"(" + NAMED + b"\x8c\x04trueo",
    "NEWOBJ": NAMED + b"\x8c\x04true\x85\x81",
    "NEWOBJ_EX": NAMED + b"\x8c\x04true\x85}\x92",
    "BUILD": NAMED + b")R}b",
    "BUILD with slots": NAMED + b")RN}\x8c\x01aK\x01s\x86b",
    "APPEND": NAMED + b")RK\x01a",
    "APPENDS": NAMED + b")R(K\x01K\x02e",
    "SETITEM": NAMED + b")RK\x01K\x02s",
    "SETITEMS": NAMED + b")R(K\x01K\x02u",
    "ADDITEMS": NAMED + b")R(K\x01\x90",
    "BUILD on the class": NAMED + b"N}\x8c\x01aK\x01s\x86b",
    "APPENDS on the class": NAMED + b"(K\x01K\x02e",
    "SETITEM on the class": NAMED + b"K\x01K\x02s",
}


@pytest.mark.parametrize("opcodes", OPCODES.values(), ids=OPCODES)
def test_no_opcode_moves_a_stand_in(opcodes: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.system", lambda command: pytest.fail("it was run"))
    found = read(program(opcodes))
    assert origin(found) == "os.system"
    assert not hasattr(found, "a")


def test_what_is_named_is_not_imported() -> None:
    module = "this"  # prints when imported
    assert module not in sys.modules
    assert origin(read(program(b"cthis\ns\n"))) == "this.s"
    assert module not in sys.modules


def test_an_allowed_function_is_called_and_stays_as_it_was() -> None:
    def double(x: int) -> int:
        return 2 * x

    allowed, named = {("there", "double"): double}, b"cthere\ndouble\n"
    assert read(program(named, b"K\x04\x85R"), allowed) == 8
    for state in (b"N}\x8c\x08__name__\x8c\x01as\x86b", b"}\x8c\x01aK\x01sb"):
        read(program(named, state), allowed)
    assert double.__name__ == "double" and not hasattr(double, "a")


def test_stand_ins_of_one_file_leave_the_next_alone() -> None:
    read(program(NAMED, b"N}\x8c\x06originK\x01s\x86b"))
    assert origin(read(program(NAMED))) == "os.system"
    assert StandIn.origin == ""


def test_no_attribute_is_planted_on_a_dict() -> None:
    made = b"ccollections\nOrderedDict\n)R\x8c\x01aK\x01s"
    found = read(program(made, b"}\x8c\x05itemsK\x01sb"), {("collections", "OrderedDict"): PlainDict})
    assert found == {"a": 1} and list(found.items()) == [("a", 1)]


def test_an_origin_fits_in_a_line() -> None:
    name = origin(read(program(b"\x8c\x04a\nb\x07\x8c\xf0" + b"c" * 240 + b"\x93")))
    assert name.startswith("a?b?.ccc") and len(name) == 80
    assert origin(3) == ""
