"""Methods of features through the whole training: same bytes after a kill, teachers that stay as they are, files that are
deployed, and one line for networks that do not suit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from cellar import files, models, paths
from cellar.config.resolved import EvaluationSettings, TrainingSettings
from cellar.data.inputs import prepared
from cellar.data.inputs.augmentation import unaugmented
from cellar.data.inputs.prepared import ImageSet
from cellar.data.inputs.two_views import TwoViews
from cellar.engine import evaluate, setup, training
from cellar.engine.guesses import Guesses
from cellar.engine.train_data import TrainData
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.methods.crd import with_negatives
from cellar.methods.feature_distillation import FeatureDistillation, Student
from cellar.methods.mlkd import Views, distill_loss, sum_of_cross_entropies
from cellar.models import features
from cellar.models.features import Features
from tests.engine.tiny import CLASSES, RECIPE, settings_of

MLKD = "mlkd"  # a live teacher's logits of two augmentations
METHODS = [name for name in registry.known() if issubclass(registry.load(name), FeatureDistillation)]
SHORT: dict[str, dict[str, Any]] = {
    **{name: {"first_stage_epochs": 1} for name in ("ab", "fsp", "ft")},
    "crd": {"negatives": 6},
    "reviewkd": {"first_epoch": 1},
}
FILES = ("last.safetensors", "history.csv", "losses.npz")
SIZES = {"train": 20, "validation": 8, "test": 8}


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with 36 images and a teacher of one epoch, as the current folder."""
    folder = tmp_path_factory.mktemp("features")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        generator = np.random.default_rng(0)
        split = np.repeat(list(SIZES), list(SIZES.values()))
        labels = np.arange(len(split)) % len(CLASSES)
        images = generator.integers(120, size=(len(split), 32, 32, 3)) + 60 * labels[:, None, None, None]
        shown = ImageSet(images.astype(np.uint8), labels, split, CLASSES)
        prepared.save(shown, paths.prepared("tiny"), "tiny", "fer2013")
        setup.run(TrainingSettings.model_validate(said("teachers", "teacher", {"name": "labels"}, None, epochs=1)))
        yield folder


def said(
    kind: str, key: str, method: dict[str, Any], teacher: str | None, model: str = "resnet8x4", **recipe: Any
) -> dict[str, Any]:
    """Resolved settings of a training on these images, as plain data."""
    settings = settings_of(kind, key, method, teacher)
    settings |= {"model": model, "model_file": str(models.file_of(model))}
    settings["method_file"] = str(registry.HERE / f"{method['name']}.py")
    settings["recipe"] = RECIPE | {"batch_size": 8, "select_on": "last_epoch"} | recipe
    if teacher:
        settings["teacher"] |= {"model": "resnet8x4", "model_file": str(models.file_of("resnet8x4"))}
    return settings


def settings_for(name: str, key: str = "", model: str = "resnet8x4", **recipe: Any) -> TrainingSettings:
    method = registry.resolve({"name": name, **SHORT.get(name, {})})
    plain = said("students", f"toy/{key or name}", method, "teacher", model, **recipe)
    return TrainingSettings.model_validate(plain)


def folder_of(settings: TrainingSettings) -> Path:
    return paths.trained(settings.kind, settings.key, settings.seed)


def trained(settings: TrainingSettings) -> list[bytes]:
    """The last epoch's weights file, and the history; trained anew."""
    setup.run(settings)
    return [(folder_of(settings) / name).read_bytes() for name in FILES]


def killed_in_second_epoch(settings: TrainingSettings) -> None:
    train_epoch, epochs = training.train_epoch, iter(range(2))

    def killed(*arguments: Any) -> Any:
        if next(epochs):
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train_epoch", killed)
        patch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short
        with pytest.raises(KeyboardInterrupt):
            setup.run(settings)


@pytest.mark.parametrize("name", [*METHODS, MLKD])
def test_a_killed_training_resumes_to_the_same_bytes_and_its_weights_file_predicts(name: str) -> None:
    settings = settings_for(name, epochs=1 if "first_stage_epochs" in SHORT.get(name, {}) else 2)
    written = trained(settings)
    killed_in_second_epoch(settings)
    resumed = setup.run(settings)
    assert resumed and resumed["resumed_from_epoch"] == 1
    assert [(folder_of(settings) / file).read_bytes() for file in FILES] == written
    first, second = files.read_csv(folder_of(settings) / "history.csv")
    own_loss = "distill_loss" if name == MLKD else "feature_loss"
    assert np.isfinite(first[own_loss]) and first["train_loss"] != second["train_loss"]
    names = set(files.read_tensors(folder_of(settings) / "weights.safetensors"))
    own = {key for key in names if not key.startswith("reused.")}
    assert own == set(models.build("resnet8x4", 3).state_dict()) and (names > own) == (name == "simkd")
    assert np.isfinite(predictions_of(settings)).all()


