"""Official .pkl files are read without their classes and without running what they hold; the rest is one line."""

import dataclasses
import io
import os
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cellar.errors import CellarError
from cellar.models.stylegan2 import file
from cellar.models.stylegan2.network import Generator, Settings

SETTINGS = Settings(
    z_dim=6, w_dim=8, img_resolution=16, num_layers=2, channel_base=64, channel_max=6, num_fp16_res=1, conv_clamp=256
)
GIVEN = {
    "z_dim": 6,
    "c_dim": 0,
    "w_dim": 8,
    "img_resolution": 16,
    "img_channels": 3,
    "mapping_kwargs": {"num_layers": 2},
    "synthesis_kwargs": {"channel_base": 64, "channel_max": 6, "num_fp16_res": 1, "conv_clamp": 256},
}
SOURCE = "raise RuntimeError('the source code of a file was run')"


class Writer:
    """Writes objects as torch_utils.persistence does, under its names and dnnlib's, as long as the modules are there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.source = SOURCE
        self.made: dict[str, types.ModuleType] = {}
        for name in (
            "torch_utils",
            "torch_utils.persistence",
            "dnnlib",
            "dnnlib.util",
            "dnnlib.tflib",
            "dnnlib.tflib.network",
        ):
            self.made[name] = types.ModuleType(name)
            monkeypatch.setitem(sys.modules, name, self.made[name])
        self.reconstruct = self.function("torch_utils.persistence", "_reconstruct_persistent_obj")
        self.easy_dict = self.type("dnnlib.util", "EasyDict", dict)
        self.tensorflow = self.type("dnnlib.tflib.network", "Network", object)

    def function(self, module: str, name: str) -> Any:
        def made(meta: Any) -> None: ...

        made.__module__, made.__qualname__ = module, name
        setattr(self.made[module], name, made)
        return made

    def type(self, module: str, name: str, base: type) -> Any:
        made = type(name, (base,), {"__module__": module})
        setattr(self.made[module], name, made)
        return made

    def easy(self, content: Any) -> Any:
        return self.easy_dict({k: self.easy(v) for k, v in content.items()}) if isinstance(content, dict) else content

    def persistent(self, module: nn.Module, name: str, given: dict[str, Any]) -> Any:
        """`module` and its children as a file's objects; attributes beside them as the published layers have."""
        state = {"training": False, "_parameters": dict(module._parameters), "_buffers": dict(module._buffers)}
        state |= {"_non_persistent_buffers_set": set(), "_forward_hooks": {}, "weight_gain": 1 / np.sqrt(8)}
        state["_modules"] = {n: self.persistent(c, type(c).__name__, {}) for n, c in module.named_children()}
        state |= {"_init_args": (), "_init_kwargs": given, "block_resolutions": [4, 8, 16]}
        meta = {"type": "class", "version": 6, "module_src": self.source, "class_name": name, "state": state}
        return Reduced(self.reconstruct, (meta,))

    def content(self, generator: Generator, **changes: Any) -> dict[str, Any]:
        given = {n: self.easy(v) for n, v in {**GIVEN, **changes}.items()}
        average = self.persistent(generator, "Generator", given)
        other = self.persistent(nn.Linear(2, 2), "Discriminator", {"c_dim": 0})
        return {
            "G": other,
            "D": other,
            "G_ema": average,
            "training_set_kwargs": self.easy({"path": "x"}),
            "augment_pipe": None,
        }


