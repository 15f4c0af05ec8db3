"""What the metrics accept at their door."""

import numpy as np
import pytest

from engine.errors import ConfigError, DataError, UndefinedMetricWarning
from engine.metrics.inputs import labels, positive_integer, undefined, vector, weighted_mean, weights


def test_lists_integers_and_booleans_become_float64():
    for values in ([0, 1], (False, True), np.array([0, 1], dtype=np.int8)):
        array = vector("column", values)
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, [0.0, 1.0])


def test_the_first_bad_row_is_named_even_if_there_are_more():
    with pytest.raises(DataError, match=r"`y_true` is 3\.0 in row 2 \(counted from 0\); labels are 0 or 1"):
        labels([0, 1, 3, 4])


def test_rows_weigh_one_unless_told_otherwise():
    np.testing.assert_array_equal(weights(None, 3), [1, 1, 1])
    np.testing.assert_array_equal(weights([0, 2], 2), [0, 2])


def test_numpy_integers_count_like_python_ones():
    assert positive_integer("k", np.int64(3)) == 3
    with pytest.raises(ConfigError, match=r"`k` is 3\.0; a whole number"):
        positive_integer("k", 3.0)


def test_a_weighted_mean_by_hand():
    assert weighted_mean("metric", np.array([1.0, 4.0]), np.array([2.0, 1.0])) == 2.0


def test_an_undefined_value_is_nan_and_says_why():
    with pytest.warns(UndefinedMetricWarning, match=r"roc_auc is undefined: one class\. The value is NaN\."):
        assert np.isnan(undefined("roc_auc", "one class"))
