"""The command `describe`, as the benchmark of scale measures it."""

from __future__ import annotations

import contextlib
import importlib
import io
from pathlib import Path

from engine.benchmark.scale_subject import Answer
from engine.errors import EngineError
from engine.result import Kind


def described(kind: Kind, folder: Path, *settings: str) -> Answer:
    """Do all that ``python -m engine describe KIND --data FOLDER --json`` does, without its words.

    Parameters
    ----------
    kind : Kind
    folder : Path
    *settings : str
        ``key=value``.

    Returns
    -------
    empty mapping
        What is described has tests of its own; here it is timed.

    Raises
    ------
    EngineError
        If the command ends without an answer; holds its sentence.
    """
    main = importlib.import_module("engine.cli").main
    words = ["describe", kind, "--data", str(folder), "--json", *(["--set", *settings] if settings else [])]
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = main(words)
    if code:
        raise EngineError(said.getvalue().strip())
    return {}
