"""Mixture cure models: recovered truth, exact expectations, the model without features, and recorded peers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.delay.cure import LAWS, fit_cure
from engine.delay.cure_curves import cure_of, cure_table, with_cure
from engine.errors import ConfigError, DataError


def expected_cells(
    share: float, scale: float, shape: float, ages: np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the expected counts of 1,000 rows per age (in bins of length 1): no noise at all."""
    edges = np.arange(bins + 1)
    arrived = share * -np.expm1(-((edges / scale) ** shape))
    lower, upper, count = [], [], []
    for age in ages:
        lower += [*edges[:age], age]
        upper += [*edges[1 : age + 1], np.inf]
        count += [*(1000 * np.diff(arrived[: age + 1])), 1000 * (1 - arrived[age])]
    return np.array(lower, float), np.array(upper, float), np.array(count)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 0.9), st.floats(1.0, 8.0), st.floats(0.6, 2.0))
def test_the_likelihood_peaks_at_the_truth_when_counts_are_their_expectations(share, scale, shape):
    cells = expected_cells(share, scale, shape, np.arange(1, 31), 30)
    fitted = fit_cure(*cells, law="weibull")
    assert (fitted.converted, fitted.scale, fitted.shape) == pytest.approx((share, scale, shape), rel=1e-3)
    assert fitted.converted_low < share < fitted.converted_high


def test_the_exponential_law_is_the_weibull_law_of_shape_one():
    cells = expected_cells(0.3, 3.0, 1.0, np.arange(1, 16), 15)
    exponential, weibull = (fit_cure(*cells, law=law) for law in LAWS)
    assert weibull.shape == pytest.approx(1.0, abs=1e-5)
    assert exponential.converted == pytest.approx(weibull.converted, abs=1e-6)
    assert exponential.mean_delay == pytest.approx(3.0, abs=1e-5)
    assert exponential.log_likelihood == pytest.approx(weibull.log_likelihood, abs=1e-6)


