"""A stage's record names the code that made its bytes, or the stage fails."""

from pathlib import Path

import pytest

from cellar import files
from cellar.config.section import Section
from cellar.errors import CellarError
from cellar.pipeline import run
from cellar.pipeline.stage import StageKind

ENGINE = Path("src/cellar/engine")
DVC_YAML = """\
stages:
  kind-x:
    cmd: python -m cellar kind x
    deps:
      - src/cellar/engine
      - studies/s/methods/m.py
      - data/a.txt
    outs:
      - made.txt
"""


@pytest.mark.parametrize(
    ("edited", "told"),
    [
        (ENGINE / "a.py", True),
        (ENGINE / "new.py", True),
        (Path("studies/s/methods/m.py"), True),
        (ENGINE / "__pycache__/a.pyc", False),
        (Path("src/cellar/other.py"), False),
    ],
)
def test_code_that_is_edited_while_a_stage_runs_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: Path, told: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "check_own_code", lambda: None)
    for path in (ENGINE / "a.py", Path("studies/s/methods/m.py"), Path("data/a.txt")):
        files.write_text(path, "before")
    files.write_text(Path("dvc.yaml"), DVC_YAML)

    def work(settings: Section) -> dict[str, int]:
        files.write_text(edited, "after")
        files.write_text(Path("made.txt"), "made")
        return {}

    kind = StageKind("kind", lambda config: (), Section, work, ())
    if not told:
        run.run(kind, "x", "")
        return
    with pytest.raises(CellarError, match=f"^{edited} was changed while this stage ran; put it back, then run again$"):
        run.run(kind, "x", "")
    assert not Path("results/records").exists()
