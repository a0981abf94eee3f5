"""One line of the doctor's report."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """`bad` makes the chosen run impossible; `warn` does not. `do`: the command, or words where there is none."""

    state: State
    topic: str
    what: str
    do: str = ""

    def line(self) -> str:
        return f"{self.state:<4} {self.topic}: {self.what}{f' -> {self.do}' if self.do else ''}"


def gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
