"""What is installed, against requirements.lock; and whose code the command `cellar` runs."""

import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.markers import InvalidMarker, Marker

from cellar.doctor.finding import Finding

LOCK, PROJECT = Path("requirements.lock"), Path("pyproject.toml")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(?:;\s*([^\\]*))?")
SHOWN = 3
SET_UP = "make setup"


def examine() -> Iterator[Finding]:
    yield from own_code()
    yield packages()


def own_code() -> Iterator[Finding]:
    here, running = Path("src/cellar").resolve(), Path(__file__).parent.parent
    if here.exists() and here != running.resolve():
        yield Finding("bad", "code", f"this runs {running}, not the code in {here}", f"{SET_UP}, and use its .venv")


def packages() -> Finding:
    """One line for all packages of the lock that are meant for this machine."""
    pinned = pins()
    if not pinned:
        return Finding("warn", "packages", f"{LOCK} names none: versions cannot be compared", f"git checkout {LOCK}")
    installed = {plain(d.metadata["Name"]): d.version for d in metadata.distributions() if d.metadata["Name"]}
    absent = [name for name in pinned if name not in installed]
    lacking = [name for name in absent if name in needed()]
    other = [f"{n} {installed[n]}, not {v}" for n, v in pinned.items() if n in installed and installed[n] != v]
    python = ".".join(map(str, sys.version_info[:3]))
    if lacking:
        return Finding("bad", "packages", f"{first(lacking)} of {LOCK} not installed", SET_UP)
    if other:
        return Finding(
            "warn", "packages", f"not as in {LOCK}: {first(other)}; results may differ in their bits", SET_UP
        )
    if absent:
        return Finding("warn", "packages", f"{first(absent)} of {LOCK} not installed", SET_UP)
    return Finding("ok", "packages", f"all {len(pinned)} as in {LOCK}; Python {python}")


def pins() -> dict[str, str]:
    """Name -> version of what the lock asks of this machine."""
    text = LOCK.read_text(encoding="utf-8", errors="replace") if LOCK.exists() else ""
    found = (PIN.match(line) for line in text.splitlines() if not line.startswith((" ", "#")))
    return {plain(pin[1]): pin[2] for pin in found if pin and applies(pin[3] or "")}


@cache
def applies(marker: str) -> bool:
    try:
        return not marker.strip() or Marker(marker.strip()).evaluate()
    except InvalidMarker:
        return False


def needed() -> set[str]:
    """The packages that the project itself imports."""
    try:
        listed = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
        return {plain(re.split(r"[^A-Za-z0-9._-]", entry)[0]) for entry in listed}
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError):
        return set()


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def first(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
