"""The registry of studies: a paper is found by its folder, and two papers may call things alike."""

import ast
import shutil
from pathlib import Path
from typing import Any

import pytest

from cellar import config, figures, files, paths, studies, tables
from cellar.config import Config, config_of
from cellar.config.params import ParamsFile
from cellar.errors import CellarError
from cellar.tables import render
from cellar.tables.printed_values import contains, paper
from tests.conftest import ROOT
from tests.pins_project import Raw
from tests.table_project import put_studies, write_counts

STUDY = '''"""A miniature study."""

from cellar.studies import FigureSpec, Study, TableSpec

from . import tables

STUDY = Study(
    key={key!r},
    title="A title",
    name="A name",
    tables=(TableSpec("table_1", tables.build, tables.inputs),),
    figures=(FigureSpec("figure_1", "Figure 1.", "drawing:draw", tables.inputs),),
    networks={{"cnn4": {classes}}},
)
'''
TABLES = """from cellar.config import Params
from cellar.tables.cells import Cell, Column, Row, Table, keyed
from studies.{key}.values import VALUE


def inputs(params: Params) -> list[str]:
    return ["studies/{key}/printed.yaml"]


def build(params: Params) -> Table:
    cell = keyed(Cell("counted", VALUE, paper=VALUE), "tables", "table_1", "rows", "a", "accuracy")
    columns, rows = [Column("accuracy", "accuracy")], [Row("a", "a", {{"accuracy": cell}})]
    return Table("", "Table 1", "", params.scale.model_dump(), [], columns, rows)
"""


def write(key: str, classes: int = 10, text: str = STUDY) -> None:
    folder = paths.STUDIES / key
    files.write_text(folder / "study.py", text.format(key=key, classes=classes))
    files.write_text(folder / "tables.py", TABLES.format(key=key))
    files.write_text(folder / "values.py", f"VALUE = {len(key)}\n")
    files.write_text(folder / "printed.yaml", f"tables: {{table_1: {{rows: {{a: {{accuracy: {len(key)}}}}}}}}}\n")


@pytest.fixture
def both(shipped: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    write("one")
    write("three")
    return configuration(shipped, "one", "three")


def configuration(shipped: Raw, *keys: str) -> Config:
    """The shipped settings and data sets with these studies, none of which has a line."""
    return config_of(ParamsFile.model_validate({**shipped, "studies": {key: {} for key in keys}}))


def tables_of_papers(config: Config) -> list[str]:
    return [entry.id for entry in tables.catalogue(config).values() if entry.of_paper]


class TestTwoStudiesAlike:
    def test_their_tables_and_figures_have_ids_of_their_own(self, both: Config) -> None:
        assert list(studies.known()) == ["one", "three"]
        assert tables_of_papers(both) == ["one/table_1", "three/table_1"]
        assert [name for name in figures.known(both) if "/" in name] == ["one/figure_1", "three/figure_1"]

    def test_each_builds_its_own_into_a_folder(self, both: Config) -> None:
        for table in tables_of_papers(both):
            render.write(tables.build(table, both), paths.TABLES)
        built = paths.built(paths.TABLES, ".json")
        assert list(built) == ["one/table_1", "three/table_1"]
        values = [files.read_json(path)["rows"][0]["cells"]["accuracy"]["value"] for path in built.values()]
        assert values == [len("one"), len("three")]
        assert {files.read_json(path)["study"] for path in built.values()} == {"one", "three"}

    def test_both_have_their_lines_in_verdicts(self, both: Config) -> None:
        for table in tables_of_papers(both):
            render.write(tables.build(table, both), paths.TABLES)
        for key in ("one", "three"):
            files.write_json(paths.model_counts(key), {})
        rows = {row.id: row.cells["cell"].value for row in tables.build("verdicts", both).rows}
        assert rows["one.tables.table_1.rows.a.accuracy"] == "one/table_1 a accuracy"
        assert rows["three.tables.table_1.rows.a.accuracy"] == "three/table_1 a accuracy"

    def test_a_table_depends_on_its_own_folder_alone(self, both: Config) -> None:
        own = [path for path in tables.find("one/table_1", both).code if path.startswith("studies/")]
        assert own == ["studies/one/study.py", "studies/one/tables.py"]

    def test_one_that_params_yaml_does_not_list_has_none(self, both: Config, shipped: Raw) -> None:
        alone = configuration(shipped, "three")
        assert tables_of_papers(alone) == ["three/table_1"]
        assert [name for name in figures.known(alone) if "/" in name] == ["three/figure_1"]
        assert not [path for path in tables.find("verdicts", alone).inputs() if "one" in path]

    def test_the_same_short_id_twice_is_one_line(self, both: Config) -> None:
        for key in ("one", "three"):
            write(key, text=STUDY.replace("networks=", "short_ids=True, networks="))
        with pytest.raises(CellarError, match=r"^studies one and three both declare table 'table_1'; [^\n]+$"):
            studies.known()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("STUDY = (", r"cannot be loaded \(SyntaxError: [^\n]+\); mend it"),
        ("import no_such_module", r"cannot be loaded \(ModuleNotFoundError: [^\n]+\); mend it"),
        ("1 / 0", r"cannot be loaded \(ZeroDivisionError: [^\n]+\); mend it"),
        ("", r"cannot be loaded \(AttributeError: [^\n]+\); mend it"),
        ("STUDY = 3", "STUDY must be a Study whose key is the folder's name, 'three'"),
    ],
)
def test_a_broken_study_is_one_line_that_names_its_file(both: Config, text: str, message: str) -> None:
    files.write_text(paths.STUDIES / "three/study.py", text)
    with pytest.raises(CellarError, match=rf"^studies/three/study.py:? {message}$"):
        tables.known(both)


