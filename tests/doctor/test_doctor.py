"""doctor on a small project: whole, and with one fault planted at a time."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from cellar import config, doctor, files, paths
from cellar.doctor import locks, machine, unmade, versions
from cellar.doctor.finding import Finding
from cellar.errors import CellarError
from cellar.pipeline import content, dvc_yaml, plan, resolved
from cellar.pipeline.stage import Stage
from cellar.provenance import lineage
from tests.conftest import ROOT
from tests.provenance import cell_project

Usage = namedtuple("Usage", "total used free")
ROOMY = Usage(10**13, 0, 10**13)
MEMORY = SimpleNamespace(total=16 * 10**9, available=12 * 10**9)
STUDY = "mini_resemotenet"
WEIGHTS = Path(f"results/students/{STUDY}/fer2013-E6/seed-0/weights.safetensors")
TEACHER = "train_teacher-fer2013-seed-0"
COUNTED = {
    "resemotenet": {"parameters": 80_238_599, "buffers": 22_412},
    "resemotenet_a": {"parameters": 20_069_383, "buffers": 11_212},
    "resemotenet_b": {"parameters": 5_022_215, "buffers": 5_612},
    "resemotenet_c": {"parameters": 1_259_911, "buffers": 2_812},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: dict[str, Any]) -> Path:
    """The shipped parameters in a folder of their own, on a roomy machine with what the lock names; nothing built."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / paths.STUDIES, paths.STUDIES, ignore=shutil.ignore_patterns("__pycache__", "dvc.*"))
    Path("src").symlink_to(ROOT / "src")  # the code that runs; nothing may be written there
    files.write_json(paths.model_counts(STUDY), COUNTED)
    del raw["studies"]["small_dataset_kd"], raw["datasets"]["pins"]  # quicker to read
    Path("params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    subprocess.run(["git", "init", "--quiet"], check=True)
    Path(".dvc/cache").mkdir(parents=True)
    for level in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"DVC_{level}_CONFIG_DIR", str(tmp_path / level.lower()))
    Path("requirements.lock").write_text(
        f"numpy=={metadata.version('numpy')} ; sys_platform != 'plan9' \\\n    --hash=x\n"
    )
    dvc_yaml.write(plan.stages(config.load()))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: ROOMY)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: MEMORY)
    monkeypatch.setattr(machine, "limits", lambda: iter([]))
    monkeypatch.setattr(machine, "gpus", lambda: [])
    return tmp_path


