"""What a job is to do, and how that is said to the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from dashboard.state import Kind

Action = Literal["train", "describe", "inspect"]
LONGEST: Final[dict[Action, float]] = {"inspect": 900.0, "describe": 3600.0}
"""Seconds that looking through a file and describing it may take; a training may take any time."""
REPORT: Final = "report.json"
"""File in the folder of a job that holds what an inspection found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What to train, to describe or to look through."""

    kind: Kind
    data: str
    """Name of bundled data, or path of a file."""
    seed: int
    settings: tuple[tuple[str, str], ...] = ()
    """Settings that differ from their defaults, as texts."""
    action: Action = "train"
    """Train a model, describe data without one, or report what a file holds."""
    columns: tuple[tuple[str, str], ...] = ()
    """Role and column of own data."""
    form: str = ""
    """Form of own data for an inspection; guessed if empty."""
    merge_repeats: bool = False
    """Whether a training merges repeated edges; an inspection looks at them so, too."""
    called: str = ""
    """What readers see in place of a path; neither it nor `columns` is ever a secret."""
    name: str = ""
    """What the run calls own data, as `engine.data_name` allows it; empty for the name of the file."""

    @property
    def is_own(self) -> bool:
        """Whether the data were given by a reader, who alone follows the job."""
        return bool(self.called)

    @property
    def data_name(self) -> str:
        """What the data are called for readers."""
        return self.called or (self.data if self.action == "train" else "own scores")

    def reworded(self, text: str) -> str:
        """Put the reader's name for the data where a message has the path, or the last part of it."""
        return reworded(text, Path(self.data), self.called) if self.called else text


def reworded(text: str, path: Path, called: str) -> str:
    """Put a name for a file where a message has its path, or the last part of it; the name itself stays as it is."""
    words = sorted({str(path), path.name, called}, key=len, reverse=True)
    # At once, because the name may hold a part of the path.
    return re.sub("|".join(map(re.escape, words)), lambda _: called, text)


def read_spec(record: Mapping[str, Any]) -> JobSpec:
    """Make a spec of what was stored of it.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the record is none of a spec.
    """
    pairs = {name: tuple((str(key), str(value)) for key, value in record[name]) for name in ("settings", "columns")}
    return JobSpec(**(dict(record) | pairs))


def command_words(spec: JobSpec, folder: Path, out: Path) -> list[str]:
    """Write a job as words of the command line.

    Parameters
    ----------
    spec : JobSpec
    folder : Path
        Of the job.
    out : Path
        Where its run goes.

    Returns
    -------
    list of str
    """
    words = [sys.executable, "-m", "engine", spec.action, spec.kind, "--data", spec.data]
    if spec.action != "inspect" and spec.name:
        # One word, because a name may begin with a dash.
        words.append(f"--name={spec.name}")
    for role, name in spec.columns:
        words += ["--column", f"{role}={name}"]
    if spec.merge_repeats and spec.action != "describe":  # which merges them in any case
        words.append("--merge-repeats")
    if spec.action == "inspect":
        return [*words, *(["--form", spec.form] if spec.form else []), "--json"]
    if spec.action == "train":
        words += ["--seed", str(spec.seed)]
    elif spec.kind == "uncertainty":
        words += ["--set", f"seed={spec.seed}"]
    for key, value in spec.settings:
        words += ["--set", f"{key}={value}"]
    words += ["--out", str(out)]
    if spec.action == "describe":
        return words
    # Nobody can go on from here, so that no checkpoint is left behind when a job is cancelled.
    return [*words, "--checkpoint", "0", "--progress", str(folder / "progress.jsonl")]
