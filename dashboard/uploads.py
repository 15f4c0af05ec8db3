"""Files that readers give: kept in a private folder beside the runs only while a job reads them."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from pathlib import Path

from dashboard import cache
from engine.errors import ConfigError

STALE = 6 * 3600.0
"""Seconds after which a file that nobody removed, for example because the server was stopped, is removed."""


def uploads_folder() -> Path:
    """Return the folder of given files: hidden among the runs, closed to other users of the machine."""
    return cache.run_folders()[1] / ".uploads"


def keep(content: bytes, *, name: str) -> Path:
    """Write given bytes to a new private folder.

    Parameters
    ----------
    content : bytes
    name : str
        What the file is called there; never a name that the reader gave.

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    sweep()
    folder = uploads_folder() / secrets.token_hex(16)
    try:
        uploads_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        path = folder / name
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"The file cannot be kept while it is read ({error.strerror}); ask who runs this.") from error
    return path


def discard(path: Path) -> None:
    """Remove a given file with its folder; nothing outside the folder of given files is ever touched."""
    if path.parent.parent == uploads_folder():
        shutil.rmtree(path.parent, ignore_errors=True)


def sweep() -> None:
    """Remove given files that were left behind."""
    for folder in uploads_folder().glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder, ignore_errors=True)
