"""Progress on a terminal and in a file."""

import io
import json
import time

import pytest
from rich.console import Console

from engine import progress
from engine.errors import ConfigError
from engine.progress import Progress
from engine.result import EpochRecord

RECORDS = [
    EpochRecord(stage="dual", epoch=1, epochs=2, losses={"total": 0.5, "rank": 0.25}),
    EpochRecord(stage="dual", epoch=2, epochs=2, losses={"total": 0.4, "rank": 0.2}),
    EpochRecord(stage="single", epoch=1, epochs=1, losses={"total": 1.0}),
]


@pytest.fixture
def screen(monkeypatch):
    """Stand in for the terminal; returns what was written to it."""
    written = io.StringIO()

    def console(**_):
        return Console(file=written, force_terminal=screen_is_terminal[0], width=100, color_system=None)

    screen_is_terminal = [True]
    monkeypatch.setattr(progress, "Console", console)
    written.switch = screen_is_terminal
    return written


def test_a_file_gets_one_json_object_per_epoch_as_it_happens(tmp_path):
    path = tmp_path / "progress.jsonl"
    before = time.time()
    with Progress(path) as bar:
        for count, record in enumerate(RECORDS, 1):
            bar.epoch(record)
            assert len(path.read_text().splitlines()) == count, "a reader sees the epoch at once"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(e["stage"], e["epoch"], e["epochs"]) for e in entries] == [
        ("dual", 1, 2),
        ("dual", 2, 2),
        ("single", 1, 1),
    ]
    assert entries[0]["losses"] == {"total": 0.5, "rank": 0.25} and before <= entries[0]["time"] <= time.time()


def test_a_file_that_exists_is_continued(tmp_path):
    path = tmp_path / "progress.jsonl"
    for record in RECORDS[:2]:
        with Progress(path) as bar:
            bar.epoch(record)
    assert len(path.read_text().splitlines()) == 2


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"'--progress .*' cannot be written \(No such file or directory\)\."):
        Progress(tmp_path / "nowhere" / "progress.jsonl")


def test_the_terminal_shows_stage_epochs_and_losses(screen):
    with Progress() as bar:
        for record in RECORDS:
            bar.epoch(record)
    last = screen.getvalue()
    assert "dual" in last and "2/2" in last and "total 0.4000  rank 0.2000" in last
    assert "single" in last and "1/1" in last and "total 1.0000" in last


def test_a_log_gets_no_bars(screen):
    screen.switch[0] = False
    with Progress() as bar:
        for record in RECORDS:
            bar.epoch(record)
    assert screen.getvalue() == ""


def test_the_file_is_closed_when_a_training_breaks_off(tmp_path):
    bar = Progress(tmp_path / "progress.jsonl")
    with pytest.raises(KeyboardInterrupt), bar:
        bar.epoch(RECORDS[0])
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="closed file"):
        bar.epoch(RECORDS[1])
