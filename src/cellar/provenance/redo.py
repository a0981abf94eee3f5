"""`cellar redo TABLE ROW COLUMN`: one cell made again in a temporary clone, and its bytes compared with those here.

The clone is of the last commit and has a DVC cache of its own, so nothing is taken from what was built before. The
commands are those that `cellar explain` prints, but that the environment is the one at hand.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cellar import files, paths
from cellar.errors import CellarError
from cellar.provenance import artefacts, cell_names, cell_provenance, git, lineage, redo_commands
from cellar.provenance.diff import RUN_KEYS, differing
from cellar.provenance.lineage import File, Lineage, Stage
from cellar.provenance.records import leaves
from cellar.tables.runs import SEVERAL_PROCESSORS

PATIENCE = 10  # seconds for what was interrupted to end by itself
UNJUDGED = ("seconds_per_epoch", "images_per_second")  # times without a spread
MEASURED = ("latency", "peak_memory_mb", "protocol", *UNJUDGED)


def report(table: str, row: str, column: str) -> int:
    """Print what came out; 0 for the same bytes (of timed cells: within the spread, if one is stated), 1 for others."""
    found = cell_names.built_table(table)
    _, head, cell = cell_names.find(found, row, column)
    graph, sources = lineage.load(), cell_provenance.sources_of(cell)
    chain = graph.chain(sources)
    refuse(found["id"], row, column, chain, cell)
    try:
        with clone() as folder:
            others = redo_commands.other_inputs(found["id"], sources, graph)
            bring(redo_commands.external_inputs(chain, graph), folder)
            bring([file for file in others if Path(file.path).exists()], folder)
            commands = redo_commands.building(found["id"], sources, graph)
            run(commands, folder)
            print(f"{head['label']}: was {value(cell)}, {now(found['id'], row, column, commands, folder)}")
            return timed(sources, folder) if cell["kind"] == "timed" else compared(chain, folder)
    except KeyboardInterrupt:
        print("cellar: interrupted; the clone is removed", file=sys.stderr)
        return 130


def refuse(table: str, row: str, column: str, chain: list[Stage], cell: dict[str, Any]) -> None:
    where = f"{table}, {row}, {column}"
    if not chain:
        raise CellarError(f"{where}: nothing to redo, the cell is {cell['kind']}; see: cellar explain")
    if why := git.nothing_to_clone():
        raise CellarError(f"{where}: {why}")
    for training in filter(is_of_several_processors, chain):
        raise CellarError(
            f"{where}: {training.target} was {SEVERAL_PROCESSORS}; compare what another run gives, not its bytes"
        )


def is_of_several_processors(stage: Stage) -> bool:
    """Whether a training's history numbers the types of processor."""
    histories = [Path(file.path) for file in stage.makes if file.path.endswith("history.csv")]
    return any(
        "processor" in path.read_text(encoding="utf-8").partition("\n")[0] for path in histories if path.exists()
    )


def value(cell: dict[str, Any]) -> str:
    return f"{cell['value']} {cell.get('unit') or ''}".strip()


def now(table: str, row: str, column: str, commands: list[str], folder: Path) -> str:
    if "--single-item" not in commands[-1]:
        return "and its table is not made again: its other cells stand on files that are not here"
    again = files.read_json(folder / paths.TABLES / f"{table}.json")
    return f"is {value(cell_names.find(again, row, column)[2])}"


@contextmanager
def clone() -> Iterator[Path]:
    """A clone of the last commit in a temporary folder, removed whatever happens."""
    commit, holder = git.git("rev-parse", "HEAD"), Path(tempfile.mkdtemp(prefix="cellar-redo-"))
    try:
        with ended_by_terminate():
            folder = holder / "project"
            print(f"cloning {commit[:7]} into {folder}", flush=True)
            command(["git", "clone", "--quiet", "--no-checkout", str(Path.cwd()), str(folder)], holder)
            command(["git", "checkout", "--quiet", "--detach", commit], folder)
            own_cache = "[cache]\n    dir = cache\n    type = copy\n"
            files.write_text(folder / ".dvc/config.local", own_cache)
            yield folder
    finally:
        shutil.rmtree(holder, ignore_errors=True)


@contextmanager
def ended_by_terminate() -> Iterator[None]:
    """SIGTERM as Ctrl-C, so that the clone is removed then too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def bring(needed: list[File], folder: Path) -> None:
    """Raw data, published weights and what other cells stand on into the clone, linked where that can be: stages only
    read them."""
    if needed:
        more = f" and {len(needed) - 1} more" if len(needed) > 1 else ""
        print(f"linking {needed[0].path}{more}", flush=True)
    for file in needed:
        here, there = Path(file.path), folder / file.path
        if not here.exists():
            raise CellarError(
                f"{here} does not exist, and no stage makes it; put it there (data/README.md), then run again"
            )
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_dir():
            shutil.copytree(here, there, copy_function=link)
        else:
            link(str(here), str(there))


def link(source: str, target: str) -> str:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)
    return target


def run(commands: list[str], folder: Path) -> None:
    for number, line in enumerate(commands, 1):
        print(f"{number} of {len(commands)}: {line}", flush=True)
        command(["sh", "-c", line], folder)


def command(words: list[str], folder: Path) -> None:
    """Run with this interpreter's tools and the clone's code, in a group of its own so that all of it can be ended."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "SNAKEMAKE", "GIT_"))}
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**own, "PATH": tools, "PYTHONPATH": str(folder / "src")}
    running = subprocess.Popen(words, cwd=folder, env=environment, start_new_session=True)
    try:
        code = running.wait()
    except BaseException:
        end(running)
        raise
    if code:
        shown = words[2] if words[0] == "sh" else " ".join(words)
        raise CellarError(f"{shown} ended with {code} in a clone (see above); nothing of it was kept")


