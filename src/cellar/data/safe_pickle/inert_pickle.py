"""Pickles read as data: nothing that a file names is imported, and nothing of it is run.

A pickle is a program: it names functions and classes of any module and has them called. Here a name stands for what
a table allows it, else for a class without effect, whatever the file goes on to do with it. So a file's
useful part can be read beside objects of modules that are foreign, absent or hostile.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from cellar.data.safe_pickle.bounded_pickle import BoundedUnpickler, flat
from cellar.errors import printable

MOST_HANDED = 1 << 20
COPIED = (bytes, dict, frozenset, list, set, tuple)
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

    def __init__(self, items: Any = ()) -> None:
        pairs = items.items() if isinstance(items, dict) else items
        super().__init__((flat(key), value) for key, value in pairs)


def plain_set(items: Iterable[Any] = ()) -> set[Any]:
    return {flat(item) for item in items}


class InertUnpickler(BoundedUnpickler):
    """Reads one pickle from `file` with the names of `allowed`; every other name becomes a stand-in.

    An allowed function or class can be called by the file, with arguments of the file's choice, and nothing else can
    be done with it; so allow only what is harmless for any arguments, stand-ins included, and what gives
    objects whose __setstate__ is. The name `module.name` is taken as written: Python 2's are names of their own.
    `most`: entries and bytes that all calls together may be handed, for a call copies them, and a file can call for ever.
    """

    fillable: tuple[type, ...] = (StandIn, Unmoved, PlainDict)

    def __init__(self, file: IO[bytes], allowed: Allowed, encoding: str = "utf-8", most: int = MOST_HANDED) -> None:
        super().__init__(file, encoding=encoding)
        self.allowed = allowed
        self.left = most
        self.given: dict[tuple[str, str], Any] = {}

    def find_class(self, module: str, name: str) -> Any:
        """The only way from a name to an object; pickle's own, which imports, is never called."""
        key = module, name
        if key not in self.given:
            value = self.allowed.get(key, ignore)
            self.given[key] = stand_in(key, self.counted(value)) if callable(value) else value
        return self.given[key]

    def counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, until what it is handed exceeds what is left."""
        if call is ignore:
            return call

        def counting(*args: Any) -> Any:
            self.left -= sum(len(value) for value in args if isinstance(value, COPIED))
            if self.left < 0:
                raise ValueError("it copies its parts without end")
            return call(*args)

        return counting


def stand_in(key: tuple[str, str], call: Callable[..., Any]) -> Unmoved:
    """A class of its own for a name. Calling it calls `call`; without effect it gives a stand-in.

    Even what is allowed is handed out so, because a pickle can set attributes of functions and of classes.
    """
    members: dict[str, Any] = {"__slots__": (), "origin": printable(".".join(key))}
    if call is not ignore:
        members["__new__"] = lambda cls, *args: call(*args)
    return Unmoved("StandIn", (StandIn,), members)


def origin(value: Any) -> str:
    """What the file calls the object that `value` stands for; "" for a real one."""
    kind: Any = value if isinstance(value, Unmoved) else type(value)
    return kind.origin if isinstance(kind, Unmoved) else ""
