"""Rare values are uncertain, whatever they are called and whatever the sampling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.uncertainty.counts import count_proxy

FRAME = pd.DataFrame(
    {
        "shelf": ["milk", "milk", "milk", "tea", "soap", None],
        "town": pd.Categorical(["x", "x", "y", "y", "y", "z"]),
        "price": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    }
)
TRAIN = np.array([True, True, True, True, False, False])


def test_values_are_counted_on_training_rows_by_weight():
    proxy = count_proxy(FRAME, TRAIN, np.array([1, 1, 2, 1, 1, 1]))
    shelf, town = [1 / 5, 1 / 5, 1 / 5, 1 / 2, 1, 1], [1 / 3, 1 / 3, 1 / 4, 1 / 4, 1 / 4, 1]
    assert proxy == pytest.approx(np.add(shelf, town))


def test_rows_outside_training_change_nothing():
    changed = FRAME.assign(shelf=["milk", "milk", "milk", "tea", "tea", "tea"])
    own, other = (count_proxy(frame, TRAIN, np.ones(6, dtype=np.int64)) for frame in (FRAME, changed))
    assert (own[:4] == other[:4]).all() and own[4] != other[4]


def test_numbers_alone_leave_nothing_to_count():
    assert count_proxy(FRAME[["price"]], TRAIN, np.ones(6, dtype=np.int64)).tolist() == [0.0] * 6
