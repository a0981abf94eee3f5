"""The layers of a network that depend on its classes: their weights are not transferred to another task."""

from torch import nn

from cellar.errors import CellarError


def heads(model: nn.Module) -> tuple[str, ...]:
    """Names of the last layer and of the auxiliary head's last layer, if there is one.

    Raises CellarError for a network that does not name them: it cannot be transferred to another task.
    """
    layers = [getattr(model, place, None) for place in ("last_layer", "auxiliary_layer")]
    if layers[0] is None:
        raise CellarError(
            f"{type(model).__name__} does not say which layer is its last, so it can neither be frozen nor start "
            "from a trunk; name another network in params.yaml"
        )
    return tuple(name for name in layers if isinstance(name, str))
