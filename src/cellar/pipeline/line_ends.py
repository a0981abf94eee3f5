"""Line ends of Windows in a checkout of files that git keeps without: each hash differs from the locks, though nothing was
changed. (.gitattributes prevents it in a new clone.)"""

import subprocess

from cellar.errors import CellarError

FOLDERS = ("src", "studies", "results", "params.yaml", "dvc.yaml", "dvc.lock")
REMEDY = "commit or stash your changes, then: git rm -r --quiet --cached . && git reset --quiet --hard"


def converted() -> list[str]:
    """The files, as git tells them; none where git does not answer."""
    done = subprocess.run(
        ["git", "ls-files", "--eol", "--", *FOLDERS], capture_output=True, text=True, errors="replace", check=False
    )
    lines = (line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)
    return [path for marks, path in lines if marks.startswith("i/lf") and marks.split()[1] in ("w/crlf", "w/mixed")]


def words(paths: list[str]) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}: line ends of Windows (CRLF) here, none in git, so nothing agrees with dvc.lock"


def check() -> None:
    """Raises CellarError if there are any."""
    if found := converted():
        raise CellarError(f"{words(found)}; {REMEDY}")