def change(*keys: str, value: Any) -> None:
    """Write one value of params.yaml anew."""
    raw = yaml.safe_load(Path("params.yaml").read_text())
    inner = raw
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    Path("params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))


def examined() -> tuple[dict[str, Finding], str]:
    """The worst finding of each topic, and the next command."""
    findings, following = doctor.examine(config.load())
    order = ["ok", "warn", "bad"]
    return {f.topic: f for f in sorted(findings, key=lambda f: order.index(f.state))}, following


def test_a_fresh_project_is_to_be_built(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, following = examined()
    assert {finding.state for finding in found.values()} == {"ok"}
    assert following == "snakemake --cores 4"
    assert doctor.report(as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "next: snakemake --cores 4" and len(lines) == len(found) + 2
    assert all(line.startswith("ok ") for line in lines[1:-1])


def test_as_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.report(as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["possible"] is True and said["next"] == "snakemake --cores 4" and said["scale"] == "sample"
    assert {"state", "topic", "what", "do"} == set(said["findings"][0])


def test_a_raw_set_that_is_not_here(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change("datasets", "cifar100", "source", value={"torchvision": "CIFAR100"})
    found, following = examined()
    assert (
        found["data cifar100"].state == "bad"
        and "data/raw/sample/cifar100 does not exist" in found["data cifar100"].what
    )
    assert following == "cellar download cifar100"
    assert doctor.report(as_json=False) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "next: cellar download cifar100"


@pytest.mark.parametrize(("synthetic", "said"), [(True, "not synthetic"), (False, "are synthetic")])
def test_images_that_every_table_would_call_something_else(project: Path, synthetic: bool, said: str) -> None:
    """Folders of the user's own in the params.yaml of synthetic sets, or the reverse."""
    mine = {
        "enabled": True,
        "layout": "image_folder",
        "path": "data/raw/mine",
        "input_size": 32,
        "augmentation": "flip",
    }
    change("datasets", "mine", value=mine | {"normalisation": "unit", "source": {"manual": "mine"}})
    change("scale", "synthetic", value=synthetic)
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            Path("data/raw/mine", split, name).mkdir(parents=True)
            Path("data/raw/mine", split, name, "1.png").touch()
    warned = [finding for finding in doctor.examine(config.load())[0] if "scale.synthetic" in finding.what]
    expected = ["data mine"] if synthetic else ["data cifar100", "data fer2013", "data raf_db"]
    assert sorted(finding.topic for finding in warned) == expected
    assert all(finding.state == "warn" and said in finding.what for finding in warned)


def test_a_raw_set_for_which_one_must_ask(project: Path) -> None:
    change("datasets", "raf_db", "source", value={"manual": "ask its authors"})
    found, following = examined()
    assert found["data raf_db"].state == "bad"
    assert "ask its authors" in following and "datasets.raf_db.enabled: false" in following


def test_a_raw_set_of_which_a_part_is_missing(project: Path) -> None:
    change("datasets", "fer2013", "source", value={"kaggle": "msambare/fer2013"})
    Path("data/raw/sample/fer2013/train/happy").mkdir(parents=True)
    found, following = examined()
    assert found["data fer2013"].state == "bad" and "test does not exist" in found["data fer2013"].what
    assert "unpack both" in following


def test_published_weights_that_are_not_here(project: Path) -> None:
    change("studies", STUDY, "teachers", "fer2013", "weights", value="best.pth")
    found, _ = examined()
    key = f"studies.{STUDY}.teachers.fer2013.weights"
    words = ("best.pth does not exist", f"put the file there, or mend {key} in params.yaml")
    assert found[key] == Finding("bad", key, *words)


def test_grey_weights_that_would_meet_colour_images(project: Path) -> None:
    published = {"path": "raf.pth", "manual": "ask", "model": "resemotenet", "greyscale": True}
    change("studies", STUDY, "published", value={"raf": published})
    change("studies", STUDY, "teachers", "raf_db", "weights", value="raf.pth")
    Path("raf.pth").touch()
    key = f"studies.{STUDY}.teachers.raf_db"
    words = ("raf.pth is published.raf, which learnt grey images, not colour", "set datasets.raf_db.greyscale: true")
    assert examined()[0][key] == Finding("warn", key, *words)
    change("datasets", "raf_db", "greyscale", value=True)
    assert key not in examined()[0]


def test_a_disk_that_is_too_small(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: Usage(10**12, 10**12 - 10**9, 10**9))
    found, following = examined()
    assert found["disk"].state == "bad" and "1.0 GB free" in found["disk"].what and "estimate" in found["disk"].what
    assert following == found["disk"].do


def test_the_estimate_counts_weights_by_their_parameters(project: Path) -> None:
    """Student C alone: two files of (1,259,911 parameters + 2,812 numbers of buffers) · 4 bytes, twice each."""
    chosen = config.load()
    only = [stage for stage in plan.stages(chosen) if stage.name == "distill_student-fer2013-E6-seed-0"]
    nothing = lineage.load()
    sizes = dict(doctor.needs.outputs(only, {}, doctor.needs.model_bytes()))
    size = sizes[str(WEIGHTS)]
    assert size == 4 * (1_259_911 + 2_812)
    unmade = [str(WEIGHTS), str(WEIGHTS.with_name("last.safetensors"))]
    two, one = (doctor.needs.estimate(chosen, only, unmade[:n], {}, nothing).disk for n in (2, 1))
    assert two - one == 2 * size
    files.write_text(Path(unmade[1]), "of another run: DVC keeps it beside the new one")
    assert doctor.needs.estimate(chosen, only, unmade, {}, nothing).disk - one == size
    assert doctor.needs.estimate(chosen, only, [], {}, nothing).disk == 0


def remember(peak: float) -> None:
    """A lock with one stage, and the record of its run."""
    outs = cell_project.entries(weights="aa")
    cell_project.lock(Path("dvc.lock"), {TEACHER: {"cmd": "teach", "outs": outs}})
    cell_project.record(lineage.load().stages[0], peak_memory_gb=peak)


def test_a_machine_with_less_memory_than_a_stage_took(project: Path) -> None:
    remember(40.5)
    found, following = examined()
    assert found["memory"].state == "bad" and "40.5 GB" in found["memory"].what
    assert TEACHER in found["memory"].what and following == found["memory"].do
    remember(14.0)
    assert examined()[0]["memory"].state == "warn"


def test_a_machine_with_room_for_one_stage_that_runs_two(project: Path) -> None:
    remember(7.0)
    assert examined()[0]["memory"].state == "ok"
    machine.PROFILE.parent.mkdir(parents=True)
    shutil.copy(ROOT / machine.PROFILE, machine.PROFILE)
    found = examined()[0]["memory"]
    assert found.state == "warn" and found.what.endswith("and 2 run side by side")
    assert "torch=1" in found.do
    machine.PROFILE.write_text("cores: 4\n")
    assert examined()[0]["memory"].state == "ok"
    shutil.copy(ROOT / machine.PROFILE, machine.PROFILE)
    change("threads", value=2)
    assert examined()[0]["memory"].state == "ok"


def test_more_threads_than_cores(project: Path) -> None:
    change("threads", value=4096)
    assert examined()[0]["cores"].state == "warn"


def test_a_gpu_is_named_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0/information").write_text("Model: \t\t NVIDIA H200\nIRQ: 5\n")
    monkeypatch.setattr(machine, "DRIVER", tmp_path)
    assert machine.gpus() == ["NVIDIA H200"]


def test_a_driver_that_does_not_answer_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nexec sleep 30\n")
    tool.chmod(0o755)
    monkeypatch.setattr(machine, "DRIVER", tmp_path / "none")
    monkeypatch.setattr(machine, "PATIENCE", 0.05)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert machine.gpus() is None


def test_a_version_that_differs_from_the_lock(project: Path) -> None:
    Path("requirements.lock").write_text("numpy==0.1 \\\n    --hash=x\nnot-for-here==1 ; sys_platform == 'plan9'\n")
    found, _ = examined()
    assert found["packages"].state == "warn" and found["packages"].do == "make setup"
    assert f"numpy {metadata.version('numpy')}, not 0.1" in found["packages"].what
    assert "not-for-here" not in found["packages"].what


def test_a_package_that_the_project_needs(project: Path) -> None:
    Path("requirements.lock").write_text("no-such-package==1\n")
    assert examined()[0]["packages"].state == "warn"
    Path("pyproject.toml").write_text('[project]\ndependencies = ["no_such.package[extra]>=1"]\n')
    found, following = examined()
    assert found["packages"].state == "bad" and following == "make setup"


def test_the_code_of_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(versions.own_code()) == []
    Path("src/cellar").mkdir(parents=True)
    (found,) = versions.own_code()
    assert (found.state, found.topic) == ("bad", "code") and found.do.startswith("make setup")


def test_every_pin_of_the_lock_is_read() -> None:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line.split(";")[0]]
    assert lines and all(versions.PIN.match(line) for line in lines)


def dead_process() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def lock_folder(host: str, pid: int) -> None:
    files.write_text(locks.SNAKEMAKE / "0.input.lock", "")
    files.write_json(locks.OWNER, {"host": host, "pid": pid})


def test_a_lock_of_a_dead_run(project: Path) -> None:
    pid = dead_process()
    lock_folder(platform.node(), pid)
    found, following = examined()
    assert found["locks"].state == "warn" and f"process {pid}, which is dead" in found["locks"].what
    assert found["locks"].do == "snakemake --unlock" and following == "snakemake --cores 4"


def test_a_lock_of_another_host_and_of_nobody(project: Path) -> None:
    lock_folder("elsewhere", 1)
    assert "on elsewhere" in examined()[0]["locks"].what
    for name in ("[]", "[" * 100_000, "{"):
        locks.OWNER.write_text(name)
        assert "left no name" in examined()[0]["locks"].what


def test_a_lock_of_dvc(project: Path) -> None:
    pid = dead_process()
    files.write_json(
        locks.RWLOCK,
        {"write": {"/a": {"pid": pid, "cmd": "repro"}}, "read": {"/b": [{"pid": os.getpid(), "cmd": "repro"}]}},
    )
    topics = [finding.what for finding in locks.examine()]
    assert len(topics) == 2
    assert any(f"process {pid}, which is dead" in what for what in topics)
    assert any(f"process {os.getpid()}, is running" in what for what in topics)


@pytest.mark.parametrize(("notes", "state"), [('{"wri', "warn"), ("", "warn"), ("[" * 100_000, "warn"), ("{}", "ok")])
def test_a_lock_that_dvc_was_killed_in_writing(project: Path, notes: str, state: str) -> None:
    files.write_text(locks.RWLOCK, notes)
    found = examined()[0]["locks"]
    assert found.state == state and (state == "ok" or found.do == f"rm {locks.RWLOCK}")


def keep(content: str, folder: Path) -> None:
    """WEIGHTS in dvc.lock, and in the cache or remote `folder`."""
    stored = folder / "files/md5/ab/cdef"
    files.write_text(stored, content)
    outs = [{"path": str(WEIGHTS), "hash": "md5", "md5": "abcdef", "size": 7}]
    cell_project.lock(
        Path(f"studies/{STUDY}/dvc.lock"), {"distill_student-fer2013-E6-seed-0": {"cmd": "x", "outs": outs}}
    )


def test_results_that_wait_in_the_cache(project: Path) -> None:
    keep("weights", Path(".dvc/cache"))
    found, following = examined()
    assert found["cache"].state == "ok" and "1 of 1" in found["cache"].what and following == "dvc checkout"


def test_an_object_of_the_cache_that_was_cut(project: Path) -> None:
    keep("weigh", Path(".dvc/cache"))
    found, _ = examined()
    assert found["cache"].state == "warn" and "has 5 bytes, dvc.lock has 7" in found["cache"].what
    assert found["cache"].do.startswith("rm -f ") and found["cache"].do.endswith("files/md5/ab/cdef")


def remote(url: str, *options: str) -> None:
    lines = ["[core]", "remote = store", "['remote \"store\"']", f"url = {url}", *options]
    Path(".dvc/config").write_text("\n".join(lines) + "\n")


def test_a_remote_folder_that_is_gone(project: Path) -> None:
    remote("../gone", "verify = true")
    found, following = examined()
    assert found["remote store"].state == "warn" and f"{project / 'gone'} does not exist" in found["remote store"].what
    assert following == "snakemake --cores 4" and doctor.report(as_json=False) == 0


def test_results_that_wait_in_a_remote(project: Path) -> None:
    keep("weights", Path("store"))
    remote("../store", "verify = true")
    found, following = examined()
    assert found["remote store"].state == "ok" and following == "dvc pull"


@pytest.mark.parametrize("level", ["global", "system"])
def test_a_remote_of_the_user_or_of_the_system(project: Path, level: str) -> None:
    """Where DVC itself has them, and relative to that file."""
    subprocess.run(["dvc", "remote", "add", f"--{level}", "shelf", f"{level}/store"], check=True, capture_output=True)
    subprocess.run(
        ["dvc", "remote", "modify", f"--{level}", "shelf", "verify", "true"], check=True, capture_output=True
    )
    keep("weights", Path(level, "store"))
    found, following = examined()
    assert "remote" not in found and following == "dvc pull"
    assert found["remote shelf"].what == f"{project / level / 'store'} has all 1 outputs of dvc.lock"


def test_the_project_overrides_the_user_and_a_checkout_the_project(project: Path) -> None:
    files.write_text(Path("global/config"), "['remote \"store\"']\nurl = of_the_user\nverify = true\n")
    remote("of_the_project")
    assert f"{project / '.dvc/of_the_project'} does not exist" in examined()[0]["remote store"].what
    files.write_text(Path(".dvc/config.local"), "['remote \"store\"']\nurl = here\n")
    assert f"{project / '.dvc/here'} does not exist" in examined()[0]["remote store"].what


def test_a_remote_that_lacks_something(project: Path) -> None:
    keep("weights", Path("store"))
    remote("../store", "verify = true")
    shutil.rmtree("store/files")
    found, _ = examined()
    assert found["remote store"].state == "warn" and found["remote store"].do == "dvc push --remote store"


def test_a_remote_that_is_believed(project: Path) -> None:
    remote("https://store.example/cellar")
    found, _ = examined()
    assert found["remote store"].do == "dvc remote modify store verify true"


def test_no_project_of_dvc(project: Path) -> None:
    shutil.rmtree(".dvc")
    assert examined()[1] == "dvc init"


@pytest.mark.parametrize("broken", ["dvc.lock", ".dvc/config"])
def test_a_broken_file_of_dvc_is_one_line(project: Path, broken: str) -> None:
    Path(broken).write_text("stages: [\n" if broken == "dvc.lock" else "no section\n")
    with pytest.raises(CellarError, match=f"git checkout {broken}") as caught:
        examined()
    assert "\n" not in str(caught.value)


def test_a_pipeline_that_does_not_say_what_params_yaml_says(project: Path) -> None:
    Path("dvc.yaml").write_text("stages: {}\n")
    assert examined()[0]["plan"].do == "cellar plan"


def record_as_made(stages: list[Stage]) -> None:
    """Locks and files as if each stage had just run, with the settings that params.yaml gives."""
    found: dict[Path, dict[str, Any]] = {}
    for stage in stages:
        for path in stage.outputs:
            if not Path(path).exists():
                files.write_text(Path(path), "{}")
        outs = [{"path": path, "md5": "0" * 32} for path in stage.outputs]
        params = cell_project.settings(stage.name, resolved.settings_of(stage), stage.job.study)
        found.setdefault(stage.file, {})[stage.name] = {"cmd": "x", "params": params, "outs": outs}
    for file, entries in found.items():
        cell_project.lock(file.with_suffix(".lock"), entries)


def planned() -> list[Stage]:
    return [stage for stage in plan.stages(config.load()) if not stage.job.sweep]


def test_all_built_is_to_be_proven_and_what_has_changed_to_be_built(project: Path) -> None:
    record_as_made(planned())
    assert examined()[1] == "cellar verify"
    change("datasets", "raf_db", "source", "synthetic", "seed", value=5)
    assert examined()[1] == "snakemake --cores 4"


def test_what_depends_on_a_change_is_to_be_made_anew(project: Path) -> None:
    record_as_made(planned())
    change("datasets", "raf_db", "source", "synthetic", "seed", value=5)
    found = unmade.paths_of(planned(), lineage.load())
    assert {"data/raw/sample/raf_db", "data/prepared/raf_db/arrays.npz", "results/tables/table_vi.md"} <= set(found)
    assert not [path for path in found if "fer2013" in path or "cifar100" in path]
    Path("results/metrics/students/cifar100_kd/cifar100-student/seed-3.json").unlink()
    assert "results/tables/cifar100_table_2.md" in unmade.paths_of(planned(), lineage.load())


def test_what_depends_on_a_stage_that_is_planned_later_is_to_be_made_anew(project: Path) -> None:
    """Students without a teacher are planned before those with one, and may start from one of these."""
    started = {"start": {"experiment": "fer2013-E1"}, "freeze": False, "frozen_batch_norm": "eval"}
    for key, value in started.items():
        change("studies", STUDY, "experiments", "fer2013-scratch_a", key, value=value)
    record_as_made(planned())
    change("studies", STUDY, "experiments", "fer2013-E1", "method", "temperature", value=9)
    found = unmade.paths_of(planned(), lineage.load())
    assert f"results/students/{STUDY}/fer2013-scratch_a/seed-0/weights.safetensors" in found


def test_code_that_has_changed_is_seen(project: Path) -> None:
    """A file, and a file in a folder that is one input."""
    one, two = Path("studies/mine/one.py"), Path("studies/mine/models/two.py")
    for path in (one, two):
        files.write_text(path, "x = 1")
    stage = next(stage for stage in planned() if stage.name == "index")
    params = cell_project.settings("index", resolved.settings_of(stage), "")
    deps = cell_project.entries(**{str(path): content.md5(path) for path in (one, two.parent)})
    outs = cell_project.entries(**{stage.outputs[0]: "0"})
    cell_project.lock(Path("dvc.lock"), {"index": {"cmd": "x", "deps": deps, "params": params, "outs": outs}})
    unmade.md5.cache_clear()
    assert not unmade.is_stale(stage, lineage.load())
    for path in (one, two):
        path.write_text("x = 2")
        unmade.md5.cache_clear()
        assert unmade.is_stale(stage, lineage.load())
        path.write_text("x = 1")


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-m", "cellar", "doctor"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_mistake_in_params_yaml_is_its_one_line(project: Path) -> None:
    change("threads", value="two")
    done = run(project)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("cellar: params.yaml: threads") and done.stderr.count("\n") == 1


def test_the_shipped_project_is_looked_at_without_heavy_libraries() -> None:
    """torch alone takes longer to import than doctor may take."""
    code = "import sys; from cellar.cli import main; main(['doctor']); print({'torch', 'pandas', 'sklearn', 'dvc'} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    said, loaded = done.stdout.splitlines()[-2:]
    assert said.startswith("next: ") and done.stderr == ""
    assert loaded == "set()"


def test_a_name_that_dvc_cannot_hash(project: Path) -> None:
    images = Path("data/raw/mine/train/a")
    images.mkdir(parents=True)
    (images / os.fsdecode(b"caf\xe9.png")).touch()
    change("datasets", "fer2013", value=fer2013_of("data/raw/mine"))
    findings, following = examined()
    assert findings["data fer2013"].state == "bad"
    assert findings["data fer2013"].what == r"data/raw/mine/train/a/caf\xe9.png has a name that is not UTF-8"
    assert following.startswith("rename it")


def fer2013_of(path: str) -> dict[str, Any]:
    """The data set as a user has it, in a folder of their own."""
    section = yaml.safe_load(Path("params.yaml").read_text())["datasets"]["fer2013"]
    return section | {"path": path, "source": {"manual": "ask its authors"}}


def test_links_that_leave_the_project_are_named(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    disk = tmp_path_factory.mktemp("disk")
    Path("data").mkdir(exist_ok=True)
    Path("data/prepared").symlink_to(disk)
    found = examined()[0]["links"]
    assert found.state == "bad" and found.what.startswith(f"data/prepared is a link to {disk}; DVC keeps no outputs")
    assert "dvc cache dir" in found.do
