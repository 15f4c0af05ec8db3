"""Processes that outlive the server that started them: found again by number and birth, stopped as a group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Processes this server started, kept only so that they are reaped when they end."""


def start(words: Sequence[str], *, folder: Path, errors: Path, output: Path | None = None) -> int:
    """Start a process in a group of its own, with one thread for arithmetic.

    Parameters
    ----------
    words : sequence of str
        Program and arguments; no shell reads them.
    folder : Path
        Working directory.
    errors : Path
        File that gets standard error.
    output : Path, optional
        File that gets standard output; nobody hears it otherwise.

    Returns
    -------
    int
        Process number.
    """
    with errors.open("wb") as sink, (output or Path(os.devnull)).open("wb") as paper:
        process = subprocess.Popen(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=paper,
            stderr=sink,
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "TERM": "dumb"},
        )
    _CHILDREN[process.pid] = process
    return process.pid


def birth(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; tells it from a later one with the same number.

    Parameters
    ----------
    pid : int

    Returns
    -------
    str or None
        None if it has ended, or where the system does not tell.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def alive(pid: int, born: str | None) -> bool:
    """Say whether the process with this number and birth still runs.

    Parameters
    ----------
    pid : int
    born : str or None
        What `birth` said when it started.

    Returns
    -------
    bool
    """
    child = _CHILDREN.get(pid)
    if child is None:
        return born is not None and birth(pid) == born
    if child.poll() is None:
        return True
    _CHILDREN.pop(pid, None)
    return False


def stop(pid: int, *, force: bool = False) -> None:
    """Ask the group of a process to end, or end it.

    Parameters
    ----------
    pid : int
    force : bool, default False
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)