def end(running: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            running.wait(PATIENCE)
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def compared(chain: list[Stage], folder: Path) -> int:
    """Say whether each stage made the same bytes again, and if not, where that began and what was otherwise."""
    made = {stage.target: outputs(stage) for stage in chain}
    again = artefacts.digests([str(folder / path) for files_made in made.values() for path in files_made])
    other: dict[str, list[str]] = {}
    for target, files_made in made.items():
        wrong = [path for path, md5 in files_made.items() if md5_of(again, folder / path) != md5]
        if wrong:
            other[target] = wrong
    total = sum(map(len, made.values()))
    if not other:
        print(f"identical: {total} files")
        return 0
    first = next(stage for stage in reversed(chain) if stage.target in other)
    print(f"different: {sum(map(len, other.values()))} of {total} files, from {first.target} on")
    for path in other[first.target]:
        print(f"  {path}: {made[first.target][path]} here, {md5_of(again, folder / path)} in the clone")
    for cause in causes(first, folder) or ["nothing that is recorded differs: the stage itself does not repeat"]:
        print(f"  cause    {cause}")
    return 1


def outputs(stage: Stage) -> dict[str, str]:
    """What should come out the same."""
    return {file.path: file.md5 for file in stage.makes}


def md5_of(found: dict[str, str], path: Path) -> str | None:
    return found.get(str(path))


def causes(stage: Stage, folder: Path) -> list[str]:
    """What was otherwise when the stage ran here: what its record says, its inputs, what is not committed."""
    found = [
        f"{key}: {then} here, {now} in the clone"
        for key, (then, now) in {**other_run(stage, folder), **other_inputs(stage, folder)}.items()
    ]
    return found + [f"{path}: {how} here, and not committed" for path, how in git.uncommitted("src", "studies").items()]


def other_run(stage: Stage, folder: Path) -> dict[str, list[Any]]:
    """Where the records of the two runs differ, if both are here."""
    again = lineage_of(folder).maker(stage.makes[0].path)
    both = [stage.record, folder / again[0].record] if again else []
    if not both or not all(path.exists() for path in both):
        return {}
    keys = (*RUN_KEYS, "settings", "code")
    return differing(*(leaves({key: record.get(key) for key in keys}) for record in map(files.read_json, both)))


def other_inputs(stage: Stage, folder: Path) -> dict[str, list[Any]]:
    """Code, data and settings as each lock has them."""
    theirs = lineage_of(folder).maker(stage.makes[0].path)
    if theirs is None:
        return {}
    then, now = ({**leaves(one.params), **{file.path: file.md5 for file in one.reads}} for one in (stage, theirs[0]))
    return differing(then, now)


def lineage_of(folder: Path) -> Lineage:
    """The locks of a clone."""
    return lineage.lineage({lock: lineage.read(folder / lock) for lock in paths.pipeline_files("dvc.lock", folder)})


def timed(sources: list[str], folder: Path) -> int:
    """Times are never the same twice: the new medians must lie within the spread that is stated here."""
    code, judged = 0, False
    for path in sources:
        was, now = files.read_json(Path(path)), files.read_json(folder / path)
        for size, old in was.get("latency", {}).items():
            new = now["latency"][size]
            moved, spread = new["median_ms_per_batch"] - old["median_ms_per_batch"], spread_of(old)
            within, judged = abs(moved) <= spread, True
            code |= not within
            print(
                f"  batch {size}: median {moved:+.4g} ms, {'within' if within else 'outside'} the spread of {spread:.4g} ms (95th percentile - median)"
            )
            if not within and spread_of(new) > spread:
                print(
                    f"  cause    batch {size}: its own spread is {spread_of(new):.4g} ms, so other work may have run beside it"
                )
        for key in filter(was.get, UNJUDGED):
            print(f"  {path}: {key} {was[key]} here, {now[key]} in the clone")
        for key, (then, since) in differing(leaves(settings(was)), leaves(settings(now))).items():
            print(f"  cause    {key}: {then} here, {since} in the clone")
        if "peak_memory_mb" in was:
            print(f"  memory {now['peak_memory_mb'] - was['peak_memory_mb']:+.4g} MB; no spread is stated for it")
    verdict = "outside the stated spread" if code else "within the stated spread"
    print(verdict if judged else "no spread is stated for it: not judged")
    return code


def spread_of(latency: dict[str, float]) -> float:
    return latency["p95_ms_per_batch"] - latency["median_ms_per_batch"]


def settings(measured: dict[str, Any]) -> dict[str, Any]:
    """How it was measured, without what was."""
    return {key: value for key, value in measured.items() if key not in MEASURED}
