"""What all sections of params.yaml share: strictness, and the kinds of values they hold.

The comment at a field, at the end of its line or above it, is what an editor shows for the key (cellar.schema).
"""

import os
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

NAME_PATTERN, LONGEST_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", 100  # names are parts of files' names
NAME_RULE = f"it has at most {LONGEST_NAME} of the characters A-Z a-z 0-9 _ - . and begins with a letter or digit"


def as_written(path: str) -> str:
    """A path that is taken as it is written. Raises ValueError for one that a shell or Windows would read differently."""
    meant = os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111  Path raises where it knows no such user
    if "://" in path:
        raise ValueError("an address is no path: download it, and write where the file or folder is")
    if meant != path or path.startswith("~") or "$" in path:
        raise ValueError(f"~ and $ are not expanded here: write {meant if meant != path else 'the path in full'}")
    if "\\" in path:
        raise ValueError(f"folders are parted by / here: write {path.replace(chr(92), '/')}")
    if not path.strip() or path != path.strip() or not path.isprintable():
        raise ValueError("a path is neither empty nor begins or ends with a blank, nor has control characters: mend it")
    if "{" in path or "}" in path:
        raise ValueError("{ and } mark wildcards to Snakemake: rename the file or folder, and write its new name")
    return path


def each_once(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("a seed stands there twice; name each once")
    return seeds


Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=LONGEST_NAME)]
FilePath = Annotated[str, AfterValidator(as_written)]  # relative to the project's root, or absolute
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(each_once)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OneOf(Section):
    """A section that is given in exactly one of several ways: the keys `ways`."""

    ways: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def one_way(self) -> Self:
        given = [way for way in self.ways if getattr(self, way) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(self.ways)} (found: {', '.join(given) or 'none'})")
        return self
