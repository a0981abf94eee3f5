"""Downloads against a real server on this machine: whole, cut, wrong, hostile."""

import hashlib
import io
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from cellar.config import Published, Source
from cellar.data.download import download, download_weights
from cellar.data.unpack import unpack
from cellar.errors import CellarError


class Server(ThreadingHTTPServer):
    """Serves `content` at every path; cuts the first `cuts` answers in the middle; keeps what was asked."""

    daemon_threads = True
    content = b""
    cuts = 0
    ranges = True
    redirect = ""
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/faces.bin"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """No line on stderr for every request."""

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        if server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        body = server.content[start:]
        self.send_response(server.status if server.status != 200 else 206 if start else 200)
        if start:
            total = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.cuts > 0:
            server.cuts -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


CONTENT = bytes(range(256)) * 4000


def source_of(server: Server, content: bytes | None = None) -> Source:
    digest = hashlib.sha256(server.content if content is None else content).hexdigest()
    return Source(url=server.url, sha256=digest)


def quiet(_: str) -> None:
    """A `download` that says nothing of its progress."""


def left(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_comes_whole(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT
    assert download(source_of(server), tmp_path / "raw" / "faces", quiet)
    assert (tmp_path / "raw" / "faces" / "faces.bin").read_bytes() == CONTENT
    assert left(tmp_path) == ["raw/faces/faces.bin"]


def test_what_is_there_is_left_alone(server: Server, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "mine").write_text("mine")
    said: list[str] = []
    assert not download(source_of(server), tmp_path / "faces", said.append)
    assert server.asked == [] and "here already" in said[0] and left(tmp_path) == ["faces/mine"]


def test_a_cut_connection_is_taken_up_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.content, server.cuts = CONTENT, 1
    download(source_of(server), tmp_path / "faces", quiet)
    assert (tmp_path / "faces" / "faces.bin").read_bytes() == CONTENT
    assert server.asked[0] is None and server.asked[1] is not None and server.asked[1] != "bytes=0-"


def test_a_later_call_goes_on_from_the_part(server: Server, tmp_path: Path) -> None:
    server.content, server.cuts = CONTENT, 3
    with pytest.raises(CellarError, match="run again, it goes on from"):
        download(source_of(server), tmp_path / "faces", quiet)
    part = (tmp_path / "faces.part").stat().st_size
    assert 0 < part < len(CONTENT) and not (tmp_path / "faces").exists()
    download(source_of(server), tmp_path / "faces", quiet)
    assert server.asked[-1] == f"bytes={part}-"
    assert (tmp_path / "faces" / "faces.bin").read_bytes() == CONTENT and left(tmp_path) == ["faces/faces.bin"]


def test_a_server_without_ranges_is_asked_for_all(server: Server, tmp_path: Path) -> None:
    server.content, server.ranges = CONTENT, False
    (tmp_path / "faces.part").write_bytes(CONTENT[:5000])
    download(source_of(server), tmp_path / "faces", quiet)
    assert server.asked == ["bytes=5000-"]
    assert (tmp_path / "faces" / "faces.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("held", [b"", b"other bytes"])
def test_a_wrong_checksum_is_refused_and_removed(server: Server, tmp_path: Path, held: bytes) -> None:
    server.content = CONTENT
    (tmp_path / "faces.part").write_bytes(held)
    with pytest.raises(CellarError, match=f"expected {hashlib.sha256(b'right').hexdigest()}"):
        download(source_of(server, b"right"), tmp_path / "faces", quiet)
    assert left(tmp_path) == []


def test_an_error_of_the_server_is_one_line(server: Server, tmp_path: Path) -> None:
    server.content, server.status = b"gone", 404
    with pytest.raises(CellarError, match="404") as caught:
        download(source_of(server), tmp_path / "faces", quiet)
    assert "\n" not in str(caught.value) and left(tmp_path) == []


def test_nobody_answers(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT
    source = source_of(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(CellarError, match="no connection after 3 attempts"):
        download(source, tmp_path / "faces", quiet)


def test_a_place_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT
    (tmp_path / "file").write_text("a file, no folder")
    with pytest.raises(CellarError, match="cannot write"):
        download(source_of(server), tmp_path / "file" / "faces", quiet)


def test_only_https_from_elsewhere(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CellarError, match="not https"):
        download(Source(url="http://a.example/f.zip", sha256="0" * 64), tmp_path / "faces", quiet)
    with pytest.raises(CellarError, match="not https"):
        download(Source(url=f"file://{tmp_path}/f.zip", sha256="0" * 64), tmp_path / "faces", quiet)


def test_a_redirect_is_followed_on_this_machine(server: Server, tmp_path: Path) -> None:
    with Server() as second:
        thread = threading.Thread(target=second.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        second.content, server.redirect = CONTENT, second.url
        download(source_of(server, CONTENT), tmp_path / "faces", quiet)
        second.shutdown()
        thread.join()
    assert (tmp_path / "faces" / "faces.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "place", ["http://a.example/faces.bin", "ftp://a.example/f", "file:///etc/passwd", "//a.example/f"]
)
def test_a_redirect_away_from_https_is_not_followed(server: Server, tmp_path: Path, place: str) -> None:
    server.redirect = place
    with pytest.raises(CellarError, match="not https"):
        download(source_of(server, CONTENT), tmp_path / "faces", quiet)
    assert server.asked == [None] and left(tmp_path) == []


def test_a_redirect_to_no_address_is_one_line(server: Server, tmp_path: Path) -> None:
    server.redirect = "http://["
    with pytest.raises(CellarError, match="no address"):
        download(source_of(server, CONTENT), tmp_path / "faces", quiet)


def test_a_server_that_sends_without_end_is_cut(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = CONTENT
    monkeypatch.setattr("cellar.data.download.MAX_BYTES", len(CONTENT) - 1)
    with pytest.raises(CellarError, match="sends more"):
        download(source_of(server), tmp_path / "faces", quiet)


def test_an_address_without_a_checksum_is_no_source() -> None:
    with pytest.raises(ValueError, match="only taken with its checksum"):
        Source.model_validate({"url": "https://a.example/f.zip"})


def make_zip(members: dict[str, bytes], link: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        if link:
            info = zipfile.ZipInfo(link)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "../evil")
    return buffer.getvalue()


def make_tar(members: dict[str, bytes], link: str = "", device: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
        if device:
            info = tarfile.TarInfo("device")
            info.type = tarfile.FIFOTYPE
            archive.addfile(info)
    return buffer.getvalue()


def test_of_a_tar_its_bytes_are_taken_and_no_modes_or_owners(tmp_path: Path) -> None:
    archive, folder = tmp_path / "set.tar", tmp_path / "set"
    folder.mkdir()
    with tarfile.open(archive, "w") as members:
        info = tarfile.TarInfo("a.png")
        info.size, info.mode, info.uid = 3, 0o6777, 12345
        members.addfile(info, io.BytesIO(b"png"))
    unpack(archive, folder)
    found = (folder / "a.png").stat()
    assert (folder / "a.png").read_bytes() == b"png"
    assert found.st_uid == tmp_path.stat().st_uid and not found.st_mode & 0o6111


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("top", ["", "set-1.0/"])
def test_archives_are_unpacked(
    server: Server, tmp_path: Path, make: Callable[[dict[str, bytes]], bytes], top: str
) -> None:
    server.content = make({f"{top}train/cat/1.png": b"cat", f"{top}test/cat/2.png": b"cat too"})
    download(source_of(server), tmp_path / "faces", quiet)
    assert left(tmp_path) == ["faces/test/cat/2.png", "faces/train/cat/1.png"]
    assert (tmp_path / "faces/test/cat/2.png").read_bytes() == b"cat too"


HOSTILE = {
    "zip upwards": make_zip({"good": b"x", "../evil": b"x"}),
    "zip deep upwards": make_zip({"a/../../evil": b"x"}),
    "zip absolute": make_zip({"/evil": b"x"}),
    "zip backslash": make_zip({"..\\evil": b"x"}),
    "zip link": make_zip({"good": b"x"}, link="link"),
    "tar upwards": make_tar({"good": b"x", "../evil": b"x"}),
    "tar absolute": make_tar({"/evil": b"x"}),
    "tar link outside": make_tar({"good": b"x"}, link="../../evil"),
    "tar link inside": make_tar({"good": b"x"}, link="good"),
    "tar absolute link": make_tar({"good": b"x"}, link="/evil"),
    "tar device": make_tar({"good": b"x"}, device=True),
    "tar cut short": make_tar({"good": bytes(range(256)) * 400})[:300],
    "zip broken": make_zip({"good": b"right" * 100}).replace(b"right", b"wrong", 1),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives_leave_nothing(server: Server, tmp_path: Path, case: str) -> None:
    server.content = HOSTILE[case]
    inside = tmp_path / "inside"
    with pytest.raises(CellarError, match=r"not unpacked|cannot be unpacked") as caught:
        download(source_of(server), inside / "faces", quiet)
    assert "\n" not in str(caught.value)
    assert [name for name in left(tmp_path) if name != "inside/faces.part"] == []


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_an_archive_that_grows_beyond_reason_is_refused(
    tmp_path: Path, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    archive, folder = tmp_path / "a", tmp_path / "f"
    archive.write_bytes(make({"zeros": bytes(100_000)}))
    folder.mkdir()
    with pytest.raises(CellarError, match="far more"):
        unpack(archive, folder, max_bytes=99_999)
    assert left(folder) == []


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no-kaggle"))


@pytest.mark.usefixtures("no_account")
def test_kaggle_without_an_account_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CellarError) as caught:
        download(Source(kaggle="msambare/fer2013"), tmp_path / "fer2013", quiet)
    message = str(caught.value)
    assert "https://www.kaggle.com/datasets/msambare/fer2013" in message
    assert "kaggle.json" in message and str(tmp_path / "fer2013") in message


@pytest.mark.parametrize(("handle", "inner"), [("a/faces", "train/cat/1.png"), ("competitions/faces", "fer2013.csv")])
@pytest.mark.usefixtures("no_account")
def test_kaggle_with_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handle: str, inner: str) -> None:
    cache = tmp_path / "cache"
    (cache / "train" / "cat").mkdir(parents=True)
    (cache / "train" / "cat" / "1.png").write_bytes(b"cat")
    (cache / "fer2013.tar.gz").write_bytes(make_tar({"fer2013/fer2013.csv": b"csv"}))
    asked: list[str] = []
    kagglehub = ModuleType("kagglehub")
    kagglehub.dataset_download = lambda name: asked.append(name) or str(cache)  # type: ignore[attr-defined]
    kagglehub.competition_download = lambda name: asked.append("c:" + name) or str(cache)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", kagglehub)
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    assert download(Source(kaggle=handle), tmp_path / "raw", quiet)
    assert asked == ["a/faces" if handle == "a/faces" else "c:faces"]
    assert inner in left(tmp_path / "raw")


@pytest.mark.usefixtures("no_account")
def test_kaggle_that_refuses_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> str:
        raise RuntimeError("403\nForbidden")

    kagglehub = ModuleType("kagglehub")
    kagglehub.dataset_download = refuse  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", kagglehub)
    monkeypatch.setenv("KAGGLE_API_TOKEN", "secret")
    with pytest.raises(CellarError, match=r"did not give a/faces \(403 Forbidden\)"):
        download(Source(kaggle="a/faces"), tmp_path / "raw", quiet)


def test_what_no_program_can_fetch(tmp_path: Path) -> None:
    with pytest.raises(CellarError, match="ask the authors; put it in"):
        download(Source(manual="ask the\nauthors."), tmp_path / "raw", quiet)
    drawn = Source.model_validate({"synthetic": {"seed": 1, "train": 70, "test": 70}})
    with pytest.raises(CellarError, match="make_synthetic"):
        download(drawn, tmp_path / "raw", quiet)


def point_torchvision(monkeypatch: pytest.MonkeyPatch, url: str, content: bytes) -> None:
    from torchvision.datasets import CIFAR100

    monkeypatch.setattr(CIFAR100, "url", url)
    monkeypatch.setattr(CIFAR100, "tgz_md5", hashlib.md5(content).hexdigest())


CIFAR = make_tar({f"cifar-100-python/{name}": name.encode() for name in ("train", "test", "meta")})
FROM_TORCHVISION = Source(torchvision="CIFAR100")


def test_torchvision_names_address_and_checksum(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = CIFAR
    point_torchvision(monkeypatch, server.url, CIFAR)
    assert download(FROM_TORCHVISION, tmp_path / "raw" / "cifar", quiet)
    assert left(tmp_path) == ["raw/cifar/meta", "raw/cifar/test", "raw/cifar/train"]
    assert (tmp_path / "raw" / "cifar" / "train").read_bytes() == b"train"
    said: list[str] = []
    assert not download(FROM_TORCHVISION, tmp_path / "raw" / "cifar", said.append)
    assert "here already" in said[0]


def test_another_archive_than_torchvisions_is_not_taken(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = CIFAR
    point_torchvision(monkeypatch, server.url, b"the published one")
    with pytest.raises(CellarError, match="has md5") as caught:
        download(FROM_TORCHVISION, tmp_path / "cifar", quiet)
    assert server.url in str(caught.value)
    assert left(tmp_path) == []


def test_a_hostile_archive_from_torchvision_leaves_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = HOSTILE["tar upwards"]
    point_torchvision(monkeypatch, server.url, server.content)
    with pytest.raises(CellarError, match="not unpacked"):
        download(FROM_TORCHVISION, tmp_path / "inside" / "cifar", quiet)
    assert left(tmp_path) == ["inside/cifar.part"]


def test_what_torchvision_brought_is_not_downloaded_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cifar.part").write_bytes(CIFAR)  # as after a disk that was full when unpacking
    server.content = CIFAR
    point_torchvision(monkeypatch, server.url, CIFAR)
    assert download(FROM_TORCHVISION, tmp_path / "cifar", quiet)
    assert server.asked == [f"bytes={len(CIFAR)}-"] and left(tmp_path) == ["cifar/meta", "cifar/test", "cifar/train"]


def test_only_one_set_of_torchvision_is_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CIFAR100"):
        Source.model_validate({"torchvision": "CIFAR10"})
    other = Source.model_construct(torchvision="CIFAR10")
    with pytest.raises(CellarError, match="torchvision's CIFAR10 cannot be downloaded here"):
        download(other, tmp_path / "cifar", quiet)


def test_weights_come_to_their_path_by_the_first_digits_of_their_checksum(server: Server, tmp_path: Path) -> None:
    server.content, path = CONTENT, tmp_path / "weights" / "net-1.pth"
    digits = hashlib.sha256(CONTENT).hexdigest()[:8]
    wanted = Published(path=str(path), url=server.url, sha256=digits)
    assert download_weights(wanted, quiet) and path.read_bytes() == CONTENT
    assert not download_weights(wanted, quiet) and len(server.asked) == 1


def test_other_weights_are_refused_and_removed(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT
    wanted = Published(path=str(tmp_path / "net.pth"), url=server.url, sha256="0123456789")
    with pytest.raises(CellarError, match="expected 0123456789; removed"):
        download_weights(wanted, quiet)
    assert left(tmp_path) == []


def test_weights_that_no_program_can_fetch(tmp_path: Path) -> None:
    wanted = Published(path=str(tmp_path / "net.pkl"), manual="ask the\nauthors.")
    with pytest.raises(CellarError, match=rf"ask the authors; put it in {tmp_path}$"):
        download_weights(wanted, quiet)
