"""The beta distribution against SciPy, and in as little time however large its parameters."""

import time

import numpy as np
import pytest
from scipy.special import betainc, betaincinv

from engine.metrics.beta import beta_quantile, regularised_beta


def test_the_incomplete_beta_function_equals_scipy():
    x, a, b = (v.ravel() for v in np.meshgrid([0, 1e-6, 0.3, 0.5, 0.999, 1], [0.5, 1, 40, 1e5], [0.7, 3, 2e4]))
    np.testing.assert_allclose(regularised_beta(x, a, b), betainc(a, b, x), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("share", [0.0005, 0.025, 0.5, 0.975])
def test_quantiles_equal_those_of_scipy_from_one_row_to_a_hundred_million(share):
    sizes = [0.5, 1, 2.5, 15.9, 16, 499, 501, 2e3, 1e5, 1e7, 1e8]
    a, b = (v.ravel() for v in np.meshgrid(sizes, sizes))
    np.testing.assert_allclose(beta_quantile(share, a, b), betaincinv(a, b, share), rtol=5e-9)


def test_a_thousand_intervals_of_millions_of_rows_take_no_longer_than_those_of_thousands():
    share = np.linspace(0.01, 0.9, 500)

    def seconds(rows: float) -> float:
        started = time.process_time()
        beta_quantile(0.025, rows * share, rows * (1 - share))
        return time.process_time() - started

    assert seconds(1e7) < 5 * seconds(1e5)
