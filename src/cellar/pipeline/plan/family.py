"""What a plan is made of: stages, and families of stages that differ in a few fields."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cellar import paths

LIST_CODE = "list_code"

Item = dict[str, str]


@dataclass(frozen=True)
class Stage:
    """One stage of a dvc.yaml, one job of Snakemake. Paths are relative to the project's root."""

    name: str
    command: str
    inputs: list[str]
    outputs: list[str]


@dataclass(frozen=True)
class Family:
    """Stages of one kind: templates whose {fields} an item fills. Its name is the rule's, the command's and
    the file's under src/cellar/stages. Without items it is a single stage.
    """

    name: str
    arguments: str = ""
    items: dict[str, Item] = field(default_factory=dict)  # key -> fields
    inputs: list[str] = field(default_factory=list)
    params: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)  # in DVC's cache
    plots: list[str] = field(default_factory=list)  # in DVC's cache, and for `dvc plots`
    metrics: list[str] = field(default_factory=list)  # in git
    kept: list[str] = field(default_factory=list)  # in git, but no metrics
    shows: str = ""  # the module that makes what is shown, which the stage imports by name
    label: str = ""  # tells single stages of one family apart: tabulate_table_vi
    takes_items: bool = True  # a family that takes items and has none is left out

    @property
    def stage_name(self) -> str:
        return f"{self.name}_{self.label}" if self.label else self.name

    @property
    def command(self) -> str:
        return f"python -m cellar {self.name} {self.arguments}".rstrip()

    @property
    def modules(self) -> tuple[str, ...]:
        """Where the code of a stage begins: what else belongs to it is imported from there."""
        return (f"cellar.pipeline.stages.{self.name}", *([self.shows] if self.shows else []))

    @property
    def code(self) -> str:
        """The list of the code's files (cellar.pipeline.code_lists); "" for the stage that writes the lists."""
        return "" if self.name == LIST_CODE else str(paths.CODE / f"{self.stage_name if self.shows else self.name}.txt")

    @property
    def reads(self) -> list[str]:
        return [*([self.code] if self.code else []), *self.inputs]

    def stages(self) -> Iterator[Stage]:
        made = [*self.outputs, *self.plots, *self.metrics, *self.kept]
        for key, item in (self.items or {"": {}}).items():
            name = f"{self.stage_name}@{key}" if key else self.stage_name
            fill = [[t.format(**item) for t in templates] for templates in (self.reads, made)]
            yield Stage(name, self.command.format(**item), *fill)