def sample(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw p = .3, exponential delays of mean 3, ages uniform up to 30, a window of 15: delays and follow-up."""
    rng = np.random.default_rng(seed)
    delay = np.where(rng.random(n) < 0.3, rng.exponential(3.0, n), np.inf)
    return delay, np.minimum(rng.uniform(0, 30, n), 15.0)


def exact(delay: np.ndarray, follow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells of exact times."""
    seen = delay <= follow
    return np.minimum(delay, follow), np.where(seen, delay, np.inf), np.ones(delay.size)


def whole_bins(delay: np.ndarray, follow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether a conversion is seen in a bin that was lived through, and the bin of leaving."""
    seen = np.ceil(delay) <= np.floor(follow)
    return seen, np.where(seen, np.ceil(delay), np.floor(follow))


def binned(delay: np.ndarray, follow: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells of bins of length 1."""
    seen, leaves = whole_bins(delay, follow)
    return np.where(seen, leaves - 1, leaves), np.where(seen, leaves, np.inf), np.ones(delay.size)


def test_with_exact_times_it_is_the_delayed_feedback_model_without_features():
    delay, follow = sample(4000, 1)
    seen, time = delay <= follow, np.minimum(delay, follow)
    fitted = fit_cure(*exact(delay, follow), law="exponential")

    def log_likelihood(p: float, rate: float) -> float:
        positive = np.log(p) + np.log(rate) - rate * time
        return float(np.where(seen, positive, np.log(1 - p + p * np.exp(-rate * time))).sum())

    p, rate = fitted.converted, 1 / fitted.scale
    best = log_likelihood(p, rate)
    assert best == pytest.approx(fitted.log_likelihood, rel=1e-12)
    step = 1e-3
    assert best > max(log_likelihood(p + s * step, rate) for s in (-1, 1))
    assert best > max(log_likelihood(p, rate + s * step) for s in (-1, 1))
    slope = (log_likelihood(p + 1e-6, rate) - log_likelihood(p - 1e-6, rate)) / 2e-6
    assert abs(slope) < 1.0  # of about 4,000 times 1 / p


# Recorded with lifelines 0.30.3 on `sample(20_000, 3)`, not needed here:
#   from lifelines import MixtureCureFitter, ExponentialFitter, WeibullFitter
#   delay, follow = sample(20_000, 3); seen, time = delay <= follow, np.minimum(delay, follow)
#   m = MixtureCureFitter(base_fitter=ExponentialFitter()).fit(time, seen); 1 - m.cured_fraction_, m.lambda_
#   (and WeibullFitter: lambda_, rho_), m.log_likelihood_
LIFELINES = {
    "exponential": (0.2991802576489003, 3.111897159170621, 1.0, -21588.35330440783),
    "weibull": (0.29946698141828865, 3.1138809226415916, 0.988884455151874, -21587.93800307369),
}


@pytest.mark.parametrize("law", LAWS)
def test_exact_times_give_what_lifelines_found(law):
    fitted = fit_cure(*exact(*sample(20_000, 3)), law=law)
    converted, scale, shape, log_likelihood = LIFELINES[law]
    assert fitted.converted == pytest.approx(converted, abs=1e-4)
    assert (fitted.scale, fitted.shape) == pytest.approx((scale, shape), abs=2e-3)
    assert fitted.log_likelihood >= log_likelihood - 1e-6


def test_bins_lose_little_against_exact_times_and_nothing_against_the_truth():
    drawn = sample(20_000, 3)
    points, intervals = (fit_cure(*cells(*drawn), law="exponential") for cells in (exact, binned))
    assert intervals.converted == pytest.approx(points.converted, abs=0.003)
    assert intervals.converted_low < 0.3 < intervals.converted_high


def test_the_interval_covers_as_often_as_it_says():
    fits = [fit_cure(*binned(*sample(500, 1000 + seed)), law="exponential") for seed in range(120)]
    assert 0.91 <= np.mean([fit.converted_low <= 0.3 <= fit.converted_high for fit in fits]) <= 0.99


@pytest.mark.parametrize(
    ("cells", "law", "why"),
    [
        (([5], [np.inf], [10]), "exponential", "0 distinct times"),
        (([0, 5], [1, np.inf], [3, 10]), "exponential", "1 distinct times cannot fix 2"),
        (([0, 1, 2], [1, 2, np.inf], [3, 3, 10]), "weibull", "2 distinct times cannot fix 3"),
        (([0, 1, 2, 3], [1, 2, 3, np.inf], [1, 1, 1, 100]), "exponential", "too short"),
        (([0, 1, 2, 3], [1, 2, 3, np.inf], [1, 5, 300, 0]), "weibull", "ran to 0 or 1"),
    ],
)
def test_what_the_data_cannot_tell_is_said_and_not_guessed(cells, law, why):
    fitted = fit_cure(*cells, law=law)
    assert why in fitted.reason
    assert np.isnan([fitted.converted, fitted.converted_low, fitted.scale, fitted.mean_delay]).all()
    assert np.isnan(fitted.converted_by([0.0, 1.0])).all()


@pytest.mark.parametrize(
    "cells", [([0], [1, 2], [1]), ([2], [1], [1]), ([-1], [1], [1]), ([0], [1], [-1]), ([0], [0], [1])]
)
def test_impossible_cells_are_refused(cells):
    with pytest.raises(DataError):
        fit_cure(*cells, law="exponential")


def test_an_unknown_law_is_refused():
    with pytest.raises(ConfigError, match="exponential, weibull"):
        fit_cure([0], [1], [1], law="gamma")  # type: ignore[arg-type]


def exits() -> pd.DataFrame:
    """Return 20,000 drawn rows as the aggregate counts them, two segments of one law."""
    seen, leaves = whole_bins(*sample(20_000, 3))
    frame = pd.DataFrame(
        {
            "segment": np.where(np.arange(seen.size) % 2, "a", "b"),
            "cohort": 0.0,
            "engage_bin": -1,
            "exit_bin": leaves.astype(int),
            "converted": seen.astype(int),
        }
    )
    keys = list(frame.columns)
    return frame.groupby(keys).size().rename("n").reset_index()


def test_the_table_lays_the_fit_beside_kaplan_meier():
    counted = exits()
    table = cure_table(counted, counted, step_days=2.0, horizon_bin=15)
    assert len(table) == 2 * 3 * 2 and (table["reason"] == "").all()
    row = table[(table["key"] == "all") & (table["law"] == "exponential")].iloc[0]
    assert row["mean_delay"] == pytest.approx(6.0, rel=0.05)  # bins of 2 days
    assert row["converted_within"] == pytest.approx(row["converted"] * -np.expm1(-30 / row["scale"]))
    assert abs(row["converted_within"] - row["km_within"]) <= row["gap_max"] + 1e-12 < 0.02
    assert row["n"] == 20_000


def test_the_overlay_is_the_fitted_curve_on_the_rows_it_belongs_to():
    counted = exits()
    cure = cure_table(counted, counted, step_days=1.0, horizon_bin=15)
    arrival = pd.DataFrame(
        {
            "view": ["snapshot"] * 3 + ["final", "snapshot"],
            "group": ["all", "all", "segment", "all", "cohort"],
            "key": ["all", "all", "a", "all", "0–6"],
            "elapsed_days": [0.0, 15.0, 3.0, 3.0, 3.0],
        }
    )
    found = with_cure(arrival, cure)["cure_weibull"]
    first = cure[(cure["view"] == "snapshot") & (cure["key"] == "all") & (cure["law"] == "weibull")].iloc[0]
    segment = cure_of(counted[counted["segment"] == "a"], law="weibull", step_days=1.0)
    assert found[:3].tolist() == pytest.approx([0.0, first["converted_within"], float(segment.converted_by(3.0))])
    assert found[3:].isna().all()


def test_conversions_at_the_exposure_itself_count_to_the_first_step():
    rows = [("a", 0.0, -1, 0, 1, 4), ("a", 0.0, -1, 1, 1, 6), ("a", 0.0, -1, 2, 1, 4), ("a", 0.0, -1, 9, 0, 50)]
    names = ["segment", "cohort", "engage_bin", "exit_bin", "converted", "n"]
    merged = [("a", 0.0, -1, 1, 1, 10), *rows[2:]]
    first, second = (cure_of(pd.DataFrame(r, columns=names), law="exponential", step_days=1.0) for r in (rows, merged))
    assert (first.converted, first.scale) == pytest.approx((second.converted, second.scale), rel=1e-9)
