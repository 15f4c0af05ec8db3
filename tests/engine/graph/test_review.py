"""A verdict that was given is there afterwards: after restarts, beside other writers, after a writer's death."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine.errors import RunError
from engine.graph import review
from engine.graph.review import HISTORY_COLUMNS, PairKey, ReviewStore, current

ROOT = Path(__file__).resolve().parents[3]
# Waits for a line, then writes verdicts until a file beside the store tells it to stop, and says so after each.
WRITER = """
import itertools, sys
from pathlib import Path
from engine.graph.review import PairKey, ReviewStore
store, name = ReviewStore(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
input()
for number in itertools.count():
    if (store.path.parent / "stop").exists():
        break
    key = PairKey(run="r", source=f"{name} {number}", target="b", reviewer=name)
    print(store.record(key, "right", "n" * 500), flush=True)
"""


def key(source: str = "phone", target: str = "case", *, reviewer: str = "Ann", run: str = "r") -> PairKey:
    return PairKey(run=run, source=source, target=target, reviewer=reviewer)


@pytest.fixture
def store(tmp_path: Path) -> ReviewStore:
    return ReviewStore(tmp_path / "area" / "reviews.sqlite")


def verdicts(store: ReviewStore) -> list[tuple[str, str, str]]:
    table = current(store.history())
    return list(zip(table["source"], table["reviewer"], table["verdict"], strict=True))


def writer(store: ReviewStore, name: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", WRITER, str(store.path), name]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def start(*writers: subprocess.Popen[bytes]) -> None:
    """Let writers begin together, once all of them are ready."""
    for process in writers:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    for process in writers:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()


def test_a_verdict_is_kept_with_reviewer_run_note_and_the_time_in_utc(store: ReviewStore) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    store.record(key(), "right", "  a case needs a phone\n")
    (row,) = ReviewStore(store.path).history().to_dict("records")
    stamp = datetime.fromisoformat(row.pop("time_utc"))
    assert row == {
        "id": 1,
        "run": "r",
        "source": "phone",
        "target": "case",
        "reviewer": "Ann",
        "verdict": "right",
        "note": "a case needs a phone",
    }
    assert stamp.utcoffset() == UTC.utcoffset(None) and before <= stamp <= datetime.now(UTC)


def test_reading_before_the_first_verdict_finds_nothing_and_makes_no_file(store: ReviewStore) -> None:
    assert list(store.history().columns) == list(HISTORY_COLUMNS)
    assert len(store.history("r")) == len(current(store.history())) == 0
    assert not store.path.parent.exists()


def test_an_empty_file_is_a_store_without_verdicts(tmp_path: Path) -> None:
    path = tmp_path / "reviews.sqlite"
    path.touch()
    assert len(ReviewStore(path).history()) == 0
    assert ReviewStore(path).record(key(), "both") == 1


def test_a_later_verdict_counts_and_the_earlier_one_stays_in_the_history(store: ReviewStore) -> None:
    store.record(key(), "right")
    store.record(key(reviewer="Bo"), "both")
    store.record(key(), "wrong")
    assert verdicts(store) == [("phone", "Bo", "both"), ("phone", "Ann", "wrong")]
    assert store.history()["verdict"].tolist() == ["right", "both", "wrong"]


def test_saying_the_same_twice_adds_nothing(store: ReviewStore) -> None:
    first = store.record(key(), "right", "sure")
    assert store.record(key(), "right", " sure ") == first
    assert store.record(key("case", "phone"), "right", "sure") == 2
    assert store.record(key(), "right", "quite sure") == 3
    store.take_back(key())
    assert store.record(key(), "right", "quite sure") == 5
    assert len(store.history()) == 5


def test_a_pair_shown_the_other_way_round_is_the_same_pair(store: ReviewStore) -> None:
    store.record(key("phone", "case"), "right")
    store.record(key("case", "phone"), "both")
    assert verdicts(store) == [("case", "Ann", "both")]


def test_runs_are_kept_apart(store: ReviewStore) -> None:
    store.record(key(run="one"), "right")
    store.record(key(run="two"), "wrong")
    assert store.history("two")["verdict"].tolist() == ["wrong"]
    assert len(current(store.history())) == 2


def test_taking_back_brings_the_verdict_before_it_back(store: ReviewStore) -> None:
    store.record(key(), "right")
    store.record(key(), "wrong")
    assert store.take_back(key("case", "phone"))
    assert verdicts(store) == [("phone", "Ann", "right")]
    assert store.take_back(key())
    assert verdicts(store) == []
    assert not store.take_back(key())
    assert store.history()["verdict"].tolist() == ["right", "wrong", "withdrawn", "withdrawn"]


@settings(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.sampled_from("ab"), some.sampled_from([*review.VERDICTS, "withdrawn"])), max_size=9))
def test_what_counts_is_the_top_of_each_reviewers_stack(actions: list[tuple[str, str]]) -> None:
    rows, stacks = [], {"a": [], "b": []}
    for reviewer, verdict in actions:
        rows.append((len(rows), "r", "x", "y", reviewer, verdict, "", ""))
        stacks[reviewer] = stacks[reviewer][:-1] if verdict == "withdrawn" else [*stacks[reviewer], verdict]
    found = current(pd.DataFrame(rows, columns=list(HISTORY_COLUMNS)))
    assert dict(zip(found["reviewer"], found["verdict"], strict=True)) == {
        name: stack[-1] for name, stack in stacks.items() if stack
    }


@pytest.mark.slow
def test_two_processes_writing_at_once_lose_no_verdict(store: ReviewStore) -> None:
    names = ("Ann", "Bo")
    writers = [writer(store, name) for name in names]
    start(*writers)
    # Both write until the slower one has written 25: they do write at the same time.
    told = [process.stdout for process in writers if process.stdout is not None]
    early = [[stream.readline() for _ in range(25)] for stream in told]
    (store.path.parent / "stop").touch()
    numbers = [[int(line) for line in (*lines, *stream)] for lines, stream in zip(early, told, strict=True)]
    for process in writers:
        process.wait(timeout=60)
    assert [process.returncode for process in writers] == [0, 0]
    history = store.history()
    assert history["id"].tolist() == list(range(1, len(history) + 1)) == sorted(numbers[0] + numbers[1])
    for name, own in zip(names, numbers, strict=True):
        rows = history[history["reviewer"] == name]
        assert rows["id"].tolist() == own and rows["source"].tolist() == [f"{name} {n}" for n in range(len(own))]
    assert min(numbers[0]) < max(numbers[1]) and min(numbers[1]) < max(numbers[0])


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_had_confirmed_and_blocks_nobody(store: ReviewStore) -> None:
    process = writer(store, "Ann")
    start(process)
    assert process.stdout is not None
    confirmed = [int(process.stdout.readline()) for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    confirmed += [int(line) for line in process.stdout.read().split(b"\n") if line.strip()]
    assert process.wait() == -signal.SIGKILL
    kept = store.history()["id"].tolist()
    # The one entry more is a commit that was done when the kill came before its confirmation.
    assert kept[: len(confirmed)] == confirmed and len(kept) - len(confirmed) in (0, 1)
    assert store.record(key(reviewer="Bo"), "both") == len(kept) + 1
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _die_in_a_transaction(store: ReviewStore, ready: object) -> None:
    with store._opened() as connection:
        review._append(connection, key("half", "done"), "right", "")
        ready.set()  # type: ignore[attr-defined]
        time.sleep(60)


@pytest.mark.slow
def test_a_writer_killed_inside_its_transaction_leaves_no_trace_and_no_lock(store: ReviewStore) -> None:
    store.record(key(), "right")
    fork = multiprocessing.get_context("fork")
    ready = fork.Event()
    process = fork.Process(target=_die_in_a_transaction, args=(store, ready))
    process.start()
    assert ready.wait(30)
    assert store.history()["source"].tolist() == ["phone"]
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    started = time.monotonic()
    store.record(key(reviewer="Bo"), "both")
    assert time.monotonic() - started < review.WAIT_SECONDS / 2
    assert store.history()["source"].tolist() == ["phone", "phone"]


def test_a_writer_that_never_gets_its_turn_says_so(store: ReviewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.record(key(), "right")
    monkeypatch.setattr(review, "WAIT_SECONDS", 0.05)
    with sqlite3.connect(store.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RunError, match=r"cannot be written \(database is locked\)"):
            store.record(key(), "wrong")
        assert verdicts(store) == [("phone", "Ann", "right")]
        other.execute("ROLLBACK")


def test_a_place_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file" / "reviews.sqlite", tmp_path):
        with pytest.raises(RunError, match=r"cannot be written .* RECOMMENDER_LENS_REVIEWS"):
            ReviewStore(path).record(key(), "right")
    with pytest.raises(RunError, match="cannot be read"):
        ReviewStore(tmp_path).history()


def _as_nobody(path: Path, sink: object) -> None:
    os.setgid(65534)
    os.setuid(65534)
    store = ReviewStore(path)
    try:
        store.record(key(reviewer="Nobody"), "wrong")
    except RunError as error:
        sink.send((str(error), verdicts(store)))  # type: ignore[attr-defined]


@pytest.mark.skipif(os.getuid() != 0, reason="only the root user can become another user")
@pytest.mark.slow
def test_a_read_only_store_can_be_read_and_refuses_verdicts(store: ReviewStore, tmp_path: Path) -> None:
    store.record(key(), "right")
    folder = tmp_path
    while folder != folder.parent:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o005)
        folder = folder.parent
    store.path.chmod(0o444)
    store.path.parent.chmod(0o555)
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    process = fork.Process(target=_as_nobody, args=(store.path, there))
    process.start()
    assert here.poll(30)
    message, kept = here.recv()
    process.join()
    assert "cannot be written" in message and "readonly" in message
    assert kept == [("phone", "Ann", "right")]


def test_another_kind_of_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "reviews.sqlite"
    path.write_bytes(b"my notes, by hand" * 100)
    for act in (lambda: ReviewStore(path).history(), lambda: ReviewStore(path).record(key(), "right")):
        with pytest.raises(RunError, match="not a database"):
            act()
    assert path.read_bytes() == b"my notes, by hand" * 100


def test_a_store_of_a_later_version_is_refused(store: ReviewStore) -> None:
    store.record(key(), "right")
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 9")
    for act in (store.history, lambda: store.record(key(), "right")):
        with pytest.raises(RunError, match="has version 9; this program reads 1"):
            act()
