"""What is done with own data: looked through, described, trained on; each is a job, and each is one command."""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from dashboard import cache, jobs
from dashboard.controls.data_folder import VARIABLE
from dashboard.controls.data_roles import Roles
from dashboard.controls.data_source import Source, run_name
from dashboard.controls.training import check_settings
from dashboard.job_spec import Action, JobSpec
from dashboard.state import DATA, JOB, Kind
from engine.errors import ConfigError, EngineError
from engine.inspection.inspection import Inspection

_MERGE_HELP = (
    "For a training, rows of one source and target become one link: weights are added, every row counting 1 where "
    "there are none; of times the latest counts, of other columns the first value. A description merges them in any "
    "case."
)


def choose_merge(form: str, source: Source) -> bool:
    """Let the reader have repeated links merged; other forms have none."""
    if form != "edges":
        return False
    return bool(st.checkbox("Merge repeated links", key=_merge_key(source), help=_MERGE_HELP, persist_state="session"))


def may_merge(found: Inspection, checked_as: JobSpec) -> bool:
    """Say whether a training is stopped, and repeated links that nobody had merged are there."""
    return found.form == "edges" and bool(found.duplicates) and not found.can_train and not checked_as.merge_repeats


def merge_and_check(checked_as: JobSpec, source: Source) -> None:
    """Have repeated links merged and the file looked through again, if there is room; else the page offers it."""
    st.session_state[_merge_key(source)] = True
    start_check(replace(checked_as, merge_repeats=True))


def _merge_key(source: Source) -> str:
    """Name the choice, so that other data start without it."""
    return f"{DATA['merge']}-{source.stamp}"


def inspection_of(kind: Kind, source: Source, roles: Roles, *, merge_repeats: bool = False) -> JobSpec:
    """Say how a file is looked through."""
    return JobSpec(
        kind=kind,
        data=source.path,
        seed=0,
        action="inspect",
        columns=roles.chosen,
        form=roles.form,
        merge_repeats=merge_repeats,
        called=source.called,
    )


def start_check(spec: JobSpec) -> str:
    """Start looking a file through in place of what this session looked at before; return a complaint, or nothing."""
    stop(DATA["check"])
    try:
        job = jobs.submit(spec)
    except EngineError as error:
        return str(error)
    st.session_state[DATA["check"]] = job
    # Nobody else waits for it.
    cache.until_session_ends(job, partial(jobs.cancel, job))
    return ""


def checked(spec: JobSpec) -> jobs.JobStatus | None:
    """Return how looking a file through stands, or None if that was not asked for as the choices are now."""
    job = followed(DATA["check"])
    return job if job is not None and job.spec == spec else None


def followed(key: str) -> jobs.JobStatus | None:
    """Return the job that this session follows under a key."""
    job = st.session_state.get(key)
    return jobs.status(job) if job else None


def stop(key: str) -> None:
    """Cancel the job that this session follows under a key."""
    if job := st.session_state.get(key):
        jobs.cancel(job)


def start(action: Action, found: Inspection, checked_as: JobSpec, seed: int, settings: dict[str, str]) -> str:
    """Describe own data or train on them.

    Parameters
    ----------
    action : {"describe", "train"}
    found : Inspection
        What looking through the file found.
    checked_as : JobSpec
        How it was looked through.
    seed : int
    settings : dict of str to str
        Of a training.

    Returns
    -------
    str
        A complaint, or nothing.
    """
    try:
        if not (found.can_train if action == "train" else found.can_describe):
            raise ConfigError("These data cannot be used for this; the report says why.")
        if action == "train":
            check_settings(checked_as.kind, settings, seed)
        job = jobs.submit(action_of(action, checked_as, seed=seed, settings=settings))
    except EngineError as error:
        return str(error)
    st.session_state[DATA["job"]] = job
    if action == "train":
        st.session_state[JOB] = job
    return ""


def action_of(action: Action, checked_as: JobSpec, *, seed: int = 0, settings: dict[str, str] | None = None) -> JobSpec:
    """Say what is done with data that were looked through, with the same columns in the same roles."""
    return JobSpec(
        kind=checked_as.kind,
        data=checked_as.data,
        seed=seed if action == "train" else 0,
        action=action,
        columns=checked_as.columns,
        merge_repeats=checked_as.merge_repeats and action == "train",
        called=checked_as.called,
        name=run_name(checked_as.called),
        settings=tuple(sorted((settings or {}).items())) if action == "train" else (),
    )


def command(spec: JobSpec, source: Source) -> str:
    """Write a job as a line for a shell; of an upload the reader's own name of the file stands in it.

    Parameters
    ----------
    spec : JobSpec
    source : Source

    Returns
    -------
    str
    """
    name = f"./{source.called}" if source.called.startswith("-") else source.called
    data = shlex.quote(name) if source.is_upload else f'"${VARIABLE}"/{shlex.quote(source.called)}'
    words: list[str] = []
    for role, column in spec.columns:
        words.append(shlex.quote(f"{role}={column}"))
    lines = [f"python -m engine {spec.action} {spec.kind} --data {data}"]
    lines += [f"--form {spec.form}"] if spec.form else []
    lines += [f"--column {' '.join(words)}"] if words else []
    lines += ["--merge-repeats"] if spec.merge_repeats else []
    if spec.action == "train":
        lines.append(f"--seed {spec.seed}")
        lines += [f"--set {' '.join(shlex.quote(f'{k}={v}') for k, v in spec.settings)}"] if spec.settings else []
    if spec.action == "describe":
        lines.append(f"--out runs/own-{spec.kind}")
    return " \\\n    ".join(lines)


def inspection(job: jobs.JobStatus, source: Source) -> Inspection | str:
    """Read what looking through a file found.

    Returns
    -------
    Inspection or str
        Its messages have the reader's name for the file; a text says why there is none.
    """
    if job.state != "done":
        return source.reworded(job.message)
    try:
        return _reworded(Inspection.from_json(jobs.report(job.id)), source)
    except (ValueError, KeyError, TypeError):
        return "The report is no longer stored; check the file again."


def _reworded(found: Inspection, source: Source) -> Inspection:
    """Put the reader's name for the file where the report has ours."""

    def texts(table: Any, name: str) -> Any:
        return table.assign(**{name: [source.reworded(str(text)) for text in table[name]]}) if name in table else table

    return replace(
        found,
        source=source.called,
        findings=texts(found.findings, "sentence"),
        offending=texts(found.offending, "why"),
        dropped=texts(found.dropped, "why"),
    )
