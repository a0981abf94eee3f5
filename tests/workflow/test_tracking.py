"""What decides a number is tracked: values as they are resolved, and code, by the real tools on a built project."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import FACES, Project, experiment, student

E1, E1_EVALUATION = student("distill_student", "fer2013-E1"), student("evaluate_student", "fer2013-E1")
RUNS_OF_FACES = {  # by the recipe student_a
    student("train_student", "fer2013-scratch_a"), student("distill_student", "fer2013-E1"),
}  # fmt: skip
LINE, RECIPE = f"studies.{FACES}.experiments.fer2013-E1", f"studies.{FACES}.recipes.student_a"


@pytest.fixture(scope="module")
def shared(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return built.copy_to(tmp_path_factory.mktemp("tracked") / "project")


@pytest.fixture
def tracked(shared: Project) -> Iterator[Project]:
    """A built project in which nothing is run but `resolve`; what a test changes is taken back."""
    yield shared
    shared.run("git", "checkout", "--quiet", ".")
    shared.run("git", "clean", "--quiet", "--force", "-d")
    shared.resolve()


def edit(project: Project, file: str, old: str, new: str) -> None:
    path = project.folder / file
    text = path.read_text()
    assert text.count(old) == 1, (file, old)
    path.write_text(text.replace(old, new))


def stale(project: Project) -> set[str]:
    """What DVC would run of what is built, once settings are resolved anew."""
    project.resolve()
    return project.out_of_date(built=True)


def kinds(addresses: set[str]) -> set[str]:
    return {address.rpartition(":")[2].partition("-")[0] for address in addresses}


def test_a_changed_default_is_followed_by_both_tools(tracked: Project) -> None:
    """processes: no recipe of the tiny project states it, but for the one that is given it here."""
    tracked.change(lambda params: params["studies"][FACES]["recipes"]["student_bc"].update(processes=1))
    assert stale(tracked) == set()
    edit(tracked, "src/cellar/config/recipe.py", "    processes: Count = 1 ", "    processes: Count = 2 ")
    assert tracked.out_of_date() == {"resolve"}
    found = stale(tracked)
    assert found == RUNS_OF_FACES | {
        "train_teacher-fer2013-seed-0", "train_teacher-cifar100-seed-0",
        student("train_student", "cifar100-student"), student("distill_student", "cifar100-student_kd"),
    }  # fmt: skip
    planned = tracked.planned()
    trained = {kind: count for kind, count in planned.items() if kind.startswith(("train", "distill"))}
    assert trained == {"train_teacher": 2, "train_student": 2, "distill_student": 3}  # E4 follows its teacher
    lines = tracked.run("python", "-m", "cellar", "verify", ok=False).stdout.splitlines()
    (line,) = (line for line in lines if "recipe.processes" in line)
    assert line.partition(" and ")[0] in found
    assert f" and {len(found) - 1} more stages: ran with recipe.processes 1, which is 2 now; build again" in line


def test_a_new_optional_field_makes_nothing_stale_but_resolve(tracked: Project) -> None:
    recipe = "src/cellar/config/recipe.py"
    edit(
        tracked,
        recipe,
        "    early_stop: Count | None = None ",
        "    note: str | None = None\n    early_stop: Count | None = None ",
    )
    assert tracked.out_of_date() == {"resolve"}
    assert stale(tracked) == set()


@pytest.mark.parametrize("name", ["methods/mine.py", "models/mine.py"])
def test_a_new_method_or_network_makes_nothing_stale(tracked: Project, name: str) -> None:
    (tracked.folder / "src/cellar" / name).write_text('"""Not used by any line yet."""\n')
    assert tracked.out_of_date() == set()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda params: experiment(params, "fer2013-E1").update(input_size=64), {E1, E1_EVALUATION}),
        (lambda params: params["studies"][FACES]["recipes"]["student_a"].update(watch=["test"]), RUNS_OF_FACES),
    ],
    ids=["input_size", "watch"],
)
def test_an_optional_key_is_seen_by_plain_dvc_repro(tracked: Project, change: Any, expected: set[str]) -> None:
    """Without `cellar plan`. (What is not run is listed by a dry run after the first stage has resolved settings.)"""
    tracked.change(change)
    assert tracked.run("dvc", "repro", "--dry").stdout.count("Running stage 'resolve'") == 1
    assert stale(tracked) == expected


@pytest.mark.parametrize(
    ("keys", "place", "value", "expected"),
    [
        ([f"+{LINE}.input_size=32"], (FACES, "experiments", "fer2013-E1", "input_size"), 32, E1),
        ([f"+{RECIPE}.processes=2"], (FACES, "recipes", "student_a", "processes"), 2, E1),
        ([f"{RECIPE}.weight_decay=1e-05"], (FACES, "recipes", "student_a", "weight_decay"), 1e-05, E1),
    ],
    ids=["input_size", "processes", "1e-05"],
)
@pytest.mark.long
def test_an_optional_key_is_seen_by_dvc_exp_run(
    project: Project, keys: list[str], place: tuple[str, ...], value: Any, expected: str
) -> None:
    options = [word for key in keys for word in ("-S", key)]
    project.run("dvc", "exp", "run", "--quiet", *options, expected)
    params: Any = yaml.safe_load((project.folder / "params.yaml").read_text())["studies"]
    for key in place:
        params = params[key]
    assert float(params) == value  # PyYAML reads 1e-05 as text
    latest = project.record(expected)["settings"]
    resolved = latest["input"] if place[-1] == "input_size" else latest["recipe"]
    assert resolved[place[-1]] == value
    assert len(project.records(expected)) == 2


def test_a_small_number_as_dvc_writes_it_is_a_number(tracked: Project) -> None:
    """`dvc exp run -S` writes 1e-05, which YAML 1.1 takes for text."""
    path = tracked.folder / "params.yaml"
    text = path.read_text()
    assert "weight_decay: 0.0001" in text
    path.write_text(text.replace("weight_decay: 0.0001", "weight_decay: 1e-05"))
    assert "train_teacher-fer2013-seed-0" in stale(tracked)


def test_a_changed_derivation_is_seen(tracked: Project) -> None:
    """How a line's input follows from its data set."""
    params = "src/cellar/config/params.py"
    edit(
        tracked,
        params,
        "        return whole | line.model_dump(",
        '        whole["normalisation"] = "unit"\n        return whole | line.model_dump(',
    )
    assert tracked.out_of_date() == {"resolve"}
    found = stale(tracked)
    assert kinds(found) == {"train_teacher", "evaluate_teacher", "train_student", "distill_student", "evaluate_student"}
    done = tracked.run("python", "-m", "cellar", "verify", "table_vi", ok=False)
    assert done.returncode == 1
    assert "ran with input.normalisation imagenet, which is unit now; build again" in done.stdout


