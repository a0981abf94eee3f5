"""The bytes of artefacts, read now and never by file time, against what dvc.lock says of them."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cellar.pipeline import content
from cellar.provenance import git
from cellar.provenance.lineage import Lineage, Stage

Claims = dict[str, dict[str, list[str]]]  # path -> md5 in the lock -> the stages that say so


def claims(stages: Iterable[Stage]) -> Claims:
    """Of what stages made and of the data that they read; code is compared apart, for it may differ by intention."""
    found: Claims = {}
    for stage in stages:
        for file in (*stage.makes, *stage.data):
            found.setdefault(file.path, {}).setdefault(file.md5, []).append(stage.target)
    return found


def digests(paths: Iterable[str]) -> dict[str, str]:
    """md5 of the files and folders that are here; hashing frees the interpreter, so threads share it."""
    here = [path for path in paths if Path(path).exists()]
    with ThreadPoolExecutor() as pool:
        return dict(zip(here, pool.map(content.md5, map(Path, here)), strict=True))


def changed(claimed: Claims, found: Mapping[str, str], graph: Lineage) -> Iterator[str]:
    """Files whose bytes are not those that a stage read or made."""
    of_others = {file.md5: file.path for stage in graph.stages for file in stage.makes}
    for path, said in claimed.items():
        for wanted, sayers in said.items() if path in found else ():
            actual = found[path]
            if wanted != actual:
                more = f" and {len(sayers) - 1} more" if len(sayers) > 1 else ""
                other = f"; these are the bytes of {of_others[actual]}" if actual in of_others else ""
                yield f"{path}: its md5 is {actual}, dvc.lock has {wanted} ({sayers[0]}{more}){other}"


def broken_links(stages: Iterable[Stage], graph: Lineage) -> Iterator[str]:
    """Stages that read something else than the stage before them made, as dvc.lock itself has it."""
    for stage in stages:
        for file in stage.reads:
            made = graph.maker(file.path)
            if made and made[1].md5 != file.md5:
                yield f"{file.path}: {stage.target} read {file.md5}, {made[0].target} made {made[1].md5} ({stage.lock})"


def lost(absent: Iterable[str], stages: Iterable[Stage], graph: Lineage) -> dict[str, str]:
    """Absent files that something here was made from or with -> that thing. A clone that fetched nothing has none.

    What git keeps says nothing: it is in every clone.
    """
    tracked = set(git.git("ls-files").splitlines())
    gone, found = set(absent), dict[str, str]()
    for stage in stages:
        here = [file.path for file in stage.makes if file.path not in tracked and Path(file.path).exists()]
        for file in (*stage.makes, *stage.data) if here else ():
            if file.path in gone:
                found.setdefault(file.path, here[0])
    return found
