"""Published weights start a network of other classes: VGGFace2's pickle, torchvision's and MobileNet's checkpoints."""

import io
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cellar import files, models
from cellar.errors import CellarError
from cellar.models.checkpoint_files import weights
from cellar.models.freezing import freeze

State = dict[str, Tensor]


class Python2Pickler(pickle._Pickler):
    """Writes str and bytes as Python 2 wrote its str: the opcodes of the published file."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_str(self, value: str | bytes) -> None:
        value = value.encode() if isinstance(value, str) else value
        self.write(b"T" + struct.pack("<i", len(value)) + value)

    dispatch[bytes] = dispatch[str] = save_str


def write_python2(content: Any, path: Path) -> None:
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=2).dump(content)
    path.write_bytes(buffer.getvalue().replace(b"numpy._core.", b"numpy.core."))


def arrays(state: State) -> dict[str, np.ndarray]:
    """As in resnet50_ft_weight.pkl: arrays by name, without the counters that batch norms have had since 2018."""
    return {name: value.numpy() for name, value in state.items() if not name.endswith("num_batches_tracked")}


def build(name: str, classes: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return models.build(name, classes)


def assert_trunk(model: nn.Module, state: State, heads: tuple[str, ...] = ("fc",)) -> None:
    """All of the file but its last layers is in `model`."""
    found = model.state_dict()
    for name, value in state.items():
        if name.rpartition(".")[0] not in heads and not name.endswith("num_batches_tracked"):
            assert torch.equal(found[name], value), name


def refusal(load: Callable[[nn.Module, Path], None], model: nn.Module, path: Path) -> str:
    """The one line that a file is refused with; the model stays as it was."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CellarError) as caught:
        load(model, path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    line = str(caught.value)
    assert str(path) in line and "\n" not in line
    return line


@pytest.fixture(scope="module")
def vggface2(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    """A file of the published form, of 11 classes."""
    path, state = tmp_path_factory.mktemp("weights") / "resnet50_ft_weight.pkl", build("resnet50_vggface2", 11)
    write_python2(arrays(state.state_dict()), path)
    return path, state.state_dict()


def test_vggface2s_pickle_gives_every_weight(vggface2: tuple[Path, State]) -> None:
    path, state = vggface2
    assert pickle.loads(path.read_bytes(), encoding="latin1").keys() == arrays(state).keys()  # as its users read it
    model = build("resnet50_vggface2", 11, seed=1)
    weights.load_weights(model, path)
    assert_trunk(model, state, heads=())


def test_vggface2s_pickle_starts_a_network_of_other_classes(vggface2: tuple[Path, State]) -> None:
    path, state = vggface2
    model = build("resnet50_vggface2", 3, seed=1)
    head = model.get_parameter("fc.weight").clone()
    assert weights.load_trunk(model, path) == ("fc",)
    assert_trunk(model, state)
    assert torch.equal(model.get_parameter("fc.weight"), head)
    line = refusal(weights.load_weights, model, path)
    assert (
        "fc.weight is (11, 2048), not (3, 2048), fc.bias is (11,), not (3,); it fits resnet50_vggface2 of 11 classes"
        in line
    )


def test_vggface2s_pickle_starts_a_teacher_with_a_connector(vggface2: tuple[Path, State]) -> None:
    path, state = vggface2
    model = build("resnet50_vggface2+sigmoid", 3, seed=1)
    connector = model.get_parameter("connector.weight").clone()
    fresh = weights.load_trunk(model, path)
    assert fresh == ("connector", "fc")
    assert_trunk(model.get_submodule("trunk"), state)
    assert torch.equal(model.get_parameter("connector.weight"), connector)
    freeze(model, "eval", fresh)
    learning = {name.partition(".")[0] for name, value in model.named_parameters() if value.requires_grad}
    assert learning == set(fresh)


@pytest.mark.parametrize("write", [write_python2, lambda content, path: path.write_bytes(pickle.dumps(content, 2))])
def test_arrays_are_read_whoever_wrote_them(write: Callable[[Any, Path], None], tmp_path: Path) -> None:
    content = {
        "matrix": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "swapped": np.arange(3, dtype=">f4"),
        "counter": np.array(7),
        "bytes": np.array([0, 128, 255], np.uint8),
    }
    write(content, tmp_path / "some.pkl")
    found = weights.read_candidates(tmp_path / "some.pkl")[0].state
    assert found.keys() == content.keys()
    for name, value in content.items():
        assert found[name].tolist() == value.tolist() and found[name].shape == value.shape


def test_a_pkl_that_torch_saved_is_read_as_such(tmp_path: Path) -> None:
    for zipped in (True, False):
        torch.save({"w": torch.arange(3)}, tmp_path / "some.pkl", _use_new_zipfile_serialization=zipped)
        assert weights.read_candidates(tmp_path / "some.pkl")[0].state["w"].tolist() == [0, 1, 2]


class Hostile:
    """Runs a command that creates a file, when it is unpickled the usual way."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize("place", ["whole", "beside", "in place of a weight"])
@pytest.mark.parametrize("load", [weights.load_weights, weights.load_trunk])
def test_a_hostile_pickle_is_refused_and_not_run(load: Callable[..., None], place: str, tmp_path: Path) -> None:
    model, target, path = build("mobilenet_v1", 3), tmp_path / "created", tmp_path / "mobilenet.pkl"
    state, trap = arrays(model.state_dict()), Hostile(target)
    content = {"whole": trap, "beside": {**state, "x": trap}, "in place of a weight": {**state, "fc.weight": trap}}
    path.write_bytes(pickle.dumps(content[place], 2))
    assert "posix.system, code that a plain data file has no use for; nothing of it was run" in refusal(
        load, model, path
    )
    assert not target.exists()
    pickle.loads(path.read_bytes())
    assert target.exists()


def changed(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: {**state, name: value}


def lacking(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda state: {key: value for key, value in state.items() if key != name}


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "shape": (
        changed("model.1.3.weight", np.zeros((64, 32), "f4")),
        r"model.1.3.weight is (64, 32), not (64, 32, 1, 1)",
    ),
    "missing": (lacking("model.5.1.running_var"), "model.5.1.running_var is missing"),
    "surplus": (changed("model.15.0.weight", np.zeros(3, "f4")), "model.15.0.weight does not belong"),
    "objects": (changed("model.0.0.weight", np.array([None])), "an array of something else than numbers"),
    "a number": (changed("model.0.0.weight", 3.0), "holds no state dict"),
    "a list": (lambda state: list(state.values()), "holds no state dict"),
    "nothing": (lambda state: {}, "holds no state dict"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("load", [weights.load_weights, weights.load_trunk])
def test_weights_that_do_not_fit_are_one_line(load: Callable[..., None], fault: str, tmp_path: Path) -> None:
    model, path, (spoil, words) = build("mobilenet_v1", 3), tmp_path / "mobilenet.pkl", FAULTS[fault]
    write_python2(spoil(arrays(model.state_dict())), path)
    assert words in refusal(load, model, path)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999999])
def test_a_file_cut_short_is_one_line(share: float, tmp_path: Path) -> None:
    model, path = build("mobilenet_v1", 3), tmp_path / "mobilenet.pkl"
    write_python2(arrays(model.state_dict()), path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert ("is not a whole pickle" if share else "is empty") in refusal(weights.load_trunk, model, path)


PUBLISHED: dict[str, tuple[str, Callable[[State], Any]]] = {  # file name, and how the tensors lie in it
    "resnet18": ("resnet18-f37072fd.pth", lambda state: state),
    "inception_v3": ("inception_v3_google-0cc3c7bd.pth", lambda state: state),
    "mobilenet_v1": (
        "mobilenet_sgd_rmsprop_69.526.tar",
        lambda state: {"epoch": 90, "state_dict": {f"module.{name}": value for name, value in state.items()}},
    ),
}


@pytest.mark.parametrize("counters", [True, False], ids=["with counters", "from before them"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_imagenet_weights_start_a_network_of_other_classes(name: str, counters: bool, tmp_path: Path) -> None:
    (file, form), state = PUBLISHED[name], build(name, 10).state_dict()
    state = {key: value for key, value in state.items() if counters or not key.endswith("num_batches_tracked")}
    torch.save(form(state), tmp_path / file, _use_new_zipfile_serialization=counters)
    model = build(name, 3, seed=1)
    before = {key: value.clone() for key, value in model.state_dict().items() if "fc." in key}
    fresh = weights.load_trunk(model, tmp_path / file)
    assert fresh == (("fc", "AuxLogits.fc") if name == "inception_v3" else ("fc",))
    assert_trunk(model, state, heads=("fc", "AuxLogits.fc"))
    assert len(before) == (4 if name == "inception_v3" else 2)
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())


def test_the_second_step_takes_the_connector_of_the_first(tmp_path: Path) -> None:
    first, path = build("mobilenet_v1+connector", 3), tmp_path / "weights.safetensors"
    files.write_tensors(path, first.state_dict())
    second = build("mobilenet_v1+connector", 105, seed=1)
    assert weights.load_trunk(second, path) == ("fc",)
    assert_trunk(second, first.state_dict())
    plain = build("mobilenet_v1", 3)
    assert "does not fit the network" in refusal(weights.load_trunk, plain, path)


def test_another_network_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    files.write_tensors(path, build("resnet18", 3).state_dict())
    line = refusal(weights.load_trunk, build("mobilenet_v1", 3), path)
    assert "model.0.1.bias and 132 more are missing" in line
    assert "it fits resnet18 of 3 classes; give a file of the same network" in line
    with pytest.raises(CellarError, match="CifarResNet does not say which layer is its last"):
        weights.load_trunk(build("resnet8x4", 3), path)
