"""The one loop: resumes to the same bits, chooses on validation, stops early, follows named seeds."""

import math
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sklearn import metrics
from torch import Tensor, nn

from cellar.config import Recipe
from cellar.data.inputs.augmentation import Split, build_augmentation
from cellar.engine import training
from cellar.engine.checkpoint import Checkpoint
from cellar.engine.runtime import Optimizer, Progress
from cellar.engine.training import Batch, EpochIndices, TrainResult
from cellar.errors import CellarError
from cellar.methods.base import ShuffledSampler, validation_scores
from cellar.methods.labels import Labels
from cellar.seeding import derive

RECIPE: dict[str, Any] = dict(  # noqa: C408
    epochs=4, batch_size=8, learning_rate=0.05, momentum=0.9, weight_decay=0.0001, schedule={"plateau": {"factor": 0.1, "patience": 1}},
    early_stop=16, class_weighting="none", select_on="validation_accuracy",
)  # fmt: skip
ADAM: dict[str, Any] = {"optimizer": "adam", "learning_rate": 0.01, "momentum": 0, "schedule": {"inverse_sqrt": True}}


class TinyNet(nn.Module):
    """Convolution, batch norm, dropout, linear: all that a checkpoint has to bring back."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(16, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def split(n: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (n, 1, 12, 12), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(3, (n,), generator=generator), build_augmentation("flip", "imagenet"))


def run(checkpoint: Checkpoint, seed: int = 0, method: Labels | None = None, **changes: Any) -> TrainResult:
    torch.manual_seed(seed)
    recipe = Recipe.model_validate({**RECIPE, **changes})
    held_out = recipe.train_on == "train"
    evaluator = partial(validation_scores, split=split(20, 2), precision="fp32") if held_out else None
    return training.train(
        TinyNet(), split(33, 1), method or Labels(Labels.Params()), recipe,
        sampler=ShuffledSampler(33, 2, seed, torch.device("cpu")), evaluator=evaluator, seed=seed, precision="fp32", checkpoint=checkpoint, progress=Progress("test", 1),
    )  # fmt: skip


def test_an_auxiliary_head_adds_its_loss_and_both_are_logged() -> None:
    logits, labels = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1, 2])
    recipe = SimpleNamespace(recipe=Recipe.model_validate(RECIPE))
    method = Labels(Labels.Params())
    method.prepare(SimpleNamespace(class_weights=None, settings=recipe))  # type: ignore[arg-type]
    losses = training.total_loss(method, (logits[0], logits[1]), Batch(slice(0, 6), labels, labels, labels))
    main, auxiliary = (nn.functional.cross_entropy(part, labels) for part in logits)
    assert losses == {"loss": main + 0.4 * auxiliary, "main_loss": main, "auxiliary_loss": auxiliary}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_same_seed_same_bits_other_seed_other_bits() -> None:
    first, second, other = run(Checkpoint("1")), None, run(Checkpoint("2"), seed=1)
    Checkpoint("1").remove()
    second = run(Checkpoint("1"))
    assert same(first.last, second.last) and first.history == second.history
    assert not same(first.last, other.last)


@pytest.mark.parametrize("changes", [{}, ADAM], ids=["sgd", "adam"])
@pytest.mark.parametrize("killed_in_epoch", [1, 2, 3])
def test_a_killed_training_resumes_to_the_same_bits(
    killed_in_epoch: int, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(Checkpoint("whole"), **changes)
    train_epoch = training.train_epoch

    epochs = iter(range(killed_in_epoch + 1))

    def killed(*arguments: Any) -> Any:
        if next(epochs) == killed_in_epoch:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    monkeypatch.setattr(training, "train_epoch", killed)
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint("killed"), **changes)
    monkeypatch.setattr(training, "train_epoch", train_epoch)
    resumed = run(Checkpoint("killed"), **changes)
    assert resumed.resumed_from == killed_in_epoch
    assert same(whole.last, resumed.last) and same(whole.best, resumed.best)
    assert whole.history == resumed.history
    assert torch.equal(torch.cat(whole.step_losses), torch.cat(resumed.step_losses))


def test_weights_are_chosen_on_validation_the_first_of_equals() -> None:
    result = run(Checkpoint("1"), epochs=6)
    accuracies = [row["validation_accuracy"] for row in result.history]
    assert result.best_epoch == accuracies.index(max(accuracies)) + 1
    by_loss = run(Checkpoint("2"), epochs=6, select_on="validation_loss")
    losses = [row["validation_loss"] for row in by_loss.history]
    assert by_loss.best_epoch == losses.index(min(losses)) + 1


def test_early_stop_counts_epochs_without_improvement() -> None:
    result = run(Checkpoint("1"), epochs=40, early_stop=2, learning_rate=1e-9)
    assert len(result.history) == result.best_epoch + 2


class InTwoStages(Labels):
    """Labels alone, after a first stage of three epochs of the same loss."""

    first_stage_epochs = 3  # type: ignore[assignment]


def test_a_first_stage_comes_before_the_recipes_epochs_and_its_schedule() -> None:
    falling = {"milestones": {"epochs": [1], "factor": 0.1}}
    method = InTwoStages(Labels.Params())
    result = run(Checkpoint("1"), method=method, epochs=2, learning_rate=0.1, schedule=falling)
    rates = [row["learning_rate"] for row in result.history]
    assert rates == pytest.approx([0.1, 0.01, 0.01, 0.1, 0.01])


def test_a_first_stage_is_no_reason_to_stop_early() -> None:
    result = run(Checkpoint("1"), method=InTwoStages(Labels.Params()), epochs=40, early_stop=2, learning_rate=1e-9)
    assert len(result.history) == max(result.best_epoch, 3) + 2


def test_the_rate_falls_when_the_validation_loss_stagnates() -> None:
    result = run(Checkpoint("1"), epochs=12, learning_rate=5.0, schedule={"plateau": {"factor": 0.1, "patience": 0}})
    rates = [row["learning_rate"] for row in result.history]
    assert rates[0] == 5.0 and rates[-1] < 5.0


def test_a_score_that_the_method_does_not_give_chooses_nothing() -> None:
    """Of a classifier, R²; where the score is there but no number, the same."""
    those = "validation_accuracy, validation_loss, last_epoch"
    with pytest.raises(
        CellarError, match=f"select_on: validation_r2, .* no score of this training; it can be: {those}"
    ):
        run(Checkpoint("1"), select_on="validation_r2")


def test_an_epoch_without_a_batch_of_two_images_is_one_line() -> None:
    recipe, method = Recipe.model_validate(RECIPE), Labels(Labels.Params())
    one, net = EpochIndices(torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)), TinyNet()
    with pytest.raises(CellarError, match="no batch of an epoch has two images"):
        training.train_epoch(net, split(9, 1), one, method, Optimizer(net, recipe), 8, "fp32", Progress("test", 1))


def test_a_diverged_training_is_one_line_and_no_result() -> None:
    with pytest.raises(CellarError, match="diverged in epoch"):
        run(Checkpoint("1"), learning_rate=1e30)


def test_every_image_is_seen_once_an_epoch_in_a_new_order_with_new_augmentations() -> None:
    augmentation = build_augmentation("crop_flip", "cifar100")
    first, again, later = map(ShuffledSampler(330, augmentation.count, 0, torch.device("cpu")), (0, 0, 1))
    assert sorted(first.image.tolist()) == list(range(330))
    assert torch.equal(first.image, again.image) and torch.equal(first.augmentation, again.augmentation)
    assert not torch.equal(first.image, later.image) and not torch.equal(first.augmentation, later.augmentation)
    assert int(first.augmentation.min()) >= 0 and 140 < int(first.augmentation.max()) < 162


def test_a_last_batch_of_one_is_left_out() -> None:
    """Batch normalisation has nothing to normalise over in it."""
    assert list(training.batch_positions(33, 8)) == [slice(0, 8), slice(8, 16), slice(16, 24), slice(24, 32)]
    assert list(training.batch_positions(34, 8))[-1] == slice(32, 34)


def test_the_epochs_loss_is_that_of_its_images() -> None:
    steps = torch.tensor([[1.0, 2.0, 3.0, 8], [4.0, 5.0, 6.0, 2]])  # 8 images, then 2
    losses = training.mean_losses(["loss", "task_loss", "distill_loss"], steps, 0)
    assert losses == pytest.approx({"train_loss": 1.6, "task_loss": 2.6, "distill_loss": 3.6})


@pytest.mark.parametrize("others", [0, 1, 2, 5])
def test_the_mean_of_a_term_does_not_depend_on_how_many_others_there_are(others: int) -> None:
    """To the bit: a history is compared with that of a method with other terms."""
    generator = torch.Generator().manual_seed(0)
    term, images = torch.rand(533, generator=generator), torch.full((533,), 16.0)
    more = torch.rand(533, others, generator=generator)
    names = ["loss", *(f"term_{number}" for number in range(others))]
    alone = training.mean_losses(["loss"], torch.stack([term, images], 1), 0)
    assert (
        training.mean_losses(names, torch.cat([term[:, None], more, images[:, None]], 1), 0)["train_loss"]
        == alone["train_loss"]
    )


class TwoTerms(Labels):
    """A loss with terms of its own; notes the epochs that it is told."""

    def __init__(self) -> None:
        super().__init__(Labels.Params())
        self.epochs: list[int] = []

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        assert len(indices.image) == len(indices.augmentation) == 33
        self.epochs.append(epoch)

    def loss(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        losses = super().loss(output, batch)
        norm = output.square().mean()
        return {"norm_loss": norm, "loss": losses["loss"] + 0.1 * self.epochs[-1] * norm, "task_loss": losses["loss"]}


def test_loss_terms_are_logged_under_their_own_names() -> None:
    method = TwoTerms()
    history = run(Checkpoint("1"), method=method).history
    for row in history:
        assert (
            {"train_loss", "norm_loss", "task_loss"} <= row.keys() and "distill_loss" not in row and "loss" not in row
        )
        weight = 0.1 * (row["epoch"] - 1)
        assert row["train_loss"] == pytest.approx(row["task_loss"] + weight * row["norm_loss"], rel=1e-5)
    assert {"train_loss"} == {name for name in run(Checkpoint("2")).history[0] if name.endswith("loss")} - {
        "validation_loss"
    }
    assert method.epochs == [0, 1, 2, 3]


def test_the_epoch_is_passed_on_after_resuming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)
    whole = run(Checkpoint("whole"), method=TwoTerms())
    run(Checkpoint("cut"), method=TwoTerms(), epochs=2)
    resumed = TwoTerms()
    result = run(Checkpoint("cut"), method=resumed)
    assert resumed.epochs == [2, 3] and result.resumed_from == 2
    assert same(whole.last, result.last) and whole.history == result.history


def test_every_step_keeps_its_loss() -> None:
    result = run(Checkpoint("1"))
    assert [len(losses) for losses in result.step_losses] == [4] * 4
    for row, losses in zip(result.history, result.step_losses, strict=True):
        assert row["train_loss"] == pytest.approx(float(losses.mean()))


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ({"step": {"every": 2, "factor": 0.2}}, [0.1, 0.1, 0.02, 0.02, 0.004]),
        ({"milestones": {"epochs": [1, 3], "factor": 0.1}}, [0.1, 0.01, 0.01, 0.001, 0.001]),
        ({"inverse_sqrt": True}, [0.1 / math.sqrt(1 + t) for t in range(5)]),
    ],
)
def test_the_rate_falls_on_schedule(schedule: dict[str, Any], rates: list[float]) -> None:
    result = run(Checkpoint("1"), epochs=5, learning_rate=0.1, schedule=schedule)
    assert [row["learning_rate"] for row in result.history] == pytest.approx(rates)


@pytest.mark.parametrize("betas", [None, [0.0, 0.99]])
def test_adams_steps_are_those_of_its_paper(betas: list[float] | None) -> None:
    """m and v are means of the gradient and of its square, corrected for their start at 0 (arXiv:1412.6980)."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 3.0)
    optimizer = Optimizer(model, Recipe.model_validate({**RECIPE, **ADAM, "weight_decay": 0.0, "betas": betas}))
    (b1, b2), w, m, v = betas or (0.9, 0.999), 3.0, 0.0, 0.0
    for t in (1, 2, 3):
        optimizer.step(model.weight.square().sum())
        m, v = b1 * m + (1 - b1) * 2 * w, b2 * v + (1 - b2) * (2 * w) ** 2
        w -= 0.01 * (m / (1 - b1**t)) / (math.sqrt(v / (1 - b2**t)) + 1e-8)
        assert model.weight.item() == pytest.approx(w, rel=1e-6)


