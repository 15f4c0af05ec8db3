"""Rows of the pretended deadline: what was visible then, what is visible now, and nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.delay.config import DelayConfig
from engine.delay.counterfactual import counterfactual_rows
from engine.delay.data import prepare


@pytest.fixture
def prepared(eight, dataset_of, monkeypatch):
    """The snapshot of day 20 with every exposure in training."""
    monkeypatch.setattr("engine.delay.data.require_usable", lambda *_, **__: None)
    config = DelayConfig(as_of_day=20.0, waiting_days=3.0, attribution_days=10.0)
    after = eight.tail(1).assign(exposure_time=40.0, conversion_time=np.nan)
    made = prepare(dataset_of(pd.concat([eight, after], ignore_index=True).assign(visit_time=50.0)), config)
    before = np.arange(9) < 8
    return dataclasses.replace(made, train=before, holdout=np.zeros(9, dtype=bool), test=~before)


def test_a_deadline_five_days_back_looks_at_the_exposures_before_it(prepared):
    rows = counterfactual_rows(prepared, days=5.0)
    assert rows.exposure.tolist() == [0, 1, 2, 3, 4, 5, 6]  # row 7 came on day 19
    assert rows.elapsed.tolist() == [15, 14, 13, 3, 3, 2, 1]
    # Row 3 converted on day 14, row 4 on day 18, row 5 after the snapshot.
    assert rows.by_deadline.tolist() == [True, True, False, True, False, False, False]
    assert rows.by_snapshot.tolist() == [True, True, False, True, True, False, False]
    assert rows.moved.tolist() == [5, 6, 7, 17, 17, 18, 19]


def test_a_deadline_one_window_back_reads_final_labels_only(prepared):
    rows = counterfactual_rows(prepared, days=None)
    assert rows.exposure.tolist() == [0, 1, 2]
    assert rows.by_snapshot.astype(float).tolist() == prepared.label[rows.exposure].tolist()


def test_held_out_exposures_and_those_of_the_test_are_left_out(prepared):
    place = np.arange(9)
    parts = dataclasses.replace(
        prepared, time=np.full(9, -50.0), train=place < 3, holdout=(place >= 3) & (place < 6), test=place >= 6
    )
    assert counterfactual_rows(parts, days=None).exposure.tolist() == [0, 1, 2]


def test_what_comes_after_the_snapshot_changes_no_row(prepared):
    after = np.where(prepared.seen, prepared.delay, np.array([3.0] * 8 + [np.inf]) + prepared.age)
    changed = dataclasses.replace(prepared, delay=after)
    assert not np.array_equal(changed.label, prepared.label)
    for days in (None, 5.0):
        one, other = (counterfactual_rows(item, days=days) for item in (prepared, changed))
        for field in dataclasses.fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name


def test_a_short_look_ahead_takes_slow_conversions_for_none(simulated, dataset_of, quick_config):
    prepared = prepare(dataset_of(simulated), quick_config())

    def flips(days: float | None) -> tuple[float, float]:
        rows = counterfactual_rows(prepared, days=days)
        still = ~rows.by_deadline & (rows.elapsed < prepared.window[rows.exposure])
        return float(rows.by_snapshot[still].mean()), float(prepared.label[rows.exposure[still]].mean())

    assert flips(None)[0] == flips(None)[1]
    short, final = flips(5.0)
    assert short < 0.8 * final
