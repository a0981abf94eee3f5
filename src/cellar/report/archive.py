"""A finished run on real data, kept to be read: docs/real_runs/<scale> with what is small, and what it cost.

Only what verifies is kept, and nothing in it is typed: files are copied, the page is written from them.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cellar import config as parameters
from cellar import files, paths
from cellar.config import Params
from cellar.errors import CellarError
from cellar.provenance import cell_names, lineage, verify
from cellar.provenance.lineage import Stage

SMALL = {".md", ".json", ".csv", ".png"}  # tables, metrics, manifests, curves, figures; no arrays, no weights
PICTURES = ".png"


def keep() -> Path:
    """Write docs/real_runs/<scale> anew. Raises CellarError when the scale is of drawn data or does not verify."""
    params = parameters.load()
    if params.scale.drawn:
        raise CellarError(f"{parameters.PARAMS_FILE}: scale.drawn is true; {paths.REAL_RUNS} keeps runs on real data")
    found = verify.verify(None)
    if found.problems or found.absent:
        what = [*found.problems, *(f"{path} is not here" for path in found.absent)][0]
        raise CellarError(f"this run does not verify ({what}); see: cellar verify --complete")
    opened = shown(params)
    stages = stages_behind(opened)
    folder = paths.REAL_RUNS / params.scale.name
    whole = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(whole, ignore_errors=True)
    copy(stages, opened, whole)
    records = {stage.target: public(files.read_json(stage.record)) for stage in stages if stage.record}
    files.write_json(whole / "records.json", records)
    files.write_text(whole / "README.md", "\n".join(page(params, records, whole)) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    whole.rename(folder)
    return folder


def shown(params: Params) -> list[str]:
    """What a reader would open: every table that says something of the data, every figure that params.yaml asks for,
    sweeps' if built. Figures of the images themselves stay where they are: the images are not ours to hand on."""
    from cellar import figures, tables

    built = [paths.TABLES / f"{name}.md" for name in verify.built_tables() if name in tables.known(params)]
    told = [str(path) for path in built if is_of_data(path.with_suffix(".json"))]
    sweeps = [name for name in figures.of_sweeps(params) if (paths.TABLES / f"{name}.md").exists()]
    drawn = [name for name in [*figures.known(params), *sweeps] if not shows_images(figures.inputs(name, params))]
    return [*told, *(str(paths.FIGURES / f"{figure}.png") for figure in drawn)]


def is_of_data(table: Path) -> bool:
    """Whether a cell of it was counted or measured on images; the others are the same in every run, or "not run"."""
    cells = [cell for row in cell_names.read_table(table)["rows"] for cell in row["cells"].values()]
    read = {path for cell in cells for path in cell.get("metrics", [])}
    return bool(read - {str(paths.MODEL_COUNTS), *(str(path) for path in paths.STUDIES.glob("*/printed.yaml"))})


def shows_images(read: list[str]) -> bool:
    return any(Path(path).name == "arrays.npz" for path in read)


def stages_behind(targets: list[str]) -> list[Stage]:
    """The stages of these files, in the order in which they ran."""
    stages = lineage.load().chain(targets)
    return list(reversed(stages))


def copy(stages: list[Stage], opened: list[str], into: Path) -> None:
    """Each small file that a stage made, under the path that it has in the project, of tables and figures those that
    are opened; params.yaml and the locks."""
    names = {Path(path).stem for path in opened}
    made = [Path(file.path) for stage in stages for file in stage.makes]
    wanted = [path for path in made if path.parent not in (paths.TABLES, paths.FIGURES) or path.stem in names]
    small = [path for path in wanted if path.suffix in SMALL and not path.name.endswith("run.json")]
    for path in [*small, parameters.PARAMS_FILE, *(lock for lock in paths.LOCKS if lock.exists())]:
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, into / path)


def public(record: dict[str, Any]) -> dict[str, Any]:
    """A run.json without the name of the host."""
    return record | {"machine": {key: value for key, value in record["machine"].items() if key != "host"}}


def page(params: Params, records: dict[str, dict[str, Any]], folder: Path) -> Iterator[str]:
    """README.md: what was run, on what, what came out and what each stage cost."""
    newest = max(records.values(), key=lambda record: record["finished"])
    devices = sorted({record["device_name"] for record in records.values() if "device_name" in record})
    machine, versions = newest["machine"], newest["versions"]
    yield f"# {params.scale.name}: {params.scale.note}"
    yield ""
    yield f"Written by `cellar keep` from a run that verifies, commit {newest['commit'][:7]} of its branch; not edited by hand."
    yield f"{', '.join(devices)}; {machine['cores']} cores, {machine['memory_gb']} GB; Python {newest['python']}, PyTorch {versions['torch']}."
    yield f"Make it again: `cp params/{params.scale.name}.yaml params.yaml && {commands(params, folder)}`"
    yield ""
    yield "## What came out"
    yield ""
    for path in sorted((folder / paths.TABLES).glob("*.md")):
        title = files.read_json(path.with_suffix(".json"))["title"]
        yield f"* [{title}]({path.relative_to(folder)})"
    for path in sorted(folder.rglob(f"*{PICTURES}")):
        yield f"\n![{path.stem}]({path.relative_to(folder)})"
    yield from costs(records)


def commands(params: Params, folder: Path) -> str:
    """What makes it: everything params.yaml asks for, then its sweeps that were run, each a target of its own."""
    everything = "snakemake --cores 4"
    sweeps = [path for name in params.sweeps if (folder / (path := paths.TABLES / f"{name}.md")).exists()]
    return f"{everything} && {everything} {' '.join(map(str, sweeps))}" if sweeps else everything


def costs(records: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Seconds and peak memory of every recorded stage, and how often teachers were asked. A stage that was resumed
    counts what its last part took."""
    total = sum(record["seconds"] for record in records.values())
    yield f"\n## What it cost: {total / 60:.1f} minutes in recorded stages\n"
    taught = [record for record in records.values() if "teacher_images_forwarded" in record]
    if taught:
        forwarded, trained = (sum(r[key] for r in taught) for key in ("teacher_images_forwarded", "images_trained"))
        yield f"Teachers saw {forwarded:,} images while {trained:,} were distilled on: {forwarded / trained:.3f} each.\n"
    yield "| stage | device | seconds | peak memory (GB) | images trained on | teacher saw |"
    yield "|:--|:--|--:|--:|--:|--:|"
    for target, record in records.items():
        resumed = record.get("resumed_from_epoch", 0)
        note = f" (went on from epoch {resumed})" if resumed else ""
        # records did not always say the last three
        counts = [record.get(key, "") for key in ("peak_memory_gb", "images_trained", "teacher_images_forwarded")]
        cells = [f"{target}{note}", record.get("device", "cpu"), f"{record['seconds']:.1f}", *map(str, counts)]
        yield f"| {' | '.join(cells)} |"
