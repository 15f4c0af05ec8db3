"""Steps that tests of jobs share: wait for a job, find its process, see that it is gone."""

from __future__ import annotations

import json
import time

from dashboard import jobs, process
from dashboard.jobs import JobStatus


def wait_for(job_id: str, *, epochs: int = 0, state: str = "") -> JobStatus:
    """Wait until a job has ended, or shows so many epochs, or is in a state; a busy machine is not a defect."""
    for _ in range(2400):
        job = jobs.status(job_id)
        assert job is not None
        if job.state == state or (not state and job.state != "running"):
            return job
        if epochs and job.latest.get("epoch") == epochs:
            return job
        time.sleep(0.05)
    raise AssertionError(f"job {job_id} still runs")


def pid_of(job_id: str) -> int:
    return int(json.loads((jobs.jobs_folder() / job_id / "job.json").read_text())["pid"])


def wait_until_gone(pid: int) -> None:
    for _ in range(400):
        if process.birth(pid) is None:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} still runs")
