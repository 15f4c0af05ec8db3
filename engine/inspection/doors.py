"""Ask the doors themselves whether a training, or a description, would let the data in."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DataError, NoEdgeError
from engine.inspection.inspection import Stops
from engine.result import Kind

MAX_EVENTS = 200_000
"""Events up to which their edges are made to see whether there are any."""
_DESCRIBERS = {
    "graph": ("engine.graph.described_relation", "relation_of"),
    "delay": ("engine.delay.relation", "exposures_of"),
    "uncertainty": ("engine.uncertainty.relation", "scored_rows_of"),
}
_CONFIGS = {"graph": "GraphConfig", "delay": "DelayConfig", "uncertainty": "UncertaintyConfig"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What became of data at the door of a training."""

    data_id: str | None
    """What the run's manifest would say; None where the data cannot be read."""
    refusal: str | None = None
    """Why a training would stop."""
    stops: Stops = "train"
    """What stops for this reason."""


def training_of(path: Path, kind: Kind, roles: Mapping[str, str], *, merge_repeats: bool = False) -> Training:
    """Read and split data as a training with default settings does.

    Parameters
    ----------
    path : Path
    kind : {"graph", "delay", "uncertainty"}
    roles : mapping of str to str
    merge_repeats : bool, default False
        Whether the training merges repeated edges.

    Returns
    -------
    Training
    """
    data_id = None
    try:
        dataset = importlib.import_module("engine.datasets").load(
            kind, str(path), roles=roles, merge_repeats=merge_repeats
        )
        data_id = str(dataset.info.data_id)
        config = getattr(importlib.import_module(f"engine.{kind}.config"), _CONFIGS[kind])()
        importlib.import_module(f"engine.{kind}.data").prepare(dataset, config)
    except NoEdgeError as error:  # a description makes its edges of events by the same limits
        return Training(data_id=data_id, refusal=_without_folder(error, path), stops="both")
    except DataError as error:
        return Training(data_id=data_id, refusal=_without_folder(error, path))
    except Exception as error:  # a dry run reports what it meets, a fault of the program too
        return Training(data_id=data_id, refusal=_fault("A training", error))
    return Training(data_id=data_id)


def description_of(path: Path, kind: Kind, roles: Mapping[str, str], *, table: str | None, backend: str) -> str | None:
    """Open and check data as a description with default settings does.

    Parameters
    ----------
    path : Path
    kind : {"graph", "delay", "uncertainty"}
    roles : mapping of str to str
    table : str, optional
    backend : str

    Returns
    -------
    str or None
        Why a description would stop.
    """
    module, name = _DESCRIBERS[kind]
    door = getattr(importlib.import_module(module), name)
    command = importlib.import_module("engine.describe_command")
    given: dict[str, float] = {}
    if kind == "delay":
        given["attribution_days"] = importlib.import_module("engine.delay.config").DelayConfig().attribution_days
    column = [f"{role}={column}" for role, column in roles.items()]
    arguments = argparse.Namespace(kind=kind, backend=backend, table=table, column=column)
    try:
        with command.opened(arguments, path, path.name) as opened:
            found = door(opened, roles, source=path.name, **given)
            if kind == "uncertainty":
                config = importlib.import_module("engine.uncertainty.config").UncertaintyConfig()
                importlib.import_module("engine.uncertainty.divided").require_enough(found, config, source=path.name)
    except DataError as error:
        return _without_folder(error, path)
    except Exception as error:
        return _fault("A description", error)
    return None


def _without_folder(error: DataError, path: Path) -> str:
    """Return a sentence that calls a file by its name: where a server keeps it is nobody's business."""
    return str(error).replace(str(path), path.name)


def _fault(what: str, error: Exception) -> str:
    """Say what happened where no check foresaw it."""
    reason = (str(error).strip().splitlines() or ["no message"])[0][:200]
    return f"{what} fails on these data ({type(error).__name__}: {reason}); this is a fault of the program, report it."
