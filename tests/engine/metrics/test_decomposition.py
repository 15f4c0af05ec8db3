"""Parts of the Brier score by hand, against scikit-learn, and against recorded values of model-diagnostics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.isotonic import isotonic_regression
from sklearn.metrics import brier_score_loss

from engine.errors import DataError
from engine.metrics.decomposition import brier_decomposition, corp_decomposition, isotonic_rates, recalibrate

coarse_scores = arrays(np.float64, 24, elements=st.sampled_from([0.0, 0.1, 0.3, 0.30000001, 0.9, 1.0]))
binary_labels = arrays(np.int64, 24, elements=st.integers(0, 1))
whole_weights = arrays(np.int64, 24, elements=st.integers(1, 4))


def scored(n=2000, seed=20):
    """Rows whose recorded values were worked out by model-diagnostics 1.5.0 (`decompose`, squared error)."""
    rng = np.random.default_rng(seed)
    prob = np.round(rng.beta(1.2, 4, n), 3)
    truth = (rng.random(n) < prob**1.3).astype(float)
    return truth, prob, rng.integers(1, 4, n)


def test_parts_equal_those_of_model_diagnostics():
    truth, prob, weight = scored()
    parts = corp_decomposition(truth, prob)
    assert parts["miscalibration"] == pytest.approx(0.006623235894428911, abs=1e-14)
    assert parts["discrimination"] == pytest.approx(0.025455343394428884, abs=1e-14)
    assert parts["uncertainty"] == pytest.approx(0.139776, abs=1e-14)
    weighted = corp_decomposition(truth, prob, sample_weight=weight)
    assert weighted["miscalibration"] == pytest.approx(0.006893795821934404, abs=1e-14)
    assert weighted["discrimination"] == pytest.approx(0.024487501951883803, abs=1e-14)
    assert weighted["score"] == pytest.approx(0.12030386177052424, abs=1e-14)


@given(binary_labels, coarse_scores, whole_weights)
def test_the_parts_give_the_brier_score(truth, prob, weight):
    expected = float(np.average((prob - truth) ** 2, weights=weight))
    corp = corp_decomposition(truth, prob, sample_weight=weight)
    assert corp["miscalibration"] - corp["discrimination"] + corp["uncertainty"] == pytest.approx(expected, abs=1e-12)
    bins = brier_decomposition(truth, prob, n_bins=3, sample_weight=weight)
    total = bins["reliability"] - bins["resolution"] + bins["uncertainty"] + bins["within"]
    assert total == pytest.approx(expected, abs=1e-12)
    assert bins["score"] == pytest.approx(expected, abs=1e-12)


def test_the_score_is_that_of_scikit_learn():
    truth, prob, weight = scored()
    assert corp_decomposition(truth, prob, sample_weight=weight)["score"] == pytest.approx(
        brier_score_loss(truth, prob, sample_weight=weight)
    )


@given(binary_labels, coarse_scores, whole_weights)
def test_a_weight_counts_as_so_many_rows(truth, prob, weight):
    repeated = np.repeat(truth, weight), np.repeat(prob, weight)
    for parts in (corp_decomposition, brier_decomposition):
        one, many = parts(truth, prob, sample_weight=weight), parts(*repeated)
        assert {k: pytest.approx(v, abs=1e-12) for k, v in one.items()} == many


@given(binary_labels, whole_weights)
def test_rates_equal_isotonic_regression_and_blocks_are_its_level_stretches(positives, weight):
    won = positives * weight
    rate, block = isotonic_rates(won, weight)
    np.testing.assert_allclose(rate, isotonic_regression(won / weight, sample_weight=weight), atol=1e-12)
    assert np.array_equal(np.diff(block) > 0, np.diff(rate) > 1e-12)


def test_groups_without_weight_take_the_next_higher_rate_or_the_last():
    rate, _ = isotonic_rates([0, 0, 0, 2, 0], [0, 2, 0, 4, 0])
    assert rate.tolist() == [0.0, 0.0, 0.5, 0.5, 0.5]


def test_groups_without_any_weight_have_no_rate():
    assert np.isnan(isotonic_rates([0, 0], [0, 0])[0]).all()


def test_recalibrated_scores_are_calibrated():
    truth, prob, weight = scored()
    fitted = recalibrate(truth, prob, sample_weight=weight)
    again = fitted.rate[np.searchsorted(fitted.score, prob)]
    parts = corp_decomposition(truth, again, sample_weight=weight)
    assert parts["miscalibration"] == pytest.approx(0, abs=1e-14)
    before = corp_decomposition(truth, prob, sample_weight=weight)
    assert parts["discrimination"] == pytest.approx(before["discrimination"])


def test_a_monotone_change_of_the_score_moves_miscalibration_alone():
    truth, prob, _ = scored()
    before, after = corp_decomposition(truth, prob), corp_decomposition(truth, prob**3)
    assert after["discrimination"] == pytest.approx(before["discrimination"])
    assert after["miscalibration"] > before["miscalibration"]


def test_murphys_parts_by_hand():
    # Bins: scores .25, .25 with labels 0, 1 (rate .5) and 1, 1 with labels 1, 1; base rate .75.
    parts = brier_decomposition([0, 1, 1, 1], [0.25, 0.25, 1.0, 1.0], n_bins=2)
    assert parts["reliability"] == pytest.approx(0.5 * 0.25**2)
    assert parts["resolution"] == pytest.approx(0.5 * 0.25**2 + 0.5 * 0.25**2)
    assert parts["uncertainty"] == pytest.approx(0.75 * 0.25)
    assert parts["within"] == 0.0


def test_rows_without_weight_are_refused():
    with pytest.raises(DataError, match="leaves no row"):
        corp_decomposition([0, 1], [0.2, 0.3], sample_weight=[0, 0])
