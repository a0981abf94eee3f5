"""What git keeps of the project: commits, files at a commit, what is not committed."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cellar.errors import CellarError
from cellar.pipeline.git import NO_REPOSITORY, ask

MAIN = ("refs/heads/main", "refs/remotes/origin/main")


def git(*arguments: str) -> str:
    """What git says, or "" when it fails or there is no repository. Raises CellarError as `ask` does."""
    done = ask(*arguments)
    return done.stdout.strip() if done.returncode == 0 else ""


def nothing_to_clone() -> str:
    """Why no clone can be made of this folder, and what to do about it; "" where one can."""
    if ask("rev-parse", "--git-dir").returncode:
        return NO_REPOSITORY
    return (
        "" if git("rev-parse", "HEAD") else "nothing is committed here, and a clone needs a commit: git add and commit"
    )


def commit(revision: str) -> str:
    """The full hash of a branch, tag or commit. Raises CellarError when git knows none of that name."""
    if ask("rev-parse", "--git-dir").returncode:
        raise CellarError(NO_REPOSITORY)
    found = "" if revision.startswith("-") else git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if not found:
        raise CellarError(f"git knows no revision {revision!r} here; see: git log --all --oneline")
    return found


def on_main(commit: str) -> bool:
    """Whether a commit is an ancestor of the branch main (of origin/main in a clone without it), or its tip."""
    main = next(filter(None, (git("rev-parse", "--verify", "--quiet", name) for name in MAIN)), "")
    return bool(main and commit) and git("merge-base", commit, main) == commit


def file_at(commit: str, path: Path | str) -> str | None:
    """The text of a file at a commit; None if git has none there."""
    done = subprocess.run(["git", "show", f"{commit}:./{path}"], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def files_at(commit: str, folder: Path) -> list[Path]:
    """Files in a folder and below it at a commit, relative to the project's root."""
    return [Path(line) for line in git("ls-tree", "-r", "--name-only", commit, f"{folder}/").splitlines()]


def blobs_at(commit: str, path: str) -> dict[str, str]:
    """Files at or below a path at a commit -> the hash of their content, as git names it."""
    listed = git("ls-tree", "-r", commit, "--", path).splitlines()
    return {name: meta.split()[2] for meta, name in (line.split("\t") for line in listed)}


def in_git(paths: Iterable[str]) -> set[str]:
    """Those of some files and folders that git keeps, of a folder anything, as the project stands."""
    asked = list(paths)
    kept = git("ls-files", "--", *asked).splitlines() if asked else []
    folders = {str(parent) for path in kept for parent in Path(path).parents}
    return {path for path in asked if path in folders or path in kept}


def origin() -> str:
    """Where the project can be cloned from, without a password that someone may have put into the address."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", git("config", "--get", "remote.origin.url")) or "."


def uncommitted(*folders: str) -> dict[str, str]:
    """Python files of folders that are not as in the last commit -> changed, new or deleted."""
    words = {"?": "new", "A": "new", "D": "deleted"}
    lines = git("status", "--porcelain", "--untracked-files=all", "--no-renames", "--", *folders).splitlines()
    # git() strips the text, and with it the first line's first blank
    marked = [line.split(maxsplit=1) for line in lines if line.endswith(".py")]
    return {path: words.get(mark[0], "changed") for mark, path in marked}