EDITS = {  # a module -> the kinds that declare it
    "src/cellar/data/synthetic/shape.py": {"make_synthetic"},
    "src/cellar/data/readers/image_folder.py": {"make_synthetic", "prepare"},
    "src/cellar/pipeline/stages/prepare.py": {"prepare", "resolve"},
    "src/cellar/data/audit/report.py": {"prepare", "audit"},
    "src/cellar/engine/training.py": {"train_teacher", "evaluate_teacher", "train_student", "distill_student", "evaluate_student", "measure_costs"},
    "src/cellar/pipeline/stages/train_teacher.py": {"train_teacher", "resolve"},
    "src/cellar/pipeline/stages/evaluate_teacher.py": {"evaluate_teacher", "resolve"},
    "src/cellar/methods/logit_kd.py": {"distill_student", "evaluate_student", "resolve"},
    "src/cellar/pipeline/stages/train_student.py": {"train_student", "resolve"},
    "src/cellar/pipeline/stages/distill_student.py": {"distill_student", "resolve"},
    "src/cellar/models/cnn4.py": {"train_teacher", "evaluate_teacher", "train_student", "distill_student", "evaluate_student", "count_models"},
    "src/cellar/pipeline/stages/count_models.py": {"count_models", "resolve"},
    "src/cellar/pipeline/stages/measure_costs.py": {"measure_costs", "resolve"},
    "src/cellar/tables/render.py": {"tabulate", "plot", "resolve"},
    "src/cellar/figures/curves.py": {"plot", "resolve"},
    f"studies/{FACES}/tables/table_iv.py": {"tabulate", "resolve"},
    "src/cellar/pipeline/stages/index.py": {"index", "resolve"},
    "src/cellar/config/recipe.py": {"resolve"},
    "src/cellar/report/page.py": set(),
}  # fmt: skip


@pytest.mark.parametrize("module", EDITS)
def test_an_edited_module_makes_stale_what_declares_it(tracked: Project, module: str) -> None:
    path = tracked.folder / module
    path.write_text(f"{path.read_text()}# edited\n")
    found = tracked.out_of_date()
    assert kinds(found) == EDITS[module]
    assert found - {"resolve"} == {address for address in declared(tracked, module) if address != "resolve"}
    if found - {"resolve"}:
        done = tracked.run("python", "-m", "cellar", "verify", ok=False)
        assert any(line.startswith(f"{module}: changed, and not committed") for line in done.stdout.splitlines())


def declared(project: Project, module: str) -> set[str]:
    """Stages that list a module, or a folder that it is in, among the files that they depend on."""
    folders = {str(folder) for folder in (Path(module), *Path(module).parents)}
    return {
        address
        for address, entry in project.locked().items()
        if folders & {file["path"] for file in entry.get("deps", [])}
    }


def settings_of_stages(project: Project) -> dict[str, str]:
    """Stage of the study -> its resolved settings."""
    return {path.stem: path.read_text() for path in (project.folder / f"results/resolved/{FACES}").glob("*.json")}


def test_the_points_of_a_sweep_follow_its_rule(tracked: Project) -> None:
    """Sweep.experiments, which turns a grid into experiments: seen by the resolved settings."""
    tracked.run("python", "-m", "cellar", "plan", "--sweeps")
    tracked.resolve()
    before = settings_of_stages(tracked)
    edit(tracked, "src/cellar/config/lines.py", "round(1 - task_weight, 10)", "round(1 - task_weight, 10) / 2")
    tracked.resolve()
    after = settings_of_stages(tracked)
    changed = {name for name in after if after[name] != before[name]}
    assert {name for name in changed if not name.startswith("tabulate")} == {
        f"{kind}-fer2013_sweep-T{t}-w0-2-seed-0" for kind in ("distill_student", "evaluate_student") for t in (1, 3)
    }