def test_what_is_frozen_stays_as_it_is_with_adam() -> None:
    """Weight decay too leaves it alone, for it has no gradient."""
    model = TinyNet()
    frozen = model.body[0].weight.requires_grad_(False)
    before, learning = frozen.clone(), model.body[6].weight.detach().clone()
    Optimizer(model, Recipe.model_validate({**RECIPE, **ADAM})).step(model(torch.ones(4, 3, 12, 12)).square().sum())
    assert torch.equal(frozen, before) and not torch.equal(model.body[6].weight, learning)


def test_without_validation_the_last_epoch_is_taken_and_nothing_is_scored() -> None:
    recipe = {"train_on": "train_and_validation", "select_on": "last_epoch", "early_stop": None}
    result = run(Checkpoint("1"), **recipe, schedule={"step": {"every": 2, "factor": 0.2}})
    assert result.best_epoch == 4 and same(result.best, result.last)
    assert all(math.isnan(row["validation_accuracy"]) for row in result.history)


def watching(*splits: str) -> Labels:
    """A method of labels whose recipe watches these splits; 20 images are held out."""
    settings = SimpleNamespace(recipe=Recipe.model_validate({**RECIPE, "watch": list(splits)}), precision="fp32")
    data = SimpleNamespace(
        settings=settings, validation=split(20, 2), watched=lambda: dict.fromkeys(splits, split(33, 1)), num_classes=3,
        device=torch.device("cpu"),
    )  # fmt: skip
    method = Labels(Labels.Params())
    method.scorer = method.evaluator(data)  # type: ignore[arg-type, attr-defined]
    return method


