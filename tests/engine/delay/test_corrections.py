"""Soft labels and mappings: with true quantities the model finds p, and known wrong variants do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from engine.delay import corrections, weights

inside = st.floats(0.02, 0.98)
shares = st.floats(0.0, 1.0)


def minimiser(positive: float, negative: float) -> float:
    """Return the probability with the smallest expected loss, from the loss alone."""

    def loss(odds: float) -> float:
        return positive * np.logaddexp(0.0, -odds) + negative * np.logaddexp(0.0, odds)

    found = minimize_scalar(loss, bracket=(-3.0, 3.0), tol=1e-12)
    return float(1 / (1 + np.exp(-found.x)))


def defuse_masses(p: float, p_dp: float, late: float, z: float) -> tuple[float, float]:
    """Expected weight of both labels per exposure, with a late share and a z as the models say."""
    seen, fake, real = corrections.defuse(late, z)
    n = weights.observed_negative_mass(p, p_dp)
    return (p - p_dp) * seen + p_dp * 1.0 + n * fake, n * real


@given(inside)
def test_fnc_undoes_what_the_extra_negatives_did(p):
    b = minimiser(p, 1.0)  # one negative per exposure, a positive with probability p
    assert b <= 0.5 + 1e-6
    assert corrections.fnc(b) == pytest.approx(p, rel=1e-5)


@given(inside, shares, inside)
def test_the_expected_defuse_loss_is_a_multiple_of_the_oracle_loss(p, s, f):
    p_dp = p * s
    z = 1 - weights.real_negative_share(p, p_dp)
    up, down = defuse_masses(p, p_dp, p_dp, z)
    assert up == pytest.approx((1 + p_dp) * p) and down == pytest.approx((1 + p_dp) * (1 - p))


@given(inside, shares, shares)
def test_defuse_finds_p_under_any_late_share_given_the_true_z(p, s, late):
    p_dp = p * s
    z = 1 - weights.real_negative_share(p, p_dp)
    assert minimiser(*defuse_masses(p, p_dp, late, z)) == pytest.approx(p, rel=1e-5)


@given(st.floats(0.05, 0.9), st.floats(0.1, 0.9))
def test_defuse_multiplies_errors_of_z_more_than_es_dfm(p, s):
    p_dp, step = p * s, 1e-4
    n, p_rn = weights.observed_negative_mass(p, p_dp), weights.real_negative_share(p, p_dp)
    ends = [minimiser(*defuse_masses(p, p_dp, p_dp, 1 - p_rn + move)) for move in (-step, step)]
    slope = (ends[1] - ends[0]) / (2 * step)
    assert slope == pytest.approx(n * (p + p_dp) / (1 + p_dp), rel=2e-2)
    ends = [minimiser(p, n * (p_rn - move)) for move in (-step, step)]
    assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(n * p, rel=2e-2)
    assert n * (p + p_dp) / (1 + p_dp) >= n * p


@given(inside, shares)
def test_after_the_whole_window_nothing_is_split(p, s):
    assert corrections.defuse(0.0, 0.0) == (1.0, 0.0, 1.0)
    assert corrections.ulc(p, 0.0) == 0.0
    assert corrections.ulc(p, p * s) <= p + 1e-12


@given(inside, shares)
def test_the_soft_label_of_ulc_is_the_pending_positive(p, s):
    assert corrections.ulc(p, p * s) == pytest.approx(
        weights.pending_positive(weights.real_negative_share(p, p * s)), abs=1e-12
    )


@given(inside, st.floats(0.0, 0.99))
def test_soft_labels_find_p_on_a_snapshot(p, s):
    seen, w = p * (1 - s), corrections.ulc(p, p * s)
    assert minimiser(seen + (1 - seen) * w, (1 - seen) * (1 - w)) == pytest.approx(p, rel=1e-5)


@given(inside, st.floats(0.01, 3.0), st.floats(0.0, 10.0))
def test_the_soft_label_is_the_posterior_of_exponential_delays(p, rate, elapsed):
    ahead = np.exp(-rate * elapsed)
    assert corrections.ulc(p, p * ahead) == pytest.approx(p * ahead / (1 - p + p * ahead))


@given(inside, st.floats(0.05, 0.95))
def test_a_weight_of_two_for_every_observed_positive_is_not_defuse(p, s):
    p_dp = p * s
    z = 1 - weights.real_negative_share(p, p_dp)
    n = weights.observed_negative_mass(p, p_dp)
    wrong = (p * (1 + p_dp + 1) + n * z * p_dp, n * (1 - z) * (1 + p_dp))
    assume(wrong[1] > 1e-3)
    assert minimiser(*wrong) > p * (1 + 1e-3)


def test_known_wrong_weights_miss_where_ours_hit():
    p, p_dp = 0.2, 0.1
    n, z = weights.observed_negative_mass(p, p_dp), 1 - weights.real_negative_share(p, p_dp)
    assert minimiser(*defuse_masses(p, p_dp, p_dp, z)) == pytest.approx(0.2, abs=1e-6)
    # Every observed positive with (1 + p_dp) + 1, as one public code has it.
    wrong = minimiser(p * (2 + p_dp) + n * z * p_dp, n * (1 - z) * (1 + p_dp))
    assert wrong == pytest.approx(0.33, abs=5e-3)
    # DEFER with 2 (2 - p_dp) for its positives, as another has it, against p / (p - p_dp / 2).
    positives, negatives = 2 * p - p_dp, 2 * (1 - p) + p_dp
    up, down = weights.defer(p, p_dp)
    assert minimiser(positives * up, negatives * down) == pytest.approx(0.2, abs=1e-6)
    assert minimiser(positives * 2 * (2 - p_dp), negatives * down) == pytest.approx(0.42, abs=6e-3)
