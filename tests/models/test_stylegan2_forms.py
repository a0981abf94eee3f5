"""StyleGAN2 in the forms of other repositories: stylegan3's pickles are read, files of torch.save are told apart."""

import dataclasses
import types
from pathlib import Path
from typing import Any

import pytest
import torch

from cellar.models.stylegan2 import file, settings
from cellar.models.stylegan2.network import Generator
from tests.models.test_stylegan2_file import GIVEN, SETTINGS, Writer, generator, refusal, write, writer

__all__ = ["generator", "writer"]  # fixtures

FLAT = {key: value for key, value in GIVEN.items() if key != "synthesis_kwargs"} | GIVEN["synthesis_kwargs"]  # type: ignore[operator]
UNTOLD = ("channel_base", "channel_max", "num_fp16_res", "conv_clamp")


@pytest.mark.parametrize("fused", [{"fused_modconv_default": "inference_only"}, {}])
def test_a_file_of_the_stylegan3_repository_gives_its_generator(
    fused: dict[str, Any],
    writer: Writer,
    generator: Generator,
    tmp_path: Path,
) -> None:
    """Its train.py writes the synthesis's settings beside the others (--cfg=stylegan2)."""
    content = writer.content(generator)
    content["G_ema"] = writer.persistent(generator, "Generator", {**FLAT, **fused})
    found = file.load(write(tmp_path / "ffhq.pkl", content, writer))
    assert found.settings == SETTINGS
    z = torch.randn(2, 6)
    assert torch.equal(found(z), generator(z))


def test_what_a_file_of_the_stylegan3_repository_leaves_out_has_its_defaults(writer: Writer, tmp_path: Path) -> None:
    """num_fp16_res 4 and conv_clamp 256, where stylegan2-ada-pytorch has 0 and none."""
    bare = {key: value for key, value in FLAT.items() if key not in UNTOLD}
    with torch.device("meta"):
        large = Generator(dataclasses.replace(SETTINGS, channel_base=32768, channel_max=512))
    large.synthesis.num_fp16_res = 4  # only that repository's synthesis keeps it
    found = [settings.published(attributes(large, bare))]
    del large.synthesis.num_fp16_res
    found.append(settings.published(attributes(large, bare)))
    assert [(one.num_fp16_res, one.conv_clamp, one.channel_base) for one in found] == [
        (4, 256, 32768),
        (0, None, 32768),
    ]


def attributes(generator: Generator, given: dict[str, Any]) -> dict[str, Any]:
    layers = {name: types.SimpleNamespace(state=vars(child)) for name, child in generator.named_children()}
    return {"_modules": layers, "_init_args": (), "_init_kwargs": given}


def test_a_file_of_torch_save_is_told_from_nvlabs(generator: Generator, tmp_path: Path) -> None:
    torch.save({"g_ema": generator.state_dict()}, tmp_path / "550000.pt")
    assert "only NVlabs' pickles of StyleGAN2 are read" in refusal(tmp_path / "550000.pt")
