"""Features of a teacher from a store: the bytes of a teacher beside the student, each pair computed once, and when there is none."""

from typing import Any

import pytest
import torch

from cellar import models, paths
from cellar.config.resolved import TrainingSettings
from cellar.data.inputs import prepared
from cellar.engine import output_store, run_record, runtime, setup, taught_features, train_data, training
from cellar.engine.output_store import OutputStore
from cellar.engine.taught_features import LiveFeatures, StoredFeatures, content_of, open_features
from cellar.engine.teacher import Content
from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, EpochIndices
from cellar.errors import CellarError
from cellar.methods import registry

from .tiny import INPUT, RECIPE, SIZES, settings_of, tiny_set

IMAGES, EPOCHS = SIZES["train"], int(RECIPE["epochs"])
STORABLE = [name for name in registry.known() if registry.load(name).needs_teacher in ("vector", "last_map")]
SHORT: dict[str, dict[str, Any]] = {"crd": {"negatives": 6}, "ft": {"first_stage_epochs": 1}}
TRANSFORMS = dict.fromkeys(("rotation", "scaling", "flip", "blur", "jitter", "erasing"), 1.0)
FLIP, RANDOM = INPUT | {"augmentation": "flip"}, INPUT | {"augmentation": TRANSFORMS}


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder with a data set and a teacher that has learnt nothing, as the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("taught"))
        tiny_set("tiny")
        setup.run(settings_for("labels", recipe=RECIPE | {"epochs": 1}))
        yield


@pytest.fixture(autouse=True)
def remove_stores() -> None:
    remove()


def remove() -> None:
    for path in output_store.FOLDER.glob("*"):
        path.unlink()


def settings_for(
    name: str, budget_mb: int = 64, seen: dict[str, Any] = FLIP, storage: str = "fp32", **changes: Any
) -> TrainingSettings:
    """Of ResNet20 that teaches itself in batches of 16, alone and with a store; two epochs, a first stage's included."""
    method = registry.resolve({"name": name, **SHORT.get(name, {}), **changes.pop("params", {})})
    kind, teacher = ("teachers", None) if name == "labels" else ("students", "teacher")
    changes.setdefault("recipe", RECIPE | {"epochs": EPOCHS - method.get("first_stage_epochs", 0)})
    plain = settings_of(kind, f"toy/{name}" if teacher else "teacher", method, teacher, **changes)
    network = {"model": "resnet20", "model_file": str(models.file_of("resnet20")), "input": seen}
    plain |= network | {"method_file": str(registry.HERE / f"{name}.py")}
    if teacher:
        plain["teacher"] |= network
        plain["teacher_cache"] = {"batch_size": 16, "storage": storage, "budget_mb": budget_mb}
    return TrainingSettings.model_validate(plain)


def data_of(settings: TrainingSettings) -> TrainData:
    return TrainData(settings, prepared.load(paths.prepared("tiny")), torch.device("cpu"))


