"""Let a program work within a memory and a time, and say what it took or why it has no answer."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from engine.benchmark.scaling import held_gib, peak_gib

_LOOK_SECONDS = 0.02
"""How often the memory of the program is looked at: too short to fill another 200 MB."""
_FOR_WANT_OF_MEMORY = ("MemoryError", "Out of Memory Error", "ArrowMemoryError", "bad_alloc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program may use."""

    memory_gib: float
    """Resident memory; beyond it the program is ended."""
    seconds: float
    """By the clock of the wall, from its start."""


UNLIMITED = Limits(memory_gib=float("inf"), seconds=float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a program."""

    record: Mapping[str, Any]
    """The JSON object that it printed; empty without an answer."""
    peak_gib: float
    """Largest memory that it held, as far as it was seen; NaN where the system does not tell."""
    note: str
    """Why there is no answer; empty if there is one."""


def run_limited(
    words: Sequence[str], limits: Limits, *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Outcome:
    """Run a program that prints one JSON object.

    Parameters
    ----------
    words : sequence of str
        Program and arguments.
    limits : Limits
    folder : Path, optional
        Where it runs.
    environment : mapping of str to str, optional
        None: that of this process.

    Returns
    -------
    Outcome
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(words, stdout=out, stderr=said, cwd=folder, env=environment)
        except OSError as error:
            note = f"'{words[0]}' cannot be started ({error.strerror})"
            return Outcome(record={}, peak_gib=float("nan"), note=note)
        try:
            peak, ended = _watch(process, limits)
        finally:
            process.kill()
            process.wait()
        if not ended and process.returncode == 0:
            return Outcome(record=json.loads(_text(out)), peak_gib=peak, note="")
        return Outcome(record={}, peak_gib=peak, note=ended or _reason(process.returncode, _text(said)))


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> tuple[float, str]:
    """Wait for the end, or for a limit; return the largest memory seen, and which limit it was."""
    started, peak = time.monotonic(), float("nan")
    # Should the system itself run short of memory, this program goes first, and none of anybody else.
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/oom_score_adj").write_text("1000")
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
            return peak, ""
        seen = peak_gib(process.pid)
        peak = peak if math.isnan(seen) else seen
        if held_gib(process.pid) > limits.memory_gib:
            return peak, f"out of memory at {limits.memory_gib:.3g} GiB"
        if time.monotonic() - started > limits.seconds:
            return peak, f"stopped after {limits.seconds:,.6g} s"


def _text(file: IO[bytes]) -> str:
    """Return all that was written to a file."""
    file.seek(0)
    return file.read().decode(errors="replace")


def _reason(code: int, said: str) -> str:
    """Say why a program ended without an answer."""
    last = (said.strip().splitlines() or ["no message"])[-1]
    if "ModuleNotFoundError" in last or "PackageNotFoundError" in last:
        return "not installed there"
    if code < 0:
        return "ended by the system, most likely for want of memory"
    return "out of memory" if any(name in said for name in _FOR_WANT_OF_MEMORY) else last[:200]


def bare_environment() -> dict[str, str]:
    """Return the environment for a program that shall see nothing of this project."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
