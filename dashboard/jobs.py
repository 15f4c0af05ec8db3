"""Jobs that train, describe or inspect: our own command line in a process of its own, followed through files.

Nothing of a job lives in the server's memory, so it survives a reload of the page and a restart of the server.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dashboard import job_traces, process, uploads
from dashboard.cache import ROOT, run_folders
from dashboard.job_spec import LONGEST, REPORT, JobSpec, command_words, read_spec
from engine.errors import ConfigError
from engine.partial import PARTIAL

State = Literal["running", "done", "failed", "cancelled"]
MAX_RUNNING = max(1, (os.cpu_count() or 2) - 1)
MAX_INSPECTING = max(2, MAX_RUNNING)
"""Inspections are short, and nobody should wait for a training to end before they see what is wrong with a file."""
MAX_KEPT = 20
"""Ended jobs whose folders are kept, for the messages and losses in them."""
_PATIENCE = 5.0
_STARTING = threading.Lock()
"""Held from counting the running jobs to starting one more: sessions are threads of one server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """How a job stands."""

    id: str
    spec: JobSpec
    run_id: str
    state: State
    created: float
    """Seconds since 1970-01-01, UTC."""
    seconds: float
    """From the start to the end, or to now while it runs."""
    message: str = ""
    """Why it failed, or why it was stopped if not by a reader."""
    latest: dict[str, Any] = field(default_factory=dict)
    """Last progress record: ``stage, epoch, epochs, losses``."""


def jobs_folder() -> Path:
    """Return the folder that holds jobs: hidden among the runs they make, so that the two never part."""
    return run_folders()[1] / ".jobs"


def submit(spec: JobSpec) -> str:
    """Start a job, or return the id of the running training or description that does the same.

    Parameters
    ----------
    spec : JobSpec

    Returns
    -------
    str
        Job id.

    Raises
    ------
    ConfigError
        If as many jobs run as this machine has cores to spare, or the folders cannot be written.
    """
    with _STARTING:
        running = [job for job in list_jobs() if job.state == "running"]
        for job in running:
            # A check ends with the session that asked for it; that of another one must not end with it.
            if job.spec == spec and spec.action != "inspect":
                return job.id
        _check_room([job.spec for job in running], spec)
        _tidy()
        return _launch(spec)


def _check_room(running: list[JobSpec], spec: JobSpec) -> None:
    """Refuse one job too many; inspections count on their own."""
    alike = [job for job in running if (job.action == "inspect") == (spec.action == "inspect")]
    if len(alike) < (MAX_INSPECTING if spec.action == "inspect" else MAX_RUNNING):
        return
    noun = "file" if spec.action == "inspect" else "training" if alike[0].action == "train" else "job"
    what = f"{noun}{'s are' if len(alike) > 1 else ' is'} {'checked' if noun == 'file' else 'running'}"
    raise ConfigError(f"{len(alike)} {what} already; wait or cancel, then start this one.")


def _launch(spec: JobSpec) -> str:
    """Make the folder of a job, start it and note how to find it again."""
    job_id = f"{spec.kind}-{secrets.token_hex(4)}"
    folder = jobs_folder() / job_id
    run_id = f"{spec.kind}-{time.strftime('%Y%m%d-%H%M%S')}-{job_id[-4:]}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(
            f"Folder '{folder}' cannot be written ({error.strerror}); trainings are kept there."
        ) from error
    created = time.time()
    uploads.hold(Path(spec.data), job_id)
    output = folder / REPORT if spec.action == "inspect" else None
    pid = process.start(_command(spec, folder, run_id), folder=ROOT, errors=folder / "stderr.txt", output=output)
    record = {
        "spec": asdict(spec),
        "run_id": run_id,
        "pid": pid,
        "born": process.birth(pid),
        "created": created,
    }
    partial = folder / ".job.json"
    partial.write_text(json.dumps(record))
    partial.replace(folder / "job.json")
    if spec.action in LONGEST or uploads.is_kept(Path(spec.data)):
        longest = LONGEST.get(spec.action, math.inf)
        threading.Thread(target=_await, args=(job_id, longest), daemon=True).start()
    return job_id


def _await(job_id: str, longest: float) -> None:
    """Look at a job until it has ended, so that its file goes in any case; end one that takes too long."""
    end = time.monotonic() + longest
    while (job := status(job_id)) is not None and job.state == "running":
        if time.monotonic() > end:
            cancel(job_id, reason=f"It took longer than {longest:.0f} seconds and was stopped; give fewer rows.")
            return
        time.sleep(0.5)


def _tidy() -> None:
    """Remove the folders of all but the newest ended jobs."""
    ended = [job for job in list_jobs() if job.state != "running"]
    for job in ended[MAX_KEPT:]:
        shutil.rmtree(jobs_folder() / job.id, ignore_errors=True)