class TestShippedStudies:
    @pytest.fixture(autouse=True)
    def project(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(ROOT)

    def test_the_printed_keys_of_cells_lead_somewhere(
        self, shipped: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of the tables that need no run."""
        monkeypatch.chdir(tmp_path)
        put_studies()
        write_counts()
        shipped_config, checked = config.validate(shipped, Path), 0
        for table in ("table_i", "table_ii"):
            built = tables.build(table, shipped_config)
            for row in built.rows:
                for cell in row.cells.values():
                    if cell.printed_key:
                        assert contains(paper(built.study).data, cell.printed_key), cell.printed_key
                        checked += 1
        assert checked > 20

    def test_every_parameter_that_a_table_prints_is_one_of_some_method(self, shipped: Raw) -> None:
        """A misspelt one would be None for all lines, and a change of it would rebuild nothing."""
        found = config.validate(shipped, Path)
        values: dict[str, list[Any]] = {}
        for study in studies.used(found):
            for spec in (*study.tables, *study.figures):
                for key, value in studies.shown_values(found.params(study.key), spec.shown_params).items():
                    values.setdefault(f"{study.key} {key.partition('.method.')[2]}", []).append(value)
        parameters = {name: shown for name, shown in values.items() if not name.endswith(" ")}
        assert {"mini_resemotenet temperature", "cifar100_kd task_weight"} <= parameters.keys()
        assert [name for name, shown in parameters.items() if set(map(str, shown)) == {"None"}] == []

    def test_every_figure_can_be_drawn_by_its_function(self) -> None:
        for study in studies.known().values():
            for spec in study.figures:
                assert callable(studies.function(study, spec.draw))

    def test_code_covers_what_a_table_or_figure_imports_from_its_study(self) -> None:
        for study in studies.known().values():
            folder = studies.folder(study)
            for spec in study.tables:
                built_by = getattr(spec.build, "func", spec.build).__module__.removeprefix(f"studies.{study.key}.")
                covered = {folder / name for name in spec.code}
                assert not [file for file in closure(folder, built_by) if not {file, *file.parents} & covered]
            for figure in study.figures:
                covered = {folder / name for name in figure.code}
                used = closure(folder, figure.draw.partition(":")[0])
                assert not [file for file in used if not {file, *file.parents} & covered], figure.id


def closure(folder: Path, name: str) -> set[Path]:
    """The files of a study that its module `name` imports, itself among them."""
    found: set[Path] = set()
    waiting = [module_file(folder, name)]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        package = list(file.relative_to(folder).parent.parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1]
                names = [node.module] if node.module else [alias.name for alias in node.names]
                waiting += [module_file(folder, ".".join([*base, one])) for one in names]
    return found


def module_file(folder: Path, name: str) -> Path:
    """Of a name that is no module, its package: it is defined there."""
    base = folder.joinpath(*name.split("."))
    if base.is_dir():
        return base / "__init__.py"
    return base.with_suffix(".py") if base.with_suffix(".py").exists() else base.parent / "__init__.py"


def test_a_study_that_is_taken_away_is_forgotten(both: Config) -> None:
    assert "three/table_1" in tables.known(both)
    shutil.rmtree(paths.STUDIES / "three")
    assert "three/table_1" not in tables.known(both)
