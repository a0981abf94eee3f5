"""Named seeds: every random choice has a name, and no two names share a stream."""

import hashlib


def derive(seed: int, name: str, *parts: int) -> int:
    """A 63-bit seed for the choice `name`, e.g. derive(0, "order", epoch)."""
    text = "/".join([str(seed), name, *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
