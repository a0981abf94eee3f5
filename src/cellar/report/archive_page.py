"""README.md of an archived run: what was run, the tables and figures, what each stage cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellar import files, paths
from cellar.provenance import git
from cellar.provenance.archive import layout

SHORT = 7  # digits of a commit


@dataclass(frozen=True)
class Page:
    name: str
    note: str
    commit: str | None
    tables: list[str]
    figures: list[str]
    records: Mapping[str, Mapping[str, Any]]
    verdicts: Mapping[str, int]

    def text(self, folder: Path) -> str:
        """`folder` has the tables already."""
        sections = [self.head(), self.results(folder), self.costs()]
        return "\n\n".join("\n".join(section) for section in sections) + "\n"

    def head(self) -> Iterator[str]:
        yield f"# {self.name}: {self.note}\n"
        yield f"Written by `cellar archive`; check it with `cellar verify {paths.RUNS / self.name}`."
        yield self.origin()
        newest = max(self.records.values(), key=lambda record: str(record["finished"]))
        devices = sorted({record["device_name"] for record in self.records.values() if "device_name" in record})
        machine, versions = newest["machine"], newest["versions"]
        cores = f"{machine['cores']} cores, {machine['memory_gb']} GB"
        yield f"{', '.join(devices)}; {cores}; Python {newest['python']}, PyTorch {versions['torch']}."
        yield f"Parameters: [{layout.PARAMS}]({layout.PARAMS})."

    def origin(self) -> str:
        """The commits of the run, and whether this repository has them."""
        commits = sorted({record["commit"] for record in self.records.values() if record.get("commit")})
        names = ", ".join(commit[:SHORT] for commit in commits)
        if self.commit is None:
            missing = all(not git.git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") for commit in commits)
            place = "are not in this repository" if missing else "are in this repository, but not on main"
            return f"The commits that its records name ({names}) {place}: it was made in an earlier history of the project."
        return f"Archived at commit {self.commit[:SHORT]}; its records name {names}."

    def results(self, folder: Path) -> Iterator[str]:
        yield "## Results\n"
        if self.verdicts:
            counts = ", ".join(f"{count} {verdict}" for verdict, count in self.verdicts.items())
            yield f"Printed values beside those of this run: {counts}.\n"
        for table in self.tables:
            title = files.read_json(folder / layout.TABLES / f"{table}.json")["title"]
            yield f"* [{title}]({layout.TABLES}/{table}.md)"
        for figure in self.figures:
            yield f"\n![{Path(figure).name}]({layout.FIGURES}/{figure}.png)"

    def costs(self) -> Iterator[str]:
        """Seconds and peak memory of every recorded stage. A resumed stage counts the seconds of its last part only."""
        total = sum(record["seconds"] for record in self.records.values())
        yield f"## Costs: {total / 60:.1f} minutes in recorded stages\n"
        distilled = [record for record in self.records.values() if "teacher_images_forwarded" in record]
        if distilled:
            keys = ("teacher_images_forwarded", "images_trained")
            forwarded, trained = (sum(record[key] for record in distilled) for key in keys)
            share = forwarded / trained
            yield f"Distillation used {trained:,} images; the teachers computed logits for {forwarded:,} ({share:.3f} each).\n"
        yield "| stage | device | seconds | peak memory (GB) | images trained on | teacher forward passes |"
        yield "|:--|:--|--:|--:|--:|--:|"
        for stage, record in self.records.items():
            yield cost_line(stage, record)


def cost_line(stage: str, record: Mapping[str, Any]) -> str:
    resumed = record.get("resumed_from_epoch", 0)
    name = f"{stage} (resumed from epoch {resumed})" if resumed else stage
    # early records lack the last three
    counts = [record.get(key, "") for key in ("peak_memory_gb", "images_trained", "teacher_images_forwarded")]
    cells = [name, record.get("device", "cpu"), f"{record['seconds']:.1f}", *map(str, counts)]
    return f"| {' | '.join(cells)} |"
