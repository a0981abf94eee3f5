"""What is frozen stays bit for bit, whatever mode the loop puts the model in; what is kept learns."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from cellar import models
from cellar.errors import CellarError
from cellar.models.freezing import BatchNorm, freeze

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
INPUTS = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def changed_by_training(name: str, batch_norm: BatchNorm, keep: Sequence[str] = ()) -> set[str]:
    """Names of the tensors that three epochs of one step change, with a model put in train mode at each."""
    torch.manual_seed(0)
    model = models.build(name, 3)
    freeze(model, batch_norm, keep)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    for _ in range(3):
        model.train()
        nn.functional.cross_entropy(model(INPUTS), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()
        optimizer.zero_grad()
        model.eval()(INPUTS)
    return {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v1"])
def test_only_the_last_layer_learns(name: str) -> None:
    assert changed_by_training(name, "eval") == {"fc.weight", "fc.bias"}


def test_running_statistics_move_where_they_are_asked_to() -> None:
    changed = changed_by_training("mobilenet_v1", "train")
    assert {key for key in changed if not key.endswith(STATISTICS)} == {"fc.weight", "fc.bias"}
    assert {key for key in changed if key.endswith(STATISTICS)} == {
        key for key in models.build("mobilenet_v1", 3).state_dict() if key.endswith(STATISTICS)
    }


def test_a_teachers_connector_learns_with_its_last_layer() -> None:
    changed = changed_by_training("mobilenet_v1+sigmoid", "eval", keep=("connector", "fc"))
    assert changed == {"connector.weight", "connector.bias", "fc.weight", "fc.bias"}


def test_a_student_in_its_second_step_keeps_its_connector() -> None:
    assert changed_by_training("mobilenet_v1+connector", "eval") == {"fc.weight", "fc.bias"}


def test_a_kept_layers_batch_norm_goes_on_learning() -> None:
    changed = changed_by_training("resnet18", "eval", keep=("layer4.1", "fc"))
    assert "layer4.1.bn2.running_mean" in changed and "layer4.1.conv1.weight" in changed
    assert {key.rpartition(".")[0][:8] for key in changed} == {"layer4.1", "fc"}


def logits(model: nn.Module) -> Tensor:
    with torch.no_grad():
        return model(INPUTS)


def test_a_frozen_trunk_computes_in_train_mode_what_it_does_in_eval_mode() -> None:
    torch.manual_seed(0)
    model = models.build("mobilenet_v1", 3)
    assert not torch.allclose(logits(model.train()), logits(model.eval()))
    freeze(model, "eval")
    assert torch.equal(logits(model.train()), logits(model.eval()))


def test_no_gradient_is_computed_below_the_last_layer() -> None:
    model = models.build("resnet18", 3)
    freeze(model, "train")
    assert not model.features(INPUTS).requires_grad and model(INPUTS).requires_grad


def test_a_frozen_inception_has_no_use_for_its_auxiliary_head() -> None:
    torch.manual_seed(0)
    model = models.build("inception_v3", 3)
    freeze(model, "eval")
    assert model.train()(torch.rand(1, 3, 75, 75)).shape == (1, 3)


def test_what_cannot_be_frozen_is_one_line() -> None:
    model = models.build("mobilenet_v1", 3)
    with pytest.raises(CellarError, match="'connector', which is not to be frozen, is no layer of the model; it has m"):
        freeze(model, "eval", keep=("connector", "fc"))
    assert all(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(CellarError, match="CifarResNet does not say which layer is its last"):
        freeze(models.build("resnet8x4", 3), "eval")
