"""What a file or a library says, as a part of one line: short, and no letter that would move a terminal."""

from typing import Any


def said(value: Any) -> str:
    """A value of a file in a message: plain ones as they are, others by their kind, for they may be without end."""
    if isinstance(value, bytes):
        value = value[:80].decode("latin1")
    if isinstance(value, int) and value.bit_length() > 64:
        return "a huge number"
    plain = value is None or type(value) in (str, int, float, bool)
    return printable(value if type(value) is str else str(value) if plain else f"a {type(value).__name__}")


def printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:80])


def reason(error: Exception) -> str:
    """What an exception says, or its name where it says nothing."""
    return printable(" ".join(str(error).split())) or type(error).__name__
