"""The two distances between features, against sums written out by hand."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as vision

from cellar.config import Recipe
from cellar.data import face_shards
from cellar.engine import training
from cellar.engine.checkpoint import Checkpoint
from cellar.engine.runtime import Progress
from cellar.engine.training import Batch, EpochIndices
from cellar.errors import CellarError
from cellar.methods.feature_kd import FeatureKD, RandomImages, bce_loss, mse_loss
from tests.engine.tiny import RECIPE

STUDENT = [[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]
TEACHER = [[2.0, 1.0, 0.0], [-1.0, 0.5, 4.0]]
PROBABILITIES = [[0.9, 0.1, 0.5], [0.0, 1.0, 0.3]]
SQUARES = [(s - t) ** 2 for mine, other in zip(STUDENT, TEACHER, strict=True) for s, t in zip(mine, other, strict=True)]


def test_mean_over_images_and_features() -> None:
    found = mse_loss(torch.tensor(STUDENT), torch.tensor(TEACHER))
    assert found.item() == pytest.approx(sum(SQUARES) / 6)


def test_bce_term_by_term() -> None:
    def term(logit: float, wanted: float) -> float:
        q = 1 / (1 + math.exp(-logit))
        return -(wanted * math.log(q) + (1 - wanted) * math.log(1 - q))

    pairs = [p for row in zip(STUDENT, PROBABILITIES, strict=True) for p in zip(*row, strict=True)]
    found = bce_loss(torch.tensor(STUDENT), torch.tensor(PROBABILITIES))
    assert found.item() == pytest.approx(sum(term(*pair) for pair in pairs) / 6, rel=1e-5)


def test_bce_is_least_where_the_students_sigmoid_is_the_teachers() -> None:
    """Its gradient is (σ(s) - t) / (b D): 0 there, and finite for logits whose sigmoid is 0 or 1 in float32."""
    wanted = torch.tensor(PROBABILITIES).clamp(0.01, 0.99)
    student = wanted.logit().requires_grad_()
    bce_loss(student, wanted).backward()
    torch.testing.assert_close(student.grad, torch.zeros(2, 3), atol=1e-7, rtol=0)
    extreme = (torch.tensor(STUDENT) * 1e4).requires_grad_()
    loss = bce_loss(extreme, torch.tensor(PROBABILITIES))
    loss.backward()
    assert loss.isfinite() and extreme.grad.isfinite().all()


@pytest.mark.parametrize("loss", [mse_loss, bce_loss])
def test_stored_half_precision_is_read_in_float32_and_gets_no_gradient(loss) -> None:  # type: ignore[no-untyped-def]
    student = torch.tensor(STUDENT, requires_grad=True)
    teacher = torch.tensor(PROBABILITIES, dtype=torch.float16)
    found = loss(student, teacher)
    assert found.dtype == torch.float32
    assert found.item() == loss(student, teacher.float()).item()
    asking = teacher.float().requires_grad_()
    loss(student, asking).backward()
    assert asking.grad is None and student.grad.abs().sum() > 0


FACES, SIDE = 20, 16
ALWAYS_MIRRORED = {"rotation": 0.0, "scaling": 0.0, "flip": 1.0, "blur": 0.0, "jitter": 0.0, "erasing": 0.0}


class Pixels(nn.Module):
    """A network whose features are its inputs."""

    def features(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1)


@pytest.fixture
def faces(tmp_path: Path) -> np.ndarray:
    """Images (20, 16, 16, 3) in the folder `faces`."""
    images = np.random.default_rng(0).integers(256, size=(FACES, SIDE, SIDE, 3), dtype=np.uint8)
    face_shards.write(tmp_path / "faces", {}, range(FACES), SIDE, lambda part: iter([images[part.start : part.stop]]))
    return images


def prepared_method(
    folder: Path, augmentation: object, loss: str = "mse", network: Callable[[], nn.Module] = Pixels, **params: object
) -> tuple[Any, Any, Any]:
    """The method, its training images and its sampler; the student is shown 0 to 1, its teacher what VGGFace2's is."""
    method = FeatureKD(FeatureKD.Params(loss=loss, images_per_epoch=12, **params))  # type: ignore[arg-type]
    shown = {"input_size": SIDE, "augmentation": augmentation}
    settings = SimpleNamespace(
        faces=str(folder / "faces"), face_count=FACES, seed=3, precision="fp32",
        input=SimpleNamespace(**shown, normalisation="unit"), recipe=SimpleNamespace(batch_size=8),
        teacher=SimpleNamespace(input=SimpleNamespace(**shown, normalisation="vggface2")),
    )  # fmt: skip
    data = SimpleNamespace(settings=settings, device=torch.device("cpu"), network_of=lambda teacher, size: network())
    method.prepare(data)  # type: ignore[arg-type]
    return method, method.train_split(data), method.sampler(data)  # type: ignore[arg-type]


