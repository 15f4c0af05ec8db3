"""Uncertainties and their parts: hand values, integrals of the Beta distribution, and what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from engine.errors import ConfigError
from engine.uncertainty import measures as m

strength = st.floats(0.2, 300)
BETAS = [(1.0, 1.0), (2.0, 5.0), (0.5, 3.0), (40.0, 8.0)]
EQUAL = np.array([0.5, 0.5])


def integral(function, a, b):
    """Mean of a function of the rate under Beta(a, b) by adaptive quadrature."""
    return integrate.quad(lambda r: function(r) * stats.beta.pdf(r, a, b), 0, 1, limit=200)[0]


def test_two_samples_by_hand():
    rate = np.array([[0.2, 0.5], [0.6, 0.5]])
    parts = m.variance_of_samples(rate, EQUAL)
    assert parts.aleatoric == pytest.approx([(0.16 + 0.24) / 2, 0.25])
    assert parts.epistemic == pytest.approx([0.04, 0.0])
    assert parts.total == pytest.approx([0.4 * 0.6, 0.25])
    entropy = m.entropy_of_samples(rate, EQUAL)
    h2, h6, h4 = (-p * np.log(p) - (1 - p) * np.log(1 - p) for p in (0.2, 0.6, 0.4))
    assert entropy.aleatoric[0] == pytest.approx((h2 + h6) / 2)
    assert entropy.total == pytest.approx([h4, np.log(2)])
    assert entropy.epistemic[1] == pytest.approx(0.0)


def test_weights_stand_for_repeated_samples():
    rate = np.array([[0.1, 0.9], [0.4, 0.2]])
    repeated = np.array([rate[0], rate[0], rate[0], rate[1]])
    for function in (m.variance_of_samples, m.entropy_of_samples):
        one = function(rate, np.array([0.75, 0.25]))
        other = function(repeated, np.full(4, 0.25))
        np.testing.assert_allclose(one.epistemic, other.epistemic)
        np.testing.assert_allclose(one.aleatoric, other.aleatoric)


@pytest.mark.parametrize(("a", "b"), BETAS)
def test_beta_parts_are_the_integrals_that_they_claim(a, b):
    mean = a / (a + b)
    variance = m.variance_of_beta(np.array([a]), np.array([b]))
    assert variance.aleatoric[0] == pytest.approx(integral(lambda r: r * (1 - r), a, b), rel=1e-6)
    assert variance.epistemic[0] == pytest.approx(stats.beta.var(a, b))
    assert variance.total[0] == pytest.approx(mean * (1 - mean))
    entropy = m.entropy_of_beta(np.array([a]), np.array([b]))
    known = integral(lambda r: float(m.binary_entropy(np.float64(r))), a, b)
    assert entropy.aleatoric[0] == pytest.approx(known, rel=1e-6)
    assert entropy.total[0] == pytest.approx(-mean * np.log(mean) - (1 - mean) * np.log(1 - mean))


@pytest.mark.parametrize(("a", "b"), BETAS)
def test_widths_of_a_beta_agree_with_an_independent_library(a, b):
    assert m.differential_entropy(np.array([a]), np.array([b]))[0] == pytest.approx(stats.beta.entropy(a, b))
    draws = stats.beta.rvs(a, b, size=400_000, random_state=0)
    spread = m.uncertainty_of_beta(np.array([a]), np.array([b]), measure="variance_of_logit", part="epistemic")[0]
    assert spread == pytest.approx(np.log(draws / (1 - draws)).var(), rel=0.02)


@given(strength, strength)
def test_parts_of_a_beta_are_shares_of_their_total(a, b):
    for function in (m.variance_of_beta, m.entropy_of_beta):
        parts = function(np.array([a]), np.array([b]))
        assert parts.aleatoric[0] >= 0 and parts.epistemic[0] >= 0
        assert parts.select("total")[0] == pytest.approx(parts.select("aleatoric")[0] + parts.select("epistemic")[0])


@given(st.floats(0.01, 0.99), st.floats(0.01, 1.0))
def test_a_matched_beta_has_the_mean_and_the_variance(mean, share):
    variance = share * 0.9 * mean * (1 - mean)
    a, b = m.matched_beta(np.array([mean]), np.array([variance]))
    assert a / (a + b) == pytest.approx(mean) and stats.beta.var(a, b) == pytest.approx(variance, rel=1e-6)


@pytest.mark.parametrize("measure", ["variance_of_logit", "variance_of_probability", "entropy", "differential_entropy"])
def test_more_evidence_for_the_same_score_is_less_epistemic_uncertainty(measure):
    # From a = 1 on: below, a Beta distribution piles up at 0, which its differential entropy calls certain.
    evidence = np.array([10.0, 20.0, 50.0, 200.0])
    found = m.uncertainty_of_beta(0.1 * evidence, 0.9 * evidence, measure=measure, part="epistemic")
    assert (np.diff(found) < 0).all() and (found >= 0).all()


@pytest.mark.parametrize("measure", ["variance_of_probability", "entropy", "differential_entropy"])
def test_many_samples_of_a_beta_measure_what_the_beta_does(measure):
    a, b = np.array([3.0]), np.array([9.0])
    rate = stats.beta.rvs(3.0, 9.0, size=(400_000, 1), random_state=1)
    samples = m.uncertainty_of_samples(np.log(rate / (1 - rate)), measure=measure, part="epistemic")
    assert samples[0] == pytest.approx(m.uncertainty_of_beta(a, b, measure=measure, part="epistemic")[0], rel=0.02)


def test_equal_samples_are_certain():
    log_odds = np.full((5, 3), -2.0)
    for measure in ("variance_of_logit", "variance_of_probability", "entropy"):
        assert m.uncertainty_of_samples(log_odds, measure=measure, part="epistemic") == pytest.approx([0, 0, 0])
    width = m.uncertainty_of_samples(log_odds, measure="differential_entropy", part="epistemic")
    assert (width < 1e-3).all() and np.isfinite(width).all()


def test_certain_rates_leave_nothing_to_chance():
    rate = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert m.entropy_of_samples(rate, EQUAL).total.tolist() == [0.0, 0.0]


def test_an_unknown_measure_is_named():
    with pytest.raises(ConfigError, match="'measure' is 'spread'"):
        m.uncertainty_of_samples(np.zeros((2, 1)), measure="spread", part="epistemic")
