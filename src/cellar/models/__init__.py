"""Networks by name, and our own weights files. One file per architecture; importing this package does not import torch.

A network is found by its name: a file of this folder, or of studies/<study>/models, whose module-level NETWORKS holds
it. The names are read from the source, so that params.yaml can be checked without torch and a new file needs no entry
elsewhere. A name may end in a suffix: `convnet9+connector` is convnet9 with a connector of 2048 outputs before its last
layer, `+sigmoid` one whose features also go through a sigmoid (cellar.models.connected).
"""

import ast
import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cellar import files, paths
from cellar.errors import CellarError, printable

if TYPE_CHECKING:
    from torch import Tensor, nn

HERE = Path(__file__).parent
FORWARD_CODE = (HERE / "small_maps.py", HERE / "windows.py")  # by which any network's outputs are computed
SUFFIXES = {"connector": False, "sigmoid": True}  # whether the features go through a sigmoid
LARGEST_HINT = 300  # pixels up to which an accepted input size is searched for
COUNTER = "num_batches_tracked"  # of a batch norm; older published files lack it, and nothing here needs it


def known(study: str | None = None) -> list[str]:
    """Names of the networks, without suffixes: those of this folder, then those of a study."""
    return list(networks(study))


def networks(study: str | None = None) -> dict[str, Path]:
    """Network name -> file that declares it."""
    own = declaring(paths.STUDIES / study / "models") if study else {}
    return own | of_this_folder()


@cache
def of_this_folder() -> dict[str, Path]:
    return declaring(HERE)


def declaring(folder: Path) -> dict[str, Path]:
    """Network name -> file, of one folder."""
    by_name: dict[str, Path] = {}
    for path in sorted(folder.glob("*.py")):
        for name in declared(path, path.stat().st_mtime_ns)[0]:
            by_name.setdefault(name, path)
    return by_name


@cache
def declared(path: Path, changed: int) -> tuple[tuple[str, ...], bool]:
    """The keys of a file's NETWORKS, and whether one of its classes has a feature_dim, so that a connector fits."""
    tree = paths.parsed(path)
    names: tuple[str, ...] = ()
    for node in tree.body:
        value = getattr(node, "value", None)
        if "NETWORKS" in assigned(node) and isinstance(value, ast.Dict):
            names = tuple(
                key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )
    attributes = [part for node in tree.body if isinstance(node, ast.ClassDef) for part in node.body]
    return names, any("feature_dim" in assigned(part) for part in attributes)


def assigned(node: ast.stmt) -> list[str]:
    """Names that a statement assigns to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def file_of(name: str, study: str | None = None) -> Path:
    """The file that declares network `name`, relative to the project. Raises CellarError that suggests the likely name."""
    network, suffix = parse(name)
    by_name = networks(study)
    if network not in by_name:
        close = difflib.get_close_matches(network, by_name, n=1)
        hint = f" (did you mean {close[0] + name.removeprefix(network)!r}?)" if close else ""
        raise CellarError(f"no model is called {name!r}{hint}; known: {', '.join(by_name)}")
    if suffix is not None and suffix not in SUFFIXES:
        raise CellarError(f"model {name!r} ends in +{suffix}; known endings: +{', +'.join(SUFFIXES)}")
    if suffix and not has_features(by_name[network]):
        those = ", ".join(other for other, path in by_name.items() if has_features(path))
        raise CellarError(f"model {name!r}: {network} takes no +{suffix}; these do: {those}")
    return paths.in_project(by_name[network])


def has_features(path: Path) -> bool:
    return declared(path, path.stat().st_mtime_ns)[1]


def code_of(name: str, study: str | None = None) -> list[Path]:
    """All files that a network's code consists of: its own, what it imports, the connector of a suffix."""
    file_of(name, study)  # which checks the name
    return [paths.in_project(path) for path in with_imports(name, networks(study)[parse(name)[0]])]


