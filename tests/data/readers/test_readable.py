"""What can neither be read nor hashed is named before anything is computed, with what to do about it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cellar.data.readers import readable
from cellar.errors import CellarError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """root/train/a/1.png, and a folder beside root."""
    (tmp_path / "root/train/a").mkdir(parents=True)
    (tmp_path / "root/train/a/1.png").write_bytes(b"1")
    (tmp_path / "beside").mkdir()
    return tmp_path / "root"


def refused(folder: Path) -> str:
    with pytest.raises(CellarError) as error:
        readable.check(folder)
    said = str(error.value)
    said.encode("utf-8")  # any terminal and any log takes it
    assert "\n" not in said
    return said.replace(f"{folder}", "root")


def latin_1(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/train/caf\xe9")).mkdir()


def latin_1_file(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/train/a/caf\xe9.png")).touch()


FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (latin_1, r"root/train/caf\xe9 has a name that is not UTF-8; rename it"),
    (latin_1_file, r"root/train/a/caf\xe9.png has a name that is not UTF-8; rename it"),
    (
        lambda root: (root / "train/a/x.png").symlink_to("/not/mounted/x.png"),
        "root/train/a/x.png is a link to /not/mounted/x.png, which is not here; put the file there, or mount its disk",
    ),
    (
        lambda root: (root / "train/a/x.png").symlink_to("../../../.git/annex/objects/x.png"),
        "root/train/a/x.png is a link to ../../../.git/annex/objects/x.png, which is not here; fetch it: git annex get",
    ),
    (
        lambda root: (root / "train/a/x.png").symlink_to("x.png"),
        "root/train/a/x.png cannot be read (Too many levels of symbolic links); mend or remove it",
    ),
    (
        lambda root: (root / "train/b").symlink_to("../../beside"),
        "root/train/b is a link to a folder, whose files DVC does not hash; put the folder itself there",
    ),
    (
        lambda root: (root / "train/up").symlink_to(".."),
        "root/train/up is a link to a folder, whose files DVC does not hash; put the folder itself there",
    ),
    (
        lambda root: os.mkfifo(root / "train/a/pipe.png"),
        "root/train/a/pipe.png is neither a file nor a folder; take it out",
    ),
    (
        lambda root: (root / "train/.dvcignore").touch(),
        "root/train/.dvcignore is inside a folder that DVC hashes, where DVC allows none; take it out",
    ),
    (
        lambda root: (root / "train/a/new\nline.png").symlink_to("x"),
        r"root/train/a/new\x0aline.png is a link to x, which is not here; put the file there, or mount its disk",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), FAULTS)
def test_a_file_that_cannot_be_hashed_is_named(folder: Path, spoil: Callable[[Path], object], said: str) -> None:
    assert readable.check(folder)
    spoil(folder)
    assert refused(folder).startswith(said)


def test_what_is_usual_passes(folder: Path) -> None:
    (folder / "train/café ü 图 a'b").mkdir()
    (folder / "train/a/2.png").symlink_to("1.png")
    (folder / ".git").mkdir()
    (folder / ".git/gone").symlink_to("/nowhere")  # which DVC passes over
    folder.with_name("linked").symlink_to(folder)
    assert readable.check(folder)
    assert readable.check(folder.with_name("linked"))
    assert readable.check(folder / "train/a/1.png")
    assert readable.check(folder / "not there")


def test_a_root_that_leads_nowhere_is_named(folder: Path) -> None:
    folder.with_name("linked").symlink_to("gone")
    with pytest.raises(CellarError, match="linked is a link to gone, which is not here"):
        readable.check(folder.with_name("linked"))


def test_it_ends_with_its_time(folder: Path) -> None:
    latin_1(folder)
    assert not readable.check(folder, seconds=-1)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["train/a", "train/a/1.png"])
def test_what_this_user_may_not_read_is_named(folder: Path, name: str) -> None:
    mode = (folder / name).stat().st_mode
    (folder / name).chmod(0)
    said = refused(folder)
    (folder / name).chmod(mode)
    assert re.match(rf"root/{name} may not be read by this user; allow it: chmod -R u\+rX ", said)
