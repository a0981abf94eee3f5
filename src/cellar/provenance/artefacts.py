"""The md5 of artefacts, computed now, compared with dvc.lock."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cellar.pipeline import content
from cellar.provenance import git
from cellar.provenance.lineage import Lineage, Stage

Locked = dict[str, dict[str, list[str]]]  # path -> md5 in the lock -> the stages that have it


def locked(stages: Iterable[Stage]) -> Locked:
    """The outputs of stages and the data that they read. Code is compared elsewhere, since it changes on purpose."""
    found: Locked = {}
    for stage in stages:
        for file in (*stage.makes, *stage.data):
            found.setdefault(file.path, {}).setdefault(file.md5, []).append(stage.target)
    return found


def digests(paths: Iterable[str]) -> dict[str, str]:
    """md5 of the files and folders that exist. In threads, since hashing releases the interpreter's lock."""
    here = [path for path in paths if Path(path).exists()]
    with ThreadPoolExecutor() as pool:
        return dict(zip(here, pool.map(content.md5, map(Path, here)), strict=True))


def changed(expected: Locked, found: Mapping[str, str], graph: Lineage) -> Iterator[str]:
    """Files whose bytes differ from those that a stage read or made."""
    of_others = {file.md5: file.path for stage in graph.stages for file in stage.makes}
    for path, by_md5 in expected.items():
        for wanted, addresses in by_md5.items() if path in found else ():
            actual = found[path]
            if wanted != actual:
                more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
                other = f"; these are the bytes of {of_others[actual]}" if actual in of_others else ""
                yield f"{path}: its md5 is {actual}, dvc.lock has {wanted} ({addresses[0]}{more}){other}"


def broken_links(stages: Iterable[Stage], graph: Lineage) -> Iterator[str]:
    """Stages whose inputs in dvc.lock differ from the outputs of the stage that made them."""
    for stage in stages:
        for file in stage.reads:
            made = graph.maker(file.path)
            if made and made[1].md5 != file.md5:
                yield f"{file.path}: {stage.target} read {file.md5}, {made[0].target} made {made[1].md5} ({stage.lock})"


def lost(absent: Iterable[str], stages: Iterable[Stage], graph: Lineage) -> dict[str, str]:
    """Missing file -> an existing file of the same stage or made from it. A clone that fetched nothing has none.

    Files in git do not count: every clone has them.
    """
    tracked = set(git.git("ls-files").splitlines())
    gone, found = set(absent), dict[str, str]()
    for stage in stages:
        here = [file.path for file in stage.makes if file.path not in tracked and Path(file.path).exists()]
        for file in (*stage.makes, *stage.data) if here else ():
            if file.path in gone:
                found.setdefault(file.path, here[0])
    return found
