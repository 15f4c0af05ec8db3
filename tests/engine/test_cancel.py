"""A signal cancels, whatever a library makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from engine.cancel import cancellable
from engine.cli import main


def interrupted(number: int) -> None:
    """Raise as DuckDB does when it hears a signal within a query."""
    try:
        os.kill(os.getpid(), number)
        threading.Event().wait(5)
    except KeyboardInterrupt:
        raise RuntimeError("Query interrupted") from None


@pytest.fixture
def heard():
    """Hear Ctrl+C, which a shell in the background ignores and hands on to its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_fault_after_a_signal_is_a_cancel(number, heard):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), cancellable():
        interrupted(number)
    assert signal.getsignal(number) is before


def test_a_fault_without_a_signal_stays_one():
    with pytest.raises(RuntimeError, match="out of luck"), cancellable():
        raise RuntimeError("out of luck")


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with cancellable():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_training_whose_library_stumbles_over_a_signal_is_cancelled(train, model, capsys, monkeypatch):
    monkeypatch.setattr(model, "run", lambda *_, **__: interrupted(signal.SIGTERM))
    assert train() == 130
    assert capsys.readouterr().err == "Cancelled; nothing unfinished was kept.\n"


def test_a_thread_of_its_own_hears_no_signal():
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["datasets", "--json"])))
    thread.start()
    thread.join()
    assert codes == [0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_program_can_be_cancelled_while_it_is_imported(number):
    script = (
        "import os, runpy, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        f"        os.kill(os.getpid(), {int(number)}) if name == 'engine.cli' else None\n"
        "sys.meta_path.insert(0, Finder())\n"
        "runpy.run_module('engine', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Cancelled; nothing was begun.\n")
