"""The set-up scripts: once, again, after a failure, and on a machine that lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = (
    ".ci/environment",
    ".ci/run",
    "dashboard/start.sh",
    "tests/run.sh",
    "requirements.txt",
    "tests/requirements.txt",
)
TOOLS = ("bash", "cat", "cut", "dirname", "env", "id", "rm", "sha256sum", "touch")
"""What the scripts call, besides Python, apt-get, sudo and Chromium."""
PYTHON = """#!/bin/bash
echo "$@" >> "$LOG"
case "$*" in *"$FAIL"*) exit 3;; esac
"""


@dataclass(frozen=True)
class Project:
    """A copy of the scripts in which `.venv/bin/python` only writes down what it is asked."""

    folder: Path

    def run(
        self, script: str, *words: str, fail: str = "nothing", path: str | None = None
    ) -> subprocess.CompletedProcess:
        """Run a script of the copy; a call of Python that holds the words `fail` fails."""
        environment = {"LOG": str(self.folder / "log"), "FAIL": fail, "PATH": path or os.environ["PATH"]}
        command = ["bash", str(self.folder / script), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    def calls(self) -> list[str]:
        """Return what Python was asked since the last look, without the look at pip."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line.replace(str(self.folder), "HERE") for line in lines if line != "-m pip --version"]


@pytest.fixture
def project(tmp_path) -> Project:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(PYTHON)
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    return Project(tmp_path)


@pytest.fixture
def bare(tmp_path_factory) -> str:
    """Return a search path with the shell's tools and nothing else."""
    folder = tmp_path_factory.mktemp("bin")
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


INSTALL = "-m pip install --quiet --no-input --disable-pip-version-check --no-compile -r HERE/"
OPEN = "-m dashboard"
CHECKS = ["-m ruff check .", "-m ruff format --check --quiet .", "-m mypy --no-incremental"]
TESTS = "-m pytest -n 2 --dist loadfile --no-loadscope-reorder -q"


def test_the_first_start_installs_and_opens_and_the_next_only_opens(project):
    assert project.run("dashboard/start.sh", "--server.port", "8600").returncode == 0
    assert project.calls() == [f"{INSTALL}requirements.txt", f"{OPEN} --server.port 8600"]
    assert project.run("dashboard/start.sh").returncode == 0
    assert project.calls() == [OPEN]


def test_other_requirements_are_installed_at_the_next_start(project):
    project.run("dashboard/start.sh")
    (project.folder / "requirements.txt").write_text("torch==9\n")
    project.calls()
    project.run("dashboard/start.sh")
    assert project.calls() == [f"{INSTALL}requirements.txt", OPEN]


def test_a_failed_installation_ends_there_and_is_tried_again(project):
    assert project.run("dashboard/start.sh", fail="pip install").returncode == 3
    assert project.calls() == [f"{INSTALL}requirements.txt"]
    assert project.run("dashboard/start.sh").returncode == 0
    assert project.calls() == [f"{INSTALL}requirements.txt", OPEN]


def test_the_tests_install_their_tools_check_and_run_with_further_words(project):
    assert project.run("tests/run.sh", "tests/engine", "-x").returncode == 0
    first = project.calls()
    assert first[:3] == [f"{INSTALL}tests/requirements.txt", *CHECKS[:2]]
    assert sorted(first[3:]) == sorted([CHECKS[2], f"{TESTS} tests/engine -x"]), "types are read beside the tests"
    assert project.run("tests/run.sh").returncode == 0
    assert sorted(project.calls()) == sorted([*CHECKS, TESTS])
    project.run("dashboard/start.sh")
    assert project.calls() == [OPEN], "the tests' packages include the product's"


@pytest.mark.parametrize("step", range(4))
def test_every_step_of_the_tests_can_fail_them(project, step):
    steps = [*CHECKS, TESTS]
    done = project.run("tests/run.sh", fail=steps[step])
    ran = steps[: step + 1] if step < 2 else steps
    assert done.returncode == 3 and sorted(project.calls()) == sorted([f"{INSTALL}tests/requirements.txt", *ran])


def test_without_chromium_and_a_way_to_install_it_the_tests_run_and_say_so(project, bare):
    done = project.run("tests/run.sh", path=bare)
    assert done.returncode == 0 and TESTS in project.calls()
    assert "Chromium cannot be installed; browser tests will be skipped." in done.stderr


def test_without_python_the_start_says_what_to_install(project, bare):
    shutil.rmtree(project.folder / ".venv")
    done = project.run("dashboard/start.sh", path=bare)
    assert done.returncode == 1 and not (project.folder / ".venv").exists()
    assert done.stderr.splitlines()[-1] == (
        "Python 3.11 or later with its venv module is needed: sudo apt-get install python3 python3-venv"
    )


def test_the_scripts_work_from_any_folder_and_with_a_stray_python_path(project, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert project.run("dashboard/start.sh").returncode == 0
    text = (ROOT / ".ci" / "environment").read_text()
    assert "unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE" in text


@pytest.mark.parametrize("code", [0, 7])
def test_the_checks_of_a_change_run_in_a_clean_clone_and_leave_nothing(project, code, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    (project.folder / "tests" / "run.sh").write_text(f"pwd; ls -A; exit {code}\n")
    (project.folder / ".gitignore").write_text(".venv/\n")
    git = ["git", "-C", project.folder, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *words], check=True)
    (project.folder / "stray.txt").touch()
    environment = os.environ | {"TMPDIR": str(scratch)}
    command = ["bash", str(project.folder / ".ci" / "run")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    place, *names = done.stdout.splitlines()
    assert done.returncode == code and place.startswith(f"{scratch}/") and list(scratch.iterdir()) == []
    assert "dashboard" in names and ".venv" not in names and "stray.txt" not in names
