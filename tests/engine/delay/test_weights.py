"""Identities of the importance weights: with true quantities, expected losses are those of final labels.

p = P(y = 1 | x), S = P(delay > e | y = 1, x), l1 and l0 the losses of a positive and a negative.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq

from engine.delay import weights
from engine.errors import DataError

inside = st.floats(0.02, 0.98)
shares = st.floats(0.0, 1.0)


def loss(f: float) -> tuple[float, float]:
    return -np.log(f), -np.log1p(-f)


def oracle_loss(p: float, f: float) -> float:
    l1, l0 = loss(f)
    return p * l1 + (1 - p) * l0


def fixed_point(mass_positive: float, mass_negative: float, up: float = 1.0, down: float = 1.0) -> float:
    """Probability at which the derivative of a weighted log loss is zero."""
    return float(brentq(lambda f: -mass_positive * up / f + mass_negative * down / (1 - f), 1e-12, 1 - 1e-12))


@given(inside, shares)
def test_an_es_dfm_stream_has_one_row_per_exposure_and_one_more_per_late_positive(p, s):
    p_dp = p * s
    negative = weights.observed_negative_mass(p, p_dp)
    assert negative == pytest.approx(1 - p * (1 - s))
    rows = p + negative
    assert rows == pytest.approx(1 + p_dp)
    assert p / rows + negative / rows == pytest.approx(1)


@given(inside, shares, inside)
def test_the_weighted_losses_are_the_oracle_loss(p, s, f):
    p_dp = p * s
    n, p_rn = weights.observed_negative_mass(p, p_dp), weights.real_negative_share(p, p_dp)
    l1, l0 = loss(f)
    up, down = weights.es_dfm(p_dp, p_rn)
    assert p * up * l1 + n * down * l0 == pytest.approx((1 + p_dp) * oracle_loss(p, f))
    up, down = weights.exact_joint(p_rn)
    assert p * up * l1 + n * down * l0 == pytest.approx(oracle_loss(p, f))
    up, down = weights.defer(p, p_dp)
    assert (2 * p - p_dp) * up * l1 + (2 * (1 - p) + p_dp) * down * l0 == pytest.approx(2 * oracle_loss(p, f))


@given(inside)
def test_fnw_is_es_dfm_without_waiting(p):
    p_rn = weights.real_negative_share(p, p)
    assert p_rn == pytest.approx(1 - p)
    assert weights.fnw(p) == pytest.approx(weights.es_dfm(p, p_rn))
    assert weights.fnw(p)[1] == pytest.approx(1 - p**2)
    # The calibrated form: training without weights finds b = p / (1 + p), at most one half.
    b = fixed_point(p, 1.0)
    assert b == pytest.approx(p / (1 + p), rel=1e-6) and b <= 0.5
    assert b / (1 - b) == pytest.approx(p, rel=1e-6)


@given(inside)
def test_waiting_for_the_whole_window_leaves_every_weight_at_one(p):
    p_rn = weights.real_negative_share(p, 0.0)
    assert p_rn == pytest.approx(1) and weights.pending_positive(p_rn) == pytest.approx(0)
    assert weights.es_dfm(0.0, p_rn) == pytest.approx((1, 1))
    assert weights.exact_joint(p_rn) == pytest.approx((1, 1))
    assert weights.defer(p, 0.0) == pytest.approx((1, 1))
    assert weights.fsiw(1.0, p_rn) == pytest.approx((1, 1))


@given(inside, shares)
def test_weights_average_to_one_and_have_the_stated_second_moment(p, s):
    p_dp = p * s
    n, p_rn = weights.observed_negative_mass(p, p_dp), weights.real_negative_share(p, p_dp)
    q = (p / (1 + p_dp), n / (1 + p_dp))
    pair = weights.es_dfm(p_dp, p_rn)
    assert q[0] * pair[0] + q[1] * pair[1] == pytest.approx(1)
    moment = weights.second_moment(q_positive=q[0], q_negative=q[1], weights=pair)
    assert moment == pytest.approx((1 + p_dp) * (p + (1 - p) * p_rn)) and moment >= 1 - 1e-12
    q = (p - p_dp / 2, 1 - p + p_dp / 2)
    pair = weights.defer(p, p_dp)
    assert q[0] * pair[0] + q[1] * pair[1] == pytest.approx(1)
    moment = weights.second_moment(q_positive=q[0], q_negative=q[1], weights=pair)
    assert moment == pytest.approx(p**2 / q[0] + (1 - p) ** 2 / q[1])


@given(inside, st.floats(0.0, 0.98))
def test_fsiw_second_moment_grows_without_bound_as_nothing_is_seen(p, s):
    f, p_rn = 1 - s, weights.real_negative_share(p, p * s)
    pair = weights.fsiw(f, p_rn)
    moment = weights.second_moment(q_positive=p * f, q_negative=1 - p * f, weights=pair)
    assert moment == pytest.approx(p / f + (1 - p) * p_rn) and moment >= p / f


@given(inside, shares, inside, inside)
def test_fixed_points_under_wrong_auxiliary_models(p, s, wrong_rn, share):
    p_dp = p * s
    n = weights.observed_negative_mass(p, p_dp)
    target = p / (p + wrong_rn * n)
    for late in (0.0, p_dp, 0.7):  # the late share drops out
        assert fixed_point(p, n, *weights.es_dfm(late, wrong_rn)) == pytest.approx(target, rel=1e-6)
    wrong_late = share * p
    expected = p + (wrong_late - p_dp) / 2
    assume(wrong_late / 2 + 1e-3 < expected < 0.99)
    f = float(
        brentq(
            lambda f: (
                -(2 * p - p_dp) * weights.defer(f, wrong_late)[0] / f
                + (2 * (1 - p) + p_dp) * weights.defer(f, wrong_late)[1] / (1 - f)
            ),
            wrong_late / 2 + 1e-9,
            1 - 1e-9,
        )
    )
    assert f == pytest.approx(expected, rel=1e-5)


@given(inside, st.floats(0.0, 0.99))
def test_without_weights_the_fixed_points_are_biased_downwards(p, s):
    p_dp = p * s
    n = weights.observed_negative_mass(p, p_dp)
    assert fixed_point(p * (1 - s), n) == pytest.approx(p * (1 - s), rel=1e-6)
    assert fixed_point(p, n) == pytest.approx(p / (1 + p_dp), rel=1e-6)


@given(inside, shares)
def test_weights_stay_within_their_bounds(p, s):
    p_dp, slack = p * s, 1e-12
    p_rn = weights.real_negative_share(p, p_dp)
    for up, down in (weights.es_dfm(p_dp, p_rn), weights.fnw(p), weights.defer(p, p_dp)):
        assert 1 - slack <= up <= 2 + slack and 0 <= down <= 1 + slack
    up, down = weights.fsiw(max(1 - s, 1e-6), p_rn)
    assert up >= 1 - slack and 0 <= down <= 1 + slack
    free = weights.es_dfm(s, p)  # any two numbers in [0, 1], as free networks give them
    assert 1 <= free[0] <= 2 and 0 <= free[1] <= 2


@given(inside, shares)
def test_a_defer_stream_shows_every_exposure_twice_and_weighs_it_as_two(p, s):
    p_dp = p * s
    up, down = weights.defer(p, p_dp)
    positives, negatives = 2 * p - p_dp, 2 * (1 - p) + p_dp
    assert positives + negatives == pytest.approx(2)
    assert positives * up + negatives * down == pytest.approx(2)


@given(inside, st.floats(0.0, 0.99), inside)
def test_snapshot_weights_and_soft_labels_are_the_oracle_loss(p, s, f):
    seen, p_rn = p * (1 - s), weights.real_negative_share(p, p * s)
    n = 1 - seen
    l1, l0 = loss(f)
    up, down = weights.fsiw(1 - s, p_rn)
    assert seen * up * l1 + n * down * l0 == pytest.approx(oracle_loss(p, f))
    up, down = weights.exact_joint(p_rn)
    pending = weights.pending_positive(p_rn)
    assert seen * up * l1 + n * (pending * l1 + down * l0) == pytest.approx(oracle_loss(p, f))


@given(inside, st.floats(0.01, 3.0), st.floats(0.0, 10.0))
def test_the_soft_label_is_the_posterior_of_a_conversion_yet_to_come(p, rate, elapsed):
    s = np.exp(-rate * elapsed)
    posterior = p * s / (1 - p + p * s)
    assert weights.pending_positive(weights.real_negative_share(p, p * s)) == pytest.approx(posterior)


@given(st.tuples(inside, inside), st.tuples(shares, shares), inside)
def test_engagement_refines_the_real_negative_share_and_keeps_exact_weights_exact(p, s, rate):
    p, s, mix = np.array(p), np.array(s), np.array([1 - rate, rate])
    n, p_rn = weights.observed_negative_mass(p, p * s), weights.real_negative_share(p, p * s)
    overall_p, overall_late = mix @ p, mix @ (p * s)
    marginal = weights.real_negative_share(overall_p, overall_late)
    assert marginal == pytest.approx((mix * n) @ p_rn / (mix @ n))
    up, down = weights.exact_joint(p_rn)
    assert fixed_point(mix @ (p * up), mix @ (n * down)) == pytest.approx(overall_p, rel=1e-6)
    up, down = weights.defer(p, p * s)
    positives, negatives = 2 * p - p * s, 2 * (1 - p) + p * s
    assert fixed_point(mix @ (positives * up), mix @ (negatives * down)) == pytest.approx(overall_p, rel=1e-6)


@given(st.tuples(inside, inside), st.tuples(st.floats(0.0, 0.95), st.floats(0.0, 0.95)), inside)
def test_the_entire_space_is_right_with_soft_labels_that_do_not_see_engagement(p, s, rate):
    p, mix = np.array(p), np.array([1 - rate, rate])
    late = p * np.array(s)
    n = weights.observed_negative_mass(p, late)
    pending = weights.pending_positive(weights.real_negative_share(mix @ p, mix @ late))
    # Each state's head learns from its own rows with weights that do not know the state: the heads are off ...
    heads = [fixed_point((1 - k) + k * pending, k * (1 - pending)) for k in n]
    assert mix @ heads == pytest.approx(mix @ p, rel=1e-5)  # ... and their mix is not


def test_es_dfm_with_an_engagement_multiplier_is_biased_where_the_model_does_not_see_engagement():
    p, s, mix = np.array([0.05, 0.6]), np.array([0.9, 0.5]), np.array([0.5, 0.5])
    p_dp = p * s
    n, p_rn = weights.observed_negative_mass(p, p_dp), weights.real_negative_share(p, p_dp)
    assert mix @ p == pytest.approx(0.325)
    up, down = weights.es_dfm(p_dp, p_rn)
    assert fixed_point(mix @ (p * up), mix @ (n * down)) == pytest.approx(0.3549, abs=5e-5)
    up, down = weights.exact_joint(p_rn)
    assert fixed_point(mix @ (p * up), mix @ (n * down)) == pytest.approx(0.325)
    # A multiplier that knows no more than the model is harmless.
    up, down = weights.es_dfm(mix @ p_dp, p_rn)
    assert fixed_point(mix @ (p * up), mix @ (n * down)) == pytest.approx(0.325)


@pytest.mark.parametrize(("rate", "truth", "stale"), [(0.6, 0.260, 0.247), (0.15, 0.1025, 0.1052)])
def test_conditioning_on_engagement_survives_a_drift_of_the_engagement_rate(rate, truth, stale):
    p, s = np.array([0.05, 0.4]), np.array([0.95, 0.5])
    p_rn = weights.real_negative_share(p, p * s)
    then = np.array([0.7, 0.3])
    marginal = weights.real_negative_share(then @ p, then @ (p * s))
    now = np.array([1 - rate, rate])
    n = now * weights.observed_negative_mass(p, p * s)
    assert now @ p == pytest.approx(truth)
    assert fixed_point(now @ p, n.sum(), 1.0, marginal) == pytest.approx(stale, abs=5e-4)
    assert fixed_point(now @ p, n.sum(), 1.0, n @ p_rn / n.sum()) == pytest.approx(truth)


def test_golden_values_at_even_odds():
    assert weights.fnw(0.5) == (1.5, 0.75)
    assert np.mean(np.multiply(weights.fnw(0.5), np.log(2))) == pytest.approx(1.125 * np.log(2))
    pair = weights.es_dfm(0.5, 0.25)
    assert pair == (1.5, 0.375)
    assert np.mean(np.multiply(pair, np.log(2))) == pytest.approx(0.9375 * np.log(2))


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=30))
def test_the_effective_share_lies_between_one_row_and_all_rows(values):
    share = weights.ess_share(values)
    if sum(value**2 for value in values) == 0:
        assert np.isnan(share)
    else:
        assert 1 / len(values) - 1e-9 <= share <= 1 + 1e-9


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
def test_impossible_weights_are_refused_with_their_row(bad):
    with pytest.raises(DataError, match="row 1"):
        weights.ess_share([1.0, bad])
