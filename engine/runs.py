"""Run folders: written whole or not at all, read lazily, never pickled."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from engine.errors import RunError
from engine.partial import claimant, written_whole
from engine.result import KINDS, METRIC_COLUMNS, Kind, RunResult

SCHEMA_VERSION = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
_NEEDED = {"kind", "config", "seed", "dataset", "command", "seconds", "created", "curves", "embeddings"}
_NAMED = {"name", "origin", "description", "rows"}
_TABLES = ("metrics", "predictions", "history")
_LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch", "networkx")


def write_run(result: RunResult, folder: str | Path, *, command: Sequence[str], threads: int | None = None) -> Path:
    """Write a finished run under its final name in one step.

    Everything is written to a hidden folder beside the target, flushed to disk and renamed; a reader never sees
    half a run.

    Parameters
    ----------
    result : RunResult
    folder : str or Path
        Must not exist yet, or be an empty folder.
    command : sequence of str
        The command line that reproduces the run.
    threads : int, optional
        Threads the training used.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunError
        If the folder exists and is not empty, its name is not allowed, another process trains it, or it cannot be
        written.
    """
    folder = check_target(folder)
    try:
        with written_whole(folder) as partial:
            _write_files(result, partial, manifest_of(result, command=command, threads=threads))
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def unwritable(folder: Path, error: OSError) -> RunError:
    """Say why a folder cannot be written."""
    return RunError(f"Folder '{folder}' cannot be written ({error.strerror or error}); choose another with --out.")


def check_target(folder: str | Path) -> Path:
    """Refuse a folder that a run cannot be written to, before any time is spent on training.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Path

    Raises
    ------
    RunError
        If the last part of the path is not lower-case letters, digits and hyphens, the folder holds something,
        the nearest existing parent is not a writable folder, or another process trains this run.
    """
    folder = Path(folder)
    if not _NAME.fullmatch(folder.name):
        raise RunError(
            f"'{folder.name}' is not a name for a run; allowed are 2 to 63 lower-case letters, digits and hyphens."
        )
    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise RunError(f"'{folder}' exists already and is not an empty folder; choose another with --out.")
        parent = folder.parent
        while not parent.exists() and parent != parent.parent:
            parent = parent.parent
        writable = parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
    except OSError as error:
        raise unwritable(folder, error) from error
    if not writable:
        raise RunError(f"Folder '{folder}' cannot be written ('{parent}' is not a writable folder); choose another.")
    if other := claimant(folder):
        raise taken(folder, other)
    return folder


def taken(folder: Path, other: str = "another process") -> RunError:
    """Say that another process trains a run."""
    return RunError(f"'{folder}' is being trained by {other}; wait for it, or choose another --out.")


def manifest_of(result: RunResult, *, command: Sequence[str], threads: int | None) -> dict[str, Any]:
    """Return what is to be known about a run without opening its tables."""
    return {
        "schema_version": SCHEMA_VERSION,
        "status": "complete",
        "kind": result.kind,
        "methods": sorted(result.metrics["method"].unique().tolist()),
        "config": dataclasses.asdict(result.config),
        "seed": result.config.seed,
        "dataset": dataclasses.asdict(result.dataset),
        "command": list(command),
        "threads": threads,
        "seconds": round(result.seconds, 1),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
        "curves": sorted(result.curves),
        "embeddings": sorted(result.embeddings),
    }


def _write_files(result: RunResult, folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write every file of a run, the manifest last."""
    (folder / "curves").mkdir()
    tables = {f"curves/{name}": table for name, table in result.curves.items()}
    tables |= {"metrics": result.metrics[list(METRIC_COLUMNS)], "predictions": result.predictions}
    tables |= {"history": result.history}
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd", compression_level=12)
    for name, arrays in (("embeddings", result.embeddings), ("model", result.model)):
        # `order` instead of `ascontiguousarray`, which would turn a scalar into a vector.
        whole = {key: np.asarray(value, order="C") for key, value in arrays.items()}
        save_file(whole, folder / f"{name}.safetensors")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, allow_nan=False) + "\n")


