"""StyleGAN2 generators on disk: NVlabs' .pkl files, read without executing them, and our own safetensors.

An official file is a pickle of a dict G, D, G_ema, ... whose objects carry the source code of their classes for the
reader to run (torch_utils.persistence). Here only G_ema's tensors and settings are read. The other contents of such files
are skipped, and a file that names anything else is refused.
"""

import dataclasses
import io
import json
from pathlib import Path
from typing import IO, Any

import safetensors
import torch
from torch import Tensor

from cellar import files
from cellar.data.safe_pickle.inert_pickle import MOST_HANDED, InertUnpickler, PlainDict, ignore, origin, plain_set
from cellar.errors import CellarError, printable, reason
from cellar.models import mismatch
from cellar.models.checkpoint_files import content, torch_file
from cellar.models.stylegan2 import settings as stylegan2_settings
from cellar.models.stylegan2.network import Generator, Settings

State = dict[str, Tensor]
NETWORK = "G_ema"  # the moving average, which is what makes images
MOST_PARTS = 10_000  # layers of a network; the largest published one has 100
LONGEST_NAME = 200  # letters of a tensor's place in the network


def load(path: Path) -> Generator:
    """Load the generator of an official .pkl or of a file written by `save`, on the CPU, for inference only.

    Raises CellarError when the file is missing, broken, hostile, TensorFlow's, or another kind of generator's.
    """
    settings, state = read(path)
    with torch.device("meta"):  # a file's settings alone must not allocate memory
        generator = Generator(settings)
    problem = mismatch(generator.state_dict(), state)
    if problem:
        raise CellarError(f"{path} does not hold the StyleGAN2 that its settings describe: {problem}; get it again")
    numbers = {name: own_numbers(value, name, path) for name, value in state.items()}
    generator.load_state_dict(numbers, assign=True)
    return generator.requires_grad_(False).eval()


def save(generator: Generator, path: Path) -> None:
    """Write weights and settings as safetensors. The same values give the same bytes."""
    settings = json.dumps(dataclasses.asdict(generator.settings))
    files.write_tensors(path, generator.state_dict(), {"settings": settings})


def read(path: Path) -> tuple[Settings, State]:
    """Settings, and tensors by name."""
    content.check_file(path)
    try:
        return read_own(path) if path.suffix == ".safetensors" else read_published(path)
    except CellarError:
        raise
    except stylegan2_settings.UnreadError as error:
        raise CellarError(f"{path} is not read: {error}; give another generator's file") from None
    except Exception as error:  # what a broken file does to its readers has no common type
        why = reason(error)
        raise CellarError(f"{path} is broken or no StyleGAN2 file ({why}); get it again") from None


def read_own(path: Path) -> tuple[Settings, State]:
    with safetensors.safe_open(path, framework="pt") as file:
        found = json.loads((file.metadata() or {}).get("settings", "{}"))
        return stylegan2_settings.checked(found), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def read_published(path: Path) -> tuple[Settings, State]:
    with path.open("rb") as file:
        if file.read(len(content.ZIP)) == content.ZIP:
            raise CellarError(
                f"{path} is a zip file, as torch.save writes; only NVlabs' pickles of StyleGAN2 are read, with their {NETWORK}"
            )
        file.seek(0)
        whole = PublishedUnpickler(file, path).load()
    network = whole.get(NETWORK) if isinstance(whole, dict) else None
    if not isinstance(network, Persistent) or network.name != "Generator":
        raise ValueError(f"it holds no dict with a generator {NETWORK}")
    return stylegan2_settings.published(network.state), tensors(network)


class Persistent:
    """An object of torch_utils.persistence as its file describes it: class name and attributes, without its source code."""

    __slots__ = ("name", "state")
    __setstate__ = staticmethod(ignore)  # further state in the file is ignored

    def __init__(self, described: Any) -> None:
        if not isinstance(described, dict) or not isinstance(described.get("state"), dict):
            raise ValueError("an object of it has no attributes")
        self.name: Any = described.get("class_name")
        self.state: dict[str, Any] = described["state"]


class PublishedUnpickler(InertUnpickler):
    """Allows only the names that official files contain; `path` is for error messages."""

    fillable = (*InertUnpickler.fillable, Persistent)

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, ALLOWED, most=MOST_HANDED + path.stat().st_size)
        self.path = path

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("dnnlib.tflib"):
            raise CellarError(
                f"{self.path} is TensorFlow's (G, D, Gs); convert it with legacy.py of NVlabs/stylegan2-ada-pytorch "
                f"(python legacy.py --source=... --dest=...) and give the result"
            )
        if (module, name) not in ALLOWED:
            raise CellarError(
                f"{self.path} names {printable(f'{module}.{name}')}, which no StyleGAN2 file has a use for; "
                "nothing of it was run: get the published file"
            )
        return super().find_class(module, name)


def stored(saved: Any) -> Tensor:
    """A flat storage from the torch.save file that represents it inside a plain pickle."""
    if not isinstance(saved, bytes):
        raise ValueError("a tensor's numbers are no bytes")
    storage = torch_file.read_legacy(io.BytesIO(saved), len(saved))
    if not isinstance(storage, Tensor):
        raise ValueError(f"in place of a tensor's numbers stands {origin(storage) or 'something else'}")
    return storage


ALLOWED = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Persistent,
    ("dnnlib.util", "EasyDict"): PlainDict,
    ("collections", "OrderedDict"): PlainDict,
    ("builtins", "set"): plain_set,
    ("torch.storage", "_load_from_bytes"): stored,
    **{key: call for key, call in torch_file.ALLOWED.items() if key[0] == "torch._utils"},
    # Layers keep gains beside their settings, and StyleGAN3's sizes, as NumPy's numbers; they follow from the settings.
    **{(f"numpy.{core}.multiarray", "scalar"): ignore for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): ignore for core in ("core", "_core")},
    **{("numpy", name): ignore for name in ("dtype", "ndarray")},
}


def tensors(network: Persistent) -> State:
    """Parameters and buffers of a pickled module and its submodules, under their state-dict names."""
    found: State = {}
    waiting = [("", network)]
    for _ in range(MOST_PARTS):
        if not waiting:
            return found
        prefix, module = waiting.pop()
        for name, value in {**module.state["_parameters"], **module.state["_buffers"]}.items():
            if isinstance(value, Tensor):
                found[f"{prefix}{name}"] = value
        children = {name: child for name, child in module.state["_modules"].items() if child is not None}
        if not all(isinstance(child, Persistent) for child in children.values()):
            raise ValueError("a layer of it is something else")
        waiting += [(f"{prefix}{name}.", child) for name, child in children.items()]
        if len(waiting) > MOST_PARTS or any(len(inner) > LONGEST_NAME for inner, _ in waiting[-len(children) :]):
            break  # a layer that holds itself
    raise ValueError("its layers are without end")


def own_numbers(value: Tensor, name: str, path: Path) -> Tensor:
    """A float32 copy. The tensor must hold finite floats, with one number in the file for each element."""
    bare = value.numel() * value.element_size() > value.untyped_storage().nbytes()
    if bare or not value.is_floating_point() or not value.isfinite().all():
        raise CellarError(f"{path}: {name} is no tensor of finite numbers; get the file again")
    return value.to(torch.float32, copy=True).contiguous()
