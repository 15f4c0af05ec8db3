"""Values by rank: exact where nothing may be off, within the slack elsewhere, whatever the values are."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.uncertainty.order_statistics import values_at

FLOATS = st.floats(min_value=-1e300, max_value=1e300, allow_subnormal=False)


def found(values, ranks, slack=1.0, upper=False):
    column = ibis.memtable(pa.table({"x": np.asarray(values, dtype=float)})).x
    return values_at(column, np.asarray(ranks), np.full(len(ranks), slack), upper=upper)


@pytest.mark.parametrize("upper", [False, True])
def test_ranks_are_those_of_a_sort(upper):
    values = np.random.default_rng(0).beta(0.3, 5, 3000)
    ranks = np.array([1, 2, 1500, 2990, 2999, 3000])
    assert found(values, ranks, upper=upper).tolist() == np.sort(values)[ranks - 1].tolist()


def test_values_that_crowd_in_a_corner_of_their_span_are_told_apart():
    values = np.concatenate([1e-6 * np.random.default_rng(1).random(2000), [1.0]])
    ranks = np.array([10, 1000, 2000, 2001])
    assert found(values, ranks).tolist() == np.sort(values)[ranks - 1].tolist()


def test_equal_values_are_one_however_many_they_are():
    values = [0.2] * 500 + [0.5] + [0.7] * 499
    assert found(values, [1, 500, 501, 502, 1000]).tolist() == [0.2, 0.2, 0.5, 0.7, 0.7]
    assert found([3.0] * 5, [1, 5]).tolist() == [3.0, 3.0]


def test_a_slack_lets_a_cell_stand_for_its_ranks_by_either_end():
    values = np.arange(100_000) / 1e5
    for upper in (False, True):
        near = found(values, [50_000], slack=500.0, upper=upper)[0] * 1e5 + 1
        assert abs(near - 50_000) <= 500
    assert found(values, [50_000], slack=500.0) < found(values, [50_000], slack=500.0, upper=True)


@settings(max_examples=25, deadline=None)
@given(arrays(np.float64, st.integers(1, 60), elements=FLOATS))
def test_any_values_come_back_within_what_their_span_resolves(values):
    ranks = np.arange(1, values.size + 1)
    ordered = np.sort(values)
    near = (ordered[-1] * 0.5 - ordered[0] * 0.5) * 2.0**-50
    assert np.all(np.abs(found(values, ranks) * 0.5 - ordered * 0.5) <= near)
    assert np.isin(found(values, ranks, upper=True), values).all()