def predictions_of(settings: TrainingSettings) -> np.ndarray:
    """Logits (8, 3) of the test images."""
    evaluate.run(evaluation_of(settings))
    logits: np.ndarray = files.read_arrays(paths.predictions("students", settings.key, 0) / "predictions.npz")["logits"]
    assert logits.shape == (8, 3)
    return logits


def evaluation_of(settings: TrainingSettings) -> EvaluationSettings:
    plain = settings.model_dump()
    shared = {key: plain[key] for key in EvaluationSettings.model_fields.keys() & plain.keys()}
    return EvaluationSettings.model_validate(shared | {"teacher": None, "batch_size": 8})


def test_simkd_predicts_by_its_projector_and_the_teachers_classifier() -> None:
    settings = settings_for("simkd")
    setup.run(settings)
    found = predictions_of(settings)
    state = files.read_tensors(folder_of(settings) / "last.safetensors")
    taught = files.read_tensors(paths.trained("teachers", "teacher", 0) / "weights.safetensors")
    assert torch.equal(state["reused.weight"], taught["fc.weight"]) and torch.equal(
        state["reused.bias"], taught["fc.bias"]
    )
    network = models.build("resnet8x4", 3).eval()
    network.load_state_dict({key: value for key, value in state.items() if not key.startswith("reused.")})
    split = evaluate.EvalContext(
        evaluation_of(settings), prepared.load(paths.prepared("tiny")), torch.device("cpu")
    ).split("test")
    x = network.features(next(iter(unaugmented(split.images, split.augmentation, 8)))).maps[-1]
    for conv, norm in ((0, 1), (3, 4), (6, 7)):
        weight = state[f"reused.projector.{conv}.weight"]
        x = functional.conv2d(x, weight, padding=weight.shape[2] // 2)
        parts = [state[f"reused.projector.{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        x = functional.relu(functional.batch_norm(x, *parts))
    logits = functional.linear(x.mean((2, 3)), taught["fc.weight"], taught["fc.bias"])
    np.testing.assert_allclose(found, logits.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_simkd_never_trains_the_students_own_classifier() -> None:
    settings = settings_for("simkd")
    setup.run(settings)
    state = files.read_tensors(folder_of(settings) / "last.safetensors")
    first = setup.build_network(settings, 3, torch.device("cpu")).state_dict()
    assert torch.equal(state["fc.weight"], first["fc.weight"])
    assert not torch.equal(state["layer3.0.conv2.weight"], first["layer3.0.conv2.weight"])


@dataclass
class Run:
    """A training that is stepped by hand."""

    method: Any
    model: torch.nn.Module
    data: TrainData
    settings: TrainingSettings

    @classmethod
    def of(cls, settings: TrainingSettings) -> "Run":
        method = setup.load_method(settings.method, settings.method_file)
        device = torch.device("cpu")
        data = TrainData(settings, prepared.load(paths.prepared("tiny")), device)
        model = method.wrap(setup.build_network(settings, 3, device))
        method.prepare(data)
        return cls(method, model.train(), data, settings)

    def losses(self, epoch: int) -> training.Losses:
        """Of the first batch of an epoch, with gradients."""
        indices = self.method.sampler(self.data)(epoch)
        self.method.begin_epoch(epoch, indices)
        image, augmentation = indices.image[:8], indices.augmentation[:8]
        split = self.method.train_split(self.data)
        self.model.zero_grad(set_to_none=True)
        output = self.model(split.augmentation.apply(split.images[image], augmentation))
        batch = training.Batch(slice(0, 8), image, augmentation, split.labels[image])
        losses = training.total_loss(self.method, output, batch)
        losses["loss"].backward()
        return losses

    def trained(self) -> set[str]:
        """Names of the parameters that the last loss has given a gradient."""
        return {name for name, parameter in self.model.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("name", METHODS)
def test_every_layer_beside_the_student_learns_and_the_teacher_does_not(name: str) -> None:
    run = Run.of(settings_for(name))
    teacher = {key: value.clone() for key, value in run.method.teacher.model.state_dict().items()}
    learnt = set[str]()
    for epoch in (0, 1):
        run.losses(epoch)
        learnt |= run.trained()
    layers = {key for key, _ in run.model.named_parameters() if key.startswith("layers.")}
    assert layers <= learnt
    assert all(torch.equal(value, teacher[key]) for key, value in run.method.teacher.model.state_dict().items())
    assert not run.method.teacher.model.training
    assert all(parameter.grad is None for parameter in run.method.teacher.model.parameters())


def test_the_teacher_sees_the_students_images_in_evaluation_mode() -> None:
    run = Run.of(settings_for("at"))
    image, augmentation = torch.tensor([3, 0, 11]), torch.tensor([0, 5, 161])
    split = run.data.train
    found = run.method.teacher.features(training.Batch(slice(0, 3), image, augmentation, split.labels[image]))
    inputs = split.augmentation.apply(split.images[image], augmentation)
    network = models.build("resnet8x4", 3)
    network.load_state_dict(files.read_tensors(paths.trained("teachers", "teacher", 0) / "weights.safetensors"))
    wanted = network.eval().features(inputs)
    for ours, theirs in zip(found.maps, wanted.maps, strict=True):
        torch.testing.assert_close(ours, theirs.detach(), check_stride=False)
    torch.testing.assert_close(found.logits, wanted.logits.detach())
    assert not found.vector.requires_grad and len(found.vector) == 3


def test_two_augmentations_take_two_passes_each() -> None:
    """Of MLKD's student in training mode, of its teacher in evaluation mode; scores of training images are of the weak one."""
    run = Run.of(settings_for(MLKD))
    losses = run.losses(0)
    indices, split = run.method.sampler(run.data)(0), run.data.train
    image, index = indices.image[:8], indices.augmentation[:8]
    weak, strong = TwoViews(split.augmentation).apply(split.images[image], index).unbind(1)
    student = setup.build_network(run.settings, 3, torch.device("cpu")).train()
    teacher = models.build("resnet8x4", 3)
    teacher.load_state_dict(files.read_tensors(paths.trained("teachers", "teacher", 0) / "weights.safetensors"))
    learnt, taught = Views(student(weak), student(strong)), Views(*map(teacher.eval(), (weak, strong)))
    labels = split.labels[image]
    torch.testing.assert_close(losses["task_loss"], sum_of_cross_entropies(learnt, labels))
    torch.testing.assert_close(losses["distill_loss"], distill_loss(learnt, taught))
    torch.testing.assert_close(losses["loss"], 0.1 * losses["task_loss"] + 0.9 * losses["distill_loss"])
    for name, value in student.state_dict().items():  # batch norm has seen one kind of image, then the other
        torch.testing.assert_close(run.model.state_dict()[name], value)
    assert run.method.facts() == {"teacher_images_forwarded": 16}
    run.method.guesses = Guesses(3, torch.device("cpu"))
    run.method.observe(torch.stack(learnt, 1).detach(), training.Batch(slice(0, 8), image, index, labels))
    assert run.method.guesses.take()["train_accuracy"] == pytest.approx(
        100 * (learnt.weak.argmax(1) == labels).double().mean().item()
    )


def test_first_stages_train_what_the_second_does_not() -> None:
    ends = {"network.fc.weight", "network.fc.bias"}
    for name in ("ab", "fsp"):
        run = Run.of(settings_for(name))
        first = run.losses(0)
        assert (
            not run.trained() & ends
            and first["loss"] == registry.load(name).Params().feature_weight * first["feature_loss"]
        )
        second = run.losses(1)
        assert ends <= run.trained() and torch.equal(second["loss"], second["task_loss"])
        assert not {key for key in run.trained() if key.startswith("layers.")}
    run = Run.of(settings_for("ft"))
    run.losses(0)
    assert run.trained() and all(key.startswith("layers.paraphraser.") for key in run.trained())
    run.losses(1)
    assert {"network.fc.weight", "layers.translator.0.weight"} <= run.trained()
    assert not {key for key in run.trained() if key.startswith("layers.paraphraser.")}


def test_momenta_start_anew_between_the_stages() -> None:
    """A second stage of no epochs before it is a plain training from the weights that the first has left."""
    run = Run.of(settings_for("fsp"))
    optimizer = training.Optimizer(run.model, run.settings.recipe)
    optimizer.step(run_loss(run, 0))
    assert optimizer.optimizer.state and run.method.first_stage_epochs == 1
    optimizer.restart()
    assert not optimizer.optimizer.state
    conv = run.model.get_parameter("network.conv1.weight")
    before, (rate, decay) = conv.detach().clone(), (optimizer.learning_rate, run.settings.recipe.weight_decay)
    optimizer.step(run_loss(run, 1))
    torch.testing.assert_close(conv.detach(), before - rate * (conv.grad + decay * before))


def run_loss(run: Run, epoch: int) -> Tensor:
    indices = run.method.sampler(run.data)(epoch)
    run.method.begin_epoch(epoch, indices)
    image, augmentation, split = indices.image[:8], indices.augmentation[:8], run.data.train
    output = run.model(split.augmentation.apply(split.images[image], augmentation))
    batch = training.Batch(slice(0, 8), image, augmentation, split.labels[image])
    return training.total_loss(run.method, output, batch)["loss"]


def test_a_review_begins_with_weight_0_as_its_authors_count() -> None:
    method = registry.resolve({"name": "reviewkd", "warm_up": 4})
    run = Run.of(TrainingSettings.model_validate(said("students", "toy/review", method, "teacher")))
    for epoch, share in ((0, 0.0), (1, 0.25), (4, 1.0), (9, 1.0)):
        losses = run.losses(epoch)
        assert losses["loss"].item() == pytest.approx(
            (losses["task_loss"] + 5.0 * share * losses["feature_loss"]).item()
        )


def test_batches_of_semckd_are_whole() -> None:
    run = Run.of(settings_for("semckd"))
    sampler, every = run.method.sampler(run.data), super(type(run.method), run.method).sampler(run.data)
    assert (sampler.size, every.size) == (16, 20)
    assert torch.equal(sampler(3).image, every(3).image[:16])
    few = registry.load("semckd")(registry.load("semckd").Params())
    data = TrainData(settings_for("semckd", batch_size=21), run.data.image_set, torch.device("cpu"))
    with pytest.raises(CellarError, match="20 images fill no batch; lower batch_size"):
        assert few.sampler(data).size


def test_negatives_are_of_other_classes_and_come_once() -> None:
    labels, generator = torch.tensor([0, 1, 1, 2, 0, 2, 1]), torch.Generator().manual_seed(0)
    for _ in range(50):
        image = torch.tensor([0, 2, 5])
        compared = with_negatives(image, labels, 4, generator)
        assert compared.shape == (3, 5) and torch.equal(compared[:, 0], image)
        for own, others in zip(image, compared[:, 1:], strict=True):
            assert (labels[others] != labels[own]).all() and len(set(others.tolist())) == 4
    assert with_negatives(image, labels, 9, generator).shape == (3, 10)  # more than there are: with replacement


REFUSED: list[tuple[str, dict[str, Any], Callable[[dict[str, Any]], None], str]] = [
    ("at", {}, lambda s: s.update(model="mobilenet_v1"), "method at: mobilenet_v1 serves no feature maps"),
    ("at", {}, lambda s: s["teacher"].update(model="mobilenet_v1"), "method at: mobilenet_v1 serves no feature maps"),
    ("at", {}, lambda s: s.update(teacher=None), "method at needs a teacher"),
    ("fitnet", {"hint_layer": 4}, lambda s: None, "hint_layer must be at most 3 for these networks"),
    (
        "ofd",
        {},
        lambda s: s["teacher"].update(model="cnn4"),
        "no batch norm stands before the activations of cnn4",
    ),
    ("simkd", {}, lambda s: s["teacher"].update(model="cnn4"), "classifier of cnn4 does not read its pooled last map"),
    (
        "srrl",
        {"form": "maps"},
        lambda s: s["teacher"].update(model="cnn4"),
        "classifier of cnn4 does not read its pooled last map",
    ),
    (
        "simkd",
        {},
        lambda s: s["teacher"].update(model="wrn_16_2"),
        "classifier of wrn_16_2 does not read its pooled last",
    ),
    (
        "srrl",
        {"form": "maps"},
        lambda s: s["teacher"].update(model="wrn_16_2"),
        "classifier of wrn_16_2 does not read its pooled last map; say form: vectors",
    ),
    ("simkd", {"factor": 300}, lambda s: None, "factor must be at most 256"),
    ("semckd", {}, lambda s: s["recipe"].update(batch_size=3), "batch_size must be at least factor, 4"),
    ("ft", {}, lambda s: s["recipe"].update(processes=2), "set processes: 1 in its recipe"),
]


@pytest.mark.parametrize(("name", "params", "spoil", "line"), REFUSED)
def test_networks_that_do_not_suit_are_one_line_at_planning_time(
    name: str, params: dict[str, Any], spoil: Callable[[dict[str, Any]], None], line: str
) -> None:
    plain = said("students", "toy/row", {"name": name, **SHORT.get(name, {}), **params}, "teacher")
    spoil(plain)
    for side in (plain, plain["teacher"]):
        if side:
            side["model_file"] = str(models.file_of(side["model"]))
    method = registry.load(name)
    with pytest.raises(CellarError, match=line) as caught:
        method(method.Params.model_validate({**SHORT.get(name, {}), **params})).check(
            TrainingSettings.model_validate(plain)
        )
    assert "\n" not in str(caught.value) and str(caught.value).startswith("toy/row: ")


def served(*channels: int) -> Features:
    """Maps of 8x8 of so many channels, the stem's first."""
    maps = tuple(torch.empty(2, width, 8, 8, device="meta") for width in channels)
    return Features(maps, maps, torch.empty(2, channels[-1], device="meta"), torch.empty(2, 3, device="meta"))


def test_networks_of_another_width_or_depth_do_not_suit_methods_that_compare_stage_by_stage() -> None:
    flow, review = (registry.load(name)(registry.load(name).Params()) for name in ("fsp", "reviewkd"))
    assert flow.unsuited(served(16, 16, 32), served(16, 16, 32)) == review.unsuited(served(16, 8), served(4, 2)) == ""
    assert "the same channels: [16, 32] and [16, 64]" in flow.unsuited(served(16, 32), served(16, 64))
    assert "the same channels" in flow.unsuited(served(16, 32), served(16, 32, 64))
    assert "the student has 1 stages, its teacher 2" in review.unsuited(served(16, 32), served(16, 32, 64))


def test_a_methods_code_is_that_of_all_files_that_it_is_built_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(registry.HERE.parents[2])
    found = {path.name for path in registry.code_of(registry.file_of("ab"))}
    assert found == {
        "ab.py",
        "maps.py",
        "two_stages.py",
        "feature_distillation.py",
        "logit_distillation.py",
        "logit_kd.py",
        "features.py",
        "wrapped.py",
    }


PAIRS = [
    ("resnet32x4", "resnet8x4"), ("resnet56", "resnet20"), ("wrn_40_2", "wrn_16_2"), ("wrn_40_2", "wrn_40_1"), ("vgg13", "vgg8"),
    ("resnet32x4", "shufflenet_v1"), ("resnet32x4", "shufflenet_v2"), ("wrn_40_2", "shufflenet_v1"), ("vgg13", "mobilenet_v2_half"),
    ("resnet50_cifar", "mobilenet_v2_half"), ("resnet50_cifar", "vgg8"),
]  # fmt: skip
UNSUITED = {  # of these pairs, teacher first
    "fsp": set(PAIRS) - {("wrn_40_2", "wrn_16_2"), ("resnet56", "resnet20"), ("vgg13", "vgg8"), ("resnet32x4", "resnet8x4")},
    "simkd": set(),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in METHODS if name != "crd"])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_a_method_serves_the_usual_pairs_or_says_why_not(name: str, pair: tuple[str, str]) -> None:
    """Without memory: layers and loss for the shapes of both networks' features. CRD reads vectors alone, as CC does."""
    teacher, student = (features.of(one, str(models.file_of(one)), 32, 8) for one in pair)
    method = registry.load(name)(registry.load(name).Params())
    problem = method.unsuited(student, teacher)
    assert bool(problem) == (pair in UNSUITED.get(name, set())), problem
    if problem:
        return
    with torch.device("meta"):
        network = models.build(pair[0], 2)
        method.teacher = SimpleNamespace(model=network)
        method.student = Student(torch.nn.Module())
        method.student.add(method.layers(student, teacher))
        method.margins = [norm.bias.detach() for norm in network.stage_norms]
        if name == "simkd":
            student = method.student.layers(student)
        loss = method.feature_loss(student, teacher, SimpleNamespace())
    assert loss.shape == ()
