"""Pickles read as data: nothing that a file names is imported, and nothing of it is run.

A pickle is a program: it names functions and classes of any module and has them called. Here a name stands for what
a table allows it, else for a class without effect, whatever the file goes on to do with it. So a file's
useful part can be read beside objects of modules that are foreign, absent or hostile.
"""

import pickle
from collections.abc import Callable, Mapping
from typing import IO, Any

Allowed = Mapping[tuple[str, str], Any]  # (module, name) as the file writes them -> what it gets


def ignore(*args: Any) -> None:
    """Takes whatever a pickle's opcode hands over."""


class Unmoved(type):
    """Makes a stand-in class itself as inert as its instances: a pickle may treat either as the object."""

    origin: str
    __setitem__ = ignore


class StandIn(metaclass=Unmoved):
    """In place of whatever a file names. Every opcode that would call, fill or change it has no effect."""

    __slots__ = ()
    origin = ""  # the name that the file gave, cleaned for a message

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return object.__new__(cls)

    __setitem__ = ignore
    __setstate__ = append = extend = add = staticmethod(ignore)  # static: BUILD and APPEND reach the class too


class PlainDict(dict[Any, Any]):
    """For collections.OrderedDict: no attribute can be planted on it, as on the real one."""

    __slots__ = ()
    __setstate__ = staticmethod(ignore)


class InertUnpickler(pickle.Unpickler):
    """Reads one pickle from `file` with the names of `allowed`; every other name becomes a stand-in.

    An allowed function or class can be called by the file, with arguments of the file's choice, and nothing else can
    be done with it; so allow only what is harmless for any arguments, stand-ins included, and what gives
    objects whose __setstate__ is. The name `module.name` is taken as written: Python 2's are names of their own.
    """

    def __init__(self, file: IO[bytes], allowed: Allowed, encoding: str = "utf-8") -> None:
        super().__init__(file, encoding=encoding)
        self.allowed = allowed
        self.given: dict[tuple[str, str], Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The only way from a name to an object; pickle's own, which imports, is never called."""
        key = module, name
        if key not in self.given:
            value = self.allowed.get(key, ignore)
            self.given[key] = stand_in(key, value) if callable(value) else value
        return self.given[key]


def stand_in(key: tuple[str, str], call: Callable[..., Any]) -> Unmoved:
    """A class of its own for a name. Calling it calls `call`; without effect it gives a stand-in.

    Even what is allowed is handed out so, because a pickle can set attributes of functions and of classes.
    """
    members: dict[str, Any] = {"__slots__": (), "origin": printable(".".join(key))}
    if call is not ignore:
        members["__new__"] = lambda cls, *args: call(*args)
    return Unmoved("StandIn", (StandIn,), members)


def printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:80])


def origin(value: Any) -> str:
    """What the file calls the object that `value` stands for; "" for a real one."""
    kind: Any = value if isinstance(value, Unmoved) else type(value)
    return kind.origin if isinstance(kind, Unmoved) else ""
