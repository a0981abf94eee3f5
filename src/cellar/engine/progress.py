"""One line every few seconds: which stage, how far, images per second, time left."""

import sys
import time

from tqdm import tqdm

INTERVAL = 5.0  # seconds between lines


class Progress:
    """Counts images and says so on stderr, line by line: a log and a terminal read the same.

    `total` is the number of images of the whole stage; `done` where a resumed stage starts. Without a `stage` it says
    nothing: another process does.
    """

    def __init__(self, stage: str | None, total: int, done: int = 0) -> None:
        self.stage, self.total, self.done = stage, total, done
        self.first_done, self.started = done, time.monotonic()
        self.last_line = self.started
        self.note = ""

    def advance(self, images: int) -> None:
        self.done += images
        if time.monotonic() - self.last_line >= INTERVAL:
            self.say()

    def say(self) -> None:
        """Write the line now."""
        self.last_line = time.monotonic()
        if self.stage is None:
            return
        rate = (self.done - self.first_done) / max(self.last_line - self.started, 1e-9)
        left = tqdm.format_interval((self.total - self.done) / rate) if rate else "?"
        parts = [
            self.stage,
            f"{self.done / max(self.total, 1):4.0%}",
            f"{rate:,.0f} images/s",
            f"{left} left",
            self.note,
        ]
        print(" | ".join(part for part in parts if part), file=sys.stderr, flush=True)
