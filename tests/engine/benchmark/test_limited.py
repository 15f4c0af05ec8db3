"""Programs within limits: an answer comes back, and whatever ends a program is said."""

from __future__ import annotations

import sys

import pytest

from engine.benchmark.limited import UNLIMITED, Limits, bare_environment, run_limited


def python(program: str, limits: Limits = UNLIMITED):
    """Run a line of Python within limits."""
    return run_limited([sys.executable, "-S", "-c", program], limits)


def test_an_answer_comes_back_with_the_memory_that_was_held():
    found = python("import json, time; held = bytearray(2**27); time.sleep(0.2); print(json.dumps({'seconds': 1.5}))")
    assert found.record == {"seconds": 1.5} and found.note == ""
    assert 0.125 < found.peak_gib < 0.25


def test_a_program_that_holds_more_than_it_may_is_ended_at_once():
    program = "import time; held = [bytearray(2**20) for _ in range(300)]; time.sleep(60)"
    found = python(program, Limits(memory_gib=0.2, seconds=30))
    assert found.note == "out of memory at 0.2 GiB" and found.record == {}
    assert 0.2 < found.peak_gib < 0.35


def test_a_program_that_takes_too_long_is_ended():
    found = python("import time; time.sleep(60)", Limits(memory_gib=1, seconds=0.3))
    assert found.note == "stopped after 0.3 s"


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ("import nowhere", "not installed there"),
        ("raise ValueError('rows are odd')", "ValueError: rows are odd"),
        ("import sys; sys.exit('A sentence.')", "A sentence."),
        ("held = bytearray(2**60)", "out of memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by the system, most likely for want of"),
        ("import sys; sys.exit(3)", "no message"),
    ],
)
def test_what_ends_a_program_is_said(program, note):
    assert python(program).note.startswith(note)


def test_a_program_that_is_none_says_so():
    found = run_limited(["/nowhere/python"], UNLIMITED)
    assert found.note == "'/nowhere/python' cannot be started (No such file or directory)"


def test_a_bare_environment_holds_the_path_alone(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert list(bare_environment()) == ["PATH"]
