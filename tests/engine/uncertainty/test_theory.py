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
