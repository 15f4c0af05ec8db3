"""Jobs are real processes here; only the program they run is a short stand-in for training."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from dashboard import jobs, process, uploads
from dashboard.jobs import JobSpec
from engine.errors import ConfigError
from engine.partial import PARTIAL
from tests.dashboard.job_steps import pid_of, wait_for, wait_until_gone

SPEC = JobSpec(kind="graph", data="debian-programs", seed=1, settings=(("epochs", "2"),))

ENDED_FROM_OUTSIDE = (
    "The process was ended from outside, for example for want of memory, before it could write anything."
)

# Words: progress file, run folder, and how it ends.
TRAINER = """
import json, os, pathlib, signal, sys, time
progress, out, end = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
if end == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (out.parent / f".{out.name}.half.partial").mkdir()
with progress.open("a") as file:
    for epoch in (1, 2):
        file.write(json.dumps({"time": time.time(), "stage": "dual", "epoch": epoch, "epochs": 2,
                               "losses": {"edges": 1 / epoch}}) + "\\n")
if end in ("hang", "stubborn"):
    time.sleep(60)
if end in ("report", "half-report"):
    print('{"rows": 3}' if end == "report" else '{"rows":')
    sys.exit(0)
if end == "refuse":
    sys.stderr.write("Some library warns.\\nError: Setting 'epochs' is 0; allowed is a whole number from 1.\\n")
    sys.exit(2)
if end == "crash":
    raise ValueError("shapes differ")
if end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
out.mkdir(parents=True)
(out / "manifest.json").write_text("{}")
"""


@pytest.fixture
def ending(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make jobs run the stand-in; the one item of the list says how it ends."""
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    how = ["done"]

    def command(spec: JobSpec, folder: Path, run_id: str) -> list[str]:
        return [sys.executable, "-I", str(script), str(folder / "progress.jsonl"), str(runs / run_id), how[0]]

    monkeypatch.setattr(jobs, "_command", command)
    return how


def test_a_finished_job_is_done_and_keeps_its_losses(ending: list[str], runs: Path) -> None:
    job = wait_for(jobs.submit(SPEC))
    assert (job.state, job.message, job.spec) == ("done", "", SPEC)
    assert (runs / job.run_id / "manifest.json").exists()
    assert jobs.history(job.id)["value"].tolist() == [1.0, 0.5]
    assert job.latest["epoch"] == job.latest["epochs"] == 2


def test_a_done_job_stays_done_when_its_run_is_deleted(ending: list[str], runs: Path) -> None:
    job = wait_for(jobs.submit(SPEC))
    (runs / job.run_id / "manifest.json").unlink()
    assert wait_for(job.id).state == "done"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("refuse", "Setting 'epochs' is 0; allowed is a whole number from 1."),
        ("crash", "The program itself failed: ValueError: shapes differ"),
        (
            "killed",
            "The process was ended from outside, for example for want of memory, before it could write anything.",
        ),
    ],
)
def test_a_failed_job_says_why_in_one_sentence(ending: list[str], runs: Path, how: str, message: str) -> None:
    ending[0] = how
    job = wait_for(jobs.submit(SPEC))
    assert (job.state, job.message) == ("failed", message)
    assert not (runs / job.run_id).exists()


def test_the_time_of_an_ended_job_stands_still(ending: list[str]) -> None:
    ending[0] = "refuse"
    job = wait_for(jobs.submit(SPEC))
    time.sleep(0.05)
    later = jobs.status(job.id)
    assert later is not None and later.seconds == job.seconds


def test_cancelling_ends_the_process_and_leaves_no_run(ending: list[str], runs: Path) -> None:
    ending[0] = "hang"
    job = wait_for(jobs.submit(SPEC), epochs=2)
    assert job.state == "running"
    jobs.cancel(job.id)
    wait_until_gone(pid_of(job.id))
    assert wait_for(job.id).state == "cancelled"
    assert [path.name for path in runs.iterdir()] == [".jobs"]


