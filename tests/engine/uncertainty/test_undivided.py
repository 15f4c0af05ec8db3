"""Buckets that part no rows are found, with the reason."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty.rows import Rows
from engine.uncertainty.undivided import ASKED, SAME, TIED, undivided

EVEN = np.linspace(0, 1, 100)


def rows_of(uncertainty, weight=1):
    one = np.ones(len(uncertainty), dtype=np.int64)
    values = np.asarray(uncertainty, dtype=float)
    return Rows(values / 2, values, one, weight * one, np.arange(len(one)))


def reason(tune=EVEN, test=EVEN, edges=(), asked=False, **options):
    return undivided(
        {"tune": rows_of(tune, **options), "test": rows_of(test, **options)}, np.array(edges, dtype=float), asked=asked
    )


def test_rows_in_several_buckets_of_both_splits_need_no_reason():
    assert reason(edges=(0.5,)) == reason(edges=(0.5, 7.0)) == ""


def test_one_bucket_is_told_from_one_value():
    assert reason(asked=True) == ASKED and reason() == TIED
    assert reason([0.2] * 9, [0.2] * 9, asked=True) == SAME


@pytest.mark.parametrize(
    ("tune", "test", "words"),
    [
        (EVEN, EVEN, "all 200 tuning and test rows lie in uncertainty bucket 1 of 3, so the edges part nothing"),
        (200 * EVEN, EVEN, "all 100 test rows lie in uncertainty bucket 1 of 3, so the edges part nothing"),
        (EVEN, 200 * EVEN, "all 100 tuning rows lie in uncertainty bucket 1 of 3, so the edges part nothing"),
        (EVEN, EVEN + 200, "all 100 tuning rows lie in uncertainty bucket 1 of 3, so the edges part nothing"),
    ],
)
def test_edges_far_away_part_nothing(tune, test, words):
    assert reason(tune, test, edges=(90.0, 150.0)) == words


def test_a_row_or_two_apart_part_next_to_nothing():
    outlier = np.append(EVEN, 1e6)
    words = "all but 2 of 202 tuning and test rows lie in uncertainty bucket 1 of 2, so the edges part next to nothing"
    assert reason(outlier, outlier, edges=(1e5,)) == words
    assert reason(edges=(0.93,)) == "" and reason(EVEN[::20], EVEN[::20], edges=(0.8,)) == ""


def test_a_weight_stands_for_so_many_rows():
    assert reason(edges=(9.0,), weight=4).startswith("all 800 tuning and test rows")
