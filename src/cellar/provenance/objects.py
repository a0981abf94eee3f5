"""`cellar fsck`: what DVC's cache or a remote holds, byte for byte, against the md5 that each object is named by.

DVC does not: a spoilt object of a remote is refused when it is pulled (`verify true`), but neither named nor mended, for a push
finds an object of that name there; one in the cache is handed out. Here it is named, and taken out on request.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from tqdm import tqdm

from cellar import config
from cellar.errors import CellarError, reason
from cellar.pipeline import plan
from cellar.provenance import lineage

CHUNK = 1 << 20  # bytes
FOLDER = ".dir"  # ends the name of an object that lists a folder's files
# An output or a file in one; and the list of its folder, which goes with it: DVC pushes no file of a folder whose list is there.
Place = tuple[str, str | None]


@dataclass
class Store:
    """DVC's cache, or a remote of it, as DVC itself opens it."""

    name: str
    objects: Any  # dvc_data.hashfile.db.HashFileDB

    def read(self, oid: str) -> bytes | None:
        """An object, None if there is none. Only for small ones."""
        try:
            content: bytes = self.objects.fs.cat_file(self.objects.oid_to_path(oid))
        except FileNotFoundError:
            return None
        return content

    def digest(self, oid: str) -> str | None:
        """The md5 of an object's bytes, None if there is none."""
        total = md5(usedforsecurity=False)
        try:
            with self.objects.fs.open(self.objects.oid_to_path(oid), "rb") as file:
                while part := file.read(CHUNK):
                    total.update(part)
        except FileNotFoundError:
            return None
        return total.hexdigest()

    def remove(self, oid: str) -> None:
        with suppress(FileNotFoundError):
            self.objects.fs.remove(self.objects.oid_to_path(oid))


def report(remote: str | None, remove: bool) -> int:
    """Print what is spoilt. 0 when nothing is, or all of it was removed."""
    loaded = config.load()
    wanted = lineage.cached_outputs(plan.stages(loaded), lineage.load())
    with opened(remote) as store:
        whole, absent, spoilt = examine(store, {out.md5: path for path, out in wanted.items()})
        for oid, (path, folder) in spoilt.items():
            print(f"{store.name}: {store.objects.oid_to_path(oid)}, of {path}, is spoilt")
            if remove:
                for one in filter(None, (oid, folder)):
                    store.remove(one)
        print(f"{store.name}: {whole} objects are whole, {absent} not there, {len(spoilt)} spoilt")
    if spoilt:
        flag = f" --remote {remote}" if remote else ""
        again = f"dvc push{flag}" if remote else "dvc fetch, or make them again: snakemake --cores 4"
        print(f"removed; put whole ones there: {again}" if remove else f"take them out: cellar fsck{flag} --remove")
    return int(bool(spoilt) and not remove)


@contextmanager
def opened(remote: str | None) -> Iterator[Store]:
    """The cache, or the remote of that name. Raises CellarError when it cannot be had, or stops answering."""
    from dvc.repo import Repo

    try:
        with Repo(".") as repo:
            name = f"remote {remote}" if remote else "cache"
            yield Store(name, repo.cloud.get_remote_odb(remote, "fsck") if remote else repo.cache.local)
    except (CellarError, BrokenPipeError):
        raise
    except NotImplementedError:  # of fsspec, for HTTP
        raise CellarError(
            f"remote {remote} lets nobody take a file out; remove the spoilt ones where it lies"
        ) from None
    except Exception as error:  # what a server that is away or says no does to its client has no common type
        raise CellarError(f"{f'remote {remote}' if remote else 'the cache'} cannot be read: {reason(error)}") from None


def examine(store: Store, wanted: dict[str, str]) -> tuple[int, int, dict[str, Place]]:
    """How many objects are whole and how many absent; the spoilt ones and what they are of. `wanted`: object -> output."""
    spoilt: dict[str, Place] = {}
    whole = absent = 0
    objects = with_members(store, wanted)
    for oid, place in tqdm(objects.items(), store.name, unit=" objects", disable=None):
        found = store.digest(oid)
        if found is None:
            absent += 1
        elif found == oid.removesuffix(FOLDER):
            whole += 1
        else:
            spoilt[oid] = place
    return whole, absent, spoilt


def with_members(store: Store, wanted: dict[str, str]) -> dict[str, Place]:
    """The objects, and those of the files in folders, as far as the lists of these can be read."""
    found: dict[str, Place] = {oid: (path, None) for oid, path in wanted.items()}
    for oid, path in wanted.items():
        listed = store.read(oid) if oid.endswith(FOLDER) else None
        if listed is not None and md5(listed, usedforsecurity=False).hexdigest() == oid.removesuffix(FOLDER):
            found |= {entry["md5"]: (f"{path}/{entry['relpath']}", oid) for entry in json.loads(listed)}
    return found
