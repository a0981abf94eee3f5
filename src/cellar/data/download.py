"""Published files to their place: by address and checksum, through torchvision or Kaggle, or a word on what else to do."""

import hashlib
import os
import shutil
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import requests

from cellar.config import Published, Source
from cellar.data.unpack import MAX_BYTES, is_archive, unpack
from cellar.data.whole_folder import replacing
from cellar.errors import CellarError, printable
from cellar.errors import reason as why

Say = Callable[[str], None]
ATTEMPTS = 3  # times a cut connection is taken up again before giving up
CHUNK = 1 << 16  # what a cut connection can lose at most
TIMEOUT = (15, 60)  # seconds: to connect, between two pieces
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
COMPETITION = "competitions/"


def download(source: Source, destination: Path, say: Say = print) -> bool:
    """Bring the files of `source` into the folder `destination`; False when something is there already.

    Archives are unpacked. An interrupted download goes on where it stopped at the next call. Raises
    CellarError when it cannot be had this way, was cut again and again, or has another checksum.
    """
    if source.manual is not None:
        text = " ".join(source.manual.split()).rstrip(".")
        raise CellarError(f"this data set cannot be downloaded by a program: {text}; put it in {destination}")
    if source.synthetic is not None:
        raise CellarError(
            f"{destination} is synthetic and not downloaded: the pipeline makes it (stage make_synthetic) when it is needed"
        )
    if destination.exists() and (destination.is_file() or any(destination.iterdir())):
        say(f"{destination} is here already; nothing to do (remove it to get it again)")
        return False
    if source.kaggle is not None:
        fetch_from_kaggle(source.kaggle, destination, say)
    elif source.torchvision is not None:
        fetch_from_torchvision(source.torchvision, destination, say)
    elif source.url is not None and source.sha256 is not None:
        fetch_from_web(source.url, f"sha256:{source.sha256}", destination, say)
    return True


def fetch_from_web(url: str, checksum: str, destination: Path, say: Say) -> None:
    """Download to <destination>.part, check it against `checksum` (algorithm:digest), and put its contents in place."""
    part = destination.with_name(f"{destination.name}.part")
    fetch(url, part, say)
    check_sum(part, checksum, url)
    with replacing(destination) as folder:
        if is_archive(part):
            say(f"unpacking into {destination}")
            unpack(part, folder)
        else:
            shutil.copyfile(part, folder / file_name(url))
    part.unlink()
    say(f"{destination} is here, checksum right")


def download_weights(published: Published, say: Say = print) -> bool:
    """Bring the file of weights to its `path`; False when it is there already. Raises CellarError like `download`."""
    path = Path(published.path)
    if path.exists():
        say(f"{path} is here already; nothing to do (remove it to get it again)")
        return False
    if published.url is None or published.sha256 is None:
        text = " ".join(str(published.manual).split()).rstrip(".")
        raise CellarError(f"{path} cannot be downloaded by a program: {text}; put it in {path.parent}")
    part = path.with_name(f"{path.name}.part")
    fetch(published.url, part, say)
    check_sum(part, f"sha256:{published.sha256}", published.url)
    part.rename(path)
    say(f"{path} is here, checksum right")
    return True


def file_name(url: str) -> str:
    return Path(unquote(urlsplit(url).path)).name or "data"


