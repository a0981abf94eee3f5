"""Containers run as users that the system does not know, on disks that they may not write everywhere."""

import getpass
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from cellar.doctor import repository
from cellar.pipeline import surroundings
from tests.conftest import ROOT

NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


@pytest.fixture(autouse=True)
def put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """provide() sets it."""
    monkeypatch.setenv("MPLBACKEND", "agg")


def unknown(uid: int) -> None:
    raise KeyError(f"getpwuid(): uid not found: {uid}")


@pytest.fixture
def nameless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of whom neither the system nor the environment knows a name or a home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in (*NAMES, "HOME"):
        monkeypatch.setenv(name, "")  # so that it is put back whatever provide() sets
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("nameless")
def test_a_user_without_a_name_gets_one() -> None:
    with pytest.raises((KeyError, OSError)):
        getpass.getuser()
    surroundings.provide()
    assert getpass.getuser() == f"uid-{os.getuid()}"


@pytest.mark.usefixtures("nameless")
def test_the_doctor_names_a_home_that_is_not_there() -> None:
    found = {finding.topic: finding for finding in repository.examine()}
    assert found["home"].state == "bad"
    assert found["home"].do.startswith("export HOME=")


def test_dvc_gets_a_folder_where_it_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(surroundings.SITE_CACHE, "")
    monkeypatch.delenv(surroundings.SITE_CACHE)
    Path(".dvc").mkdir()
    Path("file").touch()
    monkeypatch.setattr(surroundings, "DVC_CACHE_OF_SITE", tmp_path / "new/repo")
    surroundings.provide()
    assert surroundings.SITE_CACHE not in os.environ
    monkeypatch.setattr(surroundings, "DVC_CACHE_OF_SITE", tmp_path / "file/dvc/repo")
    surroundings.provide()
    assert os.environ[surroundings.SITE_CACHE] == str(tmp_path / ".dvc/tmp/site")


def test_the_backend_of_a_notebook_stops_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://not_installed.backend")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    code = (
        "from cellar.pipeline import surroundings as s; s.provide(); import matplotlib; print(matplotlib.get_backend())"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.strip().lower() == "agg", done.stderr


def test_a_folder_of_the_users_own_choice_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".dvc").mkdir()
    monkeypatch.setenv(surroundings.SITE_CACHE, "/mine")
    monkeypatch.setattr(surroundings, "DVC_CACHE_OF_SITE", Path("/dev/null/repo"))
    surroundings.provide()
    assert os.environ[surroundings.SITE_CACHE] == "/mine"
