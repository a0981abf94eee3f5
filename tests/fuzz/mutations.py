"""A seeded mutator: the bytes of a whole file, spoilt in the ways that break readers. Same seed, same bytes."""

import random
import struct
from collections.abc import Callable, Sequence

Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]
NUMBERS = (0, 1, -1, 127, 128, 255, 256, 2**15, 2**16, 2**31 - 1, -(2**31), 2**32 - 1, 2**62, 2**63 - 1)
LONGEST = 1 << 17  # bytes of a file: longer ones find nothing more
TOKENS = (
    b"cos\nsystem\n", b"cantigravity\nx\n", b"\x8c\x05posix\x8c\x06system\x93", b"\x85R", b")R", b"o", b"\x81", b"b", b"}", b"]", b"(", b"0",
    b"2", b"N", b"Q", b"u", b"e", b"s", b"a", b"\x90", b"h\x00", b"q\x00", b"r\xff\xff\xff\x7f", b"\x94", b".", b"ccollections\nOrderedDict\n",
    b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"c_codecs\nencode\n", b"cbuiltins\nset\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n", b"ctorch.storage\n_load_from_bytes\n", b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"B\xff\xff\xff\x7f", b"T\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"\x8b\xff\xff\xff\x7f", b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f", b"I1\n", b"L1L\n",
    b"F1e999\n", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"../../evil", b"/evil", b"..\\evil", b"\x1b[2J", b"\r\n", b"\x00", b'"', b"{", b"[",
    b"1e999", b"NaN", b"-1", b"null", b"999999999999999999999", b"'descr': '|O'", b"'shape': (9999999999, 9)", b"\xff\xd8", b"\xff\xd9", b"IHDR", b"IDAT",
    b"RIFF", b"WEBP", b"BM", b"train_00001.jpg 5\n", b"Usage", b"\xef\xbb\xbf", "\N{RIGHT-TO-LEFT OVERRIDE}".encode(),
)  # fmt: skip


def flip_bit(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def set_byte(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    data[chance.randrange(len(data))] = chance.randrange(256)


def set_number(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    """A number that lengths and shapes are afraid of, in 1, 2, 4 or 8 bytes of either order."""
    width, order = chance.choice("bhiq"), chance.choice("<>")
    size = struct.calcsize(width)
    number = chance.choice(NUMBERS) & (2 ** (8 * size) - 1)
    place = chance.randrange(len(data))
    data[place : place + size] = number.to_bytes(size, "little" if order == "<" else "big")


def cut(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.choice((1, 4, 64, len(data)))]


def repeat(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    start = chance.randrange(len(data))
    part = data[start : start + chance.choice((1, 4, 64, 1024))]
    data[start:start] = part * chance.choice((1, 2, 100))


def insert_token(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    place, token = chance.randrange(len(data) + 1), chance.choice(TOKENS)
    data[place : place + chance.choice((0, len(token)))] = token


def splice(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    other = chance.choice(others)
    data[chance.randrange(len(data)) :] = other[chance.randrange(len(other) + 1) :]


def write_digits(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    """Another number where text has one."""
    digits = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
    if digits:
        data[chance.choice(digits)] = chance.choice(b"0123456789-.e")


MUTATIONS: tuple[Mutation, ...] = (flip_bit, set_byte, set_number, cut, repeat, insert_token, splice, write_digits)


def mutate(seed: str, corpus: Sequence[bytes]) -> bytes:
    """One of the corpus's files after 1 to 8 mutations."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        if data:
            chance.choice(MUTATIONS)(chance, data, corpus)
    return bytes(data[:LONGEST])
