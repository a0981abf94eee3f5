"""The command `cellar`: a subcommand for each kind of stage, and explain, diff, redo, verify …"""

import argparse
import io
import os
import sys
from collections.abc import Callable

from cellar.cli import commands
from cellar.errors import CellarError, one_line
from cellar.pipeline import surroundings
from cellar.pipeline.plan import KINDS

AddCommand = Callable[..., argparse.ArgumentParser]

RENAMED = {  # a command of an earlier version -> what to type now
    **dict.fromkeys(("draw_faces", "draw_objects", "draw_identities"), "make_synthetic DATASET"),
    **dict.fromkeys(("train_siamese", "meta_train"), "train_student EXPERIMENT/seed-N --study STUDY"),
    "pretrain_student": "distill_student EXPERIMENT/seed-N --study STUDY",
    **dict.fromkeys(
        ("evaluate_features", "evaluate_triplets", "evaluate_tasks"), "evaluate_student EXPERIMENT/seed-N --study STUDY"
    ),
    "list_code": "resolve",
    "keep": "archive",
}

TRAININGS = ("train_teacher", "train_student", "distill_student", "train_generator")  # the stages with checkpoints
BATCHED = (*TRAININGS, "evaluate_teacher", "evaluate_student", "extract_features", "time_method")  # by a batch_size


def main(argv: list[str] | None = None) -> int:
    """Run one command, and see its output off: a reader that went away (`cellar verify | head`) is no error of ours."""
    code = 0
    try:
        try:
            code = run(sys.argv[1:] if argv is None else argv)
        finally:
            if sys.stdout:
                sys.stdout.flush()
        return code
    except BrokenPipeError:
        code = 141
    except OSError as error:
        if not code:
            print(
                f"cellar: the output cannot be written: {error.strerror or error}; nothing else failed", file=sys.stderr
            )
        code = code or 1
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still holds
    return code


