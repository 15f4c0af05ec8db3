"""Simulated scores obey the model that they claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.errors import ConfigError
from engine.uncertainty.simulate import SimulationConfig, simulate
from engine.uncertainty.theory import true_rate


def test_a_matched_prior_makes_the_score_the_best_one():
    frame = simulate(2000, SimulationConfig(prior=(1.0, 3.0), model_prior=(1.0, 3.0)))
    np.testing.assert_allclose(frame["score"], frame["true_best_score"])


def test_labels_follow_the_best_score_at_every_level_of_evidence():
    frame = simulate(200_000, SimulationConfig(prior=(1.0, 3.0)))
    few = frame["n_all"] < 10
    for part in (frame[few], frame[~few]):
        bins = pd.cut(part["true_best_score"], 10)
        by_bin = part.groupby(bins, observed=True)[["label", "true_best_score"]].agg(["mean", "size"])
        gap = by_bin["label", "mean"] - by_bin["true_best_score", "mean"]
        assert (gap.abs() < 4 * 0.5 / np.sqrt(by_bin["label", "size"])).all()


def test_score_and_uncertainty_are_those_of_the_history():
    frame = simulate(500, SimulationConfig(model_prior=(2.0, 6.0)))
    np.testing.assert_allclose(frame["score"], (frame["k_all"] + 2) / (frame["n_all"] + 8))
    np.testing.assert_allclose(frame["uncertainty"], 1 / (frame["n_all"] + 8))


def test_dropping_negatives_raises_the_rate_in_the_history_only():
    plain, thinned = (simulate(50_000, SimulationConfig(tau=tau)) for tau in (1.0, 5.0))
    assert thinned["label"].mean() == pytest.approx(plain["label"].mean(), abs=0.01)
    rates = [frame["k_all"].sum() / frame["n_all"].sum() for frame in (plain, thinned)]
    assert rates[1] > 1.5 * rates[0]


def test_the_same_seed_gives_the_same_rows_and_another_seed_others():
    pd.testing.assert_frame_equal(simulate(50), simulate(50))
    assert not simulate(50).equals(simulate(50, SimulationConfig(seed=1)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prior", (1.0,)),
        ("prior", (0.0, 1.0)),
        ("model_prior", (1.0, float("nan"))),
        ("tau", 0.5),
        ("evidence_median", 0.0),
        ("evidence_spread", -1.0),
        ("tune_share", 1.0),
        ("drift_share", 1.5),
        ("drift_prior", (1.0, 0.0)),
        ("measure", "spread"),
    ],
)
def test_a_knob_out_of_range_is_named(field, value):
    with pytest.raises(ConfigError, match=f"'{field}'"):
        SimulationConfig(**{field: value})


def test_no_rows_are_refused():
    with pytest.raises(ConfigError, match="'rows' is 0"):
        simulate(0)


def test_drifted_test_rows_come_true_as_the_best_score_says():
    frame = simulate(200_000, SimulationConfig(prior=(1.0, 3.0), drift_share=0.5, drift_prior=(2.0, 38.0)))
    plain = simulate(200_000, SimulationConfig(prior=(1.0, 3.0)))
    tune, test = (frame[frame["split"] == name] for name in ("tune", "test"))
    assert (tune["label"] == plain.loc[tune.index, "label"]).all()
    assert (frame["score"] == plain["score"]).all()
    for part in (tune, test):
        bins = pd.cut(part["true_best_score"], 8)
        by_bin = part.groupby(bins, observed=True)[["label", "true_best_score"]].agg(["mean", "size"])
        gap = by_bin["label", "mean"] - by_bin["true_best_score", "mean"]
        assert (gap.abs() < 4 * 0.5 / np.sqrt(by_bin["label", "size"])).all()
    assert test["label"].mean() == pytest.approx(0.5 * 0.25 + 0.5 * 0.05, abs=0.01)


def test_a_measure_is_that_of_the_models_beta():
    frame = simulate(300, SimulationConfig(measure="differential_entropy", model_prior=(1.0, 1.0)))
    expected = stats.beta.entropy(frame["k_all"] + 1, frame["n_all"] - frame["k_all"] + 1)
    np.testing.assert_allclose(np.log(frame["uncertainty"]), expected, atol=1e-8)


def test_undersampled_evidence_turned_back_by_the_inverse_is_right_where_evidence_is_rich():
    frame = simulate(100_000, SimulationConfig(tau=5.0, evidence_median=400.0, evidence_spread=0.3))
    corrected = true_rate(frame["score"].to_numpy(), 5.0)
    assert frame["score"].mean() > 2 * frame["label"].mean()
    assert corrected.mean() == pytest.approx(frame["label"].mean(), rel=0.03)
    bins = pd.qcut(corrected, 8)
    observed, promised = (
        values.groupby(bins, observed=True).mean() for values in (frame["label"], pd.Series(corrected))
    )
    np.testing.assert_allclose(observed, promised, atol=0.02)
