"""Jobs that really train: how they end, and what they leave."""

from pathlib import Path

import pytest

from dashboard import cache, jobs
from dashboard.jobs import JobSpec
from engine.cli import main
from tests.dashboard.job_steps import pid_of, wait_for, wait_until_gone

pytestmark = pytest.mark.slow


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
