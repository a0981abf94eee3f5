"""The command `cellar`: one subcommand a stage, and explain, diff, redo, verify, fsck, doctor, download, archive,
findings, report, crate, plan."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from cellar import paths
from cellar.errors import CellarError

STAGES = {  # stage -> the names it takes; a stage with --seed ends in one
    "draw_faces": ["dataset"],
    "draw_objects": ["dataset"],
    "draw_identities": ["dataset"],
    "prepare": ["dataset"],
    "audit": ["dataset"],
    "train_teacher": ["teacher", "--seed"],
    "import_teacher": ["teacher", "--seed"],
    "train_student": ["experiment", "--seed"],
    "distill_student": ["experiment", "--seed"],
    "pretrain_student": ["experiment", "--seed"],
    "train_siamese": ["experiment", "--seed"],
    "meta_train": ["experiment", "--seed"],
    "train_generator": ["generator", "--seed"],
    "generate_faces": ["faces"],
    "extract_features": ["faces", "teacher"],
    "extract_parts": ["teacher"],
    "evaluate_teacher": ["teacher", "--seed"],
    "evaluate_student": ["experiment", "--seed"],
    "evaluate_features": ["experiment", "--seed"],
    "evaluate_triplets": ["experiment", "--seed"],
    "evaluate_tasks": ["experiment", "--seed"],
    "list_code": [],
    "count_models": [],
    "measure_costs": ["dataset", "model"],
    "tabulate": ["table"],
    "plot": ["figure"],
}


RENAMED = {"keep": "archive"}  # former name of a command -> its name


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="cellar", description="Regenerates every table cell of three knowledge-distillation studies."
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for stage, names in STAGES.items():
        command = commands.add_parser(stage, help=f"the stage {stage}, as snakemake and dvc run it")
        for name in names:
            if name == "--seed":
                command.add_argument(name, type=int, required=True)
            else:
                command.add_argument(name)
    explain = commands.add_parser("explain", help="where a table cell comes from, and how to make it again")
    diff = commands.add_parser("diff", help="which inputs made a table cell move between two commits")
    redo = commands.add_parser("redo", help="make a table cell again in a temporary clone, and compare the bytes")
    for command in (explain, diff, redo):
        for name in ("table", "row", "column"):
            command.add_argument(name)
    for name in ("old", "new"):
        diff.add_argument(name, metavar=name.upper(), help="a branch, tag or commit")
    for command in (explain, diff):
        command.add_argument("--json", action="store_true", help="the same as JSON")
    verify = commands.add_parser("verify", help="prove that tables, metrics, predictions, weights and data agree")
    verify.add_argument("table", nargs="?", help="a table, or an archived run: runs/NAME; runs for all of them")
    for name in ("row", "column"):
        verify.add_argument(name, nargs="?")
    verify.add_argument("--complete", action="store_true", help="artefacts that are not here count as problems")
    fsck = commands.add_parser("fsck", help="compare the bytes in DVC's cache, or on a remote, with their names")
    fsck.add_argument("--remote", metavar="NAME", help="a remote instead of the cache")
    fsck.add_argument(
        "--remove", action="store_true", help="take spoilt objects out, so that whole ones can be put there"
    )
    doctor = commands.add_parser("doctor", help="what this machine has, what the run needs, what to do next")
    doctor.add_argument("--json", action="store_true", help="the same as JSON")
    download = commands.add_parser(
        "download", help="fetch the raw files of a data set, or published weights, where that can be done"
    )
    download.add_argument("name")
    archive = commands.add_parser("archive", help="write a run on real data to runs/NAME, in reduced form")
    archive.add_argument("name", nargs="?", metavar="NAME", help="the name of the scale if none is given")
    commands.add_parser("findings", help="write docs/findings.md: its numbers from the tables of runs/")
    commands.add_parser("report", help="write results/report.html: tables, figures, costs and chains on one page")
    crate = commands.add_parser("crate", help="write the run as a Workflow Run RO-Crate")
    crate.add_argument("folder", nargs="?", metavar="DIR", help="results/crate if none is named")
    plan = commands.add_parser("plan", help="write dvc.yaml anew, after lines of params.yaml came or went")
    plan.add_argument("--sweeps", action="store_true", help="write sweeps/dvc.yaml too")
    plan.add_argument("--check", action="store_true", help="only say whether it is up to date")
    return root


def main(argv: list[str] | None = None) -> int:
    """Run one command. A user's error is one line on stderr and exit code 1, never a traceback."""
    try:
        check_renamed(sys.argv[1:] if argv is None else argv)
        return dispatch(parser().parse_args(argv))
    except CellarError as error:
        print(f"cellar: {error}", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if not is_for_memory(error):
            raise
        print(
            "cellar: out of memory; lower batch_size in params.yaml, or free memory, then run again",
            file=sys.stderr,
        )
        return 1
    except BrokenPipeError:
        raise  # the reader went away: see below
    except OSError as error:
        print(
            f"cellar: {error.filename or 'a file'}: {error.strerror or error}; mend that, then run again",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("cellar: interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130


def check_renamed(argv: list[str]) -> None:
    """A former name of a command answers with its new one."""
    if argv and argv[0] in RENAMED:
        raise CellarError(f"{argv[0]} is now called {RENAMED[argv[0]]}; run: cellar {RENAMED[argv[0]]}")


def is_for_memory(error: Exception) -> bool:
    """PyTorch says it by a RuntimeError, in words of its allocators."""
    words = ("out of memory", "allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def dispatch(arguments: argparse.Namespace) -> int:
    values = vars(arguments)
    command = values.pop("command")
    if command in STAGES:
        check_own_code()
        run: Callable[..., None] = importlib.import_module(f"cellar.pipeline.stages.{command}").run
        run(**values)
        return 0
    own: dict[str, Callable[..., int]] = {
        "explain": explain,
        "diff": diff,
        "redo": redo,
        "verify": verify,
        "fsck": fsck,
        "doctor": doctor,
        "download": download,
        "archive": archive,
        "findings": findings,
        "report": report,
        "crate": crate,
        "plan": plan,
    }
    return own[command](**values)


def check_own_code() -> None:
    """A stage must run the code that dvc.yaml hashes: that of the folder it is started in."""
    here, running = Path("src/cellar").resolve(), Path(__file__).parent.resolve()
    if here != running:
        raise CellarError(
            f"this would run the code in {running}, not in {here}; run `make setup` here and use its .venv"
        )


def explain(table: str, row: str, column: str, json: bool) -> int:
    from cellar.provenance import explain as explaining

    print(explaining.report(table, row, column, as_json=json))
    return 0


def diff(table: str, row: str, column: str, old: str, new: str, json: bool) -> int:
    from cellar.provenance import diff as comparing

    print(comparing.report(table, row, column, old, new, as_json=json))
    return 0


def redo(table: str, row: str, column: str) -> int:
    from cellar.provenance import redo as redoing

    return redoing.report(table, row, column)


def verify(table: str | None, row: str | None, column: str | None, complete: bool) -> int:
    from cellar.provenance import verify as verifying
    from cellar.provenance.archive import verify as verifying_archives

    if table and Path(table).parts[:1] == paths.RUNS.parts:
        if row is not None:
            raise CellarError(f"verify {table} takes no row: an archived run is verified as a whole")
        return verifying_archives.run(Path(table))
    if row is not None and column is None:
        raise CellarError(f"verify {table} {row}: a cell is a row and a column; add the column, or leave out the row")
    return verifying.report(table, complete, row, column)


def fsck(remote: str | None, remove: bool) -> int:
    from cellar.provenance import objects

    return objects.report(remote, remove)


def doctor(json: bool) -> int:
    from cellar import doctor as examining

    return examining.report(as_json=json)


def download(name: str) -> int:
    from cellar import config as params
    from cellar.data import download as downloads

    loaded = params.load()
    if name in loaded.published:
        downloads.download_weights(loaded.published[name])
    else:
        section = loaded.dataset(name)
        downloads.download(section.source, Path(section.path))
    return 0


def findings() -> int:
    from cellar.report.findings import write

    print(write())
    return 0


def archive(name: str | None) -> int:
    from cellar.report import archive as archiving

    folder, incomplete = archiving.archive(name)
    left_out = f"; left out, since runs behind their cells are missing: {', '.join(incomplete)}" if incomplete else ""
    print(f"archived in {folder}{left_out}")
    return 0


def report() -> int:
    from cellar import report as reporting

    print(f"written: {reporting.write()}")
    return 0


def crate(folder: str | None) -> int:
    from cellar.report import crate as crates

    print(f"written: {crates.write(Path(folder)) if folder else crates.write()}")
    return 0


def plan(check: bool, sweeps: bool) -> int:
    from cellar import config as params
    from cellar.pipeline import dvc_yaml

    loaded = params.load()
    changed = dvc_yaml.outdated(loaded, sweeps) if check else dvc_yaml.write(loaded, sweeps)
    for path in changed:
        print(f"{path}: {'out of date; write it anew with: cellar plan' if check else 'written'}")
    return int(check and bool(changed))


if __name__ == "__main__":
    # A closed pipe (cellar explain ... | head) is no error of ours.
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    sys.exit(code)