def run_watching(checkpoint: Checkpoint, *splits: str) -> TrainResult:
    method = watching(*splits)
    torch.manual_seed(0)
    return training.train(
        TinyNet(), split(33, 1), method, Recipe.model_validate(RECIPE), sampler=ShuffledSampler(33, 2, 0, torch.device("cpu")),
        evaluator=method.scorer, seed=0, precision="fp32", checkpoint=checkpoint, progress=Progress("test", 1),
    )  # fmt: skip


def plain_guesses() -> list[tuple[list[int], list[int]]]:
    """Labels and guesses of each epoch, as a loop gathers them that prints its training accuracy."""
    torch.manual_seed(0)
    model, images, sampler = TinyNet(), split(33, 1), ShuffledSampler(33, 2, 0, torch.device("cpu"))
    optimizer = torch.optim.SGD(model.parameters(), RECIPE["learning_rate"], 0.9, weight_decay=0.0001)
    epochs = []
    for epoch in range(RECIPE["epochs"]):
        ys: list[int] = []
        guesses: list[int] = []
        drawn = sampler(epoch)
        torch.manual_seed(derive(0, "dropout", epoch))
        model.train()
        for start in (0, 8, 16, 24):  # the 33rd image would be a batch of one
            index, augmentation = drawn.image[start : start + 8], drawn.augmentation[start : start + 8]
            output = model(images.augmentation.apply(images.images[index], augmentation))
            ys += images.labels[index].tolist()
            guesses += output.argmax(1).tolist()
            optimizer.zero_grad()
            nn.functional.cross_entropy(output, images.labels[index]).backward()
            optimizer.step()
        epochs.append((ys, guesses))
    return epochs


