"""Git as a command. What it refuses altogether is passed on; what it does not find is for callers to judge."""

import subprocess
from subprocess import CompletedProcess

from cellar.errors import CellarError, printable

NO_REPOSITORY = (
    "this folder is no git repository, as after the download of a zip, and DVC needs one; clone the project instead, "
    "or make it one: git init && git add --all && git commit --message start"
)
EXCEPTION = (
    "safe.directory"  # the setting by which git takes a checkout of another user; in its refusal in any language
)


def ask(*arguments: str) -> CompletedProcess[str]:
    """Run git. Raises CellarError where there is none, or where it refuses the checkout of another user."""
    command = ["git", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError as error:
        why = error.strerror
        raise CellarError(f"git cannot be started ({why}); install it, or put its folder into PATH") from None
    if done.returncode and EXCEPTION in done.stderr:
        raise CellarError(f"git: {refusal(done.stderr)}")
    return done


def refusal(said: str) -> str:
    """Git's first line, and the command that it proposes: it has those two between other words."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    remedy = next((line for line in lines if line.startswith("git config")), "see: git status")
    return f"{printable(lines[0].removeprefix('fatal: '), 300)}; {printable(remedy, 300)}"


def check() -> None:
    """Raises CellarError where git is not there, or refuses this folder, whose commit a record could then not name."""
    ask("rev-parse", "--git-dir")
