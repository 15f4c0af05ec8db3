"""Jobs that really train: how they end, and what they leave."""

import json
import time
from pathlib import Path

import pytest

from dashboard import cache, jobs, process
from dashboard.jobs import JobSpec, JobStatus
from engine.cli import main

pytestmark = pytest.mark.slow


def wait_for(job_id: str, *, epochs: int = 0, state: str = "") -> JobStatus:
    """Wait until a job has ended, or shows so many epochs, or is in a state."""
    for _ in range(600):
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


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "exposures.csv"
    assert main(["simulate", "delay", "--rows", "1500", "--out", str(path)]) == 0
    return str(path)


def test_a_real_training_ends_in_a_run_that_names_its_settings(runs: Path, exposures: str) -> None:
    settings = (("members", "1"), ("resamples", "10"), ("steps", "5"))
    job = wait_for(jobs.submit(JobSpec(kind="delay", data=exposures, seed=3, settings=settings)))
    assert (job.state, job.message) == ("done", "")
    assert list(cache.list_runs("delay")) == [job.run_id]
    manifest = cache.open_run(job.run_id).manifest
    assert (manifest["seed"], manifest["config"]["steps"]) == (3, 5)
    assert manifest["dataset"]["origin"] == "simulated"
    assert set(jobs.history(job.id)["stage"]) >= {job.latest["stage"]}


def test_a_real_training_that_is_cancelled_leaves_no_run(runs: Path, exposures: str) -> None:
    spec = JobSpec(kind="delay", data=exposures, seed=3, settings=(("steps", "3000"),))
    job = wait_for(jobs.submit(spec), epochs=1)
    assert job.state == "running"
    jobs.cancel(job.id)
    wait_until_gone(pid_of(job.id))
    assert wait_for(job.id).state == "cancelled"
    assert [path.name for path in runs.iterdir()] == [".jobs"]


def test_a_real_refusal_reaches_the_page_as_one_sentence(runs: Path) -> None:
    job = wait_for(jobs.submit(JobSpec(kind="delay", data="gone.csv", seed=0)))
    assert job.state == "failed"
    assert job.message.startswith("'--data gone.csv' is neither a file nor bundled delay data")
