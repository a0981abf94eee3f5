"""A built clone shown whole: by our own page, and by Snakemake's."""

import zipfile

from tests.workflow.conftest import Project


def test_the_page_of_a_built_clone(built: Project) -> None:
    built.run("python", "-m", "cellar", "report")
    page = (built.folder / "results/report.html").read_text()
    for table in (built.folder / "results/tables").glob("*.json"):
        assert f'id="{table.stem}"' in page
    for figure in (built.folder / "results/figures").glob("*.png"):
        assert f'id="figure-{figure.stem}"' in page
    assert not built.out_of_date()
    assert "report.html" not in built.run("git", "status", "--short").stdout


def test_snakemakes_own_report_holds_tables_and_figures(built: Project) -> None:
    built.snakemake("--report", "report.zip")
    with zipfile.ZipFile(built.folder / "report.zip") as archive:
        names = archive.namelist()
    (built.folder / "report.zip").unlink()
    for wanted in ("table_vi.md", "fig_4.png"):
        assert any(name.endswith(wanted) for name in names)
