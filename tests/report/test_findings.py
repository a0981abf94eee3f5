"""docs/findings.md is what its command writes: no number of it is typed."""

import re
import shutil
from pathlib import Path

import pytest

from cellar import paths
from cellar.errors import CellarError
from cellar.report import findings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The template and the archived runs, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / paths.RUNS, paths.RUNS)
    findings.TEMPLATE.parent.mkdir()
    shutil.copy(ROOT / findings.TEMPLATE, findings.TEMPLATE)
    return tmp_path


def test_the_committed_page_is_what_the_command_writes(project: Path) -> None:
    assert (ROOT / findings.write()).read_text() == (project / findings.PAGE).read_text()


def test_no_number_of_a_result_is_typed() -> None:
    words = re.sub(r"\{[{%].*?[}%]\}", "", (ROOT / findings.TEMPLATE).read_text(), flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+", words) == []


def test_another_table_gives_another_page(project: Path) -> None:
    before, path = findings.page(), paths.RUNS / "fer2013_cpu/tables/table_iv.json"
    path.write_text(path.read_text().replace("42.6581", "99.9912"))
    after = findings.page()
    assert "42.66" in before and "99.99" not in before and "99.99" in after


def test_the_readmes_first_table_is_of_the_archived_runs(project: Path) -> None:
    rows = {
        "CIFAR-100: 4-layer CNN, 3 seeds": ("cifar100_long", "cifar100_table_2", "student", "accuracy_mean", "student_kd"),
        "FER2013: B": ("fer2013_long_b", "table_iv", "fer2013-scratch_b", "accuracy", "fer2013-E4"),
        "FER2013: C": ("fer2013_long", "table_iv", "fer2013-scratch_c", "accuracy", "fer2013-E6"),
        "FER2013: C without the paper's class weights": ("fer2013_long_unweighted", "table_iv", "fer2013-scratch_c", "accuracy", None),
    }  # fmt: skip
    lines = [
        "| student, without a teacher | accuracy here (%) | printed, without a teacher (%) | printed, with its teacher (%) |",
        "|---|--:|--:|--:|",
    ]
    for label, (name, table, row, column, taught) in rows.items():
        run = findings.Run(name)
        cells = (
            run.cell(table, row, column),
            run.paper(table, row, column) or "–",
            run.paper(table, taught, column) if taught else "–",
        )
        lines.append(f"| {label} | {' | '.join(cells)} |")
    readme = (ROOT / "README.md").read_text()
    assert "\n".join([*lines, ""]) in readme
    taught = findings.Run("fer2013_evening").cell("table_iv", "fer2013-E6", "accuracy")
    assert f"(C with a teacher of 18 epochs: {taught})" in readme


def test_rows_are_sorted_by_their_numbers_and_those_without_are_left_out(project: Path) -> None:
    run = findings.Run("fer2013_cpu")
    rows = run.sorted_rows("table_iv", "accuracy")
    numbers = [run.find("table_iv", name, "accuracy")[0].value for name, _ in rows]
    assert len(rows) > 3 and numbers == sorted(numbers, key=lambda number: -float(number or 0))
    gains = {name for name, _ in run.sorted_rows("table_iv", "gain")}
    assert gains and gains < {name for name, _ in rows} and "fer2013-resemotenet" not in gains


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            '{{ run("never").note }}',
            "no run 'never' is archived in runs; archived: cifar100_cpu, ",
        ),
        (
            '{{ run("fer2013_cpu").cell("table_iv", "E9", "accuracy") }}',
            r"findings\.j2: .*table_iv\.json has no row 'E9'",
        ),
        ('{{ run("fer2013_cpu").cell("table_x", "E1", "accuracy") }}', r"table_x\.json is not archived"),
        ('{{ run("fer2013_cpu").metric("students/E9", "accuracy") }}', r"metrics\.json, students/E9 is not archived"),
        ('{{ run("fer2013_cpu").metric("teachers/fer2013/seed-0", "r2") }}', r"seed-0 has no r2"),
        ('{{ run("fer2013_cpu").cell("table_iv") }}', r"missing 2 required positional arguments"),
        ("one\n{{ ", "findings.j2, line 2: "),
        ("{{ nothing }}", "'nothing' is undefined"),
    ],
)
def test_what_no_run_has_shown_is_refused_and_the_page_stays(project: Path, words: str, said: str) -> None:
    findings.write()
    before = findings.PAGE.read_text()
    findings.TEMPLATE.write_text(words)
    with pytest.raises(CellarError, match=said) as caught:
        findings.write()
    assert "\n" not in str(caught.value)
    assert findings.PAGE.read_text() == before