def run(words: list[str]) -> int:
    """A user's error is one line on stderr and exit code 1, never a traceback."""
    if words and words[0] in RENAMED:
        print(f"cellar: {words[0]} has a new name: cellar {RENAMED[words[0]]}", file=sys.stderr)
        return 2
    arguments = parser().parse_args(words)
    command: str = arguments.command
    if command not in KINDS:  # a stage has them of DVC's process
        surroundings.provide()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal without ü shows \xfc
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return dispatch(arguments)
    except CellarError as error:
        print(f"cellar: {one_line(str(error))}", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if not is_for_memory(error):
            raise
        lower = "lower batch_size in params.yaml, or " if command in BATCHED else ""
        print(f"cellar: out of memory; {lower}free memory, then run again", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        print(
            f"cellar: {error.filename or 'its output'}: {error.strerror or error}; mend that, then run again",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        resumed = "the same command goes on from the last checkpoint"
        print(
            f"cellar: interrupted; {resumed if command in TRAININGS else 'run the same command again'}", file=sys.stderr
        )
        return 130


def is_for_memory(error: Exception) -> bool:
    """PyTorch says it by a RuntimeError, in words of its allocators."""
    words = ("out of memory", "allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def dispatch(arguments: argparse.Namespace) -> int:
    values = vars(arguments)
    command = values.pop("command")
    if command in KINDS:
        from cellar.pipeline.run import run as run_stage

        run_stage(KINDS[command], values["name"], values["study"])
        return 0
    run_command: Callable[..., int] = getattr(commands, command)
    return run_command(**values)


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="cellar", description="Regenerates every table cell of knowledge-distillation studies."
    )
    add = root.add_subparsers(dest="command", required=True, metavar="COMMAND").add_parser
    for add_group in (add_stages, add_provenance, add_storage, add_project, add_reports, add_use):
        add_group(add)
    return root


def add_stages(add: AddCommand) -> None:
    for kind in KINDS.values():
        stage = add(kind.name, help=f"the stage {kind.name}, as snakemake and dvc run it")
        stage.add_argument(
            "name", nargs="?", default="", help="name of the stage without its kind, such as EXPERIMENT/seed-0"
        )
        stage.add_argument("--study", default="", help="the study that the stage belongs to")


def add_provenance(add: AddCommand) -> None:
    explain = add("explain", help="where a table cell comes from, and how to make it again")
    diff = add("diff", help="which inputs changed a table cell between two commits")
    redo = add("redo", help="make a table cell again in a temporary clone, and compare the bytes")
    for command in (explain, diff, redo):
        for name in ("table", "row", "column"):
            command.add_argument(name)
    for name in ("old", "new"):
        diff.add_argument(name, metavar=name.upper(), help="a branch, tag or commit")
    for command in (explain, diff):
        command.add_argument("--json", action="store_true", help="the same as JSON")
    verify = add("verify", help="check that tables, metrics, predictions, weights and data agree")
    verify.add_argument("table", nargs="?", help="a table, or an archived run: runs/NAME; runs for all of them")
    for name in ("row", "column"):
        verify.add_argument(name, nargs="?")
    verify.add_argument("--complete", action="store_true", help="count missing files as problems")


def add_storage(add: AddCommand) -> None:
    fsck = add("fsck", help="compare the bytes in DVC's cache, or on a remote, with their names")
    fsck.add_argument("--remote", metavar="NAME", help="a remote instead of the cache")
    fsck.add_argument(
        "--remove", action="store_true", help="remove corrupt objects, so that intact ones can take their place"
    )
    for name, way in (("push", "to"), ("pull", "from")):
        share = add(name, help=f"dvc {name}, and the records of the runs, {way} a remote")
        share.add_argument("--remote", metavar="NAME", help="a remote other than the default")


def add_project(add: AddCommand) -> None:
    doctor = add("doctor", help="check this machine: what it has, what the run needs, what to do next")
    doctor.add_argument("--json", action="store_true", help="the same as JSON")
    download = add(
        "download", help="download the raw files of a data set, or published weights, where that is possible"
    )
    download.add_argument("name")
    use = add("use", help="compose params.yaml from the files in studies/*/params")
    use.add_argument("names", nargs="+", metavar="NAME", help="sample, or STUDY/NAME for one study alone")
    use.add_argument("--force", action="store_true", help="overwrite edits made since the last composition")
    use.add_argument(
        "--finished", action="store_true", help="only the lines and seeds whose runs are finished, to archive them"
    )
    plan = add("plan", help="rewrite the dvc.yaml files that are out of date with params.yaml")
    plan.add_argument("--sweeps", action="store_true", help="also write the pipeline files of sweeps")
    plan.add_argument("--check", action="store_true", help="only report whether they are up to date")
    schema = add("schema", help="write the JSON schemas by which editors complete and check params.yaml")
    schema.add_argument("--check", action="store_true", help="only report whether they are up to date")


def add_reports(add: AddCommand) -> None:
    archive = add("archive", help="write a run on real data to runs/NAME, in reduced form")
    archive.add_argument("name", nargs="?", metavar="NAME", help="the name of the scale if none is given")
    add("findings", help="write docs/findings.md: its numbers from the tables of runs/")
    add("report", help="write results/report.html: tables, figures, costs and chains on one page")
    crate = add("crate", help="write the run as a Workflow Run RO-Crate")
    crate.add_argument("folder", nargs="?", metavar="DIR", help="results/crate if none is named")


def add_use(add: AddCommand) -> None:
    predict = add("predict", help="find the faces in images and video, and what a student says of each (docs/using.md)")
    predict.add_argument("model", metavar="MODEL", help="the .onnx file of a student")
    predict.add_argument("paths", nargs="+", metavar="PATH", help="an image, a folder, a video, or a camera's number")
    predict.add_argument(
        "--output", default="predictions.csv", metavar="FILE", help="the CSV; predictions.csv if none is named"
    )
    predict.add_argument("--annotate", metavar="DIR", help="also write the pictures with boxes, into this folder")
    predict.add_argument("--threads", type=count, default=2, metavar="N", help="of the detector; 2 if none are given")
    timeline = add("timeline", help="show what a student says of a person's face over a video, on one page")
    timeline.add_argument("video", metavar="VIDEO")
    timeline.add_argument("--model", required=True, metavar="MODEL", help="the .onnx file of a student")
    timeline.add_argument("--events", metavar="FILE", help="a CSV of tasks and events: start, name, end, class")
    timeline.add_argument(
        "--output", metavar="FILE", help="the page; VIDEO's name with .timeline.html if none is named"
    )
    timeline.add_argument("--smoothing", type=seconds, default=1.0, metavar="SECONDS", help="that are averaged over; 1")
    timeline.add_argument(
        "--window", type=seconds, default=2.0, metavar="SECONDS", help="between moment and annotation; 2"
    )
    timeline.add_argument("--threads", type=count, default=2, metavar="N", help="of the detector; 2 if none are given")


def seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
