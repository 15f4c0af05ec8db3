"""All resamples at once give what one weighted computation per resample gives."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from engine.graph.intervals import Resamples


@pytest.fixture
def resamples():
    """Forty rows of nine queries, thirty resamples."""
    rng = np.random.default_rng(0)
    query = np.concatenate([np.arange(9), rng.integers(9, size=31)])
    return Resamples.draw(query, 30, rng)


def test_the_first_row_is_the_sample_and_every_resample_has_its_size(resamples):
    assert resamples.counts.shape == (31, 9)
    assert (resamples.counts[0] == 1).all() and (resamples.counts.sum(axis=1) == 9).all()


def test_ratios_are_weighted_means(resamples):
    rng = np.random.default_rng(1)
    value, inside = rng.random((40, 2)), rng.integers(0, 2, size=(40, 2)).astype(float)
    found = resamples.ratios(value * inside, inside)
    for row, counts in zip(found, resamples.counts, strict=True):
        weight = counts[resamples.query][:, np.newaxis] * inside
        assert row == pytest.approx((weight * value).sum(axis=0) / weight.sum(axis=0))


def test_areas_are_weighted_areas_under_the_curve_with_ties(resamples):
    rng = np.random.default_rng(2)
    rows = np.arange(5, 40)
    positive, negative = rng.integers(2, 8, size=35).astype(float), rng.integers(0, 6, size=35).astype(float)
    found = resamples.areas(positive, negative, rows)
    label, score = np.repeat([1, 0], 35), np.concatenate([positive, negative])
    for value, counts in zip(found, resamples.counts, strict=True):
        weight = np.tile(counts[resamples.query[rows]], 2)
        assert value == pytest.approx(roc_auc_score(label, score, sample_weight=weight))


def test_nothing_to_count_is_no_number(resamples):
    nothing = np.zeros((40, 1))
    assert np.isnan(resamples.ratios(nothing, nothing)).all()
    none = np.empty(0)
    assert np.isnan(resamples.areas(none, none, none.astype(np.int64))).all()


def test_repeating_the_edges_of_every_query_narrows_no_interval():
    # The same 30 queries with one edge each, then with nine copies of it: no new query, so no new evidence.
    value = np.random.default_rng(3).random(30)
    width = []
    for copies in (1, 9):
        query = np.repeat(np.arange(30), copies)
        resamples = Resamples.draw(query, 400, np.random.default_rng(4))
        numerator = value[query][:, np.newaxis]
        means = resamples.ratios(numerator, np.ones_like(numerator))[1:]
        width.append(np.ptp(np.quantile(means, [0.025, 0.975])))
    assert width[1] == pytest.approx(width[0]) and width[0] > 0
