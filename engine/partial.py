"""Folders that appear whole or not at all, and what is left of those whose process was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial"
"""Ending of a hidden folder that is being written."""
_FRESH = 5.0
"""Seconds in which a new folder may not be held yet by the process that made it."""


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Let the body fill a hidden folder beside the target, flush it to disk and give it its name in one step.

    Parameters
    ----------
    folder : Path
        Must not exist yet, or be an empty folder.

    Yields
    ------
    Path
        The folder to fill; removed if the body fails.

    Raises
    ------
    OSError
        If something cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=PARTIAL, dir=folder.parent))
    try:
        with held(partial):
            yield partial
            for path in sorted(partial.rglob("*")):
                sync(path)
            sync(partial)
            partial.chmod(0o755)
            if folder.exists():
                folder.rmdir()
            os.replace(partial, folder)
            sync(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a folder for the body, so that no other process takes it for left over.

    Yields
    ------
    bool
        False if another process holds it. A hold ends with its process, however that ends.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held, or on a file system that knows no locks
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def sweep(parent: Path, ending: str = PARTIAL, *, older: float = _FRESH) -> None:
    """Remove hidden folders that nobody holds any more: their process was killed.

    Parameters
    ----------
    parent : Path
    ending : str
        Folders directly below the parent whose names start with a dot and end so are meant.
    older : float, seconds
        What has changed since is left alone.
    """
    for folder in parent.glob(f".*{ending}"):
        # Another process may be sweeping too, or the folder may be another user's.
        with suppress(OSError):
            if folder.is_symlink() or not folder.is_dir() or time.time() - folder.stat().st_mtime < older:
                continue
            with held(folder) as is_ours:
                if is_ours:
                    shutil.rmtree(folder, ignore_errors=True)
