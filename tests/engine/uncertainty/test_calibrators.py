"""Recalibration repairs what is the same for all rows and leaves what depends on uncertainty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.uncertainty.calibrators import fit_isotonic, fit_temperature, recalibration_table
from engine.uncertainty.grid import Layout
from engine.uncertainty.rows import Rows

LAYOUT = Layout(uncertainty_edges=np.array([0.5]), score_edges=np.array([0.5]))


def draw(seed, sharpen=1.0, shift=0.0, n=20_000):
    """Draw rows whose log-odds are too large by a factor, and shifted where uncertainty is high."""
    rng = np.random.default_rng(seed)
    log_odds, doubt = rng.normal(-1, 1, n), rng.random(n)
    label = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    score = 1 / (1 + np.exp(-(sharpen * log_odds + shift * (doubt > 0.5))))
    return Rows(score=score, uncertainty=doubt, label=label, weight=np.ones(n, dtype=np.int64), unit=np.arange(n))


def pick(table, method, metric, segment="all", baseline=""):
    kept = (table["method"] == method) & (table["metric"] == metric) & (table["segment"] == segment)
    return table[kept & (table["baseline"] == baseline)].iloc[0]


def test_the_temperature_is_the_factor_that_was_planted():
    rows = draw(0, sharpen=2.0)
    found = fit_temperature(rows)
    assert found.temperature == pytest.approx(2.0, abs=0.15)
    again = found.predict(rows.score)
    assert (np.argsort(again) == np.argsort(rows.score)).all()


def test_a_weight_stands_for_repeated_rows():
    rows = draw(1, n=500)
    heavy = replace(rows, weight=np.where(rows.label == 1, 3, 1))
    names = ("score", "uncertainty", "label", "weight", "unit")
    repeated = Rows(*(np.repeat(getattr(rows, name), heavy.weight) for name in names))
    assert fit_temperature(heavy).temperature == pytest.approx(fit_temperature(repeated).temperature, rel=1e-4)
    np.testing.assert_allclose(fit_isotonic(heavy).predict(rows.score), fit_isotonic(repeated).predict(rows.score))


def test_isotonic_is_non_decreasing_and_has_the_mean_of_the_labels():
    rows = draw(2, sharpen=0.5)
    step = fit_isotonic(rows).predict(rows.score)
    assert (np.diff(step[np.argsort(rows.score)]) >= -1e-12).all()
    assert step.mean() == pytest.approx(rows.label.mean(), abs=1e-3)


def test_both_repair_a_score_that_is_too_sure_of_itself():
    table = recalibration_table(
        draw(3, sharpen=2.0), draw(4, sharpen=2.0), LAYOUT, n_bins=10, resamples=50, rng=np.random.default_rng(0)
    )
    assert pick(table, "raw", "ece")["value"] > 0.05
    for method in ("temperature", "isotonic"):
        assert pick(table, method, "ece")["value"] < 0.02
        change = pick(table, method, "log_loss", baseline="raw")
        assert change["ci_high"] < 0
        before, after = (pick(table, name, "log_loss")["value"] for name in ("raw", method))
        assert change["value"] == pytest.approx(after - before)


def test_a_bias_that_depends_on_uncertainty_stays_in_the_buckets():
    table = recalibration_table(
        draw(5, shift=1.0), draw(6, shift=1.0), LAYOUT, n_bins=10, resamples=50, rng=np.random.default_rng(0)
    )
    low, high = (pick(table, "isotonic", "bias", f"uncertainty bucket {k} of 2") for k in (1, 2))
    assert abs(pick(table, "isotonic", "bias")["value"]) < 0.01
    assert low["ci_high"] < -0.02 and high["ci_low"] > 0.02
    assert set(table["segment"]) == {"all", "uncertainty bucket 1 of 2", "uncertainty bucket 2 of 2"}


def test_raw_numbers_are_plain_means():
    test = draw(7, n=200)
    table = recalibration_table(draw(8), test, LAYOUT, n_bins=5, resamples=10, rng=np.random.default_rng(0))
    assert pick(table, "raw", "bias")["value"] == pytest.approx((test.score - test.label).mean())
    assert pick(table, "raw", "brier")["value"] == pytest.approx(((test.score - test.label) ** 2).mean())


def test_a_bucket_of_a_handful_has_changes_without_intervals():
    test = draw(7, n=200)
    few = test.take(np.setdiff1d(np.arange(200), np.flatnonzero(test.uncertainty > 0.5)[19:]))
    table = recalibration_table(draw(8), few, LAYOUT, n_bins=5, resamples=10, rng=np.random.default_rng(0))
    bare = table["segment"] == "uncertainty bucket 2 of 2"
    assert table.loc[bare, ["ci_low", "ci_high"]].isna().all(axis=None) and table.loc[bare, "value"].notna().all()
    assert table.loc[~bare, "ci_low"].notna().all() and set(table.loc[bare, "n"]) == {19}
