"""Small raw sets: drawn once a session, copied for the tests that break them."""

import shutil
from pathlib import Path

import pytest

from cellar.data.synthetic import sample

SIZES = {"train": 84, "validation": 70, "test": 77}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `fer2013`, `csv`, `raf_db`, each in its published layout. Not to be changed."""
    root = tmp_path_factory.mktemp("drawn")
    sample.write_fer2013(root / "fer2013", seed=3, **SIZES)
    sample.write_fer2013_csv(root / "csv", seed=3, **SIZES)
    sample.write_raf_db(root / "raf_db", seed=3, train=120, test=77)
    return root


@pytest.fixture
def fer_folder(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn / "fer2013", tmp_path / "fer2013"))


@pytest.fixture
def fer_csv(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(drawn / "csv" / "fer2013.csv", tmp_path / "fer2013.csv"))


@pytest.fixture
def raf_folder(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn / "raf_db", tmp_path / "raf_db"))
