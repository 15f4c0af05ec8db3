"""The parts of the benchmark: simulated settings, units of real data, the guarantee, the speed."""

from __future__ import annotations

import numpy as np
import pytest

from engine.benchmark import uncertainty_guarantee, uncertainty_real, uncertainty_speed
from engine.benchmark.uncertainty_judge import MATCHED
from engine.benchmark.uncertainty_simulated import SETTINGS, draw, rows_of
from engine.seeding import generator
from engine.uncertainty.trend import positivity_trend


def test_goals_of_mismatch_are_judged_where_the_prior_is_wrong_and_no_negative_was_dropped():
    for name, setting in SETTINGS.items():
        mean = setting.prior[0] / sum(setting.prior)
        assert f"base rate .{round(100 * mean):02d}" in name and f"tau {setting.tau:g}" in name
        assert setting.has_mismatch == (setting.tau == 1 and setting.model_prior != setting.prior)
    assert {setting.tau for setting in SETTINGS.values()} == {1, 3, 10}


def test_the_trend_of_the_sample_is_that_of_a_run():
    rows = rows_of(draw(SETTINGS["base rate .25, tau 1"], 4, 3000))
    known = positivity_trend(rows, resamples=2, rng=generator(0, "test"))["value"]
    taken = uncertainty_real.unit_counts(rows.unit)
    draws = uncertainty_real.trend_draws(rows, taken)
    assert draws.shape == (1 + uncertainty_real.RESAMPLES,) and draws[0] == pytest.approx(known)
    assert np.quantile(draws, 0.025) < known < np.quantile(draws, 0.975)


def test_draws_of_units_hold_the_sample_first_and_as_many_units_each():
    taken = uncertainty_real.unit_counts(np.array([7, 7, 9, 11]))
    assert taken.shape == (3, 1 + uncertainty_real.RESAMPLES)
    assert (taken[:, 0] == 1).all() and (taken.sum(axis=0) == 3).all()


def test_the_guarantee_is_judged_by_the_true_rates(monkeypatch):
    monkeypatch.setattr(uncertainty_guarantee, "REPETITIONS", 2)
    monkeypatch.setattr(uncertainty_guarantee, "ROWS", 5000)
    monkeypatch.setattr(uncertainty_guarantee, "TARGET", 0.5)
    monkeypatch.setattr(uncertainty_guarantee, "JUDGE_ROWS", 20_000)
    monkeypatch.setattr(
        uncertainty_guarantee, "missing", lambda: {"": ["mapie_one", "mapie_buckets", "mapie_sequence"]}
    )
    table = uncertainty_guarantee.measure(uncertainty_guarantee.SETTING, 0)
    assert list(table["method"]) == ["guaranteed"] * 2
    precision, recall = (np.array(draws) for draws in table["draws"])
    assert precision.shape == recall.shape == (2,)
    assert ((precision > 0.45) & (precision <= 1)).all() and ((recall > 0) & (recall < 1)).all()


def test_speed_compares_equal_selections(monkeypatch):
    monkeypatch.setattr(uncertainty_speed, "REPEATS", 1)
    monkeypatch.setattr(uncertainty_speed, "ROWS", 3000)
    monkeypatch.setattr(uncertainty_speed, "STEPS", 20)
    monkeypatch.setattr(uncertainty_speed, "EXACT", (3, 20))
    monkeypatch.setattr(uncertainty_speed, "EXACT_ROWS", 6000)
    monkeypatch.setattr(uncertainty_speed, "find_spec", lambda module: None)
    table = uncertainty_speed.measure(uncertainty_speed.SETTING, 0)
    same = table[table["metric"] == "same_selection"]
    assert len(same) == 3 and all(draws == [1.0] for draws in same["draws"])
    assert table.loc[table["metric"] == "is_feasible", "draws"].tolist() == [[1.0]]
    assert set(table["data"]) == {"speed"} and MATCHED not in set(table["metric"])


def test_metrics_agree_with_other_packages():
    pytest.importorskip("relplot")
    pytest.importorskip("model_diagnostics")
    rows = rows_of(draw(SETTINGS["base rate .25, tau 1"], 0, 2000))
    assert uncertainty_speed._smooth_differences(rows)["smooth error"] < 2e-3
    assert max(uncertainty_speed._corp_differences(rows).values()) < 1e-12
