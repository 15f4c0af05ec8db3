"""Folders that appear whole or not at all, who is making one, and what is left of those whose process was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PARTIAL = ".partial"
"""Ending of a hidden folder that is being written."""
_CLAIMANT = "process"
"""File in a claim that says who has made it."""
_TRIES, _PAUSE = 3, 0.1
"""A claim is locked for a moment also by who looks whether it is, or sweeps."""
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
        yield _lock(handle) is True
    finally:
        os.close(handle)


def _lock(handle: int) -> bool | None:
    """Lock an open folder; False if another process has, None on a file system that knows no locks."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Claim a folder for the body, which may work for hours before it has anything to put there.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    bool
        False if another process has claimed it, see `claimant`. A claim ends with its process, however that ends.

    Raises
    ------
    OSError
        If nothing can be written beside the folder.
    """
    claim = _claim_of(folder)
    handle = _claim(claim)
    if handle is None:
        yield False
        return
    try:
        (claim / _CLAIMANT).write_text(_this_process())
        yield True
    finally:
        # While it is locked, so that whoever locks it next sees that it is gone.
        shutil.rmtree(claim, ignore_errors=True)
        os.close(handle)


def claimant(folder: Path) -> str:
    """Say which other process has claimed a folder; nothing if none has that still runs."""
    claim = _claim_of(folder)
    try:
        handle = os.open(claim, os.O_RDONLY)
    except OSError:
        return ""
    try:
        if _lock(handle) is not False:
            return ""
        told = (claim / _CLAIMANT).read_text()
    except OSError:
        told = "another process"
    finally:
        os.close(handle)
    return "" if told == _this_process() else told


def _claim_of(folder: Path) -> Path:
    """Return the hidden folder that stands for the claim to another."""
    return folder.parent / f".{folder.name}.claim{PARTIAL}"


def _claim(claim: Path) -> int | None:
    """Make and lock the folder of a claim, and return its handle; None if another process holds it."""
    for _ in range(_TRIES):
        claim.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # given up in between
            handle = os.open(claim, os.O_RDONLY)
            if _lock(handle) is not False and claim.exists() and os.path.samestat(os.fstat(handle), claim.stat()):
                return handle
            os.close(handle)
        time.sleep(_PAUSE)
    return None


def _this_process() -> str:
    """Name this process as people find it."""
    return f"process {os.getpid()} on {socket.gethostname()}"


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
