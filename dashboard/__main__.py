"""``python -m dashboard``: serve the dashboard; what it draws with is loaded before the first reader comes."""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from pathlib import Path

from streamlit.web import cli

DRAWN_WITH = ("engine.runs", "engine.claims", "engine.figures.overview", "engine.figures.delay_weights")
"""Modules that bring the slow imports of the pages: pandas, pyarrow, Plotly, Altair. None of them caches."""


def load() -> None:
    """Import what the pages draw with, and make one figure: the first one in a process takes longest."""
    for name in DRAWN_WITH:
        importlib.import_module(name)
    importlib.import_module("engine.figures.common").empty_figure("")
    # These objects stay for good; looking through them took most of the processor time of a slider's move.
    gc.collect()
    gc.freeze()


def main() -> None:
    """Serve until stopped; further words go to Streamlit, for example ``--server.port 8600``."""
    threading.Thread(target=load, daemon=True).start()
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    cli.main(prog_name="streamlit")


if __name__ == "__main__":
    main()
