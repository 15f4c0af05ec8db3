"""Widgets that turn choices into runs and settings; everything chosen here is checked again here."""

from __future__ import annotations

import importlib
import shlex
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cache, jobs
from dashboard.cache import Run
from dashboard.layout import empty_state, error_box, estimate
from dashboard.state import PAGES, RUN, RUN_TITLE, TRAIN
from engine.claims import CLAIMS, summary
from engine.cli import CONFIGS
from engine.datasets import BUNDLED, DEFAULT
from engine.errors import EngineError
from engine.options import build_config, describe
from engine.result import KINDS, Kind


def run_picker(kind: Kind) -> Run:
    """Let the reader choose a run of one kind in the sidebar; the choice stands in the address bar.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}

    Returns
    -------
    Run
        The script stops here, with a hint, if there is none.
    """
    run = _choose(kind)
    if run is None:
        empty_state(f"There is no {RUN_TITLE[kind].lower()} run yet. Open **Train** and start one.")
        st.stop()
    return run


def _choose(kind: Kind) -> Run | None:
    """Draw the picker of one kind, if there is anything to pick."""
    manifests = cache.list_runs(kind)
    if not manifests:
        return None
    with st.sidebar:
        chosen = st.selectbox(
            f"{RUN_TITLE[kind]} run",
            list(manifests),
            format_func=lambda run_id: run_label(run_id, manifests.get(run_id, {})),
            key=RUN[kind],
            bind="query-params",
            persist_state="session",
        )
    try:
        return cache.open_run(chosen or next(iter(manifests)))
    except EngineError as error:
        error_box(error)
        st.stop()


def overview_runs() -> dict[str, Run]:
    """Let the reader choose one run of every kind; kinds without a run are left out."""
    chosen = {kind: _choose(kind) for kind in KINDS}
    return {kind: run for kind, run in chosen.items() if run is not None}


def claims_of(runs: dict[str, Run]) -> pd.DataFrame:
    """Put the claims of several runs into one table, in the order of the claims."""
    tables = [run.curve("claims").assign(run=run.id) for run in runs.values()]
    return pd.concat(tables, ignore_index=True).sort_values("claim", kind="stable", ignore_index=True)


def claims_sentence(claims: pd.DataFrame) -> str:
    """Say how many of the measured effects support their claims."""
    return summary(claims)


def claims_table(claims: pd.DataFrame) -> pd.DataFrame:
    """Write the claims out for reading: claim, effect with interval and n, baseline, verdict."""
    rows = [
        {
            "": row.claim,
            "Claim": CLAIMS[row.claim].text,
            "Measured": f"{row.effect} ({row.segment})",
            "Effect [95 % interval]": estimate(row.value, row.ci_low, row.ci_high, row.n, unit=row.unit)
            + f" {row.n_unit}",
            "Compared": f"{row.comparison} − {row.baseline}",
            "Worth having": f"{row.margin:g}{row.unit}",
            "Verdict": row.verdict,
            "Run": row.run,
        }
        for row in claims.itertuples()
    ]
    return pd.DataFrame(rows)


def page_of(kind: Kind) -> Any | None:
    """Return the page of a kind for links, where the navigation is drawn."""
    return st.session_state.get(PAGES, {}).get(kind)


def run_label(run_id: str, manifest: dict[str, Any]) -> str:
    """Name a run by its data and seed."""
    if not manifest:
        return run_id
    name = manifest["dataset"]["name"]
    title = BUNDLED[name].title if name in BUNDLED else name
    return f"{title} · seed {manifest['seed']} · {run_id}"


def bundled_names(kind: Kind) -> list[str]:
    """Return the bundled data sets of a kind, the default first."""
    return sorted(
        (name for name, entry in BUNDLED.items() if entry.kind == kind), key=lambda name: name != DEFAULT[kind]
    )


def data_label(name: str) -> str:
    """Name a bundled data set and say whether it is real, derived or simulated."""
    return f"{BUNDLED[name].title} ({BUNDLED[name].origin})"


def data_description(name: str) -> str:
    """Describe a bundled data set in one or two sentences."""
    return BUNDLED[name].description


def settings_form(kind: Kind) -> dict[str, str]:
    """Draw one input per setting of a model; return those that differ from their defaults, as texts."""
    changed: dict[str, str] = {}
    for setting in describe(_config_class(kind)):
        if setting.name == "seed":
            continue
        key = f"{TRAIN['setting']}-{kind}-{setting.name}"
        label = setting.name.replace("_", " ").capitalize()
        if setting.choices:
            options = list(setting.choices)
            value = str(st.selectbox(label, options, options.index(setting.default), key=key, help=setting.description))
            default = str(setting.default)
        else:
            default = _as_text(setting.default)
            value = st.text_input(label, default, key=key, help=setting.description).strip()
        if value != default:
            changed[setting.name] = value
    return changed


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
    """Check the settings and start a job; return its id.

    Raises
    ------
    EngineError
        If a setting is not allowed or too many trainings run.
    """
    build_config(_config_class(kind), settings | {"seed": seed})
    return jobs.submit(jobs.JobSpec(kind=kind, data=data, seed=seed, settings=tuple(sorted(settings.items()))))


def followed_job(job_id: str | None) -> jobs.JobStatus | None:
    """Return the job this session follows: the one it started, else the newest on this machine."""
    if job_id is not None:
        return jobs.status(job_id)
    return next(iter(jobs.list_jobs()), None)


def job_history(job_id: str) -> pd.DataFrame:
    """Return the losses of a job so far."""
    return jobs.history(job_id)


def cancel_training(job_id: str) -> None:
    """Stop a job."""
    jobs.cancel(job_id)


def runs_table() -> pd.DataFrame:
    """List the stored runs of all kinds."""
    rows = [
        {
            "Run": run_id,
            "Model": RUN_TITLE[manifest["kind"]],
            "Data": manifest["dataset"]["name"],
            "Origin": manifest["dataset"]["origin"],
            "Seed": manifest["seed"],
            "Seconds": manifest["seconds"],
            "Trained": manifest["created"],
            "Command": shlex.join(manifest["command"]),
        }
        for run_id, manifest in cache.list_runs().items()
    ]
    return pd.DataFrame(rows)


__all__ = [
    "EngineError",
    "Run",
    "bundled_names",
    "cancel_training",
    "claims_of",
    "claims_sentence",
    "claims_table",
    "data_description",
    "data_label",
    "followed_job",
    "job_history",
    "overview_runs",
    "page_of",
    "run_label",
    "run_picker",
    "runs_table",
    "settings_form",
    "start_training",
]
