"""What a job leaves in its folder: progress, complaints, the reason it was stopped, and a report."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from dashboard.job_spec import REPORT

_LONGEST_REPORT = 30 * 2**20
"""Bytes."""


def progress(folder: Path) -> list[dict[str, Any]]:
    """Read the progress records; a line that is not whole, last or after a full disk, is passed over."""
    records = []
    with contextlib.suppress(OSError):
        for line in (folder / "progress.jsonl").read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                records.append(json.loads(line))
    return records


def report(folder: Path) -> str:
    """Return what an inspection found, as JSON; nothing if it is not whole."""
    path = folder / REPORT
    try:
        text = path.read_text() if path.stat().st_size <= _LONGEST_REPORT else ""
        return text if isinstance(json.loads(text), dict) else ""
    except (OSError, ValueError):
        return ""


def reason(folder: Path) -> str:
    """Return why a job was stopped, if a reason was given."""
    try:
        return (folder / "cancelled").read_text()
    except OSError:
        return ""


def complaint(folder: Path) -> str:
    """Say why a job failed: its own sentence, or what ended it."""
    try:
        lines = (folder / "stderr.txt").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.startswith(("Error: ", "Training failed: "))]
    if told:
        return told[-1].removeprefix("Error: ")
    if any(line.startswith("Traceback (") for line in lines):
        return f"The program itself failed: {lines[-1].strip()}"
    return "The process was ended from outside, for example for want of memory, before it could write anything."
