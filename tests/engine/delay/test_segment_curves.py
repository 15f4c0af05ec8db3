"""Flip probabilities from the curve of the segment: by hand, on the training rows alone, and falling with age."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.delay.data import Prepared, prepare
from engine.delay.segment_curves import flip_of_segments


@pytest.fixture
def prepared(simulated, dataset_of, quick_config) -> Prepared:
    return prepare(dataset_of(simulated), quick_config())


def by_hand(prepared: Prepared, learn: np.ndarray, age: float, window: float) -> float:
    """Multiply the shares that stay, one conversion after the other, between two ages."""
    end = np.where(prepared.seen, prepared.delay, np.minimum(prepared.age, prepared.window))[learn]
    seen = prepared.seen[learn]
    stays = 1.0
    for moment in np.unique(end[seen]):
        if age < moment <= window:
            stays *= 1 - np.sum(seen & (end == moment)) / np.sum(end >= moment)
    return 1 - stays


def test_an_exposure_flips_as_its_segment_did(prepared):
    found = flip_of_segments(prepared)
    rows = np.flatnonzero(~prepared.test & ~prepared.matured)[::40]
    assert rows.size > 5
    for row in rows:
        learn = prepared.train & (prepared.segment == prepared.segment[row])
        assert found[row] == pytest.approx(by_hand(prepared, learn, prepared.age[row], prepared.window[row]))


def test_flips_fall_with_age_within_a_segment_and_end_with_the_window(prepared):
    found = flip_of_segments(prepared)
    assert (found[prepared.matured & ~prepared.test] == 0).all()
    for name in set(prepared.segment):
        rows = np.flatnonzero((prepared.segment == name) & ~prepared.test)
        order = rows[np.argsort(prepared.age[rows], kind="stable")]
        assert (np.diff(found[order]) <= 1e-12).all()
        assert found[order[0]] > found[order[-1]]


def test_held_out_rows_and_the_future_change_nothing(prepared):
    never = np.where(prepared.train & prepared.seen, prepared.delay, np.inf)
    assert np.array_equal(flip_of_segments(prepared), flip_of_segments(dataclasses.replace(prepared, delay=never)))


def test_a_segment_unknown_to_training_takes_the_curve_of_all(prepared):
    new = prepared.segment.copy()
    row = int(np.flatnonzero(prepared.holdout & ~prepared.matured)[0])
    new[row] = "new"
    found = flip_of_segments(dataclasses.replace(prepared, segment=new))[row]
    assert found == pytest.approx(by_hand(prepared, prepared.train, prepared.age[row], prepared.window[row]))
