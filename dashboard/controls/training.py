"""The training form, the job it starts and the runs that come out."""

from __future__ import annotations

import importlib
import shlex
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cache, jobs, uploads
from dashboard.controls import data_folder
from dashboard.state import RUN_TITLE, TRAIN
from engine.cli import CONFIGS
from engine.datasets import BUNDLED, DEFAULT
from engine.errors import ConfigError, EngineError
from engine.options import Setting, build_config, describe
from engine.result import Kind


def bundled_names(kind: Kind) -> list[str]:
    """Return the bundled data sets of a kind, the default first."""
    names = [name for name, entry in BUNDLED.items() if entry.kind == kind]
    return sorted(names, key=lambda name: name != DEFAULT[kind])


def data_label(name: str) -> str:
    """Name a bundled data set and say whether it is real, derived or simulated."""
    return f"{BUNDLED[name].title} ({BUNDLED[name].origin})"


def data_description(name: str) -> str:
    """Describe a bundled data set in one or two sentences."""
    return BUNDLED[name].description


def settings_form(kind: Kind) -> dict[str, str]:
    """Draw one input per setting of a model.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}

    Returns
    -------
    dict of str to str
        The settings that differ from their defaults, as texts; an emptied field means its default.
    """
    changed: dict[str, str] = {}
    settings = [setting for setting in describe(_config_class(kind)) if setting.name != "seed"]
    columns = st.columns(2)
    for place, setting in enumerate(settings):
        default = _as_text(setting.default)
        with columns[place % 2]:
            value = _setting_input(kind, setting, default)
        if value not in ("", default):
            changed[setting.name] = value
    return changed


def _setting_input(kind: Kind, setting: Setting, default: str) -> str:
    """Draw the input of one setting and return its text."""
    key = f"{TRAIN['setting']}-{kind}-{setting.name}"
    label = setting.name.replace("_", " ").capitalize()
    choices = [str(choice) for choice in setting.choices]
    if isinstance(setting.default, bool):
        choices = ["true", "false"]
    if choices:
        return str(st.selectbox(label, choices, choices.index(default), key=key, help=setting.description))
    return str(st.text_input(label, default, key=key, help=setting.description, max_chars=200)).strip()


def _as_text(value: Any) -> str:
    """Write a default the way the command line reads it."""
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return "auto" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _config_class(kind: Kind) -> type:
    """Return the configuration class of a model; it needs no torch."""
    found: type = getattr(importlib.import_module(f"engine.{kind}.config"), CONFIGS[kind])
    return found


def start_training(kind: Kind, data: str, seed: int, settings: dict[str, str]) -> str:
    """Check the choices and start a job.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    data : str
        Name of a bundled data set of this kind.
    seed : int
    settings : dict of str to str

    Returns
    -------
    str
        Job id.

    Raises
    ------
    EngineError
        If the data or a setting is not allowed, or too many trainings run.
    """
    if data not in bundled_names(kind):
        raise ConfigError(f"'{data}' is not {kind} data; allowed are {', '.join(bundled_names(kind))}.")
    check_settings(kind, settings, seed)
    return jobs.submit(jobs.JobSpec(kind=kind, data=data, seed=seed, settings=tuple(sorted(settings.items()))))


def check_settings(kind: Kind, settings: dict[str, str], seed: int) -> None:
    """Refuse settings that the command line would refuse.

    Raises
    ------
    ConfigError
        If one is unknown or out of range.
    """
    build_config(_config_class(kind), settings | {"seed": seed})


def followed_job(job_id: str | None) -> jobs.JobStatus | None:
    """Return the job to follow: the one this session started, else the newest, for instance after a reload.

    What other sessions do with files of their own is nobody's business, nor is what went wrong in them.

    Parameters
    ----------
    job_id : str, optional

    Returns
    -------
    JobStatus or None
    """
    own = jobs.status(job_id) if job_id else None
    trainings = [job for job in jobs.list_jobs() if job.spec.action == "train" and not job.spec.is_own]
    return own or next((job for job in trainings if job.state in ("running", "done")), None)


def job_history(job_id: str) -> pd.DataFrame:
    """Return the losses of a job so far: columns ``stage, epoch, loss, value``."""
    return jobs.history(job_id)


def cancel_training(job_id: str) -> None:
    """Stop a job; nothing of it is kept as a run."""
    jobs.cancel(job_id)


def run_is_stored(run_id: str) -> bool:
    """Say whether a run is there to be opened, looking at the folders anew."""
    cache.forget_list()
    return run_id in cache.list_runs()


def runs_table() -> pd.DataFrame:
    """List the stored runs of all kinds.

    Returns
    -------
    DataFrame
        One row per run: what it is, what it was trained on, how long it took and the command that repeats it.
    """
    rows = [
        {
            "Run": run_id,
            "Model": RUN_TITLE[manifest["kind"]],
            "Data": manifest["dataset"]["name"],
            "Origin": manifest["dataset"]["origin"],
            "Seed": manifest["seed"],
            "Seconds": manifest["seconds"],
            "Trained (UTC)": manifest["created"][:16].replace("T", " "),
            "Command": shlex.join(_shown(word) for word in manifest["command"]),
        }
        for run_id, manifest in cache.list_runs().items()
    ]
    return pd.DataFrame(rows)


def _shown(word: str) -> str:
    """Write a word of a command without the place where a reader's file is or was kept."""
    return "FILE" if word.startswith(f"{uploads.uploads_folder()}/") else data_folder.shown(word)


__all__ = [
    "EngineError",
    "bundled_names",
    "check_settings",
    "cancel_training",
    "data_description",
    "data_label",
    "followed_job",
    "job_history",
    "run_is_stored",
    "runs_table",
    "settings_form",
    "start_training",
]
