"""The smooth calibration error against quadrature by its definition and against recorded values of relplot."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from engine.errors import DataError, UndefinedMetricWarning
from engine.metrics.smooth_calibration import (
    fixed_point,
    grid_place,
    smooth,
    smooth_calibration_error,
    smooth_curve,
    smoothed_error,
    spread,
)

labels_20 = arrays(np.int64, 20, elements=st.integers(0, 1))
scores_20 = arrays(np.float64, 20, elements=st.floats(0, 1))


def scored(n=2000, seed=20, power=1.3):
    rng = np.random.default_rng(seed)
    prob = np.round(rng.beta(1.2, 4, n), 3)
    return (rng.random(n) < prob**power).astype(float), prob


def by_quadrature(truth, prob, bandwidth):
    """Integrate the definition, reflections summed one by one."""
    t = (np.arange(4000) + 0.5) / 4000
    total = np.zeros(t.size)
    for p, r in zip(prob, truth - prob, strict=True):
        images = [p + 2 * k for k in range(-3, 4)] + [-p + 2 * k for k in range(-3, 4)]
        total += r * sum(norm.pdf(t, image, bandwidth) for image in images)
    return np.abs(total / prob.size).mean()


@pytest.mark.parametrize("bandwidth", [0.03, 0.2, 0.8])
def test_the_error_at_a_bandwidth_is_the_integral_of_its_definition(bandwidth):
    truth, prob = scored(60)
    mass = spread(prob, truth - prob) / prob.size
    assert float(smoothed_error(mass, bandwidth)) == pytest.approx(by_quadrature(truth, prob, bandwidth), rel=2e-4)


def test_the_automatic_error_agrees_with_relplot():
    # relplot 1.0.3, `smECE(prob, truth)`: ten halvings on a mesh of its own, so three digits.
    truth, prob = scored()
    assert smooth_calibration_error(truth, prob).value == pytest.approx(0.0622330, abs=5e-4)


def test_the_bandwidth_is_where_it_equals_the_error():
    found = smooth_calibration_error(*scored())
    assert found.value == pytest.approx(found.bandwidth, abs=1e-6)


@given(labels_20, scores_20)
def test_smoothing_more_never_raises_the_error(truth, prob):
    mass = spread(prob, truth - prob) / 20
    errors = [float(smoothed_error(mass, b)) for b in (0.0, 0.01, 0.1, 0.5, 2.0)]
    assert all(a >= b - 1e-12 for a, b in pairwise(errors))
    assert errors[-1] == pytest.approx(abs(mass.sum()), abs=1e-6)


@given(scores_20)
def test_spreading_keeps_the_sum_and_inner_means(prob):
    mass = np.ones(20)
    assert spread(prob, mass).sum() == pytest.approx(20)
    place, share = grid_place(prob)
    inside = (prob > 0.001) & (prob < 0.999)
    np.testing.assert_allclose(((place + share + 0.5) / 2000)[inside], prob[inside], atol=1e-12)


def test_smoothing_keeps_the_sum_and_takes_many_resamples_at_once():
    mass = np.random.default_rng(0).normal(size=(3, 2000))
    np.testing.assert_allclose(smooth(mass, 0.1).sum(axis=1), mass.sum(axis=1))
    assert smoothed_error(mass, 0.1).shape == (3,)
    assert float(smoothed_error(mass, 0.1)[1]) == pytest.approx(float(smoothed_error(mass[1], 0.1)))


def test_a_constant_shift_is_the_error():
    # Label 1 at rate .5, predicted .8: smoothed at any width the whole mass has one sign, so |mean| = .3.
    found = smooth_calibration_error([0, 1] * 50, [0.8] * 100)
    assert found.value == pytest.approx(0.3, abs=1e-9)


def test_a_calibrated_score_has_a_small_error():
    rng = np.random.default_rng(1)
    prob = rng.beta(1, 4, 100_000)
    truth = (rng.random(100_000) < prob).astype(float)
    assert smooth_calibration_error(truth, prob).value < 0.01


def test_a_weight_counts_as_so_many_rows():
    truth, prob = scored(300)
    weight = np.random.default_rng(2).integers(0, 4, 300)
    one = smooth_calibration_error(truth, prob, sample_weight=weight)
    many = smooth_calibration_error(np.repeat(truth, weight), np.repeat(prob, weight))
    assert one.value == pytest.approx(many.value, abs=1e-9)


def test_the_curve_returns_the_rate_and_a_density():
    truth, prob = scored(20_000, power=1.0)
    score, rate, density = smooth_curve(truth, prob, bandwidth=0.03)
    assert density.mean() == pytest.approx(1.0)
    shown = (score > 0.1) & (score < 0.6)
    assert np.abs(rate - score)[shown].max() < 0.06
    assert np.isnan(rate[density <= 1e-3]).all()


def test_no_residual_has_no_error():
    assert fixed_point(np.zeros(2000)).value == 0.0


def test_without_weight_it_is_undefined():
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(smooth_calibration_error([0, 1], [0.1, 0.2], sample_weight=[0, 0]).value)


def test_a_score_above_one_is_refused():
    with pytest.raises(DataError, match="y_prob"):
        smooth_calibration_error([0, 1], [0.1, 1.2])
