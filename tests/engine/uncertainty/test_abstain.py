"""Leaving out doubtful rows: exact on a few rows, better than the score only where uncertainty knows more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.uncertainty.abstain import COVERAGE, risk_coverage
from engine.uncertainty.rows import Rows


def tables(rows, threshold=0.5, resamples=30):
    return risk_coverage(rows, threshold=threshold, seed=0, resamples=resamples, rng=np.random.default_rng(0))


def curve_of(table, method, metric):
    return table[(table["method"] == method) & (table["metric"] == metric)].set_index("coverage")["value"]


@pytest.fixture(scope="module")
def noisy():
    """Draw rows whose score is spoilt where its uncertainty is high, at whatever score."""
    rng = np.random.default_rng(4)
    n = 4000
    rate, spoilt = rng.beta(1, 2, n), rng.random(n) < 0.4
    score = np.where(spoilt, rng.permutation(rate), rate)
    return Rows(
        score=score,
        uncertainty=spoilt + 0.1 * rng.random(n),
        label=(rng.random(n) < rate).astype(np.int64),
        weight=np.ones(n, dtype=np.int64),
        unit=np.arange(n),
    )


def test_four_rows_by_hand():
    rows = Rows(
        score=np.array([0.9, 0.2, 0.8, 0.4]),
        uncertainty=np.array([0.1, 0.2, 0.3, 0.4]),
        label=np.array([1, 0, 0, 1]),
        weight=np.ones(4, dtype=np.int64),
        unit=np.arange(4),
    )
    curve, areas = tables(rows)
    error = curve_of(curve, "uncertainty", "error")
    # Rows enter in the order of their uncertainty; the first two decisions are right, the others wrong.
    assert error[[0.25, 0.5, 0.75, 1.0]].tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])
    assert curve_of(curve, "uncertainty", "precision")[[0.25, 0.5, 1.0]].tolist() == [1, 1, 0.5]
    brier = curve_of(curve, "score_ambiguity", "brier")
    # By distance from 1/2: 0.9 first, 0.4 last; 0.2 and 0.8 tie in between.
    assert brier[0.25] == pytest.approx(0.01) and brier[0.75] == pytest.approx((0.01 + 0.04 + 0.64) / 3)
    assert set(curve_of(curve, "random", "brier").round(6)) == {round((0.01 + 0.04 + 0.64 + 0.36) / 4, 6)}
    own = areas[(areas["method"] == "uncertainty") & (areas["baseline"] == "") & (areas["metric"] == "area_error")]
    assert own["value"].iloc[0] == pytest.approx(error.mean())


def test_all_orders_end_at_the_same_value(noisy):
    curve, _ = tables(noisy)
    assert len(curve) == 3 * 4 * COVERAGE.size
    last = curve[curve["coverage"] == 1.0].groupby("metric")["value"]
    assert last.max().tolist() == pytest.approx(last.min().tolist())


def test_uncertainty_that_knows_where_the_score_is_spoilt_beats_its_ambiguity(noisy):
    _, areas = tables(noisy, resamples=100)
    against = areas[areas["baseline"] == "score_ambiguity"].set_index("metric")
    assert against.loc["area_log_loss", "ci_high"] < 0
    by_chance = areas[areas["baseline"] == "random"].set_index("metric")
    assert by_chance.loc["area_log_loss", "ci_high"] < 0


def test_shuffled_uncertainty_is_chance(noisy):
    shuffled = replace(noisy, uncertainty=np.random.default_rng(1).permutation(noisy.uncertainty))
    _, areas = tables(shuffled, resamples=100)
    own = areas[areas["baseline"] == "random"].set_index("metric").loc["area_log_loss"]
    assert own["ci_low"] < 0 < own["ci_high"]


def test_an_order_is_unchanged_by_a_rising_transform(noisy):
    cubed = replace(noisy, uncertainty=np.exp(3 * noisy.uncertainty))
    for one, other in zip(tables(noisy), tables(cubed), strict=True):
        assert one.equals(other)


def test_rows_that_stand_for_several_count_as_such(noisy):
    some = Rows(*(getattr(noisy, name)[:600] for name in ("score", "uncertainty", "label", "weight", "unit")))
    twice = Rows(*(np.repeat(getattr(some, n), 2) for n in ("score", "uncertainty", "label", "weight", "unit")))
    heavy = replace(some, weight=np.full(600, 2))
    one, other = (curve_of(tables(rows)[0], "uncertainty", "brier") for rows in (heavy, twice))
    np.testing.assert_allclose(one, other, atol=2e-3)


def test_a_threshold_out_of_reach_selects_nothing(noisy):
    curve, _ = tables(noisy, threshold=np.inf)
    assert curve_of(curve, "uncertainty", "precision").isna().all()
    assert curve_of(curve, "uncertainty", "error")[1.0] == pytest.approx(noisy.label.mean())