def forward_code(name: str, file: str | Path) -> list[Path]:
    """All files by which a network's outputs are computed; `file` declares it."""
    return [*with_imports(name, paths.source_file(file)), *FORWARD_CODE]


def with_imports(name: str, file: Path) -> list[Path]:
    sources = [file, *([HERE / "connected.py"] if parse(name)[1] else [])]
    for path in sources:  # grows while it is read
        sources += [other for other in paths.imported(path) if other not in sources]
    return sources


def parse(name: str) -> tuple[str, str | None]:
    """Network and suffix of a name: ("convnet9", "sigmoid") of convnet9+sigmoid."""
    network, plus, suffix = name.partition("+")
    return network, suffix if plus else None


def build(name: str, num_classes: int, file: str | Path | None = None) -> "nn.Module":
    """A fresh model; its initial weights follow torch's global seed, which the caller sets.

    `file`: the file that declares the network, as resolved settings name it; without it the name is looked up.
    """
    network, suffix = parse(name)
    model: nn.Module = files.load_module(file or file_of(name)).NETWORKS[network](num_classes)
    if suffix is None:
        return model
    from cellar.models.connected import Connected

    return Connected(model, num_classes, bounded=SUFFIXES[suffix])


def check_input_size(name: str, size: int, file: str | Path | None = None) -> None:
    """Raises CellarError when `name` does not accept images of `size` pixels; tried without memory for the weights."""
    import torch

    with torch.device("meta"):
        model = build(name, 2, file).eval()
    if accepts(model, size):
        return
    larger = next((side for side in range(size + 1, LARGEST_HINT) if accepts(model, side)), None)
    hint = f" ({larger} x {larger} it does)" if larger else ""
    raise CellarError(
        f"{name} does not take images of {size} x {size} pixels{hint}; mend input_size of its data set in params.yaml"
    )


def accepts(model: "nn.Module", size: int) -> bool:
    """Whether a model on the meta device gives logits for an image of `size` pixels."""
    import torch

    try:
        model(torch.empty(1, 3, size, size, device="meta"))
    except RuntimeError:
        return False
    return True


def load_weights(model: "nn.Module", path: Path) -> None:
    """Load a weights file of our own into `model`, which stays as it was if the file does not fit.

    Published files are for cellar.models.checkpoint_files. Raises CellarError when it is missing, broken or another model's.
    """
    load_state(model, files.read_tensors(path), path)


def load_state(model: "nn.Module", state: Mapping[str, "Tensor"], path: Path) -> None:
    """Load what was read from `path` into `model`. Raises CellarError when names or shapes differ.

    A model with `take_shapes` first makes the layers whose shapes only its weights file knows.
    """
    if take_shapes := getattr(model, "take_shapes", None):
        take_shapes(state)
    problem = mismatch(model.state_dict(), state)
    if problem:
        raise CellarError(
            f"{path} holds the weights of another model: {problem}; "
            "give the file of this one, or name that model in params.yaml"
        )
    model.load_state_dict(state, strict=False)  # all names but the counters are known to agree


def mismatch(expected: Mapping[str, "Tensor"], given: Mapping[str, "Tensor"]) -> str:
    """The first difference of names or shapes, in words; "" when all agree, apart from counters of batches."""
    missing = [name for name in expected if name not in given and not name.endswith(COUNTER)]
    surplus = [name for name in given if name not in expected]
    reshaped = [name for name in expected if name in given and expected[name].shape != given[name].shape]
    if missing:
        return f"{missing[0]} is missing ({len(missing)} missing, {len(surplus)} too many)"
    if surplus:
        return f"{printable(surplus[0])} does not belong ({len(surplus)} too many)"
    if reshaped:
        name, total = reshaped[0], len(reshaped)
        return f"{name} is {tuple(given[name].shape)}, not {tuple(expected[name].shape)} ({total} shapes differ)"
    return ""