class Run:
    """A complete run on disk; tables are read when they are asked for.

    Attributes
    ----------
    folder : Path
    manifest : dict
        See `manifest_of`.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self._tables: dict[str, pd.DataFrame] = {}

    @property
    def id(self) -> str:
        """Name of the run: the name of its folder."""
        return self.folder.name

    @property
    def kind(self) -> Kind:
        """Which of the three models was trained."""
        return self.manifest["kind"]

    @property
    def metrics(self) -> pd.DataFrame:
        """Tidy metrics table with the columns `METRIC_COLUMNS`."""
        return self._table("metrics")

    @property
    def predictions(self) -> pd.DataFrame:
        """Predictions, or a stated sample of them."""
        return self._table("predictions")

    @property
    def history(self) -> pd.DataFrame:
        """Losses by stage and epoch."""
        return self._table("history")

    def curve(self, name: str) -> pd.DataFrame:
        """Read one stored curve table.

        Raises
        ------
        RunError
            If the run has no such table.
        """
        if name not in self.manifest["curves"]:
            raise RunError(f"Run '{self.id}' has no table '{name}'; it has {', '.join(self.manifest['curves'])}.")
        return self._table(f"curves/{name}")

    def embedding(self, name: str) -> np.ndarray:
        """Read one stored embedding matrix of shape (n_nodes, n_dimensions).

        Raises
        ------
        RunError
            If the run has no such matrix.
        """
        if name not in self.manifest["embeddings"]:
            known = ", ".join(self.manifest["embeddings"]) or "none"
            raise RunError(f"Run '{self.id}' has no embedding '{name}'; it has {known}.")
        try:
            with safe_open(self.folder / "embeddings.safetensors", framework="numpy") as stored:
                return np.asarray(stored.get_tensor(name))
        except (OSError, SafetensorError) as error:
            raise RunError(f"The embeddings of run '{self.id}' cannot be read; train it again.") from error

    def _table(self, name: str) -> pd.DataFrame:
        """Read one Parquet file of the run, once; whoever adds columns adds them to a view of their own."""
        if name not in self._tables:
            try:
                self._tables[name] = pd.read_parquet(self.folder / f"{name}.parquet")
            except (OSError, ValueError, pa.ArrowException) as error:
                raise RunError(f"Table '{name}' of run '{self.id}' cannot be read; train it again.") from error
        return self._tables[name].copy(deep=False)


def read_run(folder: str | Path) -> Run:
    """Open a run folder.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Run

    Raises
    ------
    RunError
        If the manifest, an entry of it or a table is missing, or its schema version is another.
    """
    folder = Path(folder)
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"'{folder}' is not a run: it has no readable manifest; name the folder of a run.") from error
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if version != SCHEMA_VERSION:
        raise RunError(
            f"Run '{folder.name}' has schema version {version}; this program reads {SCHEMA_VERSION}. Train it again."
        )
    if manifest.get("status") != "complete":
        raise RunError(f"Run '{folder.name}' is not complete; train it again.")
    if not _has_entries(manifest):
        raise RunError(f"The manifest of run '{folder.name}' lacks entries that every run has; train it again.")
    for name in (*_TABLES, *(f"curves/{curve}" for curve in manifest["curves"])):
        if not (folder / f"{name}.parquet").is_file():
            raise RunError(f"Run '{folder.name}' has lost its table '{name}'; train it again.")
    return Run(folder, manifest)


def _has_entries(manifest: Mapping[str, Any]) -> bool:
    """Tell whether a manifest has what every reader relies on."""
    if not _NEEDED <= manifest.keys() or manifest["kind"] not in KINDS:
        return False
    return isinstance(manifest["dataset"], dict) and _NAMED <= manifest["dataset"].keys()


def list_runs(root: str | Path) -> list[Run]:
    """List the complete runs directly below a folder, newest first; anything else is passed over."""
    found = []
    for folder in sorted(Path(root).glob("*/manifest.json")):
        if folder.parent.name.startswith("."):
            continue
        try:
            found.append(read_run(folder.parent))
        except RunError:
            continue
    return sorted(found, key=lambda run: (run.manifest["created"], run.id), reverse=True)
