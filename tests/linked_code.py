"""A project in a folder of its own needs the methods and networks that it names: their files are read, not only imported."""

from pathlib import Path

from tests.conftest import ROOT


def link_code(*folders: str) -> None:
    """Link folders of src/cellar (methods and models if none is named) into the current folder's."""
    Path("src/cellar").mkdir(parents=True, exist_ok=True)
    for name in folders or ("methods", "models"):
        Path("src/cellar", name).symlink_to(ROOT / "src/cellar" / name)
