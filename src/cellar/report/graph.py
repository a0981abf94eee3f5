"""The stages' graph as inline SVG: one box a kind of stage, as params.yaml asks for them, and who reads from whom.

Boxes stand as late as they can, in rows from the raw data down to tables and figures. What a kind reads from one
that stands further up its own chain follows from the other lines, and is not drawn.
"""

from collections import Counter
from dataclasses import dataclass

from markupsafe import escape

from cellar.config import Config
from cellar.pipeline import plan
from cellar.pipeline.stage import Stage

WIDE, HIGH = 164, 44  # of a box
ACROSS, DOWN = 26, 46  # between boxes
MARGIN = 4
SWEEPS = 3  # how often rows are put in the order of what they read

Edges = dict[str, set[str]]  # a kind -> the kinds that it reads from


@dataclass(frozen=True)
class Box:
    name: str
    stages: int
    x: float
    y: float


def svg(config: Config) -> str:
    stages = [stage for stage in plan.stages(config) if not stage.job.sweep and stage.has_settings]
    counts = dict(Counter(stage.kind.name for stage in stages))
    edges = reads(stages)
    boxes = placed(rows(counts, edges), counts)
    width = max(box.x for box in boxes.values()) + WIDE + MARGIN
    height = max(box.y for box in boxes.values()) + HIGH + MARGIN
    lines = [line(boxes[source], boxes[name]) for name in edges for source in sorted(nearest(name, edges))]
    inner = "".join([*lines, *map(drawn, boxes.values())])
    label = "Kinds of stages and what they read, from raw data at the top to tables and figures"
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f'<svg class="graph" role="img" aria-label="{label}" {size}>{inner}</svg>'


def reads(stages: list[Stage]) -> Edges:
    makers = {path: stage.kind.name for stage in stages for path in stage.outputs}
    edges: Edges = {stage.kind.name: set() for stage in stages}
    for stage in stages:
        sources = {makers[path] for path in stage.inputs if path in makers}
        edges[stage.kind.name] |= sources - {stage.kind.name}
    return edges


def nearest(name: str, edges: Edges) -> set[str]:
    """What it reads from, less what stands behind another of these."""
    return {one for one in edges[name] if not any(one in behind(other, edges) for other in edges[name] - {one})}


def behind(name: str, edges: Edges) -> set[str]:
    found: set[str] = set()
    level = edges[name]
    while level - found:
        found |= level
        level = {source for one in level for source in edges[one]}
    return found


def rows(counts: dict[str, int], edges: Edges) -> list[list[str]]:
    """Kinds by row, each above all that read it and as low as that allows."""
    height = dict.fromkeys(counts, 0)  # above the last row
    for _ in counts:  # as many rounds as the longest way can have steps
        for name, sources in edges.items():
            for source in sources:
                height[source] = max(height[source], min(height[name] + 1, len(counts)))
    found = [[name for name in counts if height[name] == level] for level in range(max(height.values()), -1, -1)]
    return ordered([row for row in found if row], edges)


def ordered(found: list[list[str]], edges: Edges) -> list[list[str]]:
    """Each row in the order of the middle of its neighbours, so that few lines cross."""
    readers: Edges = {name: {one for one in edges if name in edges[one]} for name in edges}
    for _ in range(SWEEPS):
        for neighbours in (edges, readers):
            place = {name: (i + 0.5) / len(row) for row in found for i, name in enumerate(row)}
            found = [sorted(row, key=lambda name: middle(name, neighbours, place)) for row in found]
    return found


def middle(name: str, neighbours: Edges, place: dict[str, float]) -> float:
    near = [place[one] for one in neighbours[name]]
    return sum(near) / len(near) if near else place[name]


def placed(found: list[list[str]], counts: dict[str, int]) -> dict[str, Box]:
    """Every row centred."""
    widest = max(len(row) * (WIDE + ACROSS) - ACROSS for row in found)
    boxes = {}
    for level, row in enumerate(found):
        start = MARGIN + (widest - (len(row) * (WIDE + ACROSS) - ACROSS)) / 2
        for i, name in enumerate(row):
            boxes[name] = Box(name, counts[name], start + i * (WIDE + ACROSS), MARGIN + level * (HIGH + DOWN))
    return boxes


def line(source: Box, reader: Box) -> str:
    x1, y1, x2, y2 = source.x + WIDE / 2, source.y + HIGH, reader.x + WIDE / 2, reader.y
    bend = (y2 - y1) / 2
    return f'<path d="M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"/>'


def drawn(box: Box) -> str:
    middle = box.x + WIDE / 2
    many = f"{box.stages} stages" if box.stages > 1 else "1 stage"
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{WIDE}" height="{HIGH}" rx="5"/>'
        f'<text x="{middle:g}" y="{box.y + 19:g}">{escape(box.name)}</text>'
        f'<text class="many" x="{middle:g}" y="{box.y + 34:g}">{many}</text>'
    )
