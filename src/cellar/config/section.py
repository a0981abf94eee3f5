"""What all sections of params.yaml share: strictness, and the kinds of values they hold.

The comment at a field, at the end of its line or above it, is what an editor shows for the key (cellar.schema).
"""

from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


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