def fetch(url: str, part: Path, say: Say) -> None:
    """Download `url` to `part`, going on from what `part` holds, taking up a cut connection."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return fetch_rest(url, part, say)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            reason = type(error).__name__
            say(f"{url}: connection lost ({reason}), attempt {attempt} of {ATTEMPTS}")
        except requests.RequestException as error:
            raise CellarError(f"{url} cannot be downloaded ({why(error)}); check the address in params.yaml") from None
        except OSError as error:
            raise CellarError(f"cannot write {part}: {error.strerror}; free space, then run again") from None
    raise CellarError(f"{url}: no connection after {ATTEMPTS} attempts ({reason}); run again, it goes on from {part}")


def fetch_rest(url: str, part: Path, say: Say) -> None:
    """One request for what is still missing; starts over when the server does not go on where asked."""
    check_address(url)
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    hooks = {"response": check_redirect}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT, hooks=hooks) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing, or `part` is another file: the checksum tells
        response.raise_for_status()
        goes_on = response.status_code == HTTPStatus.PARTIAL_CONTENT
        goes_on = goes_on and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        start = have if goes_on else 0
        length = response.headers.get("Content-Length", "")
        total = start + (int(length) if length.isdecimal() else 0)
        save_stream(response, part, start, total, say)


def save_stream(response: requests.Response, part: Path, start: int, total: int, say: Say) -> None:
    """Append to `part` from byte `start` (0: anew), saying how far at every tenth."""
    done, tenths = start, 0
    say(f"{response.url}: {'going on at' if start else 'starting,'} {(start or total) / 1e6:.1f} MB")
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab" if start else "wb") as file:
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            done += len(chunk)
            if done > MAX_BYTES:
                raise CellarError(f"{response.url} sends more than any data set named here has; remove {part}")
            if total and done * 10 // total > tenths:
                tenths = done * 10 // total
                say(f"{done / 1e6:.1f} of {total / 1e6:.1f} MB")


def check_redirect(response: requests.Response, **_: object) -> None:
    """Before a redirect is followed: nothing is asked of an address that may not be."""
    if response.is_redirect:
        check_address(response.headers["location"], response.url)


def check_address(url: str, base: str = "") -> None:
    """https everywhere, http to this machine only, also after a redirect, whose `url` may be relative to `base`."""
    try:
        address = urlsplit(urljoin(base, url))
    except ValueError:
        raise CellarError(f"{printable(url)} is no address; give an https address in params.yaml") from None
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise CellarError(f"{printable(url)} is not https; give an https address in params.yaml")


def check_sum(part: Path, checksum: str, url: str) -> None:
    """Raises CellarError, and removes the file, when its `checksum` (algorithm:digest) is another.

    Of a digest that is shorter than the algorithm's the first digits are compared.
    """
    if not part.exists():
        raise CellarError(f"{url} gave nothing; check the address in params.yaml")
    algorithm, expected = checksum.split(":")
    with part.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if not found.startswith(expected):
        part.unlink()
        raise CellarError(
            f"{url} has {algorithm} {found}, expected {expected}; removed: run again, or mend its source in params.yaml"
        )


def fetch_from_torchvision(name: str, destination: Path, say: Say) -> None:
    """`name`: a set whose address and md5 torchvision knows. Raises CellarError for a name unlike CIFAR100."""
    if name != "CIFAR100":
        raise CellarError(f"torchvision's {name} cannot be downloaded here, only CIFAR100; mend source in params.yaml")
    from torchvision.datasets import CIFAR100  # seconds to import, and needed by few

    fetch_from_web(CIFAR100.url, f"md5:{CIFAR100.tgz_md5}", destination, say)


def has_kaggle_credentials() -> bool:
    """Whether kagglehub would find a user: in the environment or in Kaggle's own folder."""
    folder = Path(os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle")
    in_environment = os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")
    return bool(
        in_environment
        or os.environ.get("KAGGLE_API_TOKEN")
        or any((folder / n).is_file() for n in ("kaggle.json", "access_token"))
    )


def fetch_from_kaggle(handle: str, destination: Path, say: Say) -> None:
    """`handle`: owner/dataset, or competitions/<name>, through kagglehub, with the user's own account."""
    page = f"https://www.kaggle.com/{'' if handle.startswith(COMPETITION) else 'datasets/'}{handle}"
    if not has_kaggle_credentials():
        raise CellarError(
            f"{page} needs a Kaggle account: put its token in ~/.kaggle/kaggle.json (Settings, API), or "
            f"download the archive from that page and unpack it in {destination}"
        )
    say(f"asking Kaggle for {handle}")
    cached = kaggle_cache(handle, page, destination)
    with replacing(destination) as folder:
        shutil.copytree(cached, folder, dirs_exist_ok=True)
        for archive in [entry for entry in folder.iterdir() if entry.is_file() and is_archive(entry)]:
            unpack(archive, folder)  # the competition's csv comes in a fer2013.tar.gz
    say(f"{destination} is here")


def kaggle_cache(handle: str, page: str, destination: Path) -> Path:
    """Where kagglehub keeps the files, downloaded now if they were not there."""
    import kagglehub  # seconds to import, and needed by few

    try:
        if handle.startswith(COMPETITION):
            return Path(kagglehub.competition_download(handle.removeprefix(COMPETITION)))
        return Path(kagglehub.dataset_download(handle))
    except Exception as error:  # kagglehub raises its own, requests' and plain ones
        raise CellarError(
            f"Kaggle did not give {handle} ({why(error)}); get it from {page} and unpack it in {destination}"
        ) from None
