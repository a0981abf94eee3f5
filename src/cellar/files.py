"""Files that are whole or absent: every write goes to a temporary name first, then replaces."""

import csv
import hashlib
import importlib.util
import json
import math
import os
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, TypeVar, get_args

import numpy as np

from cellar.errors import CellarError, reason

if TYPE_CHECKING:
    from pydantic import BaseModel
    from torch import Tensor

Settings = TypeVar("Settings", bound="BaseModel")


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


def write_csv(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Numbers as CSV, at least one row, the same names in each: six decimals, integers without, empty where it is NaN.

    pandas would take half a second to import, in every training and every evaluation.
    """
    lines = [rows[0], *(map(written, row.values()) for row in rows)]
    write_text(path, "".join(f"{','.join(line)}\n" for line in lines))


def written(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "" if math.isnan(value) else f"{value:.6f}"


def read_csv(path: Path) -> list[dict[str, float]]:
    """The rows of `write_csv`, all values as floats; none of a file that has only names."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [{name: float(value or "nan") for name, value in row.items()} for row in csv.DictReader(lines)]


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """An uncompressed .npz; the same arrays give the same bytes.

    Not np.savez: it asks zipfile for 64-bit sizes, which releases of Python write into a member's header differently.
    """
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # of 1980-01-01
            member.file_size = array.nbytes  # by which zipfile decides whether sizes need 64 bits
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def write_zeros(path: Path, size: int) -> None:
    """A file of `size` zero bytes, its disk space allocated where the system can do that."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        elif size:
            file.truncate(size)


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
        raise CellarError(f"{path} does not exist; build it with: snakemake --cores 4 {path}") from None
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
        raise CellarError(f"{path} does not exist; build it with: snakemake --cores 4 {path}") from None
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


@contextmanager
def unchanged(code: Sequence[Path]) -> Iterator[None]:
    """Raises CellarError at the end if one of these files, or of those in these folders, is no longer as it was."""
    before = hashes_now(code)
    yield
    after = hashes_now(code)
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            raise CellarError(f"{path} was changed while this stage ran; put it back, then run again")


def hashes_now(code: Sequence[Path]) -> dict[Path, str]:
    """Of the files, and of those in the folders, but for hidden ones and what Python compiles."""
    inside = [
        (file, file.relative_to(path).parts) for path in code for file in (path.rglob("*") if path.is_dir() else [path])
    ]
    seen = [file for file, parts in inside if not any(part.startswith((".", "__pycache__")) for part in parts)]
    return {file: hash_file(file) for file in seen if file.is_file()}


def write_tensors(path: Path, state: "Mapping[str, Tensor]", metadata: dict[str, str] | None = None) -> None:
    """A state dict as safetensors. The same values give the same bytes: memory layout and device leave no trace."""
    import safetensors.torch

    plain = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    with atomic(path) as temporary:
        temporary.touch()  # with the mode of any file; safetensors alone would make one that others cannot read
        mode = temporary.stat().st_mode
        try:
            safetensors.torch.save_file(plain, temporary, metadata)  # from the tensors as they are: no copy in memory
        except safetensors.SafetensorError as error:
            raise OSError(str(error)) from error
        temporary.chmod(mode)


def read_tensors(path: Path) -> "dict[str, Tensor]":
    """The tensors of a .safetensors file, on the CPU. Raises CellarError when it is missing or broken."""
    import safetensors.torch

    try:
        return safetensors.torch.load_file(path)
    except FileNotFoundError:
        raise CellarError(f"{path} does not exist; build it with: snakemake --cores 4 {path}") from None
    except Exception as error:  # the errors of broken files have no common type
        raise CellarError(
            f"{path} is broken or no weights file ({reason(error)}); remove it and build it again"
        ) from None


def load_module(path: Path | str) -> ModuleType:
    """A Python file of the project as a module: src/cellar by its name, a file of studies/ by its path.

    Raises CellarError when there is no such file.
    """
    parts = Path(path).with_suffix("").parts
    if parts[:2] == ("src", "cellar"):
        return importlib.import_module(".".join(parts[1:]))
    name = ".".join(parts)
    if name in sys.modules and Path(str(sys.modules[name].__file__)) == Path(path).resolve():
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, Path(path).resolve())
    if spec is None or spec.loader is None or not Path(path).exists():
        raise CellarError(f"{path} does not exist; put it there, or mend the name in params.yaml")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:  # of this file, or of one that it imports
        del sys.modules[name]
        raise CellarError(f"{error.filename}, line {error.lineno}: {error.msg}; mend it, then run again") from None
    return module


def construct(section: type[Settings], data: Mapping[str, Any]) -> Settings:
    """Settings as they stand in a file of ours, without validating them again: only validated settings are written."""
    fields = {name: field.annotation for name, field in section.model_fields.items() if name in data}
    return section.model_construct(**{name: nested(kind, data[name]) for name, kind in fields.items()})


def nested(kind: Any, value: Any) -> Any:
    """A mapping as the section that a field's type names; other values as they are."""
    sections = [part for part in (kind, *get_args(kind)) if hasattr(part, "model_construct")]
    return construct(sections[0], value) if sections and isinstance(value, dict) else value