def batch_of(drawn: EpochIndices, position: slice) -> Batch:
    image = drawn.image[position]
    return Batch(position, image, drawn.augmentation[position], torch.zeros_like(image))


def published(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) from 0 to 255 as VGGFace2's network takes them: minus the mean, blue first."""
    return (pictures.float() - torch.tensor([131.0912, 103.8827, 91.4953]).view(3, 1, 1)).flip(1)


@pytest.mark.parametrize(("name", "loss"), [("mse", mse_loss), ("bce", bce_loss)])
@pytest.mark.parametrize("augment", [True, False])
def test_teacher_and_student_see_the_same_face(name, loss, augment, faces, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Mirrored by torchvision where faces are augmented, with flip 1; each network in its own normalisation."""
    method, split, sampler = prepared_method(tmp_path, ALWAYS_MIRRORED, name, augment=augment)
    drawn = sampler(0)
    batch = batch_of(drawn, slice(2, 7))
    pictures = torch.from_numpy(faces[batch.image.numpy()]).permute(0, 3, 1, 2)
    pictures = vision.hflip(pictures) if augment else pictures
    shown = split.augmentation.apply(split.images[batch.image], batch.augmentation)
    torch.testing.assert_close(shown, pictures.float() / 255, check_stride=False)
    student = torch.randn(5, 3 * SIDE**2, generator=torch.Generator().manual_seed(1), requires_grad=True)
    losses = method.loss(student, batch)
    torch.testing.assert_close(losses["loss"], loss(student, published(pictures).flatten(1)))
    assert list(losses) == ["loss"]
    losses["loss"].backward()
    assert student.grad.abs().sum() > 0 and method.facts() == {"teacher_images_forwarded": 5}


def test_by_default_faces_are_augmented_anew_in_every_epoch(faces: np.ndarray, tmp_path: Path) -> None:
    as_published = {**ALWAYS_MIRRORED, "rotation": 0.5, "scaling": 0.5, "flip": 0.5, "blur": 0.1}
    _, split, sampler = prepared_method(tmp_path, as_published)
    first, again, later = map(sampler, (0, 0, 1))
    assert torch.equal(first.augmentation, again.augmentation) and len(set(first.augmentation.tolist())) == 12
    assert not set(first.augmentation.tolist()) & set(later.augmentation.tolist())
    shown = split.augmentation.apply(split.images[first.image], first.augmentation)
    plain = torch.from_numpy(faces[first.image.numpy()]).permute(0, 3, 1, 2) / 255
    assert (shown - plain).abs().amax((1, 2, 3)).gt(0.05).sum() >= 6  # 1 of 9 escapes all four


def test_a_student_without_connector_is_one_line(faces: np.ndarray, tmp_path: Path) -> None:
    method, _, sampler = prepared_method(tmp_path, "flip")
    with pytest.raises(CellarError, match=r"student has 3 features, its teacher 768; .*connector"):
        method.loss(torch.zeros(2, 3), batch_of(sampler(0), slice(0, 2)))


def test_images_come_with_replacement_and_all_can_come() -> None:
    index = RandomImages(2000, 100, 2, 0, torch.device("cpu"))(0).image
    assert sorted(set(index.tolist())) == list(range(100))


class Dropping(nn.Module):
    """A network with dropout, whose weights are drawn when it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE**2, 4), nn.Dropout(0.5))

    def features(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)  # type: ignore[no-any-return]


def test_a_killed_pretraining_resumes_to_the_same_bits(
    faces: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with dropout: that the teacher is made in another epoch then moves no random number."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short

    def taught(run: str, epochs: int) -> training.TrainResult:
        method, split, sampler = prepared_method(tmp_path, {**ALWAYS_MIRRORED, "rotation": 0.5}, network=teacher)
        recipe = Recipe.model_validate(
            {**RECIPE, "epochs": epochs, "batch_size": 8, "learning_rate": 1e-6, "select_on": "last_epoch"}
        )
        torch.manual_seed(1)
        return training.train(
            method.wrap(Dropping()), split, method, recipe, sampler=sampler, evaluator=None, seed=0, precision="fp32",
            checkpoint=Checkpoint(run), progress=Progress(None, 1),
        )  # fmt: skip

    torch.manual_seed(0)
    weights = Dropping().state_dict()

    def teacher() -> Dropping:
        made = Dropping()
        made.load_state_dict(weights)
        return made

    whole = taught("whole", 3)
    taught("cut", 1)
    resumed = taught("cut", 3)
    assert resumed.resumed_from == 1 and torch.equal(torch.cat(resumed.step_losses), torch.cat(whole.step_losses))
    assert all(torch.equal(value, resumed.last[name]) for name, value in whole.last.items())
