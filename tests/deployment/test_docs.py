"""docs/using.md: its ten lines of Python run as they stand, and name what there is."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cellar.cli import parser
from cellar.deployment.export.description import Description

from .conftest import Exported

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/using.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_ten_lines_give_what_cellar_gives(students: dict[str, Exported], tmp_path: Path) -> None:
    from cellar.deployment.export.session import Student

    shutil.copy(students["colour"].fp32, tmp_path / "student.onnx")
    image = np.random.default_rng(0).integers(0, 256, (50, 50, 3)).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "face.png")
    code = block("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10 and "cellar" not in code
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    given = json.loads(done.stdout.replace("'", '"'))
    wanted = Student(students["colour"].fp32).probabilities(image[None])[0]
    assert list(given) == list(students["colour"].about.classes)
    assert list(given.values()) == pytest.approx(wanted.tolist(), abs=6e-4)


def test_the_lines_for_a_shell_are_commands_that_exist() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line.partition("#")[0].split() for block in blocks for line in block.splitlines()]
    commands = [words[1:] for words in lines if words[:1] == ["cellar"]]
    assert len(commands) == 4
    for words in commands:
        assert parser().parse_args(words).command == words[0]


def test_it_names_the_columns_and_the_metadata() -> None:
    from cellar.deployment.prediction import HEAD

    for name in (*HEAD, "p_<class>"):
        assert f"`{name}`" in PAGE, name
    for name in Description.__dataclass_fields__:
        assert name == "classes" or f"`{name}`" in PAGE, name
