"""The one kind of error that is meant for the user, and the words and numbers of such a line."""

import unicodedata
from typing import Any

LONGEST = 80  # characters of a quoted text


class CellarError(Exception):
    """Something the user can mend. The text is one line: what is wrong, where, what to do.

    The command line prints it as the last line on stderr and exits with 1; nothing half-written stays behind.
    """


def safe_repr(value: Any) -> str:
    """A value from a file in a message: plain ones in full, others by their type, for they may be endless."""
    if isinstance(value, bytes):
        value = value[:LONGEST].decode("latin1")
    if isinstance(value, int) and value.bit_length() > 64:
        return "a huge number"
    plain = value is None or type(value) in (str, int, float, bool)
    return printable(value if type(value) is str else str(value) if plain else f"a {type(value).__name__}")


def printable(text: str, longest: int = LONGEST) -> str:
    """At most so many characters, without any that would control a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])


def one_line(text: str) -> str:
    """A message as a terminal shows it in one line: a file's name may hold a line's end, as macOS' `Icon\\r` does."""
    return "".join(ascii(letter)[1:-1] if unicodedata.category(letter) == "Cc" else letter for letter in text)


def reason(error: Exception) -> str:
    """The message of an exception, or its type where it has none."""
    return printable(" ".join(str(error).split())) or type(error).__name__


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
