"""What all sections of params.yaml share: strictness, and the kinds of values they hold."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def exactly_one(section: Section, ways: tuple[str, ...]) -> None:
    given = [way for way in ways if getattr(section, way) is not None]
    if len(given) != 1:
        raise ValueError(f"give exactly one of {', '.join(ways)} (found: {', '.join(given) or 'none'})")
