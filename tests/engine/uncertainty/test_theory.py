"""Identities between evidence, priors, score and true rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.uncertainty import theory as t

positive = st.floats(0.1, 20)
share = st.floats(0.01, 0.99)


@given(share, st.floats(1, 20))
def test_undersampling_is_undone_by_its_inverse(rate, tau):
    assert t.true_rate(t.kept_rate(np.float64(rate), tau), tau) == pytest.approx(rate)


@given(st.integers(1, 200), share, positive, positive)
def test_train_rate_follows_from_score_and_evidence(n, fraction, a0, b0):
    n1 = round(n * fraction)
    score, omega, gamma = (n1 + a0) / (n + a0 + b0), a0 / (a0 + b0), (a0 + b0) / n
    assert n1 / n == pytest.approx(score - (omega - score) * gamma)


@given(st.integers(1, 200), share, positive, positive, positive, positive)
def test_rate_at_score_is_the_posterior_mean(n, fraction, a, b, a0, b0):
    n1 = round(n * fraction)
    score, gamma = (n1 + a0) / (n + a0 + b0), (a0 + b0) / n
    expected = t.rate_at_score(np.float64(score), np.float64(gamma), prior=(a, b), model_prior=(a0, b0))
    assert expected == pytest.approx((n1 + a) / (n + a + b))


@given(share, st.floats(0.01, 2), positive, positive)
def test_a_matched_prior_makes_the_score_the_rate(score, gamma, a, b):
    value = t.rate_at_score(np.float64(score), np.float64(gamma), prior=(a, b), model_prior=(a, b))
    assert value == pytest.approx(score)


@given(share, st.floats(0.01, 2), positive, positive, positive, positive)
def test_the_rate_moves_with_thin_evidence_as_the_sign_says(score, gamma, a, b, a0, b0):
    prior, model_prior = (a, b), (a0, b0)
    low, high = t.rate_at_score(np.float64(score), np.array([gamma, gamma * 1.5]), prior=prior, model_prior=model_prior)
    sign = t.slope_sign(np.float64(score), prior=prior, model_prior=model_prior)
    assert abs(high - low) < 1e-9 or np.sign(high - low) == sign


@given(st.floats(0.01, 2), positive, positive, positive, positive)
def test_the_rate_rises_with_the_score(gamma, a, b, a0, b0):
    rates = t.rate_at_score(np.linspace(0, 1, 20), np.float64(gamma), prior=(a, b), model_prior=(a0, b0))
    assert (np.diff(rates) > 0).all()


@pytest.mark.parametrize(
    ("tau", "score", "expected"),
    [
        (1, 0.3, (0.289, 0.252, 0.180)),
        (1, 0.9, (0.866, 0.756, 0.540)),
        (3, 0.5, (0.245, 0.230, 0.194)),
        (3, 0.9, (0.700, 0.578, 0.413)),
    ],
)
def test_worked_table_of_the_flat_prior_on_rare_positives(tau, score, expected):
    # model prior Beta(1, 1), true prior Beta(1, 9); gamma = .01, .05, .2, so N = 2 / gamma
    n = 2 / np.array([0.01, 0.05, 0.2])
    n1 = score * (n + 2) - 1
    np.testing.assert_allclose(t.posterior_mean(n, n1, prior=(1, 9), tau=tau), expected, atol=6e-4)


def test_quadrature_equals_the_closed_form_when_all_negatives_are_kept():
    n, n1 = np.array([0.0, 3.0, 50.0, 400.0]), np.array([0.0, 2.0, 4.0, 399.0])
    closed = t.posterior_mean(n, n1, prior=(1, 9), tau=1)
    np.testing.assert_allclose(t.posterior_mean(n, n1, prior=(1, 9), tau=1 + 1e-12), closed, rtol=1e-6)


def test_posterior_mean_matches_a_simulation_of_the_kept_rows():
    rng = np.random.default_rng(0)
    rate = rng.beta(1, 9, 1_000_000)
    kept_positives = rng.binomial(20, t.kept_rate(rate, 3.0))
    observed = rate[kept_positives == 10]
    expected = t.posterior_mean(np.array([20.0]), np.array([10.0]), prior=(1, 9), tau=3.0)[0]
    assert abs(observed.mean() - expected) < 4 * observed.std() / np.sqrt(observed.size)


@given(share, st.floats(0.01, 2), positive, positive, positive, positive)
def test_the_bias_is_the_score_minus_the_rate(score, gamma, a, b, a0, b0):
    prior, model_prior = (a, b), (a0, b0)
    rate = t.rate_at_score(np.float64(score), np.float64(gamma), prior=prior, model_prior=model_prior)
    bias = t.score_bias(np.float64(score), np.float64(gamma), prior=prior, model_prior=model_prior)
    assert bias == pytest.approx(score - rate, abs=1e-9)


def test_neither_sign_is_universal():
    # Same strength (lam = 1): the rate falls with thin evidence where the model's prior lies above the true base rate.
    scores = np.array([0.1, 0.5, 0.9])
    assert t.slope_sign(scores, prior=(1, 9), model_prior=(5, 5)).tolist() == [-1, -1, -1]
    assert t.slope_sign(scores, prior=(5, 5), model_prior=(1, 9)).tolist() == [1, 1, 1]
    # A stronger model prior with the right mean: rates fall below the base rate's score and rise above it.
    assert t.slope_sign(np.array([0.05, 0.5]), prior=(1, 9), model_prior=(10, 90)).tolist() == [-1, 1]


def test_after_undersampling_the_corrected_score_of_a_matched_prior_still_overstates_thin_evidence():
    # The prior among kept rows has the mean that the true prior has there, and the score is turned back by the inverse.
    tau, prior = 5.0, (1.0, 9.0)
    kept = t.kept_rate(np.float64(0.1), tau)
    n = np.array([20.0, 100.0, 1000.0, 20_000.0])
    n1 = 0.6 * n
    score = t.true_rate((n1 + 10 * kept) / (n + 10), tau)
    best = t.posterior_mean(n, n1, prior=prior, tau=tau)
    ratio = score / best
    # No recalibration of the score alone can mend a ratio that changes with the evidence.
    assert abs(ratio[-1] - 1) < 0.01 and abs(ratio[0] - 1) > 0.02
    assert (np.diff(np.abs(ratio - 1)) < 0).all()


def test_uncorrected_scores_overstate_the_rate_by_a_factor_that_depends_on_the_evidence():
    n = np.array([20.0, 100.0, 1000.0])
    n1 = 0.5 * (n + 2) - 1  # score 1/2 under the flat prior
    ratio = 0.5 / t.posterior_mean(n, n1, prior=(1, 9), tau=5.0)
    assert (ratio > 2).all() and (np.diff(ratio) < 0).all()


@given(share, st.floats(0, 1), share)
def test_drift_moves_rates_towards_one_value_and_keeps_their_order(rate, drift, mean):
    low, high = t.drifted_rate(np.array([0.5 * rate, rate]), share=drift, drift_mean=mean)
    assert high - low == pytest.approx((1 - drift) * 0.5 * rate)
    assert min(rate, mean) - 1e-12 <= high <= max(rate, mean) + 1e-12


@given(share, st.floats(0.1, 10))
def test_a_change_of_odds_multiplies_them(rate, kappa):
    shifted = t.shifted_odds(np.float64(rate), kappa)
    assert shifted / (1 - shifted) == pytest.approx(kappa * rate / (1 - rate))
    assert t.shifted_odds(shifted, 1 / kappa) == pytest.approx(rate)


def test_undersampling_is_a_change_of_odds():
    rate = np.array([0.01, 0.3, 0.9])
    np.testing.assert_allclose(t.kept_rate(rate, 4.0), t.shifted_odds(rate, 4.0))
