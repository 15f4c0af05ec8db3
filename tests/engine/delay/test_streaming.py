"""The stream trains on nothing before it is known, tests on what follows, and keeps its gap."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.delay.config import METHODS, DelayConfig
from engine.delay.data import prepare
from engine.delay.emission import STREAM_OF, early_label, final_label
from engine.delay.simulate import SimulationConfig, simulate
from engine.delay.streaming import MIN_TEST_STEPS, replay, timeline
from engine.delay.streaming_methods import STREAM_METHODS, StreamMethods

CONFIG = DelayConfig(
    members=1, hidden=8, steps=30, batch_size=64, resamples=20, waiting_days=4.0, attribution_days=15.0
)


@pytest.fixture(scope="module")
def log(dataset_of):
    """1,200 exposures over 80 days with a window of 15."""
    return dataset_of(simulate(1200, SimulationConfig(seed=5, days=80.0, window_days=15.0)))


@pytest.fixture(scope="module")
def prepared(log):
    return prepare(log, CONFIG)


@pytest.fixture(scope="module")
def played(log, prepared):
    return replay(log, prepared, CONFIG)


def scrambled(prepared, now: float):
    """Change everything that happens from a moment on, and nothing before it."""
    rng = np.random.default_rng(0)
    time, window = prepared.time, prepared.window
    left = np.maximum(now - time, 0.0)
    open_still = (prepared.time + prepared.delay >= now) & (time + window > now)
    drawn = left + rng.random(time.size) * (window - left)
    other = np.where(np.isfinite(prepared.delay), np.inf, drawn)
    unseen = time + prepared.engage_delay >= now
    engaged = np.where(np.isfinite(prepared.engage_delay), np.inf, left + rng.random(time.size))
    return dataclasses.replace(
        prepared,
        delay=np.where(open_still, other, prepared.delay),
        engage_delay=np.where(unseen, engaged, prepared.engage_delay),
    )


def same_until(played, other, now: float) -> dict[str, bool]:
    """Say of each method whether its tests up to a moment are the same in two replays."""
    rows = played.day <= now
    return {name: bool((p[rows] == other.probability[name][rows]).all()) for name, p in played.probability.items()}


def test_no_method_but_the_oracle_sees_what_happens_later(log, prepared, played):
    now = np.unique(played.day)[2]
    assert (scrambled(prepared, now).label != prepared.label).mean() > 0.2
    other = replay(log, scrambled(prepared, now), CONFIG)
    same = same_until(played, other, now)
    assert [name for name, kept in same.items() if not kept] == ["oracle"]
    later = {name for name, p in played.probability.items() if (p != other.probability[name])[played.day > now].any()}
    assert later == set(STREAM_METHODS) - {"pretrained"}


def test_a_label_emitted_before_it_is_known_is_found_out(log, prepared, monkeypatch):
    def at_the_exposure(time, delay, waiting, window):
        rows = early_label(time, delay, waiting, window)
        return dataclasses.replace(rows, time=rows.time - waiting[rows.exposure])

    monkeypatch.setitem(STREAM_OF, "vanilla", at_the_exposure)
    leaky = replay(log, prepared, CONFIG)
    now = np.unique(leaky.day)[2]
    same = same_until(leaky, replay(log, scrambled(prepared, now), CONFIG), now)
    assert [name for name, kept in same.items() if not kept] == ["oracle", "vanilla"]


def test_an_unripe_label_in_the_models_of_arrival_is_found_out(log, prepared, monkeypatch):
    monkeypatch.setitem(STREAM_OF, "wait", final_label)
    leaky = replay(log, prepared, CONFIG)
    now = np.unique(leaky.day)[2]
    same = same_until(leaky, replay(log, scrambled(prepared, now), CONFIG), now)
    spoiled = {name for name, kept in same.items() if not kept}
    # Kaplan-Meier asks no network; the others without weights have nothing to spoil.
    weighted = {"es_dfm", "exact_joint", "defer", "defuse", "entire_space", "dress_style"}
    assert spoiled == {"oracle", "wait"} | weighted


def test_between_pre_training_and_test_lies_one_attribution_window(prepared, played):
    days = played.timeline
    block = prepared.time < days.pretrain_to
    assert days.gap_days == 15.0 and days.first_test == days.pretrain_to + 15.0
    assert block.any() and (prepared.time + prepared.window)[block].max() < days.first_test
    assert prepared.time[played.exposure].min() >= days.first_test
    assert days.edges[0] <= days.pretrain_to and days.first_test in days.edges


def test_every_exposure_after_the_gap_is_tested_once_in_the_step_it_falls_in(prepared, played):
    after = np.flatnonzero(prepared.time >= played.timeline.first_test)
    assert sorted(played.exposure) == after.tolist()
    since = prepared.time[played.exposure] - played.day
    assert (since >= 0).all() and (since < CONFIG.stream_step_days).all()
    assert tuple(played.probability) == STREAM_METHODS and set(STREAM_METHODS) <= set(METHODS)


def test_training_ends_where_the_tested_step_begins(log, prepared, monkeypatch):
    calls: list[tuple[str, float]] = []
    learn, predict = StreamMethods.learn, StreamMethods.predict

    def noted_learn(self, start, end):
        calls.append(("learn", end))
        return learn(self, start, end)

    def noted_predict(self, rows):
        calls.append(("predict", float(prepared.time[rows].min())))
        return predict(self, rows)

    monkeypatch.setattr(StreamMethods, "learn", noted_learn)
    monkeypatch.setattr(StreamMethods, "predict", noted_predict)
    records = []
    replay(log, prepared, CONFIG, on_epoch=records.append)
    last = -np.inf
    for what, day in calls:
        assert day >= last
        last = day if what == "learn" else last
    assert sum(what == "predict" for what, _ in calls) >= MIN_TEST_STEPS
    assert [record.epoch for record in records] == list(range(1, len(records) + 1))
    assert all(np.isfinite(list(record.losses.values())).all() for record in records)


def test_features_are_standardised_on_the_pre_training_block(log, prepared, monkeypatch):
    seen = []
    start = StreamMethods.__init__

    def noted(self, prepared, x, pretrain_to, config):
        seen.append((x.numpy(), pretrain_to))
        start(self, prepared, x, pretrain_to, config)

    monkeypatch.setattr(StreamMethods, "__init__", noted)
    replay(log, prepared, CONFIG)
    x, until = seen[0]
    numbers = x[prepared.time < until][:, :6]
    assert numbers.mean(axis=0) == pytest.approx(0.0, abs=0.02) and numbers.std(axis=0) == pytest.approx(1.0, abs=0.02)


def test_one_seed_one_stream(log, prepared, played):
    again = replay(log, prepared, CONFIG)
    other = replay(log, prepared, dataclasses.replace(CONFIG, seed=1))
    for name, p in played.probability.items():
        assert (p == again.probability[name]).all() and (p != other.probability[name]).any()
        assert ((p > 0) & (p < 1)).all()


def test_a_log_of_hand_made_days_is_laid_out_as_said(prepared):
    days = np.arange(100.0)
    part = {name: np.resize(getattr(prepared, name), 100) for name in ("delay", "unit")}
    log = dataclasses.replace(prepared, time=days, window=np.full(100, 20.0), **part)
    laid = timeline(log, 10.0)
    # 99 days, 20 of them the gap; half of the rest is for pre-training.
    assert (laid.pretrain_from, laid.pretrain_to, laid.first_test) == (0.0, 39.0, 59.0)
    assert laid.edges.tolist() == [39.0, 49.0, 59.0, 69.0, 79.0, 89.0, 99.0, 109.0] and laid.reason == ""


@pytest.mark.parametrize(
    ("days", "window", "step", "message"),
    [
        (100.0, 99.0, 7.0, "too few to pre-train on"),
        (40.0, 20.0, 6.0, "2 steps with exposures after the gap of one attribution window; 3 are needed"),
        (100.0, 20.0, 0.1, "more than 300 steps"),
    ],
)
def test_a_log_that_is_too_short_says_why(prepared, days, window, step, message):
    time = np.linspace(0.0, days, prepared.time.size)
    log = dataclasses.replace(prepared, time=time, window=np.full(time.size, window))
    assert message in timeline(log, step).reason


def test_a_block_without_conversions_says_so(prepared):
    none = dataclasses.replace(prepared, delay=np.full(prepared.time.size, np.inf))
    assert "with 0 conversions" in timeline(none, 7.0).reason
    early = timeline(prepared, 7.0).first_test
    late = np.where(prepared.time >= early, np.inf, prepared.delay)
    assert "all of one class" in timeline(dataclasses.replace(prepared, delay=late), 7.0).reason
