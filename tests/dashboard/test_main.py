"""The start: what is loaded ahead is all the pages draw with, and nothing of what they must not load."""

import subprocess
import sys
from pathlib import Path

import pytest

from dashboard import __main__ as start
from dashboard.cache import ROOT


def test_what_is_loaded_ahead_holds_no_model_and_no_cache_and_is_not_looked_through_for_garbage() -> None:
    script = """
import gc, sys
from dashboard.__main__ import load
load()
wanted = {"pandas", "pyarrow", "plotly", "altair"} - set(sys.modules)
unwanted = {"torch", "scipy", "sklearn", "ibis", "dashboard.cache"} & set(sys.modules)
print(sorted(wanted), sorted(unwanted), gc.get_freeze_count() > 10 * len(gc.get_objects()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split("\n") == ["[] [] True", ""]


def test_words_after_the_command_go_to_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(start, "load", lambda: None)
    monkeypatch.setattr(start.cli, "main", lambda prog_name: called.append([prog_name, *sys.argv]))
    monkeypatch.setattr(sys, "argv", ["dashboard", "--server.port", "8600"])
    start.main()
    app = str(Path(start.__file__).with_name("app.py"))
    assert called == [["streamlit", "streamlit", "run", app, "--server.port", "8600"]]
