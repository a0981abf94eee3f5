"""Which layers of a network give its classes: those that another task takes no weights for."""

from torch import nn

from cellar.errors import CellarError


def heads(model: nn.Module) -> tuple[str, ...]:
    """Names of the last layer and of the auxiliary head's last layer, if there is one.

    Raises CellarError for a network that does not name them: it cannot be given to another task.
    """
    found = [getattr(model, place, None) for place in ("last_layer", "auxiliary_layer")]
    if found[0] is None:
        raise CellarError(
            f"{type(model).__name__} does not say which layer is its last, so it can neither be frozen nor start "
            "from a trunk; name another network in params.yaml"
        )
    return tuple(name for name in found if isinstance(name, str))
