"""Features become network inputs by what the training rows show, and by nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.errors import DataError
from engine.uncertainty.encoding import encode

TRAIN = np.arange(20) < 12


def test_numbers_have_mean_zero_and_spread_one_on_the_training_rows():
    encoded = encode(pd.DataFrame({"x": np.arange(20.0)}), TRAIN)
    assert encoded.numeric[TRAIN].mean() == pytest.approx(0, abs=1e-6)
    assert encoded.numeric[TRAIN].std() == pytest.approx(1, abs=1e-6)


def test_later_rows_change_nothing_in_how_training_rows_look():
    frame = pd.DataFrame({"x": np.arange(20.0), "c": ["a", "b"] * 10})
    later = frame.copy()
    later.loc[15:, "x"] = 1e6
    later.loc[15:, "c"] = "new"
    before, after = encode(frame, TRAIN), encode(later, TRAIN)
    assert (before.numeric[TRAIN] == after.numeric[TRAIN]).all()
    assert (before.category[TRAIN] == after.category[TRAIN]).all() and before.cardinality == after.cardinality


def test_values_far_outside_the_training_range_are_held_at_eight():
    frame = pd.DataFrame({"x": np.append(np.arange(19.0), 1e9)})
    assert encode(frame, TRAIN).numeric[-1, 0] == 8.0


def test_a_missing_number_is_the_mean_and_is_marked():
    values = np.arange(20.0)
    values[[3, 15]] = np.nan
    encoded = encode(pd.DataFrame({"x": values}), TRAIN)
    assert encoded.numeric_names == ("x", "x is missing")
    assert encoded.numeric[[3, 15]].tolist() == [[0.0, 1.0], [0.0, 1.0]]


def test_a_column_that_is_constant_in_training_is_left_out():
    assert encode(pd.DataFrame({"x": np.where(TRAIN, 1.0, 2.0)}), TRAIN).numeric.shape == (20, 0)


def test_rare_unseen_and_missing_categories_share_index_zero():
    values = np.array(["a"] * 6 + ["b"] * 5 + ["rare"] + ["unseen", None, "a", "b"] * 2, dtype=object)
    encoded = encode(pd.DataFrame({"c": values}), TRAIN)
    assert encoded.cardinality == (3,)
    assert encoded.category[[0, 6, 11, 12, 13, 14, 15], 0].tolist() == [1, 2, 0, 0, 0, 1, 2]


def test_an_infinite_number_is_refused_with_its_row():
    with pytest.raises(DataError, match="'x' is infinite in data row 8"):
        encode(pd.DataFrame({"x": np.where(np.arange(20) == 7, np.inf, 1.0)}), TRAIN)


def test_dates_are_refused_with_what_to_do():
    with pytest.raises(DataError, match="'x' holds dates; give it the role 'time'"):
        encode(pd.DataFrame({"x": pd.date_range("2020-01-01", periods=20)}), TRAIN)
