"""The page without a browser: all that it must hold, nothing that it would load, nothing that it would execute."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cellar import paths, report
from cellar.errors import CellarError
from tests.report.conftest import HOSTILE, RECORD, STAGE

LOADING = {"src", "href", "srcset", "data", "poster", "action", "background", "xlink:href"}


class Reader(HTMLParser):
    """Tags in order, attributes, the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.words.append(data)


@pytest.fixture(scope="session")
def read(page: str) -> Reader:
    return Reader(page)


@pytest.fixture(scope="session")
def words(read: Reader) -> str:
    return " ".join(" ".join(read.words).split())


def test_nothing_is_loaded_from_anywhere(read: Reader, page: str) -> None:
    addresses = [value for _, given in read.tags for name, value in given.items() if name in LOADING]
    assert addresses
    assert {value[:5] for value in addresses if not value.startswith("#")} == {"data:"}
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style and "@import" not in style
    policy = next(given for _, given in read.tags if given.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'")


def test_links_within_the_page_lead_somewhere(read: Reader) -> None:
    ids = {given["id"] for _, given in read.tags if "id" in given}
    asked = {given["href"][1:] for tag, given in read.tags if tag == "a"}
    assert asked <= ids


def test_no_id_is_given_twice(read: Reader) -> None:
    ids = [given["id"] for _, given in read.tags if "id" in given]
    assert sorted(ids) == sorted(set(ids))


def test_every_table_and_every_value_is_there(folder: Path, read: Reader, words: str) -> None:
    ids = {given["id"] for _, given in read.tags if "id" in given}
    found = sorted((folder / paths.TABLES).glob("*.json"))
    assert found
    for path in found:
        assert path.stem in ids
        table = json.loads(path.read_text())
        if not isinstance(table, dict):
            continue
        assert table["title"] in words
        for row in table.get("rows", []):
            for column, cell in row.get("cells", {}).items():
                if cell["value"] is not None:
                    assert f"{table['id']}.{row['id']}.{column}" in ids


def test_a_cell_names_its_stages_and_they_are_told(page: str) -> None:
    start = page.index('<template id="chain:table_vi.E1.fer2013_accuracy">')
    chain = page[start : page.index("</template>", start)]
    assert f'href="#stage:{STAGE}"' in chain
    assert "dvc repro --force studies/mini_resemotenet/results/dvc.yaml:evaluate_student-fer2013-E1-seed-0" in chain
    assert f'id="stage:{STAGE}"' in page


def test_the_head_says_when_and_on_what(words: str) -> None:
    assert "2030-01-01, 10:00 to 10:00 UTC" in words
    assert "a processor" in words
    assert "1 stages on changes not committed" in words
    assert RECORD["machine"]["host"] not in words


def test_the_rule_of_verdicts_is_that_of_the_documentation(words: str) -> None:
    """docs/cells.md: the name of the scale decides nothing."""
    assert "An accuracy is judged only where images, network, recipe, method and teacher are as printed;" in words
    assert "not comparable" in words and "at this scale" not in words and "own scale" not in words


def test_names_stay_text(read: Reader, words: str) -> None:
    assert [tag for tag, _ in read.tags].count("script") == 1
    assert words.count(HOSTILE) >= 5  # title, note, column, row, class; and both of the list


def test_links_and_pictures_of_markdown_are_words(words: str, page: str) -> None:
    assert "words" in words
    assert 'href="https://example.org"' not in page
    assert "<img" not in page[page.index('<section id="list"') : page.index('<section id="data"')]


def test_what_was_not_run_is_one_line(page: str) -> None:
    folded = re.findall(r'<details class="absent" id="([^"]*)"><summary>([^\n]*)</summary>', page)
    assert [name for name, _ in folded] == ["custom_absent"]
    assert '<span title="its data set is off">not run</span>' in folded[0][1]


def test_a_wide_figure_is_made_smaller(page: str) -> None:
    width, height = re.search(r'id="figure-fig_4">\s*<img src="data:[^"]*" width="(\d+)" height="(\d+)"', page).groups()
    assert (width, height) == ("1700", "354")


def test_same_inputs_same_bytes(folder: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    report.write(Path("again.html"))
    assert Path("again.html").read_text() == page


def test_without_a_table_it_says_so(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "params.yaml").write_text((folder / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CellarError, match="no table is built in results/tables; build them with: snakemake --cores 4"):
        report.write()
    assert not paths.REPORT.exists()


def test_a_broken_table_is_named(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    path = paths.TABLES / "table_vi.json"
    path.write_text(path.read_text().replace('"notes"', '"note"'))
    with pytest.raises(CellarError, match=f"^{path} is no table; remove it and build it again"):
        report.write()


def test_torch_is_not_imported(folder: Path) -> None:
    code = "import sys; from cellar import report; report.write(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"
