"""A project in a folder of its own needs the methods and networks that it names: their files are read, not only imported."""

from pathlib import Path

from tests.conftest import ROOT


def link_code() -> None:
    """Methods and networks into a src/cellar that is the current folder's own."""
    Path("src/cellar").mkdir(parents=True, exist_ok=True)
    for name in ("methods", "models"):
        Path("src/cellar", name).symlink_to(ROOT / "src/cellar" / name)


def link_package() -> None:
    """All of src/cellar, as the code that runs; nothing may be written there."""
    Path("src").mkdir()
    Path("src/cellar").symlink_to(ROOT / "src/cellar")
