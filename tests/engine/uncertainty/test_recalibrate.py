"""The recalibrator finds a planted relation and does not care about scales."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty.recalibrate import fit_recalibrator


def planted(n=40_000, seed=0):
    """Scores whose log-odds shrink with the logarithm of the uncertainty."""
    rng = np.random.default_rng(seed)
    log_odds, log_u = rng.normal(-1, 1, n), rng.normal(0, 1, n)
    rate = 1 / (1 + np.exp(-(0.2 + log_odds - 0.3 * log_u - 0.2 * log_odds * log_u)))
    return 1 / (1 + np.exp(-log_odds)), np.exp(log_u), (rng.random(n) < rate).astype(np.int64), rate


def test_a_planted_relation_is_recovered():
    score, uncertainty, label, rate = planted()
    fitted = fit_recalibrator(score, uncertainty, label, np.ones(label.size))
    assert np.abs(fitted.predict(score, uncertainty) - rate).mean() < 0.01


def test_the_scale_of_the_uncertainty_does_not_matter():
    score, uncertainty, label, _ = planted(4000)
    plain = fit_recalibrator(score, uncertainty, label, np.ones(label.size))
    scaled = fit_recalibrator(score, 1e-6 * uncertainty, label, np.ones(label.size))
    np.testing.assert_allclose(plain.predict(score, uncertainty), scaled.predict(score, 1e-6 * uncertainty), rtol=1e-3)


@pytest.mark.parametrize("uncertainty", [np.zeros(400), np.full(400, 0.3)])
def test_constant_uncertainty_leaves_the_order_of_the_scores(uncertainty):
    score, _, label, _ = planted(400)
    fitted = fit_recalibrator(score, uncertainty, label, np.ones(400))
    order = np.argsort(score)
    assert (np.diff(fitted.predict(score, uncertainty)[order]) >= 0).all()


def test_scores_of_zero_and_one_stay_finite():
    score = np.array([0.0, 0.0, 1.0, 1.0, 0.5, 0.5])
    fitted = fit_recalibrator(score, np.ones(6), np.array([0, 1, 0, 1, 0, 1]), np.ones(6))
    assert np.isfinite(fitted.predict(score, np.ones(6))).all()


def test_a_relation_planted_in_negative_uncertainty_is_recovered():
    rng = np.random.default_rng(0)
    log_odds, entropy = rng.normal(-1, 1, 40_000), rng.normal(-2, 0.5, 40_000)
    rate = 1 / (1 + np.exp(-(log_odds - 0.6 * (entropy + 2))))
    score, label = 1 / (1 + np.exp(-log_odds)), (rng.random(40_000) < rate).astype(np.int64)
    fitted = fit_recalibrator(score, entropy, label, np.ones(label.size))
    assert np.abs(fitted.predict(score, entropy) - rate).mean() < 0.01


@pytest.mark.parametrize("fitted_on", [(-1e300, 1e300), (-3.0, 2.0), (0.0, 2.0), (-1.0, -1.0)])
def test_every_finite_uncertainty_gets_a_rate(fitted_on):
    score, _, label, _ = planted(400)
    fitted = fit_recalibrator(score, np.linspace(*fitted_on, 400), label, np.ones(400))
    assert np.isfinite(fitted.predict(score, np.linspace(-1e300, 1e300, 400))).all()
