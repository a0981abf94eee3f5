"""Methods and networks are found by name, in the package and in a study's folder, which shadows nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellar import files, models, paths
from cellar.config.resolved import EvaluationSettings, TrainingSettings
from cellar.errors import CellarError
from cellar.methods import registry
from cellar.pipeline.stages import distill_student, evaluate_student, train_teacher
from tests.engine.tiny import settings_of, tiny_set

METHOD = '''"""Hints (toy): the loss depends on the epoch and uses the teacher's logits and features."""

from torch import Tensor
from torch.nn import functional

from cellar.config.section import Section, Weight
from cellar.engine.activations import forward_with_features
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices, Losses
from cellar.methods.base import Classifier, cross_entropy
from cellar.methods.logit_kd import kl_divergence


class Hints(Classifier):
    class Params(Section):
        weight: Weight = 0.5
        warmup: int = 1

    params: Params
    needs_teacher = "live"

    def prepare(self, data: TrainData) -> None:
        self.teacher = data.live_teacher

    def begin_epoch(self, epoch: int, indices: EpochIndices) -> None:
        self.factor = min(1.0, (epoch + 1) / self.params.warmup)

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        taught = forward_with_features(self.teacher, batch.image, batch.augmentation)
        task = cross_entropy(output, batch.labels)
        hint = kl_divergence(output, taught.logits, 2.0) + functional.normalize(taught.features).mean() * output.square().mean()
        return {"loss": task + self.factor * self.params.weight * hint, "task_loss": task, "hint_loss": hint}


METHOD = Hints
'''
NETWORK = '''"""A toy network."""

from torch import Tensor, nn


class Pooled(nn.Module):
    feature_dim = 3
    last_layer = "fc"

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(3, num_classes)

    def features(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x))


def pooled(num_classes: int) -> Pooled:
    return Pooled(num_classes)


