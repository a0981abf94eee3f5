"""Files that are whole or absent: every write goes to a temporary name first, then replaces."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from cellar.errors import CellarError, reason


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it becomes `path`, on any error it is removed.

    Raises CellarError when the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise CellarError(f"cannot write {path}: {reason}; free space or mend the folder, then run again") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """JSON as it is kept everywhere: indented, keys in the order given, a final newline."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """An uncompressed .npz. NumPy stamps its members 1980-01-01, so the same arrays give the same bytes."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def write_with(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """For libraries that write to a file object (PNG, safetensors, checkpoints)."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        try:
            write(file)
        except RuntimeError as error:  # PyTorch's, of a disk that is full: the system's own words stand behind it
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def read_json(path: Path) -> Any:
    """Raises CellarError when the file is missing or is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CellarError(f"{path} is not here; build it with: snakemake --cores 4 {path}") from None
    except (ValueError, RecursionError) as error:  # of no JSON, no UTF-8, numbers and nesting without end
        raise CellarError(f"{path} is not JSON ({reason(error)}); remove it and build it again") from None


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz, never unpickled. Raises CellarError when it is missing or broken."""
    try:
        with path.open("rb") as file:
            check_stored(file)
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise CellarError(f"{path} is not here; build it with: snakemake --cores 4 {path}") from None
    except Exception as error:
        raise CellarError(f"{path} cannot be read ({reason(error)}); remove it and build it again") from None


def check_stored(file: IO[bytes]) -> None:
    """Raises ValueError when an archive is packed: write_arrays never does, and a small file could become any size."""
    with zipfile.ZipFile(file) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("it is compressed")
    file.seek(0)


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
