"""What DVC and matplotlib need of a machine, where a container or a notebook leaves it out. Programs that are started from here get it too."""

import getpass
import os
from pathlib import Path

SITE_CACHE = "DVC_SITE_CACHE_DIR"
DVC_CACHE_OF_SITE = Path("/var/tmp/dvc/repo")  # where DVC notes hashes of files, for all users
OWN_CACHE_OF_SITE = Path(".dvc/tmp/site")


def provide() -> None:
    """Give a name to a user without one, and DVC a folder of this project where it may not write in its own."""
    os.environ["MPLBACKEND"] = "agg"  # by which figures are drawn; a notebook's own may not be installed here
    try:
        getpass.getuser()
    except (KeyError, OSError):  # of Python before and since 3.13
        os.environ["USER"] = f"uid-{os.getuid()}"
    if SITE_CACHE not in os.environ and not may_write(DVC_CACHE_OF_SITE) and OWN_CACHE_OF_SITE.parents[1].is_dir():
        os.environ[SITE_CACHE] = str(OWN_CACHE_OF_SITE.resolve())


def may_write(folder: Path) -> bool:
    """Whether this user may write in a folder, or make it where it is not there."""
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
