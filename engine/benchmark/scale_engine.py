"""Our engine, as the benchmark of scale measures it: tables that go to disk, and the command `describe`."""

from __future__ import annotations

import contextlib
import importlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.benchmark.scale_subject import Answer
from engine.errors import EngineError
from engine.result import Kind

MEMORY_LIMIT = "3GB"
"""Of DuckDB where counts grow with the rows, as in `describe graph`; beyond it goes to disk."""


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """Open Parquet files whose counts may be larger than memory.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    ibis table
    """
    table = importlib.import_module("engine.backends").open_table(folder)
    backend = table.get_backend()
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        backend.raw_sql(f"SET memory_limit = '{MEMORY_LIMIT}'")
        backend.raw_sql(f"SET temp_directory = '{scratch}'")
        backend.raw_sql("SET preserve_insertion_order = false")
        yield table
        backend.disconnect()


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
