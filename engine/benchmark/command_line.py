"""What the commands of the benchmark share: a folder for the results, and a progress bar."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from engine.errors import ConfigError


def output_folder(path: str) -> Path:
    """Make the folder of the results, before any time is spent."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"'--out {path}' cannot be written ({error.strerror}); choose another folder.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"'--out {path}' is not a writable folder; choose another.")
    return folder


def progress_bar() -> Progress:
    """Return a bar on standard error, shown on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


@contextlib.contextmanager
def work_folder(folder: str | None) -> Iterator[Path]:
    """Open a folder for simulated data: the one that is named, or one that is thrown away.

    Parameters
    ----------
    folder : str, optional

    Yields
    ------
    Path
    """
    if folder is not None:
        yield output_folder(folder)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)
