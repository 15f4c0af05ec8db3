"""Training jobs: our own command line in a process of its own, followed through files.

Nothing of a job lives in the server's memory, so it survives a reload of the page and a restart of the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dashboard.cache import ROOT, run_folders
from engine.errors import ConfigError
from engine.result import Kind

State = Literal["running", "done", "failed", "cancelled"]
MAX_RUNNING = max(1, (os.cpu_count() or 2) - 1)
_PATIENCE = 5.0
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Processes this server started, kept only so that they are reaped when they end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What to train."""

    kind: Kind
    data: str
    seed: int
    settings: tuple[tuple[str, str], ...] = ()
    """Settings that differ from their defaults, as texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """How a job stands."""

    id: str
    spec: JobSpec
    run_id: str
    state: State
    seconds: float
    message: str = ""
    """Why it failed."""
    latest: dict[str, Any] = field(default_factory=dict)
    """Last progress record: ``stage, epoch, epochs, losses``."""


def jobs_folder() -> Path:
    """Return the folder that holds jobs."""
    return Path(os.environ.get("RECOMMENDER_LENS_JOBS", str(ROOT / ".jobs")))


def submit(spec: JobSpec) -> str:
    """Start a training, or return the id of the running job that does the same.

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
        If as many trainings run as this machine has cores to spare, or the folders cannot be written.
    """
    running = [job for job in list_jobs() if job.state == "running"]
    for job in running:
        if job.spec == spec:
            return job.id
    if len(running) >= MAX_RUNNING:
        raise ConfigError(f"{len(running)} training is running already; wait for it or cancel it, then start this one.")
    job_id = f"{spec.kind}-{secrets.token_hex(4)}"
    folder = jobs_folder() / job_id
    run_id = f"{spec.kind}-{time.strftime('%Y%m%d-%H%M%S')}-{job_id[-4:]}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(
            f"Folder '{folder}' cannot be written ({error.strerror}); trainings are kept there."
        ) from error
    process = _start(spec, folder, run_id)
    record = {
        "spec": asdict(spec),
        "run_id": run_id,
        "pid": process.pid,
        "born": _birth(process.pid),
        "created": time.time(),
    }
    partial = folder / ".job.json"
    partial.write_text(json.dumps(record))
    partial.replace(folder / "job.json")
    return job_id


def _start(spec: JobSpec, folder: Path, run_id: str) -> subprocess.Popen[bytes]:
    """Start the command line in a process group of its own."""
    words = [sys.executable, "-m", "engine", "train", spec.kind, "--data", spec.data, "--seed", str(spec.seed)]
    words += [word for key, value in spec.settings for word in ("--set", f"{key}={value}")]
    words += ["--out", str(run_folders()[1] / run_id), "--progress", str(folder / "progress.jsonl")]
    with (folder / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "TERM": "dumb"},
        )
    _CHILDREN[process.pid] = process
    return process


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
    except (OSError, ValueError):
        return None
    spec = record["spec"] | {"settings": tuple(tuple(pair) for pair in record["spec"]["settings"])}
    records = _progress(folder)
    alive = _alive(record["pid"], record["born"])
    state = _state(folder, record, alive)
    ended = records[-1]["time"] if records and state != "running" else time.time()
    return JobStatus(
        id=job_id,
        spec=JobSpec(**spec),
        run_id=record["run_id"],
        state=state,
        seconds=max(0.0, ended - record["created"]),
        message=_complaint(folder) if state == "failed" else "",
        latest=records[-1] if records else {},
    )


def _state(folder: Path, record: dict[str, Any], alive: bool) -> State:
    """Tell the state of a job from what is on disk and whether its process lives."""
    target = run_folders()[1] / record["run_id"]
    if (target / "manifest.json").exists():
        return "done"
    flag = folder / "cancelled"
    if flag.exists():
        if alive and time.time() - flag.stat().st_mtime > _PATIENCE:
            _signal(record["pid"], signal.SIGKILL)
        if not alive:
            for leftover in target.parent.glob(f".{target.name}-*"):
                shutil.rmtree(leftover, ignore_errors=True)
        return "cancelled"
    return "running" if alive else "failed"


def cancel(job_id: str) -> None:
    """Ask a job to stop; it is killed if it has not stopped a few seconds later."""
    folder = jobs_folder() / job_id
    job = status(job_id)
    if job is None or job.state != "running":
        return
    (folder / "cancelled").touch()
    _signal(json.loads((folder / "job.json").read_text())["pid"], signal.SIGTERM)


def list_jobs() -> list[JobStatus]:
    """List all jobs, newest first."""
    found = [status(folder.parent.name) for folder in jobs_folder().glob("*/job.json")]
    return sorted((job for job in found if job is not None), key=lambda job: job.run_id, reverse=True)


def history(job_id: str) -> pd.DataFrame:
    """Return the losses so far: columns ``stage, epoch, loss, value``."""
    rows = [
        {"stage": record["stage"], "epoch": record["epoch"], "loss": name, "value": value}
        for record in _progress(jobs_folder() / job_id)
        for name, value in record["losses"].items()
    ]
    return pd.DataFrame(rows, columns=["stage", "epoch", "loss", "value"])


def _progress(folder: Path) -> list[dict[str, Any]]:
    """Read the complete lines of the progress file."""
    try:
        lines = (folder / "progress.jsonl").read_text().split("\n")[:-1]
    except OSError:
        return []
    return [json.loads(line) for line in lines if line.strip()]


def _complaint(folder: Path) -> str:
    """Return the last sentence the job wrote to standard error."""
    try:
        lines = [line.strip() for line in (folder / "stderr.txt").read_text(errors="replace").splitlines()]
    except OSError:
        lines = []
    told = [line for line in lines if line.startswith(("Error:", "Training failed:"))] or [
        line for line in lines if line
    ]
    return told[-1] if told else "The training process was ended from outside before it could write a run."


def _signal(pid: int, which: signal.Signals) -> None:
    """Send a signal to the process group of a job."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, which)


def _birth(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; tells it from a later one with the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _alive(pid: int, born: str | None) -> bool:
    """Say whether the process of a job still runs."""
    child = _CHILDREN.get(pid)
    if child is not None and child.poll() is not None:
        del _CHILDREN[pid]
        return False
    return born is not None and _birth(pid) == born
