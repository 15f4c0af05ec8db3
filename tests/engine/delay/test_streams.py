"""Which rows every method trains on, on eight exposures that can be followed by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.delay.config import METHODS, DelayConfig
from engine.delay.data import prepare
from engine.delay.flips import clock, frozen_state, landmarks
from engine.delay.streams import UNWEIGHTED, Outlook, label_weights, snapshot_rows, streams

CONFIG = DelayConfig(as_of_day=20.0, waiting_days=3.0, attribution_days=10.0)


@pytest.fixture
def prepared(eight, dataset_of, monkeypatch):
    """The snapshot of day 20 with every exposure in training."""
    monkeypatch.setattr("engine.delay.data.require_usable", lambda *_, **__: None)
    after = eight.tail(1).assign(exposure_time=40.0, conversion_time=np.nan)
    made = prepare(dataset_of(pd.concat([eight, after], ignore_index=True).assign(visit_time=50.0)), CONFIG)
    before = np.arange(9) < 8
    return dataclasses.replace(made, train=before, holdout=np.zeros(9, dtype=bool), test=~before)


def outlook(
    late=0.2, at_waiting=0.25, plain=0.4, moved=0.45, signals=0.5, segment=0.3, seen=0.5, counterfactual=0.2
) -> Outlook:
    return Outlook(
        late=np.full(9, late),
        flip_at_waiting=np.full(9, at_waiting),
        flip_plain=np.full(9, plain),
        flip_signals=np.full(9, 0.9),
        flip_moved=np.full(9, moved),
        flip_moved_signals=np.full(9, signals),
        engaged_share=np.full(9, 0.5),
        flip_segment=np.full(9, segment),
        seen_counterfactual=np.full(9, seen),
        flip_counterfactual=np.full(9, counterfactual),
    )


def rows_of(stream) -> list[tuple[int, float, float]]:
    return sorted(
        (int(row), round(float(up), 6), round(float(down), 6))
        for row, up, down in zip(stream.exposure, stream.positive, stream.negative, strict=True)
    )


def test_every_method_has_its_rows(prepared):
    found = streams(prepared, outlook(), max_weight=10.0)
    assert tuple(found) == tuple(method for method in METHODS if method not in UNWEIGHTED)
    final = [1, 1, 0, 1, 1, 1, 0, 1]
    assert rows_of(found["oracle"]) == [(k, float(y), 1.0 - y) for k, y in enumerate(final)]
    assert rows_of(found["wait"]) == [(0, 1, 0), (1, 1, 0), (2, 0, 1)]
    # Row 7 is younger than the waiting window: its label is not read yet.
    assert rows_of(found["vanilla"]) == [(0, 1, 0), (1, 1, 0), (2, 0, 1), (3, 1, 0), (4, 1, 0), (5, 0, 1), (6, 0, 1)]
    # Row 0 alone is older than two windows.
    assert rows_of(found["pretrained"]) == [(0, 1, 0)]
    # Streams run in for the first window of the log, up to day 10; conversions came on days 2, 8, 14 and 18.
    negatives = [(k, 0.0, 1.0) for k in range(3, 8)]
    assert rows_of(found["fnw"]) == rows_of(found["fnc"]) == sorted([*negatives, (3, 1.0, 0.0), (4, 1.0, 0.0)])
    assert found["fnw"].own_weight and not found["fnc"].own_weight


def test_es_dfm_reads_at_the_waiting_window_and_adds_late_positives(prepared):
    found = streams(prepared, outlook(late=0.2, at_waiting=0.25), max_weight=10.0)
    up, down = 1.2, 1.2 * 0.75
    first = [(3, up, 0), (4, 0, down), (5, 0, down), (6, 0, down)]
    assert rows_of(found["es_dfm"]) == close(sorted([*first, (4, up, 0)]))
    assert rows_of(found["vanilla_win"]) == [(3, 1, 0), (4, 0, 1), (4, 1, 0), (5, 0, 1), (6, 0, 1)]


def test_defuse_splits_what_it_reads_as_negative_and_leaves_late_positives_alone(prepared):
    stream = streams(prepared, outlook(late=0.2, at_waiting=0.25), max_weight=10.0)["defuse"]
    fake, real = 0.25 * 0.2, 0.75 * 1.2
    assert rows_of(stream) == close([(3, 1.2, 0), (4, fake, real), (4, 1, 0), (5, fake, real), (6, fake, real)])


def test_defer_shows_every_exposure_again_with_its_final_label(prepared):
    stream = streams(prepared, outlook(late=0.2), max_weight=10.0)["defer"]
    # Row 2 was read before day 10, but its window ended on day 12. Rows 5 and 6 are still open: read once.
    assert rows_of(stream) == [(2, 0, 1), (3, 1, 0), (3, 1, 0), (4, 0, 1), (4, 1, 0), (5, 0, 1), (6, 0, 1)]
    assert stream.own_weight and stream.late.tolist() == [0.2] * 7
    positive, negative = label_weights(stream, np.full(9, 0.5))
    assert positive[positive > 0] == pytest.approx(0.5 / 0.4) and negative[negative > 0] == pytest.approx(0.5 / 0.6)
    # A model that says less than p_dp is held to p_dp = p: w+ = 2.
    positive, _ = label_weights(stream, np.full(9, 0.1))
    assert positive[positive > 0] == pytest.approx(2.0)


def test_fsiw_weighs_the_label_so_far_once(prepared):
    stream = streams(prepared, outlook(seen=0.5, counterfactual=0.2), max_weight=10.0)["fsiw"]
    assert rows_of(stream) == [(0, 2, 0), (1, 2, 0), (2, 0, 0.8), (3, 2, 0), (4, 2, 0), (5, 0, 0.8), (6, 0, 0.8)]


def test_methods_with_a_risk_of_their_own_have_labels_so_far(prepared):
    found = snapshot_rows(prepared, counterfactual_days=5.0)
    assert tuple(found) == UNWEIGHTED
    so_far = [(0, 1, 0), (1, 1, 0), (2, 0, 1), (3, 1, 0), (4, 1, 0), (5, 0, 1), (6, 0, 1), (7, 0, 1)]
    assert rows_of(found["dfm"]) == so_far and rows_of(found["esdf"]) == so_far[:7]
    # Row 4 converted on day 18, after the pretended deadline of day 15: it stands for one that is yet to come.
    assert rows_of(found["nndf"]) == sorted([*so_far, (4, 1, -1)])
    # Deadline day 5: row 1 converted on day 8; later exposures did not exist then.
    assert rows_of(snapshot_rows(prepared, counterfactual_days=15.0)["nndf"]) == sorted([*so_far, (1, 1, -1)])
    recent = dataclasses.replace(prepared, start=17.0)  # row 1, moved by 15 days, came on day 16
    assert rows_of(snapshot_rows(recent, counterfactual_days=15.0)["nndf"]) == [(7, 0, 1)]


def test_a_log_too_short_for_two_windows_pretrains_on_its_older_matured_half(prepared):
    young = dataclasses.replace(prepared, time=prepared.time + 0.5)
    assert rows_of(streams(young, outlook(), max_weight=10.0)["pretrained"]) == [(0, 1, 0), (1, 1, 0)]


def close(rows):
    return [(k, pytest.approx(up), pytest.approx(down)) for k, up, down in rows]


def test_exact_weights_keep_final_labels_and_split_open_ones(prepared):
    found = streams(prepared, outlook(plain=0.4, signals=0.5), max_weight=10.0)
    sure = [(0, 1, 0), (1, 1, 0), (2, 0, 1), (3, 1, 0), (4, 1, 0)]
    assert rows_of(found["exact_joint"]) == [*sure, (5, 0.4, 0.6), (6, 0.4, 0.6)]
    assert rows_of(found["entire_space"]) == [*sure, (5, 0.45, 0.55), (6, 0.45, 0.55)]
    assert rows_of(found["dress_style"]) == [*sure, (5, 0.5, 0.5), (6, 0.5, 0.5)]
    assert rows_of(found["kaplan_meier"]) == [*sure, (5, 0.3, 0.7), (6, 0.3, 0.7)]
    assert rows_of(found["ulc"]) == [*sure, (5, 0.2, 0.8), (6, 0.2, 0.8)]


def test_ours_takes_an_exposure_younger_than_the_waiting_window_once_it_is_engaged(prepared):
    engaged = dataclasses.replace(prepared, engage_delay=np.where(np.arange(9) == 7, 0.5, prepared.engage_delay))
    found = streams(engaged, outlook(signals=0.5), max_weight=10.0)
    assert rows_of(found["dress_style"])[-1] == (7, 0.5, 0.5)
    assert all(7 not in found[method].exposure for method in ("entire_space", "exact_joint", "vanilla"))


def test_a_training_window_starts_by_exposure_and_for_streams_by_emission(prepared):
    recent = dataclasses.replace(prepared, start=10.0)
    found = streams(recent, outlook(), max_weight=10.0)
    assert sorted(found["oracle"].exposure) == [3, 4, 5, 6, 7]
    assert sorted(found["vanilla"].exposure) == [3, 4, 5, 6]
    assert sorted(found["wait"].exposure) == [0, 1, 2]  # its window is shifted back by the attribution window
    # Conversions of days 2 and 8 were emitted before day 10, and so were the first reads of rows 0 to 2.
    assert sorted(found["fnw"].exposure) == [3, 3, 4, 4, 5, 6, 7]
    assert sorted(found["es_dfm"].exposure) == [3, 4, 4, 5, 6]


def test_weights_above_the_limit_are_clipped_and_their_share_is_kept(prepared):
    stream = streams(prepared, outlook(late=0.2), max_weight=1.1)["es_dfm"]
    assert stream.positive.max() == 1.1 and stream.clipped_share == pytest.approx(2 / 5)
    assert streams(prepared, outlook(), max_weight=10.0)["es_dfm"].clipped_share == 0.0


def test_landmarks_come_from_matured_training_exposures_before_their_conversion(prepared):
    marks = landmarks(prepared, count=5, rng=np.random.default_rng(0))
    assert set(marks.exposure) <= {0, 1, 2}
    assert (marks.elapsed < prepared.delay[marks.exposure]).all()
    assert ((marks.elapsed >= 0) & (marks.elapsed < 10)).all()
    assert marks.flips.tolist() == prepared.label[marks.exposure].tolist()
    assert (marks.exposure == 2).sum() == 5  # never converts: open at every landmark


def test_landmarks_leave_out_held_out_and_test_exposures_however_old(prepared):
    place = np.arange(9)
    parts = dataclasses.replace(
        prepared, time=np.full(9, -50.0), train=place < 3, holdout=(place >= 3) & (place < 6), test=place >= 6
    )
    assert parts.matured.all()
    marks = landmarks(parts, count=5, rng=np.random.default_rng(0))
    assert set(marks.exposure) == {0, 1, 2}


def test_negative_weights_above_the_limit_are_clipped_too(prepared):
    stream = streams(prepared, outlook(late=0.5, at_waiting=0.1), max_weight=1.0)["es_dfm"]
    assert 1.5 * 0.9 > 1.0 and stream.negative.max() == 1.0
    assert stream.clipped_share == 1.0


def test_the_engagement_state_grows_until_the_waiting_window_and_then_stays(prepared):
    exposure = np.full(4, 0)  # engaged after 1 day
    assert frozen_state(prepared, exposure, np.array([0.0, 0.9, 1.0, 9.0])).tolist() == [0, 0, 1, 1]
    late = np.full(2, 5)  # engaged after 2 days
    assert frozen_state(prepared, late, np.array([1.5, 9.0])).tolist() == [0, 1]


def test_the_clock_runs_within_its_bounds(prepared):
    columns = clock(prepared, np.zeros(3, dtype=int), np.array([0.0, 5.0, 10.0]))
    assert columns.dtype == np.float32 and columns.min() >= -1 and columns.max() <= 1
    assert (np.diff(columns[:, 0]) > 0).all() and (np.diff(columns[:, 2]) < 0).all()