def test_scores_of_the_training_images_are_those_that_a_plain_loop_prints() -> None:
    history = run_watching(Checkpoint("1"), "train").history
    averages = {"labels": [0, 1, 2], "average": "macro", "zero_division": 0}
    for row, (ys, guesses) in zip(history, plain_guesses(), strict=True):
        assert row["train_accuracy"] == pytest.approx(100 * metrics.accuracy_score(ys, guesses), abs=1e-4)
        for name in ("precision", "recall", "f1"):
            wanted = 100 * getattr(metrics, f"{name}_score")(ys, guesses, **averages)
            assert row[f"train_{name}"] == pytest.approx(wanted, abs=1e-4)
    assert len({row["train_accuracy"] for row in history}) > 1


def test_to_watch_the_training_images_changes_no_weight() -> None:
    """Nor another column of the history."""
    alone, watched = run(Checkpoint("1")), run_watching(Checkpoint("2"), "train")
    assert same(alone.last, watched.last) and same(alone.best, watched.best)
    for before, after in zip(alone.history, watched.history, strict=True):
        assert after.keys() - before.keys() >= {"train_accuracy", "train_precision", "train_recall", "train_f1"}
        assert {name: after[name] for name in before if name != "validation_loss"} == {
            name: value for name, value in before.items() if name != "validation_loss"
        }
        assert after["validation_loss"] == pytest.approx(before["validation_loss"], abs=1e-6)


def test_what_was_guessed_before_a_kill_is_not_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_watching(Checkpoint("whole"), "train")
    monkeypatch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)
    step, steps = Optimizer.step, iter(range(7))  # killed in the middle of the second epoch

    def killed(self: Optimizer, loss: Tensor) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        step(self, loss)

    monkeypatch.setattr(Optimizer, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        run_watching(Checkpoint("killed"), "train")
    monkeypatch.setattr(Optimizer, "step", step)
    resumed = run_watching(Checkpoint("killed"), "train")
    assert resumed.resumed_from == 1 and resumed.history == whole.history


def test_of_two_heads_the_main_ones_guesses_are_counted() -> None:
    class TwoHeads(TinyNet):
        def forward(self, x: Tensor) -> Any:
            logits = super().forward(x)
            return (logits, -logits) if self.training else logits

    observed: list[Tensor] = []
    method = watching("train")
    method.observe = lambda output, batch: observed.append(output)  # type: ignore[method-assign]
    torch.manual_seed(0)
    model, images, recipe = TwoHeads(), split(8, 1), Recipe.model_validate(RECIPE)
    indices = EpochIndices(torch.arange(8), torch.zeros(8, dtype=torch.int64))
    model.body[5] = nn.Identity()  # no dropout
    expected = model.train()(images.augmentation.apply(images.images, indices.augmentation))[0]
    training.train_epoch(model, images, indices, method, Optimizer(model, recipe), 8, "fp32", Progress("test", 1))
    torch.testing.assert_close(observed, [expected.detach()])
