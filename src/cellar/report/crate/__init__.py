"""A run as a Workflow Run RO-Crate: what was run, on what, by which software, and what came out.

Profiles Process, Workflow and Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/), on RO-Crate 1.1. A stage of
dvc.lock is an action; its times, software and machine are those of the record of its run. Small files are copied into the
crate; weights, arrays and raw data are named by path and md5. Hosts have no name in it.
"""

import shutil
from pathlib import Path

from cellar import config as configuration
from cellar import paths
from cellar.errors import CellarError
from cellar.provenance import lineage
from cellar.report.crate.entities import Entities
from cellar.report.crate.runs import describe

METADATA = "ro-crate-metadata.json"


def write(folder: Path = paths.CRATE) -> Path:
    """Write the crate, in the place of one that is there.

    Raises CellarError when nothing is built, or the folder holds something else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / METADATA).exists():
        raise CellarError(f"{folder} holds something that is no crate; name another folder, or empty it")
    graph = lineage.load()
    if not graph.stages:
        raise CellarError("nothing is built: dvc.lock has no stage; build with: snakemake --cores 4")
    whole = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(whole, ignore_errors=True)
    entities = Entities(configuration.load())
    describe(entities, graph)
    entities.crate.write(whole)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    whole.rename(folder)
    return folder
