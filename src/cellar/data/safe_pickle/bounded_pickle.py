"""Pickle's own reader in Python, with what a hostile file could blow up taken out of it.

The one in C takes memory at a file's word (for a memo of 2^31 entries: 32 GB, from 6 bytes), and a key of a
million nested tuples ends the process in either. In Python memory grows with the file, and opcodes can be replaced:
here keys are flat, only what is meant to be filled is filled, and a bytearray comes as bytes.
"""

import pickle
from collections.abc import Callable
from typing import IO, Any, ClassVar

NESTED = (tuple, frozenset)


class BoundedUnpickler(pickle._Unpickler):
    """`fillable`: the classes whose instances a file may fill (SETITEM, APPEND, BUILD), beside dict, list and set."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    fillable: tuple[type, ...] = ()
    stack: list[Any]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def target(self, kinds: tuple[type, ...]) -> Any:
        """What an opcode is about to fill. Raises ValueError for anything else: a tensor would fill its memory."""
        found = self.stack[-1]
        if not isinstance(found, (*kinds, *self.fillable)):
            raise ValueError(f"it fills a {type(found).__name__}")
        return found

    def fill_one(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.target((dict, list))[flat(key)] = value

    def fill_many(self) -> None:
        items = self.pop_mark()
        target = self.target((dict, list))
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[flat(key)] = value

    def make_dict(self) -> None:
        items = self.pop_mark()
        self.append({flat(key): value for key, value in zip(items[::2], items[1::2], strict=True)})

    def add(self) -> None:
        items = self.pop_mark()
        add = self.target((set,)).add
        for item in items:
            add(flat(item))

    def make_frozenset(self) -> None:
        self.append(frozenset(flat(item) for item in self.pop_mark()))

    def build(self) -> None:
        state = self.stack.pop()
        self.target(()).__setstate__(state)

    for opcode, replacement in (
        (pickle.SETITEM, fill_one),
        (pickle.SETITEMS, fill_many),
        (pickle.DICT, make_dict),
        (pickle.ADDITEMS, add),
        (pickle.FROZENSET, make_frozenset),
        (pickle.BUILD, build),
        (pickle.BYTEARRAY8, pickle._Unpickler.dispatch[pickle.BINBYTES8[0]]),
    ):
        dispatch[opcode[0]] = replacement


def flat(key: Any) -> Any:
    """`key`, unless it holds tuples in tuples: to hash those can take for ever, or the whole stack."""
    if isinstance(key, NESTED) and any(isinstance(part, NESTED) for part in key):
        raise ValueError("a key of it is nested")
    return key