def _command(spec: JobSpec, folder: Path, run_id: str) -> list[str]:
    """Write a job as words of the command line."""
    return command_words(spec, folder, run_folders()[1] / run_id)


def status(job_id: str) -> JobStatus | None:
    """Return how a job stands, or None if there is no such job.

    Parameters
    ----------
    job_id : str

    Returns
    -------
    JobStatus or None
    """
    folder = jobs_folder() / job_id
    try:
        record = json.loads((folder / "job.json").read_text())
        spec = read_spec(record["spec"])
        run_id, pid, born, created = (record[key] for key in ("run_id", "pid", "born", "created"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    records = job_traces.progress(folder)
    state = _state(folder, run_id, pid, alive=process.alive(pid, born))
    if state != "running":
        uploads.release(Path(spec.data), job_id)
    ended = time.time() if state == "running" else _last_written(folder, run_id)
    return JobStatus(
        id=job_id,
        spec=spec,
        run_id=run_id,
        state=state,
        created=created,
        seconds=max(0.0, ended - created),
        message=spec.reworded(_message(folder, state)),
        latest=records[-1] if records else {},
    )


def _message(folder: Path, state: State) -> str:
    """Say why a job ended without a result."""
    tell = {"failed": job_traces.complaint, "cancelled": job_traces.reason}.get(state)
    return tell(folder) if tell else ""


def _state(folder: Path, run_id: str, pid: int, *, alive: bool) -> State:
    """Tell the state of a job from what is on disk and whether its process lives."""
    target = run_folders()[1] / run_id
    done, cancelled = folder / "done", folder / "cancelled"
    if done.exists():
        return "done"
    if (target / "manifest.json").exists() or (not alive and job_traces.report(folder)):
        # Noted, because the reader may delete the run later.
        done.touch()
        return "done"
    if alive and not cancelled.exists():
        return "running"
    if alive and time.time() - cancelled.stat().st_mtime > _PATIENCE:
        process.stop(pid, force=True)
    if not alive:
        # A process that was killed leaves its claim on the name, and what it had written of its run, hidden.
        for leftover in target.parent.glob(f".{run_id}.*{PARTIAL}"):
            shutil.rmtree(leftover, ignore_errors=True)
    return "cancelled" if cancelled.exists() else "failed"


def _last_written(folder: Path, run_id: str) -> float:
    """Return when a job last wrote anything: the time it ended."""
    names = ("job.json", "progress.jsonl", "stderr.txt", "cancelled", REPORT)
    traces = [*(folder / name for name in names), run_folders()[1] / run_id / "manifest.json"]
    return max((path.stat().st_mtime for path in traces if path.exists()), default=0.0)


def cancel(job_id: str, *, reason: str = "") -> None:
    """Ask a job to stop; it is killed if it has not stopped a few seconds later.

    Parameters
    ----------
    job_id : str
        Nothing happens if this job does not run.
    reason : str, default ""
        A sentence that becomes the message of the job.
    """
    folder = jobs_folder() / job_id
    job = status(job_id)
    if job is None or job.state != "running":
        return
    (folder / "cancelled").write_text(reason)
    process.stop(json.loads((folder / "job.json").read_text())["pid"])
    # Looking at a cancelled job kills what is left of it; nobody else may be looking.
    watcher = threading.Timer(_PATIENCE + 0.5, status, args=(job_id,))
    watcher.daemon = True
    watcher.start()


def report(job_id: str) -> str:
    """Return what an inspection found, as JSON; nothing if it is not whole.

    Parameters
    ----------
    job_id : str

    Returns
    -------
    str
    """
    return job_traces.report(jobs_folder() / job_id)


def list_jobs() -> list[JobStatus]:
    """List all jobs, newest first.

    Returns
    -------
    list of JobStatus
    """
    found = [status(folder.parent.name) for folder in jobs_folder().glob("*/job.json")]
    return sorted((job for job in found if job is not None), key=lambda job: job.created, reverse=True)


def history(job_id: str) -> pd.DataFrame:
    """Return the losses so far.

    Parameters
    ----------
    job_id : str

    Returns
    -------
    DataFrame
        Columns ``stage, epoch, loss, value``.
    """
    rows = [
        {"stage": record["stage"], "epoch": record["epoch"], "loss": name, "value": value}
        for record in job_traces.progress(jobs_folder() / job_id)
        for name, value in record["losses"].items()
    ]
    return pd.DataFrame(rows, columns=["stage", "epoch", "loss", "value"])


__all__ = [
    "JobSpec",
    "JobStatus",
    "cancel",
    "history",
    "jobs_folder",
    "list_jobs",
    "report",
    "status",
    "submit",
]
