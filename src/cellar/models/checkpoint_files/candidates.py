"""Where in a checkpoint weights may lie: under which keys, and with which prefix of their names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cellar.errors import safe_repr

State = dict[str, Tensor]

MOST_DEEP = 3  # dicts in dicts: {"state": {"model": {"student": ...}}}
MOST_PLACES = 1000
MOST_PREFIXES = 50
# What training code holds the network in, as DataParallel, Lightning and distillers do; its names begin with these.
HOLDERS = {
    "module", "model", "net", "network", "backbone", "encoder", "base_model", "student", "teacher", "ema", "ema_model",
    "model_ema", "_orig_mod", "_forward_module",
}  # fmt: skip
# torch.compile, FSDP and activation checkpointing put these before any layer; no network has layers of such names.
WRAPPED = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")


@dataclass(frozen=True)
class Candidate:
    """A state dict, and the keys and prefixes that lead to it, joined by dots; "" for the file itself."""

    place: str
    state: State

    def is_under(self, key: str) -> bool:
        """Whether `key`, of one or more parts, is a part of the place."""
        return f".{key}." in f".{self.place}."


def candidates(content: Any) -> Iterator[Candidate]:
    """Every state dict of a checkpoint: whole, and each part of it whose names begin with common prefixes."""
    for place, state in state_dicts(content):
        bare = unwrapped(state)
        for prefix in prefixes(bare):
            part = {name.removeprefix(prefix): value for name, value in bare.items() if name.startswith(prefix)}
            yield Candidate(".".join(filter(None, (place, prefix.rstrip(".")))), part)


def state_dicts(content: Any) -> Iterator[tuple[str, State]]:
    """(keys joined by dots, state dict), those on top first; a dict that holds itself is looked at once."""
    waiting, seen = [("", content, 0)], {id(content)}
    for place, value, depth in waiting:  # grows while it is read
        if is_state_dict(value):
            yield place, value
        elif isinstance(value, dict) and depth < MOST_DEEP:
            inner = [(key, part) for key, part in value.items() if isinstance(key, str) and isinstance(part, dict)]
            for key, part in inner[:MOST_PLACES]:
                if id(part) not in seen and len(waiting) < MOST_PLACES:
                    seen.add(id(part))
                    waiting.append((f"{place}.{safe_repr(key)}".lstrip("."), part, depth + 1))


def is_state_dict(content: Any) -> bool:
    if not isinstance(content, dict) or not content:
        return False
    return all(isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items())


def unwrapped(state: State) -> State:
    """Without the names that wrappers of single layers add; as it was if two names became one."""
    bare = {}
    for name, value in state.items():
        for wrapper in WRAPPED:
            name = name.replace(wrapper, "")
        bare[name] = value
    return bare if len(bare) == len(state) else state


def prefixes(state: State) -> list[str]:
    """ "", and every chain of holders that a name begins with: `module.`, `module.student.`"""
    found = {"": None}
    for name in state:
        prefix = ""
        for part in name.split(".")[:-1]:
            if part not in HOLDERS or len(found) > MOST_PREFIXES:
                break
            prefix += f"{part}."
            found[prefix] = None
    return list(found)
