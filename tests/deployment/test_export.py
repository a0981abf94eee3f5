"""The exported file gives what PyTorch gives, with the preprocessing inside."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from cellar import files, models
from cellar.errors import CellarError

from .conftest import ABOUT, Exported, noise

IMAGENET = v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
VGGFACE2 = torch.tensor([91.4953, 103.8827, 131.0912])  # mean of blue, green, red


def wanted(student: Exported, images: np.ndarray) -> np.ndarray:
    """Probabilities by PyTorch, with Pillow's grey and torchvision's normalisation."""
    if student.about.grey:
        images = np.stack([np.asarray(Image.fromarray(image).convert("L").convert("RGB")) for image in images])
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
    if student.about.normalisation == "vggface2":
        inputs = pixels.flip(1).float() - VGGFACE2.view(1, 3, 1, 1)
    else:
        inputs = IMAGENET(pixels.float() / 255)
    with torch.inference_mode():
        return student.network(inputs).softmax(1).numpy()


@pytest.mark.parametrize("kind", ["colour", "grey", "blue"])
def test_the_file_gives_the_probabilities_of_pytorch(
    students: dict[str, Exported], kind: str, rng: np.random.Generator
) -> None:
    from cellar.deployment.export.session import Student

    images = noise(rng, 40, 32, 32)
    found = Student(students[kind].fp32).probabilities(images)
    assert found.dtype == np.float32 and found.shape == (40, 3)
    assert np.abs(found - wanted(students[kind], images)).max() < 1e-5
    assert found.argmax(1).tolist() == wanted(students[kind], images).argmax(1).tolist()
    assert np.ptp(found, axis=0).max() > 0.01  # the images do differ


def test_the_grey_student_sees_no_colours(students: dict[str, Exported], rng: np.random.Generator) -> None:
    from cellar.deployment.export.session import Student

    images = noise(rng, 8, 32, 32)
    grey = np.stack([np.asarray(Image.fromarray(image).convert("L").convert("RGB")) for image in images])
    student = Student(students["grey"].fp32)
    assert np.array_equal(student.probabilities(images), student.probabilities(grey))


@pytest.mark.parametrize("size", [(100, 100), (64, 80), (20, 31), (224, 150), (700, 5), (32, 33), (1, 1)])
def test_images_of_any_size_are_resized_to_the_bit_as_torchvision_does(
    students: dict[str, Exported], size: tuple[int, int], rng: np.random.Generator
) -> None:
    import onnx
    import onnxruntime

    images = rng.integers(0, 256, (3, *size, 3)).astype(np.uint8)
    model = onnx.load(students["colour"].fp32)
    model.graph.output.append(onnx.helper.make_tensor_value_info("resized", onnx.TensorProto.DOUBLE, ["N", 3, 32, 32]))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = session.run(["resized"], {"images": images})[0]
    by_torchvision = v2.functional.resize(torch.from_numpy(images).permute(0, 3, 1, 2), [32, 32], antialias=True)
    assert np.array_equal(found, by_torchvision.numpy())


def test_int8_is_smaller_and_close(students: dict[str, Exported], rng: np.random.Generator) -> None:
    from cellar.deployment.export.session import Student

    student, images = students["colour"], noise(rng, 40, 32, 32)
    assert student.int8.stat().st_size < 0.5 * student.fp32.stat().st_size
    assert Student(student.int8).description.precision == "int8"
    off = np.abs(Student(student.int8).probabilities(images) - wanted(student, images)).max()
    assert 0 < off < 0.2


def test_the_same_weights_give_the_same_bytes(students: dict[str, Exported], tmp_path: Path) -> None:
    from cellar.deployment.export import writing

    student = students["grey"]
    writing.write_fp32(student.network, student.about, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == student.fp32.read_bytes()


def test_the_file_names_no_place_of_the_machine_that_wrote_it(students: dict[str, Exported]) -> None:
    for file in (students["grey"].fp32, students["grey"].int8):
        content = file.read_bytes()
        assert str(Path(torch.__file__).parents[1]).encode() not in content and b".py" not in content


def test_the_metadata_says_what_the_student_is(students: dict[str, Exported]) -> None:
    import onnx

    about = {entry.key: entry.value for entry in onnx.load(students["grey"].int8).metadata_props}
    assert json.loads(about["classes"]) == ["glad", "sad", "none of these"]
    assert (about["licence"], about["normalisation"], about["precision"]) == ("CC BY-NC 4.0", "imagenet", "int8")
    assert (about["grey"], about["input_size"], about["student"]) == ("true", "32", "toy/small/seed-0")


def test_a_description_comes_back_as_it_was_written() -> None:
    from cellar.deployment.export.description import from_metadata

    for about in (ABOUT, replace(ABOUT, classes=("1", "ü"), grey=True, precision="int8")):
        assert from_metadata(about.as_metadata(), "a file") == about


def test_another_file_is_refused_in_one_line(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    from cellar.deployment.export.session import Student

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", value[:1], value[1:])
    other = tmp_path / "other.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), other)
    (tmp_path / "text.onnx").write_text("no model")
    for name, reason in {
        "other.onnx": "no student of Cellar",
        "text.onnx": "no ONNX model",
        "none.onnx": "does not exist",
    }.items():
        with pytest.raises(CellarError, match=reason) as error:
            Student(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)


def test_a_missing_package_is_one_line_with_its_remedy() -> None:
    from cellar.deployment.packages import need

    need(("json",), "nothing")
    with pytest.raises(
        CellarError, match="export_student needs no_such_module; install the optional packages: make using"
    ):
        need(("json", "no_such_module"), "export_student")


def test_the_student_that_is_ready_is_the_export_of_its_weights(tmp_path: Path) -> None:
    from cellar.deployment.export import writing
    from cellar.deployment.export.session import Student

    runs = Path(__file__).parents[2] / "runs"
    ready, weights = runs / "fer2013-scratch_c.onnx", runs / "fer2013-scratch_c.safetensors"
    about = Student(ready).description
    network = models.build("resemotenet_c", len(about.classes))
    models.load_weights(network, weights)
    writing.write_fp32(network, about, tmp_path / "student.onnx")
    assert (tmp_path / "student.onnx").read_bytes() == ready.read_bytes()
    assert about.weights == files.hash_file(weights) and not about.synthetic
