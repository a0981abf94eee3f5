"""Recorded code against git: whether the package that made an artefact is that of any commit.

A record holds one hash of all Python files of the package and of the studies (cellar.engine.run_record.code_hash); the same is computed here
of commits, from git's own objects.
"""

import subprocess
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from cellar.provenance import git

CODE = ("src/cellar", "studies")


def uncommitted() -> Iterator[str]:
    """A line for each source file that no commit has as it is now."""
    for path, how in git.uncommitted(*CODE).items():
        yield f"{path}: {how}, and not committed; a number made with it could not be traced: git add and commit it"


def unknown(recorded: Iterable[tuple[str, str]]) -> set[str]:
    """Of (code hash, commit noted with it): the hashes that are of no commit here.

    The commits noted are looked at first; the others only for what is left.
    """
    wanted = dict(recorded)
    objects: dict[str, str] = {}
    missing = set(wanted)
    for commit in [*dict.fromkeys(wanted.values()), *others()]:
        if not missing:
            break
        missing.discard(code_hash(commit, objects))
    return missing


def others() -> Iterator[str]:
    """All commits of all branches that changed the package."""
    yield from git.git("log", "--all", "--format=%H", "--", *CODE).splitlines()


def code_hash(commit: str, objects: dict[str, str]) -> str:
    """What run_record.code_hash gives in a checkout of `commit`; "" if git has none. `objects`: sha256 of blobs seen."""
    blobs = {Path(name): blob for path in CODE for name, blob in git.blobs_at(commit, path).items()} if commit else {}
    python = sorted((path, blob) for path, blob in blobs.items() if path.suffix == ".py")
    read_objects([blob for _, blob in python if blob not in objects], objects)
    lines = [f"{path} {objects[blob]}" for path, blob in python]
    return sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def read_objects(blobs: list[str], objects: dict[str, str]) -> None:
    """Add the sha256 of the contents of git's blobs; all are asked for at once."""
    if not blobs:
        return
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    answer = subprocess.run(["git", "cat-file", "--batch"], input=asked, capture_output=True, check=True).stdout
    start = 0
    for blob in blobs:
        first = answer.index(b"\n", start) + 1  # "<blob> blob <size>", then the bytes and a line end
        size = int(answer[start:first].split()[2])
        objects[blob] = sha256(answer[first : first + size]).hexdigest()
        start = first + size + 1
