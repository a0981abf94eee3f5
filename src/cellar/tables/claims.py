"""What a paper's text says about its tables: which two printed values a difference or a percentage is made of."""

from dataclasses import dataclass

from cellar.tables.printed_values import Paper, Place


@dataclass(frozen=True)
class Claim:
    """`larger` minus `smaller`, in points; or, if relative, by how many percent `smaller` is below `larger`."""

    larger: Place
    smaller: Place
    relative: bool = False

    def label(self, paper: Paper) -> str:
        larger, smaller = paper.label(self.larger), paper.label(self.smaller)
        return f"by how many % {smaller} is below {larger}" if self.relative else f"{larger}, minus {smaller} (points)"

    def of(self, larger: float, smaller: float) -> float:
        return 100 * (larger - smaller) / larger if self.relative else larger - smaller

    def arithmetic(self, larger: str, smaller: str) -> str:
        return f"100 x ({larger} - {smaller}) / {larger}" if self.relative else f"{larger} - {smaller}"
