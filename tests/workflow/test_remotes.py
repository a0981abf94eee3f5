"""Results on a remote: pushed, lost, pulled; spoilt there, found, mended. Real servers, on this machine."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import servers
from .conftest import FACES, Project
from .servers import Remote

DRAWN = "data/raw/sample/fer2013"
WEIGHTS = f"results/students/{FACES}/fer2013-E1/seed-0/weights.safetensors"


@pytest.fixture(
    params=["folder", *(pytest.param(kind, marks=pytest.mark.long) for kind in servers.KINDS if kind != "folder")]
)
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Remote]:
    scratch = tmp_path / "remote"
    scratch.mkdir()
    with servers.KINDS[request.param](scratch) as found:
        yield found


def use(project: Project, remote: Remote) -> None:
    """The remote, as a person configures it: what is everybody's in the project, what is one's own beside it."""
    project.run("dvc", "remote", "add", "--default", "--force", "shelf", remote.url)
    project.run("dvc", "remote", "modify", "shelf", "verify", "true")
    for name, value in remote.options.items():
        project.run("dvc", "remote", "modify", "--local", "shelf", name, value)


def cloned(project: Project, folder: Path) -> Project:
    """From git alone: no cache, no results but tables and metrics."""
    project.run("git", "clone", "--quiet", str(project.folder), str(folder))
    shutil.copy(project.folder / ".dvc/config.local", folder / ".dvc/config.local")
    return Project(folder)


def object_of(project: Project, path: str) -> Path:
    stages = project.locked().values()
    md5 = next(out["md5"] for stage in stages for out in stage["outs"] if out["path"] == path)
    return named(md5)


def named(md5: str) -> Path:
    return Path("files/md5") / md5[:2] / md5[2:]


def flip_a_byte(path: Path) -> None:
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_pushed_lost_and_pulled_there_is_nothing_to_do_and_a_flipped_byte_is_found_and_mended(
    project: Project, remote: Remote, tmp_path: Path
) -> None:
    (project.folder / ".dvc/config.local").touch()
    use(project, remote)
    project.commit("a shelf")
    project.run("dvc", "push", "--quiet")
    first = cloned(project, tmp_path / "first")
    first.run("dvc", "pull", "--quiet")
    assert first.planned() == {} and first.out_of_date() == set()

    listed = object_of(project, DRAWN)
    member = json.loads((project.folder / ".dvc/cache" / listed).read_text())[0]
    spoilt = [remote.store / object_of(project, WEIGHTS), remote.store / named(member["md5"])]
    for path in spoilt:
        flip_a_byte(path)
    second = cloned(project, tmp_path / "second")
    found = second.run("python", "-m", "cellar", "fsck", "--remote", "shelf", ok=False)
    assert found.returncode == 1
    assert f"of {WEIGHTS}, is spoilt" in found.stdout and " 2 spoilt" in found.stdout
    assert f"of {DRAWN}/{member['relpath']}, is spoilt" in found.stdout
    assert second.run("dvc", "pull", "--quiet", ok=False).returncode != 0
    assert not (second.folder / WEIGHTS).exists()
    taken = second.run("python", "-m", "cellar", "fsck", "--remote", "shelf", "--remove", ok=False)
    if remote.url.startswith("http:"):
        assert taken.stderr.splitlines()[-1].startswith("cellar: remote shelf ") and taken.returncode == 1
        for path in (*spoilt, remote.store / listed):
            path.unlink()  # by whoever may
    assert not [path for path in spoilt if path.exists()]
    project.run("dvc", "push", "--quiet")
    assert " 0 not there, 0 spoilt" in second.run("python", "-m", "cellar", "fsck", "--remote", "shelf").stdout
    second.run("dvc", "pull", "--quiet")
    assert second.planned() == {}


def test_a_server_that_is_away_is_said_in_one_line(project: Project, tmp_path: Path) -> None:
    (project.folder / ".dvc/config.local").touch()
    use(project, Remote(f"webdav://127.0.0.1:{servers.free_port()}/", tmp_path))
    done = project.run("python", "-m", "cellar", "fsck", "--remote", "shelf", ok=False)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith("cellar: remote shelf cannot be read: ")


def test_a_flipped_byte_in_the_cache_is_found_and_mended(project: Project) -> None:
    spoilt = project.folder / ".dvc/cache" / object_of(project, WEIGHTS)
    flip_a_byte(spoilt)
    found = project.run("python", "-m", "cellar", "fsck", ok=False)
    assert found.returncode == 1 and f"of {WEIGHTS}, is spoilt" in found.stdout
    project.run("python", "-m", "cellar", "fsck", "--remove")
    assert not spoilt.exists()
    project.run("dvc", "commit", "--force", "--quiet")
    assert spoilt.exists() and " 0 not there, 0 spoilt" in project.run("python", "-m", "cellar", "fsck").stdout
    assert project.planned() == {}


@pytest.mark.long
def test_a_server_killed_in_the_middle_of_a_push(project: Project, tmp_path: Path) -> None:
    scratch, port = tmp_path / "remote", servers.free_port()
    scratch.mkdir()
    (project.folder / ".dvc/config.local").touch()
    with servers.webdav(scratch, port) as remote:
        use(project, remote)
        pushing = project.start("dvc", "push", "--quiet", "--jobs", "1", stderr=subprocess.PIPE)
        while pushing.poll() is None and not list(remote.store.rglob("files/md5/*/*")):
            time.sleep(0.01)
    assert pushing.communicate(timeout=300) and pushing.returncode != 0
    held = len(list(remote.store.rglob("files/md5/*/*")))
    with servers.webdav(scratch, port):
        project.run("dvc", "push", "--quiet")
        project.run("python", "-m", "cellar", "fsck", "--remote", "shelf", "--remove")  # of what arrived by half
        project.run("dvc", "push", "--quiet")
        checked = project.run("python", "-m", "cellar", "fsck", "--remote", "shelf").stdout
    assert " 0 not there, 0 spoilt" in checked
    assert 0 < held < len(list(remote.store.rglob("files/md5/*/*")))