def test_a_process_that_will_not_stop_is_killed_and_its_half_run_removed(
    ending: list[str], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_PATIENCE", 0.2)
    ending[0] = "stubborn"
    job = wait_for(jobs.submit(SPEC), epochs=2)
    half = runs / f".{job.run_id}.half{PARTIAL}"  # as `engine.partial.written_whole` names it
    assert half.exists()
    jobs.cancel(job.id)
    # Nobody looks at the job meanwhile: the reader may have left.
    wait_until_gone(pid_of(job.id))
    assert wait_for(job.id).state == "cancelled"
    assert not half.exists()


def test_cancelling_an_ended_job_changes_nothing(ending: list[str]) -> None:
    job = wait_for(jobs.submit(SPEC))
    jobs.cancel(job.id)
    assert wait_for(job.id).state == "done"
    jobs.cancel("graph-00000000")


def test_the_same_training_is_not_started_twice_and_the_limit_is_told(
    ending: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_RUNNING", 1)
    ending[0] = "hang"
    first = jobs.submit(SPEC)
    assert jobs.submit(SPEC) == first
    other = JobSpec(kind="graph", data="debian-programs", seed=2)
    with pytest.raises(ConfigError, match="1 training is running already; wait or cancel"):
        jobs.submit(other)
    jobs.cancel(first)
    wait_until_gone(pid_of(first))
    ending[0] = "done"
    assert wait_for(jobs.submit(other)).state == "done"


def test_a_job_is_found_again_by_a_server_that_did_not_start_it(ending: list[str]) -> None:
    ending[0] = "hang"
    job = wait_for(jobs.submit(SPEC), epochs=2)
    forgotten = process._CHILDREN.pop(pid_of(job.id))
    assert wait_for(job.id, state="running").latest["epoch"] == 2
    jobs.cancel(job.id)
    forgotten.wait(timeout=20)
    assert wait_for(job.id).state == "cancelled"


def test_another_process_with_the_same_number_is_neither_waited_for_nor_stopped(ending: list[str]) -> None:
    job = wait_for(jobs.submit(SPEC))
    folder = jobs.jobs_folder() / job.id
    (folder / "done").unlink()
    (jobs.run_folders()[1] / job.run_id / "manifest.json").unlink()
    record = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(record | {"pid": os.getpid(), "born": "1"}))
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        assert wait_for(job.id).state == "failed"
        jobs.cancel(job.id)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == []


def test_half_written_lines_and_broken_jobs_are_passed_over(ending: list[str]) -> None:
    job = wait_for(jobs.submit(SPEC))
    with (jobs.jobs_folder() / job.id / "progress.jsonl").open("a") as file:
        file.write('{"time": 1, "sta')
    broken = jobs.jobs_folder() / "graph-broken"
    broken.mkdir()
    (broken / "job.json").write_text('{"spec": {}}')
    assert len(jobs.history(job.id)) == 2
    assert [found.id for found in jobs.list_jobs()] == [job.id]


def test_jobs_are_listed_newest_first_and_old_ones_are_removed(
    ending: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_KEPT", 1)
    kinds = ("uncertainty", "graph", "delay")
    ids = [wait_for(jobs.submit(JobSpec(kind=kind, data="own.csv", seed=0))).id for kind in kinds]
    assert [job.id for job in jobs.list_jobs()] == [ids[2], ids[1]]


def test_a_folder_that_cannot_be_made_is_named(ending: list[str], runs: Path) -> None:
    (runs / ".jobs").write_text("in the way")
    with pytest.raises(ConfigError, match=r"Folder '.*\.jobs.*' cannot be written"):
        jobs.submit(SPEC)


INSPECT = JobSpec(kind="graph", data="own.csv", seed=0, action="inspect", called="own.csv")


def test_an_inspection_is_done_when_its_report_is_whole(ending: list[str]) -> None:
    ending[0] = "report"
    job = wait_for(jobs.submit(INSPECT))
    assert (job.state, json.loads(jobs.report(job.id))) == ("done", {"rows": 3})
    ending[0] = "half-report"
    half = wait_for(jobs.submit(INSPECT))
    assert (half.state, jobs.report(half.id)) == ("failed", "")
    assert jobs.report("graph-00000000") == ""


def test_inspections_do_not_wait_for_trainings_and_have_a_limit_of_their_own(
    ending: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_RUNNING", 1)
    monkeypatch.setattr(jobs, "MAX_INSPECTING", 1)
    ending[0] = "hang"
    ids = [jobs.submit(SPEC), jobs.submit(INSPECT)]
    other = JobSpec(kind="delay", data="own.csv", seed=0, action="inspect", called="own.csv")
    with pytest.raises(ConfigError, match="1 file is checked already; wait or cancel"):
        jobs.submit(other)
    for job in ids:
        jobs.cancel(job)
        wait_until_gone(pid_of(job))


def test_an_inspection_that_takes_too_long_is_stopped_and_says_so(
    ending: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jobs.LONGEST, "inspect", 1.0)
    ending[0] = "hang"
    job = jobs.submit(INSPECT)
    wait_until_gone(pid_of(job))
    stopped = wait_for(job)
    assert (stopped.state, stopped.message) == (
        "cancelled",
        "It took longer than 1 seconds and was stopped; give fewer rows.",
    )


def test_a_given_file_stays_while_a_job_reads_it_and_goes_when_all_have_ended(ending: list[str]) -> None:
    path = uploads.keep(b"a,b", name="own-data.csv")
    uploads.hold(path, "page")
    ending[0] = "hang"
    spec = JobSpec(kind="graph", data=str(path), seed=0, called="own.csv")
    job = jobs.submit(spec)
    uploads.release(path, "page")
    assert path.exists()
    jobs.cancel(job)
    wait_until_gone(pid_of(job))
    # Nobody looks at the job meanwhile: the reader may have left.
    for _ in range(200):
        if not path.parent.exists():
            return
        time.sleep(0.05)
    raise AssertionError("the file is still kept")


def test_the_command_line_takes_the_words_of_a_job(runs: Path) -> None:
    from engine.cli import _parser

    words = jobs._command(SPEC, runs / ".jobs" / "graph-1", "graph-1")
    assert words[1:3] == ["-m", "engine"]
    arguments = _parser().parse_args(words[3:])
    assert (arguments.kind, arguments.data, arguments.seed) == ("graph", "debian-programs", 1)
    assert arguments.set == ["epochs=2"]
    assert Path(arguments.out) == runs / "graph-1"
