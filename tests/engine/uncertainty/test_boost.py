"""Boosted trees as a rival: monotone in the score, repeatable, and able to use the uncertainty."""

from __future__ import annotations

import numpy as np

from engine.uncertainty.boost import fit_boosted


def draw(n=6000, seed=0):
    rng = np.random.default_rng(seed)
    score, uncertainty = rng.random(n), rng.random(n)
    rate = score * np.where(uncertainty > 0.5, 0.3, 1.0)
    return score, uncertainty, (rng.random(n) < rate).astype(np.int64), np.ones(n)


def test_the_folded_score_rises_with_the_score_and_repeats():
    rows = draw()
    fitted, again = fit_boosted(*rows), fit_boosted(*rows)
    grid = np.linspace(0, 1, 200)
    for level in (0.1, 0.5, 0.9):
        folded = fitted.predict(grid, np.full(200, level))
        assert (np.diff(folded) >= 0).all() and ((folded > 0) & (folded < 1)).all()
        assert (folded == again.predict(grid, np.full(200, level))).all()


def test_it_learns_that_uncertain_rows_come_true_less_often():
    fitted = fit_boosted(*draw())
    certain, uncertain = (fitted.predict(np.array([0.8]), np.array([u]))[0] for u in (0.2, 0.8))
    assert abs(certain - 0.8) < 0.12 and abs(uncertain - 0.24) < 0.12


def test_an_infinite_uncertainty_is_a_large_one():
    score, uncertainty, label, weight = draw()
    uncertainty[:50] = np.inf
    assert np.isfinite(fit_boosted(score, uncertainty, label, weight).predict(score, uncertainty)).all()


def test_a_very_negative_uncertainty_is_a_small_one():
    score, uncertainty, label, weight = draw()
    uncertainty[:50] = -1e300
    assert np.isfinite(fit_boosted(score, uncertainty, label, weight).predict(score, uncertainty)).all()
