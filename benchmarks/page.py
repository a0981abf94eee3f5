"""What the benchmarks found, to be read: results/bench/README.md from results/bench/*.json.

python benchmarks/page.py        (make bench, last)
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from keeping import FOLDER

from cellar import files


def page() -> Iterator[str]:
    yield "# Measured"
    yield "Written by `make bench` from the JSON files here, each with its machine and load; docs/performance.md says what follows."
    sections = (
        ceilings,
        small_maps,
        distillation,
        scaling,
        table_2,
        side_by_side,
        freed_memory,
        default,
        overhead,
        predicting,
        stages,
        gpu,
    )
    for section in sections:
        path = FOLDER / f"{section.__name__}.json"
        if path.exists():  # a benchmark may be run alone
            yield from section(files.read_json(path))


def ceilings(found: dict[str, Any]) -> Iterator[str]:
    top = found["ceilings"]
    yield "## What the machine can do, and what a training step takes of it"
    yield (
        f"{found['threads']} threads of {found['machine']['processor']}: {top['fp32_gflops']} GFLOP/s in fp32, "
        f"{top['bf16_gflops']} in bf16, {top['copy_gb_per_second']} GB/s copied."
    )
    yield markdown(found["steps"])


def small_maps(found: dict[str, Any]) -> Iterator[str]:
    yield "## Networks of small feature maps"
    yield (
        f"This checkout, commit {found['before']} before it, and plain PyTorch on {found['machine']['processor']}, a tenth of a second in "
        f"turn; ratios of speed, medians of {found['rounds']} rounds and their quartiles."
    )
    yield markdown(found["rows"])


def distillation(found: dict[str, Any]) -> Iterator[str]:
    yield "## An epoch of distillation"
    yield f"{found['unit']}; median of {found['rounds']} rounds, each kind in turn, and the ratio of every round."
    rows = [
        {"teacher → student": f"{row['teacher']} → {row['student']}, batch {row['batch']}", "loop": kind}
        | {"images/s": rate["images_per_second"], "ratio": rate["ratio"], "rounds": " ".join(map(str, rate["ratios"]))}
        for row in found["rows"]
        for kind, rate in row.items()
        if isinstance(rate, dict)
    ]
    yield markdown(rows)


def scaling(found: dict[str, Any]) -> Iterator[str]:
    yield "## What makes a study longer"
    yield (
        f"{found['teacher']} teaches {found['student']}, {found['threads']} threads, from an empty teacher cache; medians of "
        f"{found['rounds']} rounds in turn; ratio: to the study as it is."
    )
    yield markdown(found["rows"])


def table_2(found: dict[str, Any]) -> Iterator[str]:
    yield "## The whole of Table 2"
    yield f"{found['unit']}."
    rows = found["rows"]
    yield markdown([{"loop": kind} | row for kind, row in rows.items() if kind.startswith("ours")])
    yield "The plain loop, seconds of an epoch and of a pass over the test set, and what ten runs of it come to:"
    yield markdown([{"loop": kind} | row for kind, row in rows.items() if kind.startswith("plain")])


def side_by_side(found: dict[str, Any]) -> Iterator[str]:
    yield "## Two trainings of one thread each, beside one of two threads"
    yield (
        f"{found['unit']}, medians of {found['rounds']} rounds in turn; gain: how much of what it would do alone on both cores "
        "each of the two does, added up."
    )
    yield markdown(found["rows"])


def freed_memory(found: dict[str, Any]) -> Iterator[str]:
    yield "## Keeping freed memory"
    yield f"{found['unit']}."
    yield markdown(found["rows"])


def default(found: dict[str, Any]) -> Iterator[str]:
    yield "## The embedded default"
    yield f"A fresh clone, nothing cached, in this order, {found['machine']['cores']} cores; {found['unit']}."
    yield markdown(found["targets"])
    yield "Planning when all of it is built:"
    yield markdown(found["planning"])


def overhead(found: dict[str, Any]) -> Iterator[str]:
    yield "## What DVC adds, and what planning takes"
    yield from compared(found)


def stages(found: dict[str, Any]) -> Iterator[str]:
    yield "## The time around a stage"
    yield from compared(found)


def predicting(found: dict[str, Any]) -> Iterator[str]:
    yield "## Faces in a video"
    yield (
        f"640 x 480, one face, decoding included, {found['machine']['processor']}, {found['machine']['cores']} cores, OpenCV "
        f"{found['opencv']}; medians of {found['rounds']} rounds in turn; rounds: frames a second."
    )
    yield markdown([row | {"rounds": " ".join(map(str, row["rounds"]))} for row in found["rows"]])


def compared(found: dict[str, Any]) -> Iterator[str]:
    """Rows that compare commits."""
    yield f"Commits {', '.join(found['commits'])} on one machine; {found['unit']}."
    yield markdown(found["rows"])


def gpu(found: dict[str, Any]) -> Iterator[str]:
    yield "## On a GPU"
    yield f"{found['device']}, driver {found['driver']}." if found["ran_on_gpu"] else f"**{found['label']}**"
    yield (
        f"torch {found['torch']}, CUDA {found['cuda']}; "
        + "; ".join(f"{name}: {unit}" for name, unit in found["units"].items())
        + "."
    )
    yield markdown(
        [
            {"part": part["part"], "seconds": part.get("seconds", "")}
            | {"found": "; ".join(f"{key}: {value}" for key, value in part.items() if key not in ("part", "seconds"))}
            for part in found["parts"]
        ]
    )


def markdown(rows: list[dict[str, Any]]) -> str:
    frame = pd.DataFrame(rows)
    lines = [list(frame.columns), ["---"] * len(frame.columns), *frame.astype(object).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(shown(cell) for cell in line)} |" for line in lines)


def shown(cell: Any) -> str:
    """A name of ours in words; a path stays as it is."""
    return str(cell) if "/" in str(cell) else str(cell).replace("_", " ")


if __name__ == "__main__":
    files.write_text(FOLDER / "README.md", "\n\n".join(page()) + "\n")
