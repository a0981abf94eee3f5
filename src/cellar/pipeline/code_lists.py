"""Which source files a stage's code consists of: results/code/<stage>.txt, lines that `md5sum --check` reads.

A stage depends on its list, so that a change re-runs what it can change and no more. DVC writes all of dvc.lock anew for
every stage that it runs; with the files themselves in it, 25 a stage, that took longer than most stages do.
"""

from functools import cache
from pathlib import Path

from cellar import files
from cellar.config import Params
from cellar.pipeline import plan, sources


def texts(params: Params) -> dict[Path, str]:
    """Every list that the stages of params.yaml depend on, those of the sweeps among them."""
    families = [*plan.families(params), *plan.sweep_families(params)]
    return {Path(family.code): text(family.modules) for family in families if family.code}


def text(modules: tuple[str, ...]) -> str:
    return "".join(f"{md5(path)}  {path}\n" for path in sources.modules_of(*modules))


@cache
def md5(path: str) -> str:
    return files.hash_file(sources.ROOT / path, "md5")


def outdated(params: Params) -> list[Path]:
    """The lists that do not say what the source files say."""
    return [path for path, lines in texts(params).items() if not path.exists() or path.read_text() != lines]


def write(params: Params) -> None:
    for path, lines in texts(params).items():
        files.write_text(path, lines)
