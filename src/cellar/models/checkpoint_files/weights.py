"""Weights files of any origin put into a network: safetensors and checkpoints, nothing of which is executed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cellar.data.safe_pickle import inert_pickle
from cellar.errors import CellarError, printable, safe_repr
from cellar.models.checkpoint_files import content
from cellar.models.checkpoint_files.candidates import Candidate, State, candidates
from cellar.models.checkpoint_files.differences import Differences, described, differences
from cellar.models.checkpoint_files.kinds import STATE_DICT
from cellar.models.checkpoint_files.origin import check_origin
from cellar.models.heads import heads

Compared = Callable[[State], Differences]
SHOWN = 5  # places of weights in a message


def load_weights(model: nn.Module, path: Path, normalisation: str | None = None, key: str | None = None) -> None:
    """Load a weights file into `model`, which stays as it was if the file does not fit.

    The weights may lie under any keys and behind the prefixes that training code adds; `key` chooses among several that
    fit. Other contents of a checkpoint are skipped. `normalisation`: the inputs that the network will get.

    Raises CellarError when the file is missing, broken, holds no tensors by name, another model's, or several models'.
    """
    found = read_state(path, whole_compared(model), key)
    check_origin(path, model, found, normalisation)
    put(model, found, path)


def load_trunk(
    model: nn.Module, path: Path, normalisation: str | None = None, key: str | None = None
) -> tuple[str, ...]:
    """Load a weights file, as load_weights does, except for the last layers, which depend on the classes. Returns the
    layers that keep their values: the last ones, and the connector if the file is of the network that is the model's trunk.

    Raises CellarError, and leaves the model as it was, when the file cannot be read or anything else does not fit.
    """
    found = read_state(path, trunk_compared(model), key)
    network = trunk_for(model, found)
    check_origin(path, network, found, normalisation)
    put(network, without(heads(network), found), path)
    return heads(model) if network is model else ("connector", *heads(model))


def whole_compared(model: nn.Module) -> Compared:
    return lambda state: differences(model.state_dict(), state)


def trunk_compared(model: nn.Module) -> Compared:
    """Without the last layers."""

    def compared(state: State) -> Differences:
        network = trunk_for(model, state)
        return differences(without(heads(network), network.state_dict()), without(heads(network), state))

    return compared


def trunk_for(model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """What a state dict may be of: a model with a connector, or its trunk alone."""
    trunk = getattr(model, "trunk", None)
    whole = not isinstance(trunk, nn.Module) or any(name.startswith("trunk.") for name in state)
    return model if whole else trunk  # type: ignore[return-value]  # a trunk is a module


def without(layers: tuple[str, ...], state: Mapping[str, Tensor]) -> State:
    return {name: value for name, value in state.items() if name.rpartition(".")[0] not in layers}


def read_state(path: Path, compared: Compared, key: str | None = None, numbers: bool = True) -> State:
    """The state dict of a file that does not differ, by `compared`, from the one that is looked for.

    Without `numbers` names and shapes alone are read, the first that fits is taken, and no other network is looked for.
    Raises CellarError where all
    differ, and where several do not.
    """
    found = read_candidates(path, numbers)
    places = ", ".join(printable(one.place or "(the file itself)") for one in found[:SHOWN])
    if key is not None:
        found = [one for one in found if one.is_under(key)]
    if not found:
        raise CellarError(f"{path} holds no weights under {key}; mend weights_key in params.yaml, to one of {places}")
    fitting = [one for one in found if not compared(one.state)]
    fitting = distinct(fitting) if numbers else fitting[:1]
    if len(fitting) > 1:
        names = " and under ".join(printable(one.place) for one in fitting[:SHOWN])
        raise CellarError(
            f"{path} holds several weights that fit, under {names}; say which beside the file in params.yaml: "
            f"weights_key: {printable(fitting[0].place)}"
        )
    if fitting:
        return fitting[0].state
    nearest = min(found, key=lambda one: len(compared(one.state)))
    of = described(nearest.state) if numbers else ""
    raise CellarError(
        f"{path} does not fit the network: {compared(nearest.state).words()}{of}; "
        "give a file of the same network, or name that network in params.yaml"
    )


def read_candidates(path: Path, numbers: bool = True) -> list[Candidate]:
    """All state dicts of a file, on the CPU. Raises CellarError when there are none."""
    whole = content.read(path, numbers)
    found = list(candidates(whole))
    if not found:
        raise CellarError(f"{path} holds no state dict, neither bare nor under a key; {instead(whole)}")
    return found


def distinct(found: list[Candidate]) -> list[Candidate]:
    """Those that differ in a number from all before; a checkpoint may hold the same weights twice."""
    kept: list[Candidate] = []
    for one in found:
        if not any(equal(one.state, other.state) for other in kept):
            kept.append(one)
    return kept


def equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def put(network: nn.Module, state: State, path: Path) -> None:
    """Load a state dict that fits; numbers of any precision become the network's."""
    expected = network.state_dict()
    for name, value in state.items():
        if name not in expected or not expected[name].is_floating_point():
            continue  # counters of batches, and a profiler's
        if not value.is_floating_point():
            raise CellarError(
                f"{path}: {name} is of {value.dtype}, not of numbers with a fraction, as quantised weights are; give the "
                "weights from before that"
            )
        if not bool(value.to(expected[name].dtype).isfinite().all()):
            raise CellarError(
                f"{path}: {name} holds numbers that are not finite (infinite, or none), as a training leaves that diverged; "
                "give an earlier checkpoint"
            )
    network.load_state_dict(state, strict=False)  # all names but the counters are known to agree


def instead(whole: Any) -> str:
    """Advice for a file without a state dict; names the first object in it that was not constructed."""
    parts = {"it": whole, **whole} if isinstance(whole, dict) else {"it": whole}
    for place, value in parts.items():
        inner = list(value.values()) if isinstance(value, dict) else []
        for part in [value, *inner]:
            if name := inert_pickle.origin(part):
                return (
                    f"{safe_repr(place)} calls for {name}, which reading it would have to execute, so it was skipped; "
                    f"give a file of the state dict alone ({STATE_DICT})"
                )
    return "give a file that does"
