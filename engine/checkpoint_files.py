"""The files of a checkpoint: what a training must share to go on from it, and state as arrays and JSON, not pickled."""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from engine.errors import RunError
from engine.partial import sync
from engine.runs import taken

ENDING = ".checkpoint"
IDENTITY = "checkpoint.json"
KEPT = 7 * 86_400.0
"""Seconds after which a checkpoint that nobody has gone on from is removed."""
_VERSION = 2
_TREE, _CHECK = "tree", "check"


def identity_of(kind: str, config: Any, data_id: str) -> dict[str, Any]:
    """Return what must be the same for a training to go on: kind, data and settings, but not the workers.

    Parameters
    ----------
    kind : str
    config : dataclass
    data_id : str
        Content hash of the data.

    Returns
    -------
    dict
    """
    settings = json.loads(json.dumps(dataclasses.asdict(config)))
    return {"version": _VERSION, "kind": kind, "data": data_id, "settings": settings}


def folder_of(run: Path) -> Path:
    """Return where the checkpoint of a run lies: beside it, hidden."""
    return run.parent / f".{run.name}{ENDING}"


def unfinished(root: Path, kind: str) -> list[Path]:
    """List the runs below a folder that have a checkpoint of this kind, the latest first.

    Parameters
    ----------
    root : Path
    kind : str

    Returns
    -------
    list of Path
        Folders of runs, which do not exist yet.
    """
    found: dict[Path, float] = {}
    for path in root.glob(f".*{ENDING}/{IDENTITY}"):
        # Another process may remove its own meanwhile.
        with suppress(OSError):
            if _read(path).get("kind") == kind:
                found[path.parent] = path.parent.stat().st_mtime
    latest = sorted(found, key=found.__getitem__, reverse=True)
    return [folder.parent / folder.name[1 : -len(ENDING)] for folder in latest]


def fits(run: Path, identity: Mapping[str, Any]) -> bool:
    """Say whether a run has a checkpoint of this very training."""
    return _read(folder_of(run) / IDENTITY) == identity


def in_use(folder: Path) -> RunError:
    """Say that another process holds the folder of a checkpoint."""
    run = folder.parent / folder.name[1 : -len(ENDING)]
    return taken(run)


def require_fit(run: Path, identity: Mapping[str, Any]) -> None:
    """Refuse the checkpoint of a training with other settings or other data.

    Parameters
    ----------
    run : Path
    identity : Mapping
        Of the training that is to go on.

    Raises
    ------
    RunError
        Names what differs.
    """
    stored = _read(folder_of(run) / IDENTITY)
    if stored == identity:
        return
    if (
        stored.get("version") != _VERSION
        or stored.keys() != identity.keys()
        or not isinstance(stored.get("settings"), dict)
    ):
        reason = "is damaged or of another version of this program"
    elif stored["kind"] != identity["kind"]:
        reason = f"is of {stored['kind']}, this command trains {identity['kind']}"
    elif stored["data"] != identity["data"]:
        reason = "was made with other data"
    else:
        now, then = identity["settings"], stored["settings"]
        changed = [name for name in now | then if now.get(name) != then.get(name)]
        reason = "was made with " + ", ".join(f"{name}={then.get(name)} (now {now.get(name)})" for name in changed)
    raise RunError(
        f"'--resume': the checkpoint of '{run}' {reason}; repeat the data and settings of the interrupted training, or "
        "leave out --resume to start again."
    )


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write nested dictionaries and lists of numbers, texts, arrays and tensors as one file, in one step.

    Parameters
    ----------
    path : Path
        A safetensors file; what is no array goes into it as JSON, in bytes.
    state : Mapping

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    tree = json.dumps(_packed(state, arrays))
    arrays[_TREE] = np.frombuffer(tree.encode(), np.uint8)
    arrays[_CHECK] = _check(arrays)
    partial = path.with_suffix(".tmp")
    save_file(arrays, partial)
    sync(partial)
    os.replace(partial, path)


def write_identity(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write whose checkpoint a folder holds, in one step.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    partial = folder / "checkpoint.tmp"
    partial.write_text(json.dumps(identity, indent=2) + "\n")
    sync(partial)
    os.replace(partial, folder / IDENTITY)


def state_of(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return what `write_state` was given, with tensors for its arrays.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Content of the file.

    Raises
    ------
    KeyError, ValueError
        If it is no such file, or any of its bytes has changed.
    """
    if not np.array_equal(arrays[_CHECK], _check(arrays)):
        raise ValueError("other bytes than were written")
    state = _unpacked(json.loads(arrays[_TREE].tobytes()), arrays)
    if not isinstance(state, dict):
        raise ValueError("not a state")
    return state


def _check(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return a sum over the bytes of all arrays but itself, which tells a disk's or a copy's faults."""
    total = 0
    for name in sorted(arrays.keys() - {_CHECK}):
        total = zlib.crc32(arrays[name].tobytes(), zlib.crc32(name.encode(), total))
    return np.array([total], dtype=np.int64)


def _packed(value: Any, arrays: MutableMapping[str, np.ndarray]) -> Any:
    """Replace arrays and tensors by their place among the arrays, and dictionaries by pairs: keys may be numbers."""
    if hasattr(value, "detach"):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        place = str(len(arrays))
        # `order` instead of `ascontiguousarray`, which would turn a scalar into a vector.
        arrays[place] = np.asarray(value, order="C")
        return {"array": place}
    if isinstance(value, Mapping):
        return {"pairs": [[key, _packed(item, arrays)] for key, item in value.items()]}
    return [_packed(item, arrays) for item in value] if isinstance(value, list | tuple) else value


def _unpacked(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Undo `_packed`."""
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        import torch

        return torch.from_numpy(arrays[value["array"]].copy())
    return {key: _unpacked(item, arrays) for key, item in value["pairs"]}


def _read(path: Path) -> dict[str, Any]:
    """Read whose checkpoint a folder holds; nothing if that cannot be read."""
    try:
        stored = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}
