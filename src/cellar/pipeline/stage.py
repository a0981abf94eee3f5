"""What a stage is: a kind, declared once beside the function that runs it, and the jobs of that kind that params.yaml asks for.

The command line, dvc.yaml and Snakemake's rules are all derived from these declarations.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellar import paths
from cellar.config import Config
from cellar.config.section import Section

# What a run adds to its record, such as the epoch it resumed from; None where another process of the same run does.
Facts = dict[str, Any] | None


@dataclass(frozen=True)
class Job:
    """One stage that params.yaml asks for.

    `name` is unique among the jobs of its kind in one dvc.yaml (`fer2013-E1/seed-0`); `item` is its place under results/
    (`mini_resemotenet/fer2013-E1/seed-0`). `settings` is everything that decides the result beside the files it `reads`;
    `code` is what it depends on beside the code of its kind. `study`: whose dvc.yaml it stands in, "" for the root's.
    `makes`, `plots`: outputs beside those of its kind.
    """

    name: str
    item: str
    settings: Section
    reads: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    study: str = ""
    sweep: bool = False
    processes: int = 1
    makes: tuple[str, ...] = ()
    plots: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class StageKind:
    """A kind of stage. Outputs are templates that `{item}` fills; a template that ends in / is a folder.

    `run` computes the outputs from the resolved settings, and reads nothing else of params.yaml. `torch` stages take the
    configured threads and a GPU where there is one; an `alone` stage is timed and takes all cores. `results`: an
    evaluation, table or figure, which stands in the pipeline file results/dvc.yaml (paths.pipeline_file).
    """

    name: str
    jobs: Callable[[Config], Iterable[Job]]
    settings: type[Section]
    run: Callable[[Any], Facts]
    code: tuple[str, ...]
    outs: tuple[str, ...] = ()  # in DVC's cache
    plots: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # in DVC's cache; options of `dvc plots`
    metrics: tuple[str, ...] = ()  # in git
    tracked: tuple[str, ...] = ()  # in git, but no metrics
    torch: bool = False
    alone: bool = False
    results: bool = False

    @property
    def templates(self) -> tuple[str, ...]:
        """All outputs."""
        return (*self.outs, *self.plots, *self.metrics, *self.tracked)

    @property
    def source(self) -> str:
        """The file of the declaration and of `run`."""
        return f"src/cellar/pipeline/stages/{self.name}.py"


@dataclass(frozen=True)
class Stage:
    """A job of a kind, as DVC and Snakemake see it. Paths are relative to the project's root."""

    kind: StageKind
    job: Job

    @property
    def name(self) -> str:
        return paths.stage_name(self.kind.name, self.job.name)

    @property
    def file(self) -> Path:
        """The dvc.yaml that it stands in."""
        return paths.pipeline_file(self.job.study, self.job.sweep, self.kind.results)

    @property
    def address(self) -> str:
        """What `dvc repro` calls it, from the root."""
        job, kind = self.job, self.kind
        return paths.stage_address(kind.name, job.name, job.study, job.sweep, kind.results)

    @property
    def command(self) -> str:
        of_study = f"--study {self.job.study}" if self.job.study else ""
        return " ".join(filter(None, ("python -m cellar", self.kind.name, self.job.name, of_study)))

    @property
    def resolved(self) -> Path:
        """The file that has its resolved settings."""
        return paths.resolved(self.kind.name, self.job.name, self.job.study)

    @property
    def has_settings(self) -> bool:
        """All have but `resolve`, which reads params.yaml itself."""
        return bool(type(self.job.settings).model_fields)

    @property
    def code(self) -> tuple[str, ...]:
        """Files and folders; a file of a folder that is listed is not listed again."""
        listed = dict.fromkeys((self.kind.source, *self.kind.code, *self.job.code))
        return tuple(path for path in listed if not any(path.startswith(f"{other}/") for other in listed))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Code and data; the settings are DVC parameters."""
        return (*self.code, *self.job.reads)

    @property
    def outs(self) -> tuple[str, ...]:
        """What DVC's cache keeps, without plots."""
        return (*self.filled(self.kind.outs), *self.job.makes)

    @property
    def plots(self) -> dict[str, Mapping[str, str]]:
        """What DVC's cache keeps for `dvc plots`, with its options."""
        return dict(zip(self.filled(self.kind.plots), self.kind.plots.values(), strict=True)) | dict(self.job.plots)

    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self.filled(self.kind.templates), *self.job.makes, *self.job.plots)

    def filled(self, templates: Iterable[str]) -> tuple[str, ...]:
        return tuple(template.removesuffix("/").format(item=self.job.item) for template in templates)