class Reduced:
    """Pickled as the call of a function."""

    def __init__(self, function: Any, arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


@pytest.fixture
def writer() -> Iterator[Writer]:
    with pytest.MonkeyPatch.context() as patch:
        yield Writer(patch)


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(SETTINGS)


def write(path: Path, content: Any, writer: Writer, protocol: int = 4) -> Path:
    """The file; and the modules that it names are gone from then on."""
    path.write_bytes(pickle.dumps(content, protocol))
    for name in writer.made:
        del sys.modules[name]
    return path


def refusal(path: Path) -> str:
    with pytest.raises(CellarError) as caught:
        file.load(path)
    line = str(caught.value)
    assert str(path) in line and "\n" not in line and len(line) < len(str(path)) + 300
    return line


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_an_official_file_gives_its_generator(
    protocol: int, writer: Writer, generator: Generator, tmp_path: Path
) -> None:
    path = write(tmp_path / "ffhq.pkl", writer.content(generator), writer, protocol)
    assert b"_load_from_bytes" in path.read_bytes() and SOURCE.encode() in path.read_bytes()
    found = file.load(path)
    assert found.settings == SETTINGS
    assert not any(value.requires_grad or value.is_meta for value in found.state_dict().values())
    for name, value in generator.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
    z = torch.randn(2, 6)
    assert torch.equal(found(z), generator(z))
    assert not any(name.startswith(("torch_utils", "dnnlib")) for name in sys.modules)


def test_a_converted_file_gives_its_generator_too(writer: Writer, generator: Generator, tmp_path: Path) -> None:
    """legacy.py names every setting, the usual ones too."""
    mapping = {"embed_features": None, "layer_features": None, "activation": "lrelu", "lr_multiplier": 0.01}
    synthesis = {"architecture": "skip", "resample_filter": [1, 3, 3, 1], "use_noise": True, "activation": "lrelu"}
    changes = {
        "mapping_kwargs": {**GIVEN["mapping_kwargs"], **mapping, "w_avg_beta": 0.995},  # type: ignore[dict-item]
        "synthesis_kwargs": {**GIVEN["synthesis_kwargs"], **synthesis, "fp16_channels_last": True},  # type: ignore[dict-item]
    }
    path = write(tmp_path / "ffhq.pkl", writer.content(generator, **changes), writer)
    assert file.load(path).settings == SETTINGS


def test_our_own_file_gives_back_weights_and_settings(generator: Generator, tmp_path: Path) -> None:
    for name in ("a", "b"):
        file.save(generator, tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    found = file.load(tmp_path / "a.safetensors")
    assert found.settings == SETTINGS
    assert all(torch.equal(found.state_dict()[n], v) for n, v in generator.state_dict().items())


def trap(target: Path) -> Reduced:
    return Reduced(os.system, (f"touch {target}",))


def test_a_hostile_object_is_refused_by_its_name(writer: Writer, generator: Generator, tmp_path: Path) -> None:
    content = {**writer.content(generator), "extra": trap(tmp_path / "made")}
    path = write(tmp_path / "ffhq.pkl", content, writer)
    assert f"{os.system.__module__}.system" in refusal(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ffhq.pkl"]
    pickle.loads(pickle.dumps(trap(tmp_path / "made")))
    assert (tmp_path / "made").exists()  # the trap is a real one


def test_a_hostile_object_within_a_tensors_numbers_is_not_run(
    writer: Writer, generator: Generator, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    torch.save(trap(tmp_path / "made"), buffer, _use_new_zipfile_serialization=False)
    hidden = Reduced(torch.storage._load_from_bytes, (buffer.getvalue(),))
    path = write(tmp_path / "ffhq.pkl", {**writer.content(generator), "extra": hidden}, writer)
    assert "system" in refusal(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ffhq.pkl"]


def test_the_source_code_in_a_file_is_not_run(writer: Writer, generator: Generator, tmp_path: Path) -> None:
    writer.source = f"open({str(tmp_path / 'made')!r}, 'w').close()"
    path = write(tmp_path / "ffhq.pkl", writer.content(generator), writer)
    assert file.load(path).settings == SETTINGS
    assert [entry.name for entry in tmp_path.iterdir()] == ["ffhq.pkl"]


def test_a_hostile_setting_is_not_taken_for_a_number(writer: Writer, generator: Generator, tmp_path: Path) -> None:
    changes = {"synthesis_kwargs": {**GIVEN["synthesis_kwargs"], "conv_clamp": np.float64(3)}}  # type: ignore[dict-item]
    path = write(tmp_path / "ffhq.pkl", writer.content(generator, **changes), writer)
    assert "conv_clamp" in refusal(path)


def test_tensorflows_file_says_how_to_convert_it(writer: Writer, tmp_path: Path) -> None:
    networks = tuple(writer.tensorflow() for _ in range(3))
    assert "legacy.py" in refusal(write(tmp_path / "ffhq.pkl", networks, writer))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.8, 0.999])
def test_a_file_cut_short_is_one_line(share: float, writer: Writer, generator: Generator, tmp_path: Path) -> None:
    path = write(tmp_path / "ffhq.pkl", writer.content(generator), writer)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert ("broken" if share else "is empty") in refusal(path)


FOREIGN = {
    "conditional": ({"c_dim": 10}, "it is conditional (c_dim 10); only unconditional ones are read"),
    "grey": ({"img_channels": 1}, "its images have 1 channels; only those of 3 are read"),
    "orig": ({"synthesis_kwargs": {"architecture": "orig"}}, "its architecture is orig; only skip is read"),
    "flat resnet": ({"channel_base": 64, "architecture": "resnet"}, "its architecture is resnet; only skip is read"),
    "stylegan3": ({"magnitude_ema_beta": 0.999}, "it is a StyleGAN3 generator (it has the setting magnitude_ema_beta)"),
    "huge": ({"img_resolution": 1 << 40}, "img_resolution"),
    "no power of two": ({"img_resolution": 24}, "img_resolution"),
    "text": ({"z_dim": "512"}, "z_dim"),
    "other sizes": ({"synthesis_kwargs": {"channel_base": 64, "channel_max": 5}}, "shapes differ"),
    "other side": ({"img_resolution": 8}, "b16"),
}


@pytest.mark.parametrize(("changes", "named"), FOREIGN.values(), ids=FOREIGN)
def test_another_generator_is_one_line(
    changes: dict[str, Any], named: str, writer: Writer, generator: Generator, tmp_path: Path
) -> None:
    content = writer.content(generator, **changes)
    assert named in refusal(write(tmp_path / "ffhq.pkl", content, writer))


WRONG: dict[str, Any] = {"a list": [1, 2], "no average": {"G": 1}, "a number": {"G_ema": 3}}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_another_pickle_is_one_line(content: Any, writer: Writer, tmp_path: Path) -> None:
    assert "G_ema" in refusal(write(tmp_path / "ffhq.pkl", content, writer))


def test_a_generator_without_numbers_is_one_line(writer: Writer, generator: Generator, tmp_path: Path) -> None:
    """Neither a tensor that repeats one number to any size, nor numbers that are none."""
    generator.mapping.w_avg = torch.zeros(1).expand(8)
    path = write(tmp_path / "ffhq.pkl", writer.content(generator), writer)
    assert "mapping.w_avg" in refusal(path)


def test_numbers_that_are_none_are_one_line(writer: Writer, generator: Generator, tmp_path: Path) -> None:
    generator.mapping.w_avg = torch.full((8,), float("nan"))
    assert "mapping.w_avg" in refusal(write(tmp_path / "ffhq.pkl", writer.content(generator), writer))


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def test_layers_without_end_are_one_line(tmp_path: Path) -> None:
    """A network that is put in its own dict of layers after it was made."""
    named = {"_parameters": b"}", "_buffers": b"}", "_modules": b"}q\x01", "_init_args": b")", "_init_kwargs": b"}"}
    state = b"}(" + b"".join(text(name) + value for name, value in named.items()) + b"u"
    meta = b"}(" + text("class_name") + text("Generator") + text("state") + state + b"u"
    network = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n" + meta + b"\x85Rq\x02"
    in_itself = b"h\x01" + text("a") + b"h\x02s0"
    (tmp_path / "ffhq.pkl").write_bytes(b"\x80\x04}" + text("G_ema") + network + b"s" + in_itself + b".")
    assert "without end" in refusal(tmp_path / "ffhq.pkl")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "ffhq.pkl")


def test_a_broken_file_of_our_own_is_one_line(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "faces.safetensors"
    file.save(generator, path)
    path.write_bytes(path.read_bytes()[:-9])
    assert "broken" in refusal(path)
    other = Generator(dataclasses.replace(SETTINGS, z_dim=3))
    other.settings = SETTINGS
    file.save(other, path)
    assert "fc0.weight" in refusal(path)
