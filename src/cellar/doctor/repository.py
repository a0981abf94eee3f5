"""Whether git, Snakemake and this user may work in this folder."""

from collections.abc import Iterator
from pathlib import Path

from cellar.doctor.finding import Finding
from cellar.errors import CellarError
from cellar.pipeline import git
from cellar.pipeline.surroundings import may_write


def examine() -> Iterator[Finding]:
    """What is in the way; nothing where all is well."""
    yield from home()
    if not may_write(Path.cwd()):
        yield Finding("bad", "folder", "this user may not write in it", "clone the project into a folder of your own")
    try:
        asked = git.ask("rev-parse", "--is-shallow-repository")
    except CellarError as error:
        what, _, do = str(error).rpartition("; ")
        yield Finding("bad", "git", what, do)
        return
    if asked.returncode:
        what, _, do = git.NO_REPOSITORY.rpartition("; ")
        yield Finding("bad", "git", what, do)
    elif asked.stdout.strip() == "true":
        yield Finding("warn", "git", "a shallow clone: older commits cannot be compared", "git fetch --unshallow")


def home() -> Iterator[Finding]:
    """Snakemake does not begin without a folder for its own files."""
    do = "export HOME=FOLDER, with one that you may write in"
    try:
        folder = Path.home()
    except RuntimeError:  # of a user whom the system does not know
        yield Finding("bad", "home", "this user has no home, and snakemake needs one", do)
        return
    if not may_write(folder):
        yield Finding("bad", "home", f"{folder} may not be written, and snakemake keeps its files there", do)