def trained(settings: TrainingSettings) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The folder of results, and the facts; trained anew."""
    facts = setup.run(settings)
    assert facts
    folder = paths.trained(settings.kind, settings.key, settings.seed)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}, facts


def room_for(monkeypatch: pytest.MonkeyPatch, settings: TrainingSettings, images: int) -> None:
    """A budget of 1 MB is then the space of so many images."""
    data = data_of(settings)
    content = content_of(data, setup.load_method(settings.method, settings.method_file).needs_teacher)
    monkeypatch.setattr(output_store, "MB", images * data.train.augmentation.count * (content.width * 4 + 1))


@pytest.mark.parametrize("name", STORABLE)
def test_a_store_changes_no_byte_and_computes_each_pair_once(name: str) -> None:
    live, beside = trained(settings_for(name, budget_mb=0))
    stored, first = trained(settings_for(name))
    again, second = trained(settings_for(name))
    assert live == stored == again
    assert beside["teacher_images_forwarded"] == EPOCHS * IMAGES
    assert (
        IMAGES <= first["teacher_images_forwarded"] < EPOCHS * IMAGES
    )  # some come up twice in two epochs of two augmentations
    assert second["teacher_images_forwarded"] == 0 and second["teacher_images_answered"] == EPOCHS * IMAGES
    needs = registry.load(name).needs_teacher
    assert second[f"teacher_{needs}_rounding"] == 0
    assert {path.suffix for path in output_store.FOLDER.iterdir()} - {".lock"} == {f".{needs}", ".state"}


@pytest.mark.parametrize("name", ["cc", "sp"])
@pytest.mark.parametrize("ahead", [1, 10_000, 600_000])
def test_neither_budget_nor_pieces_change_a_byte(name: str, ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = trained(settings_for(name, budget_mb=0))
    room_for(monkeypatch, settings_for(name), 20)
    monkeypatch.setattr(taught_features, "AHEAD", ahead)
    for forwarded in (None, EPOCHS * (IMAGES - 20)):  # the first 20 images are held
        found, facts = trained(settings_for(name, budget_mb=1))
        assert found == whole
        assert forwarded in (None, facts["teacher_images_forwarded"])


@pytest.mark.parametrize("name", ["cc", "ft"])
def test_a_killed_training_resumes_to_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(name)
    whole, _ = trained(settings)
    train_epoch, epochs = training.train_epoch, iter(range(2))

    def killed(*arguments: Any) -> Any:
        if next(epochs):
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train_epoch", killed)
        patch.setattr("cellar.engine.checkpoint.COST_SHARE", 1e9)  # a checkpoint after every epoch, however short
        with pytest.raises(KeyboardInterrupt):
            setup.run(settings)
    remove()
    found, facts = trained(settings)
    assert found == whole and facts["resumed_from_epoch"] == 1
    assert facts["teacher_images_forwarded"] == IMAGES  # of the epoch that was left, each pair again


def test_fp16_rounds_and_the_record_says_by_how_much() -> None:
    exact, _ = trained(settings_for("cc"))
    rounded, facts = trained(settings_for("cc", storage="fp16"))
    assert rounded["last.safetensors"] != exact["last.safetensors"] and facts["teacher_vector_rounding"] > 0


@pytest.mark.parametrize(
    ("name", "changes", "kind"),
    [
        ("cc", {}, StoredFeatures),
        ("cc", {"seen": INPUT}, StoredFeatures),
        ("cc", {"seen": RANDOM}, LiveFeatures),  # no augmentation comes twice
        ("cc", {"budget_mb": 0}, LiveFeatures),
        ("sp", {}, StoredFeatures),
        ("sp", {"seen": INPUT, "budget_mb": 4096}, LiveFeatures),  # 2 epochs of 162 augmentations: few maps are read
        ("srrl", {"params": {"form": "maps"}}, StoredFeatures),
        ("at", {}, LiveFeatures),  # it reads all maps
    ],
)
def test_when_there_is_a_store(name: str, changes: dict[str, Any], kind: type) -> None:
    settings = settings_for(name, **changes)
    method = setup.load_method(settings.method, settings.method_file)
    assert type(open_features(data_of(settings), method.needs_teacher)) is kind
    assert method.needs_teacher == ("last_map" if "params" in changes else registry.load(name).needs_teacher)


def test_a_store_that_would_hold_few_images_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, all_images = settings_for("cc", budget_mb=1), SIZES["train"] + SIZES["validation"]
    for images, kind in ((all_images // 4 - 1, LiveFeatures), (all_images // 4, StoredFeatures)):
        room_for(monkeypatch, settings, images)
        assert type(open_features(data_of(settings), "vector")) is kind
        assert output_store.FOLDER.exists() and any(output_store.FOLDER.glob("*.vector")) == (kind is StoredFeatures)


def test_a_store_of_vectors_gives_no_map() -> None:
    """So a method that reads more than it says it needs fails, however large the budget."""
    teacher = open_features(data_of(settings_for("cc")), "vector")
    image = torch.arange(16)
    teacher.begin_epoch(EpochIndices(image, image % 2))
    found = teacher.features(Batch(slice(0, 16), image, image % 2, image))
    assert found.maps == found.preactivations == () and found.vector.shape == (16, 64)


def test_an_epoch_that_asks_for_nothing_computes_nothing() -> None:
    teacher = open_features(data_of(settings_for("cc")), "vector")
    assert isinstance(teacher, StoredFeatures)
    teacher.begin_epoch(EpochIndices(torch.arange(IMAGES), torch.zeros(IMAGES, dtype=torch.int64)))
    assert teacher.facts()["teacher_images_forwarded"] == 0 and "model" not in vars(teacher.cached.network)


def test_a_teacher_beside_the_student_is_made_for_the_students_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the cache's size, by which small feature maps are otherwise computed, and rounded."""
    placed: list[Any] = []
    place = runtime.place
    monkeypatch.setattr(runtime, "place", lambda *arguments: placed.append(arguments[2][0]) or place(*arguments))
    data = data_of(settings_for("at", recipe=RECIPE | {"batch_size": 8}))
    assert data.live_teacher.model and data.cached_teacher(content_of(data, "vector")).network.model
    assert placed == [8, 16]


@pytest.mark.parametrize("changed", ["torch", "src/cellar/data/inputs/augmentation.py", "src/cellar/engine/teacher.py"])
def test_another_torch_and_other_code_of_its_inputs_have_another_store(
    changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path() -> str:
        store = data_of(settings_for("cc")).cached_teacher(Content.of("logits", 3)).store
        assert isinstance(store, OutputStore)
        return store.path.name

    before, file_hashes = path(), run_record.file_hashes
    if changed == "torch":
        monkeypatch.setattr(torch, "__version__", "0.4.1")
    else:
        monkeypatch.setattr(run_record, "file_hashes", lambda listed: file_hashes(listed) | {changed: "edited"})
        assert changed in file_hashes(train_data.CODE)
    assert path() != before


def test_a_cut_store_is_one_line() -> None:
    trained(settings_for("cc"))
    (path,) = output_store.FOLDER.glob("*.vector")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CellarError, match=f"{path.name} was cut or is another's: remove"):
        setup.run(settings_for("cc"))
