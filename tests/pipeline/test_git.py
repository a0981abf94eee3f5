"""A checkout that git refuses, a folder without git, a machine without it: one line with git's own words and a remedy."""

import os
import subprocess
from pathlib import Path

import pytest

from cellar.doctor import repository
from cellar.errors import CellarError
from cellar.pipeline import dvc, git
from cellar.provenance import git as of_provenance


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository with one commit, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    subprocess.run(["git", "init", "--quiet"], check=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "--message=start"], check=True)
    return tmp_path


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files to another user")
def test_the_checkout_of_another_user_is_refused_in_gits_own_words(checkout: Path) -> None:
    git.check()
    os.chown(checkout, 4242, 4242)
    os.chown(checkout / ".git", 4242, 4242)
    remedy = f"git config --global --add safe.directory {checkout}"
    with pytest.raises(CellarError) as error:
        git.check()
    assert str(error.value) == f"git: detected dubious ownership in repository at '{checkout}'; {remedy}"
    with pytest.raises(CellarError, match="dubious ownership"):
        of_provenance.commit("HEAD")  # not: git knows no revision
    (finding,) = repository.examine()
    assert (finding.state, finding.topic, finding.do) == ("bad", "git", remedy)


def test_gits_older_words_in_any_language_are_passed_on() -> None:
    said = (
        "fatal: unsicheres Repository ('/x' gehört jemand anderem)\nUm eine Ausnahme hinzuzufügen, führen Sie aus:\n\n"
        "\tgit config --global --add safe.directory /x\n"
    )
    assert git.refusal(said) == (
        "unsicheres Repository ('/x' gehört jemand anderem); git config --global --add safe.directory /x"
    )


def test_a_downloaded_zip_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git.check()  # DVC needs one, and says so; to verify an archived run none is needed
    (finding,) = repository.examine()
    assert finding.state == "bad"
    assert finding.do.endswith("git init && git add --all && git commit --message start")
    assert dvc.refusal(f"{tmp_path} is not a git repository") == git.NO_REPOSITORY


def test_a_machine_without_git_is_told_so(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(CellarError, match=r"^git cannot be started \(No such file or directory\); install it"):
        git.check()


def test_clones_of_any_kind_are_whole(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = of_provenance.commit("HEAD")
    assert not list(repository.examine())
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", "tree"], check=True)
    monkeypatch.chdir("tree")
    assert of_provenance.commit("HEAD") == head
    assert not list(repository.examine())


def test_a_shallow_clone_is_told_what_it_lacks(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "--message=second"], check=True)
    subprocess.run(["git", "clone", "--quiet", "--depth=1", checkout.as_uri(), "shallow"], check=True)
    monkeypatch.chdir("shallow")
    (finding,) = repository.examine()
    assert (finding.state, finding.do) == ("warn", "git fetch --unshallow")
