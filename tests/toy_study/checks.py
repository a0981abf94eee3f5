"""Where the paper contradicts itself."""

from collections.abc import Iterator

from cellar.tables.checks import Finding
from cellar.tables.printed_values import Paper


def gain(paper: Paper) -> Iterator[Finding]:
    """The text's gain against the difference of Table 1's two accuracies."""
    rows = paper.table("table_1")["rows"]
    follows = rows["Tiny with hints"]["accuracy"] - rows["Tiny"]["accuracy"]
    printed = paper.data["text_values"]["gain"]["value"]
    if printed != follows:
        yield Finding("text against tables", "Text: gain", f"{printed}", f"{follows}", "14.0 - 12.5")


CHECKS = (gain,)
