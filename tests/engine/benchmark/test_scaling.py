"""What the benchmarks of scale share: a planted power law is found, and memory is what was held."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.scaling import growth_lines, peak_gib, power_law

SIZES = pd.Series([1e3, 1e4, 1e5, 1e6])


def test_the_exponent_of_every_figure_is_found_by_its_name():
    found = power_law(SIZES, pd.DataFrame({"all_seconds": 3 * SIZES**1.25, "peak_gib": 0.1 * SIZES**0.5}))
    assert found["figure"].tolist() == ["all_seconds", "peak_gib"]
    assert found["exponent"].tolist() == pytest.approx([1.25, 0.5]) and (found["n"] == 4).all()


def test_the_interval_is_that_of_a_slope_by_least_squares():
    x, y = np.log(SIZES), np.log(SIZES) + np.array([0.1, -0.2, 0.2, -0.1])
    found = power_law(SIZES, pd.DataFrame({"seconds": np.exp(y)})).iloc[0]
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    rest = y - y.mean() - slope * (x - x.mean())
    error = np.sqrt((rest**2).sum() / 2 / ((x - x.mean()) ** 2).sum())
    # Student's t with two degrees of freedom.
    assert found["exponent"] == pytest.approx(slope)
    assert found["ci_high"] - found["exponent"] == pytest.approx(4.302653 * error, rel=1e-6)


def test_two_sizes_leave_no_degree_of_freedom():
    found = power_law(SIZES.head(2), pd.DataFrame({"seconds": SIZES.head(2)}))
    assert found[["exponent", "ci_low", "ci_high"]].isna().all(axis=None) and found["n"].tolist() == [2]


def test_the_lines_name_figure_size_interval_and_n():
    fitted = pd.DataFrame({"figure": ["all_seconds"], "exponent": 1.0, "ci_low": 0.9, "ci_high": 1.1, "n": 3})
    assert growth_lines(fitted, what="rows")[1:] == [
        "Growth of ours with the rows (exponent of a power law, 95 % interval):",
        "all seconds: 1.00 [0.90, 1.10] · n 3 sizes",
    ]


def test_the_peak_covers_what_was_held_once():
    before = peak_gib()
    held = np.ones(2**28, dtype=np.uint8)
    held[:] = 2
    del held
    assert peak_gib() >= max(before, 0.25)
