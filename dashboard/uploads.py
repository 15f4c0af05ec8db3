"""Files that readers give: kept in a private folder beside the runs only while a page or a job needs them.

Who needs a file is noted beside it, as an empty file per holder, so that nothing is lost with the server's memory.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from pathlib import Path

from dashboard import cache
from engine.errors import ConfigError

STALE = 6 * 3600.0
"""Seconds after which a file that nobody looked at or removed, for example because the server died, is removed."""
MOST_BYTES = 50 * 2**20
"""Bytes of one file."""
MOST_KEPT_BYTES = 20 * MOST_BYTES
"""Bytes of all kept files together."""
_KEEPING = threading.Lock()
"""Held from adding up the kept files to writing one more: sessions are threads of one server."""
_HOLDER = ".held-by-"


def uploads_folder() -> Path:
    """Return the folder of given files: hidden among the runs, closed to other users of the machine."""
    return cache.run_folders()[1] / ".uploads"


def keep(content: bytes | memoryview, *, name: str) -> Path:
    """Write given bytes to a new private folder.

    Parameters
    ----------
    content : bytes or memoryview
    name : str
        What the file is called there; never a name that the reader gave.

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        If it is too large, or cannot be written, or too much is kept already.
    """
    sweep()
    size = len(content)
    if size > MOST_BYTES:
        raise ConfigError(
            f"The file has {size / 2**20:.1f} MB; at most {MOST_BYTES // 2**20} MB can be uploaded. Larger files can "
            "be named on the server, or given to the command line."
        )
    with _KEEPING:
        kept = kept_bytes()
        if kept + size > MOST_KEPT_BYTES:
            raise ConfigError(
                f"Files of other readers take {kept / 2**20:.0f} of {MOST_KEPT_BYTES // 2**20} MB at the moment; "
                "try again when they have finished."
            )
        folder = uploads_folder() / secrets.token_hex(16)
        try:
            uploads_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)
            path = folder / name
            path.write_bytes(content)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ConfigError(
                f"The file cannot be kept while it is read ({error.strerror}); ask who runs this."
            ) from error
    return path


def kept_bytes() -> int:
    """Return how many bytes all kept files take."""
    total = 0
    for path in uploads_folder().glob("*/*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def is_kept(path: Path) -> bool:
    """Say whether this is the path of a given file; nothing outside their folder is ever touched."""
    return path.parent.parent == uploads_folder()


def hold(path: Path, holder: str) -> None:
    """Note that a page or a job needs a given file; for one that is held already, that it still does.

    Parameters
    ----------
    path : Path
        Nothing happens to a path that is not of a given file, or whose file is gone.
    holder : str
        Letters, digits and dashes.
    """
    if is_kept(path):
        with contextlib.suppress(OSError):
            (path.parent / f"{_HOLDER}{holder}").touch(mode=0o600)
            # The folder's time is what `sweep` looks at.
            path.parent.touch()


def release(path: Path, holder: str) -> None:
    """Note that a page or a job needs a given file no longer; the last one that does so removes it."""
    if not is_kept(path):
        return
    try:
        (path.parent / f"{_HOLDER}{holder}").unlink()
    except OSError:
        return
    if not any(path.parent.glob(f"{_HOLDER}*")):
        discard(path)


def discard(path: Path) -> None:
    """Remove a given file with its folder, whoever holds it; nothing else is ever touched."""
    if is_kept(path):
        shutil.rmtree(path.parent, ignore_errors=True)


def sweep() -> None:
    """Remove given files that were left behind."""
    for folder in uploads_folder().glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder, ignore_errors=True)
