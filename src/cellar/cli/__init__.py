"""The command `cellar`: one subcommand for each kind of stage, and those for people: explain, diff, redo, verify, …"""

import argparse
import sys
from collections.abc import Callable

from cellar.cli import commands
from cellar.cli.parser import parser
from cellar.errors import CellarError
from cellar.pipeline.plan import KINDS

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


def main(argv: list[str] | None = None) -> int:
    """Run one command. A user's error is one line on stderr and exit code 1, never a traceback."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in RENAMED:
        print(f"cellar: {words[0]} has a new name: cellar {RENAMED[words[0]]}", file=sys.stderr)
        return 2
    arguments = parser().parse_args(words)
    try:
        return dispatch(arguments)
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


def is_for_memory(error: Exception) -> bool:
    """PyTorch says it by a RuntimeError, in words of its allocators."""
    words = ("out of memory", "allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def dispatch(arguments: argparse.Namespace) -> int:
    values = vars(arguments)
    command = values.pop("command")
    if command in KINDS:
        from cellar.pipeline.run import run

        run(KINDS[command], values["name"], values["study"])
        return 0
    run_command: Callable[..., int] = getattr(commands, command)
    return run_command(**values)
