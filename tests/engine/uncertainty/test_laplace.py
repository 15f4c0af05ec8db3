"""The last layer's posterior is the exact one of logistic regression with a Gaussian prior, to second order."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from engine.uncertainty.laplace import fit_last_layer, gaussian_samples, probit_score, with_constant


def test_one_feature_by_hand():
    # H = 2 * 3^2 * 0.25 + 1 * 1^2 * 0.16 + 0.5; the variance at phi = 2 is 4 / H.
    features, rate, weight = np.array([[3.0], [1.0]]), np.array([0.5, 0.2]), np.array([2.0, 1.0])
    layer = fit_last_layer(features, rate, weight, prior_precision=0.5)
    assert layer.variance(np.array([[2.0]]))[0] == pytest.approx(4 / (2 * 9 * 0.25 + 0.16 + 0.5))


def test_without_rows_the_prior_is_left():
    layer = fit_last_layer(np.zeros((1, 2)), np.array([0.5]), np.array([1.0]), prior_precision=4.0)
    np.testing.assert_allclose(layer.covariance, np.eye(2) / 4)


def test_the_variance_orders_rows_as_a_bootstrap_of_the_fit_does():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3))
    y = (rng.random(600) < 1 / (1 + np.exp(1 - x @ [1.0, -0.5, 0.0]))).astype(int)
    features = with_constant(x)

    def fitted(rows):
        return LogisticRegression(C=1.0, fit_intercept=False).fit(features[rows], y[rows])

    rate = fitted(np.arange(600)).predict_proba(features)[:, 1]
    variance = fit_last_layer(features, rate, np.ones(600), prior_precision=1.0).variance(features)
    draws = [features @ fitted(rng.integers(600, size=600)).coef_[0] for _ in range(200)]
    spread = np.var(draws, axis=0)
    assert spearmanr(variance, spread).statistic > 0.9
    assert np.median(variance / spread) == pytest.approx(1.0, abs=0.25)


def test_rows_away_from_the_training_rows_are_less_certain():
    rng = np.random.default_rng(1)
    features = with_constant(rng.normal(size=(300, 2)))
    layer = fit_last_layer(features, np.full(300, 0.3), np.ones(300), prior_precision=1.0)
    near, far = layer.variance(np.array([[0.0, 0.0, 1.0], [6.0, 6.0, 1.0]]))
    assert far > 10 * near > 0


def test_the_probit_score_is_close_to_the_mean_over_a_gaussian():
    log_odds, variance = np.array([-2.0, 0.0, 1.5]), np.array([0.5, 3.0, 1.0])
    draws = np.random.default_rng(2).normal(log_odds, np.sqrt(variance), size=(200_000, 3))
    np.testing.assert_allclose(probit_score(log_odds, variance), (1 / (1 + np.exp(-draws))).mean(axis=0), atol=0.01)
    assert probit_score(np.array([2.0]), np.array([4.0]))[0] < probit_score(np.array([2.0]), np.array([1.0]))[0]


def test_quadrature_nodes_have_the_moments_of_the_gaussian():
    log_odds, variance = np.array([-2.0, 1.0]), np.array([0.5, 4.0])
    samples, weight = gaussian_samples(log_odds, variance)
    np.testing.assert_allclose(weight @ samples, log_odds)
    np.testing.assert_allclose(weight @ (samples - log_odds) ** 2, variance)
    draws = np.random.default_rng(3).normal(log_odds, np.sqrt(variance), size=(400_000, 2))
    expected = (1 / (1 + np.exp(-draws))).mean(axis=0)
    np.testing.assert_allclose(weight @ (1 / (1 + np.exp(-samples))), expected, atol=2e-3)