NETWORKS = {"pooled": pooled}
CLASSES = 3
'''


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a study that has a method and a network of its own."""
    monkeypatch.chdir(tmp_path)
    files.write_text(Path("studies/toy/methods/hints.py"), METHOD)
    files.write_text(Path("studies/toy/models/pooled.py"), NETWORK)
    return tmp_path


def test_every_method_is_known_and_has_its_parameters() -> None:
    of_logits = ["mlkd", "ctkd", "dist", "dkd", "logit_kd", "nkd", "ofa", "ttm", "wttm"]
    of_features = [
        "ab",
        "at",
        "cc",
        "crd",
        "fitnet",
        "fsp",
        "ft",
        "ickd",
        "nst",
        "ofd",
        "pkt",
        "reviewkd",
        "rkd",
        "semckd",
    ]
    of_features += ["simkd", "sp", "srrl", "vid"]
    others = ["feature_kd", "gan", "labels", "maml", "triplet"]
    assert registry.known() == sorted([*of_logits, *of_features, *others])
    for name in registry.known():
        method = registry.load(name)
        assert registry.file_of(name) == Path(f"src/cellar/methods/{name}.py")
        assert method.__module__ == f"cellar.methods.{name}" and files.load_module(registry.file_of(name)).__doc__


def test_names_are_found_without_torch() -> None:
    code = (
        "import sys; from cellar.methods import registry; from cellar import models; registry.file_of('maml');"
        "models.file_of('convnet9+sigmoid'); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_defaults_are_filled_in_and_mistakes_are_one_line(study: Path) -> None:
    assert registry.resolve({"name": "labels"}) == {"name": "labels"}
    assert registry.resolve({"name": "hints"}, "toy") == {"name": "hints", "weight": 0.5, "warmup": 1}
    margin = {"name": "triplet", "margin": 1, "per_epoch": 4}
    assert registry.resolve(margin) == margin
    for settings, line in [
        ({"name": "logit_kb"}, r"no method is called 'logit_kb' \(did you mean 'logit_kd'\?\)"),
        ({"name": "base"}, "no method is called 'base'"),
        ({"name": "triplet", "margin": 1, "per_epoch": 4, "marign": 1}, r"method triplet: marign: unknown key"),
        ({"name": "triplet", "margin": 1}, "method triplet: per_epoch: missing"),
        ({"name": "triplet", "margin": -1, "per_epoch": 4}, "method triplet: margin"),
    ]:
        with pytest.raises(CellarError, match=line) as caught:
            registry.resolve(settings)
        assert "\n" not in str(caught.value)
    with pytest.raises(CellarError, match="no method is called 'hints'"):
        registry.resolve({"name": "hints"})  # another study's


def test_a_network_of_a_study_is_found_in_its_folder_alone(study: Path) -> None:
    assert models.file_of("pooled", "toy") == Path("studies/toy/models/pooled.py")
    assert models.known("toy")[0] == "pooled" and "pooled" not in models.known()
    assert models.build("pooled+connector", 3, models.file_of("pooled", "toy")).feature_dim == 2048
    assert models.code_of("pooled+connector", "toy") == [
        Path("studies/toy/models/pooled.py"),
        Path("src/cellar/models/connected.py"),
    ]
    with pytest.raises(CellarError, match="no model is called 'pooled'"):
        models.file_of("pooled")


def test_a_study_trains_by_a_method_of_its_own(study: Path) -> None:
    """Its loss uses the epoch, and the teacher's logits and features of each batch, live."""
    tiny_set("tiny")
    train_teacher.run(TrainingSettings.model_validate(settings_of("teachers", "teacher")))
    method = registry.resolve({"name": "hints", "warmup": 2}, "toy")
    files_of = {"method_file": str(registry.file_of("hints", "toy")), "model": "pooled"}
    files_of["model_file"] = str(models.file_of("pooled", "toy"))
    said = settings_of("students", "toy/hinted", method, "teacher", **files_of)
    distill_student.run(TrainingSettings.model_validate(said))
    history = pd.read_csv(paths.trained("students", "toy/hinted", 0) / "history.csv")
    assert {"train_loss", "task_loss", "hint_loss"} <= set(history) and "distill_loss" not in history
    for row, factor in zip(history.itertuples(), (0.5, 1.0), strict=True):
        assert row.train_loss == pytest.approx(row.task_loss + factor * 0.5 * row.hint_loss, abs=2e-6)
    keys = EvaluationSettings.model_fields.keys() & said.keys()
    evaluate_student.run(EvaluationSettings.model_validate({key: said[key] for key in keys} | {"batch_size": 32}))
    predictions = files.read_arrays(paths.predictions("students", "toy/hinted", 0) / "predictions.npz")
    assert predictions["logits"].shape == (24, 3) and np.isfinite(predictions["logits"]).all()


@pytest.mark.parametrize(
    ("name", "changes", "line"),
    [
        ("logit_kd", {}, "method logit_kd needs a teacher; name one"),
        ("maml", {"recipe": {"batch_size": 9}}, "would cut a task in two; make its batch_size a multiple of 8"),
        ("triplet", {"start": "x", "freeze": True}, "freeze keeps as they are: say freeze: false"),
        ("triplet", {}, "would cut a triplet in two; make its batch_size a multiple of 3"),
        ("maml", {"start": "x"}, "method maml cannot start from other weights; leave start out"),
        ("gan", {}, "method gan trains generators"),
    ],
)
def test_settings_that_do_not_suit_a_method_are_one_line(name: str, changes: dict, line: str) -> None:  # type: ignore[type-arg]
    given = {
        "logit_kd": {"temperature": 1, "task_weight": 1, "distill_weight": 0, "loss_form": "weighted"},
        "triplet": {"margin": 1, "per_epoch": 4},
        "maml": {"ways": 2, "shots": 1, "queries": 3, "per_epoch": 4, "inner_learning_rate": 0.1, "inner_steps": 1, "first_order": True},
        "gan": {},
    }  # fmt: skip
    said = settings_of("students", "study/row", {"name": name, **given[name]})
    said |= changes | {"recipe": said["recipe"] | changes.get("recipe", {})}
    settings = TrainingSettings.model_validate(said)
    cls = registry.load(name)
    with pytest.raises(CellarError, match=f"study/row: .*{line}"):
        cls(cls.Params.model_validate(given[name])).check(settings)


def test_a_methods_code_is_its_own_and_that_of_the_methods_that_it_is_built_on(study: Path) -> None:
    """Not the base of all, which every stage lists."""
    own, methods = Path("studies/toy/methods/hints.py"), Path("src/cellar/methods")
    assert registry.code_of(own) == [own, methods / "logit_kd.py", methods / "logit_distillation.py"]


@pytest.mark.parametrize(
    "statement",
    [
        "from ..helper import loss",
        "from .. import helper",
        "from studies.toy.helper import loss",
        "from studies.toy import helper",
        "import studies.toy.helper",
    ],
)
def test_a_studys_helper_is_code_of_its_methods_and_networks(study: Path, statement: str) -> None:
    """And so is what the helper imports, or a change to either would make nothing stale."""
    helper, further = Path("studies/toy/helper.py"), Path("studies/toy/losses/__init__.py")
    files.write_text(helper, "from cellar.methods import dkd\nfrom .losses import loss\n")
    files.write_text(further, "def loss(): ...\n")
    for name in ("methods/hints.py", "models/pooled.py"):
        files.write_text(Path("studies/toy") / name, f"{statement}\n" + (METHOD if "hints" in name else NETWORK))
    of_method = registry.code_of("studies/toy/methods/hints.py")
    assert {helper, further, Path("src/cellar/methods/dkd.py")} <= set(of_method)
    assert {helper, further} <= set(models.code_of("pooled", "toy"))
