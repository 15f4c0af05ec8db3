"""A whole run: its tables are complete and consistent, its claims honest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.claims import CLAIM_COLUMNS
from engine.delay.config import METHODS, DelayConfig
from engine.delay.data import Dataset, prepare
from engine.delay.evaluate import evaluate
from engine.delay.run import run
from engine.delay.simulate import SimulationConfig, simulate
from engine.delay.train import fit
from engine.errors import ConfigError, DataError, NotEnoughDataError
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS
from engine.runs import read_run, write_run

CURVES = {
    "claims",
    "differences",
    "arrival",
    "windows",
    "cohorts",
    "reliability",
    "weights",
    "tails",
    "funnel",
    "funnel_check",
    "maturing",
    "flips",
    "tradeoff",
    "law",
    "influence",
    "influence_check",
    "cure",
    "asof",
    "asof_curves",
    "asof_cohorts",
    "snapshot",
    "stream",
    "stream_facts",
}


def claims_of(dataset: Dataset, config: DelayConfig) -> pd.DataFrame:
    """Train and judge as a run does, without the stream and the tables that no claim reads: half of its time."""
    prepared = prepare(dataset, config)
    return evaluate(fit(prepared, config), prepared, config, np.zeros(prepared.time.size)).claims


def test_a_run_has_every_table_and_can_be_stored_and_read(quick_run, tmp_path):
    assert set(quick_run.curves) == CURVES
    assert list(quick_run.metrics.columns) == list(METRIC_COLUMNS)
    assert list(quick_run.curves["claims"].columns) == list(CLAIM_COLUMNS)
    assert list(quick_run.curves["differences"].columns) == list(DIFFERENCE_COLUMNS)
    stored = read_run(write_run(quick_run, tmp_path / "delay-test", command=["python"]))
    pd.testing.assert_frame_equal(stored.curve("windows"), quick_run.curves["windows"], check_dtype=False)


def test_every_method_is_judged_on_every_split_with_interval_and_n(quick_run):
    metrics = quick_run.metrics
    for split in ("test", "holdout"):
        rows = metrics[(metrics["split"] == split) & (metrics["segment"] == "all")]
        rows = rows[~rows["metric"].str.startswith("relative_")]  # undefined where vanilla is as good as the oracle
        assert set(rows["method"]) == set(METHODS)
        assert (rows["n"] > 0).all() and rows["value"].notna().all()
        assert (rows["ci_low"] <= rows["value"]).all() and (rows["value"] <= rows["ci_high"]).all()
    assert set(metrics.loc[metrics["split"] == "pending", "method"]) == {"dress_style", "exact_joint", "kaplan_meier"}
    assert {"segment:A", "segment:B", "segment:C"} <= set(metrics["segment"])
    assert not metrics.duplicated(["method", "split", "segment", "metric"]).any()


def test_unit_weights_are_worth_all_rows_and_others_less(quick_run):
    rows = quick_run.metrics.query("split == 'train' and metric == 'ess_share'").set_index("method")["value"]
    without_weights = ["oracle", "pretrained", "wait", "vanilla", "vanilla_win", "fnc"]
    assert (rows[without_weights] == 1.0).all()
    assert (rows.drop(without_weights) < 1.0).all() and (rows > 0.5).all()
    histogram = quick_run.curves["weights"].query("segment == 'all'")
    labels = histogram[histogram["label"] != "pending"].groupby("method")
    assert (labels["n"].sum() == labels["rows"].first()).all()
    assert np.allclose(histogram["share"], histogram["n"] / histogram["rows"])


def test_the_window_table_agrees_with_the_curves_and_with_counting(quick_run, simulated):
    windows = quick_run.curves["windows"].query("segment == 'all'").set_index("waiting_days")
    arrival = quick_run.curves["arrival"].query("group == 'all' and view == 'snapshot'").set_index("elapsed_days")
    assert windows.loc[7.0, "flip"] == arrival.loc[7.0, "flip"] and windows.loc[7.0, "seen"] == arrival.loc[7.0, "seen"]
    day = float(quick_run.curves["snapshot"]["as_of"].iloc[0])
    rows = simulated[simulated["exposure_time"] <= day - 7.0]
    delay = rows["conversion_time"] - rows["exposure_time"]
    negative = ~(delay <= 7.0)
    assert windows.loc[7.0, "read"] == len(rows) and windows.loc[7.0, "negatives"] == negative.sum()
    assert windows.loc[7.0, "flips_final"] == (negative & (delay <= 30.0)).sum()
    assert windows.loc[7.0, "flip_final"] == pytest.approx((negative & (delay <= 30.0)).sum() / negative.sum())
    before = simulated[simulated["exposure_time"] < day]
    late = before["conversion_time"] - before["exposure_time"]
    assert windows.loc[7.0, "seen_final"] == pytest.approx((late <= 7.0).sum() / (late <= 30.0).sum())
    assert windows.loc[7.0, "flips_expected"] == pytest.approx(windows.loc[7.0, "flip"] * negative.sum())
    share = windows[["ess_share_dress_style", "ess_share_exact_joint"]].dropna()
    assert ((share > 0.5) & (share <= 1 + 1e-12)).all(axis=None)
    assert (windows["weight_max_dress_style"].dropna() <= 1).all()


@pytest.mark.slow
def test_data_without_engagement_carry_no_claim_about_signals(simulated, quick_config, dataset_of):
    claims = claims_of(dataset_of(simulated.drop(columns="engagement_time")), quick_config())
    assert set(claims["claim"]) == {"C3", "C4"}


def test_predictions_hold_only_rows_that_training_did_not_judge_itself_on(quick_run):
    rows = quick_run.predictions
    assert set(rows["split"]) == {"test", "holdout"} and not rows["exposure_id"].duplicated().any()
    assert rows.loc[rows["split"] == "test", "y_observed"].eq(0).all()
    open_rows = rows["prob_flip"].notna()
    assert (rows.loc[open_rows, "split"] == "holdout").all() and (rows.loc[open_rows, "y_observed"] == 0).all()
    assert rows.filter(like="prob_").drop(columns="prob_flip").apply(lambda column: column.between(0, 1)).all(axis=None)


def test_the_claims_of_a_run_are_those_of_its_evaluation(quick_run, quick_fit):
    prepared, config, fitted = quick_fit
    claims = evaluate(fitted, prepared, config, np.zeros(prepared.time.size)).claims
    pd.testing.assert_frame_equal(quick_run.curves["claims"], claims)


def test_the_flip_count_of_the_snapshot_is_that_of_the_claim(quick_run):
    facts = quick_run.curves["snapshot"].iloc[0]
    claim = quick_run.curves["claims"].query("claim == 'C3'").iloc[0]
    assert facts["flipped"] / facts["pending"] == pytest.approx(claim["value"])
    assert facts["matured"] + facts["immature"] == facts["exposures"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_twice(simulated, dataset_of, quick_config, quick_run):
    again = run(dataset_of(simulated), quick_config(training_days=40.0))
    for name, table in quick_run.curves.items():
        pd.testing.assert_frame_equal(again.curves[name], table)
    pd.testing.assert_frame_equal(again.metrics, quick_run.metrics)
    pd.testing.assert_frame_equal(again.predictions, quick_run.predictions)


@pytest.mark.slow
def test_signals_that_tell_nothing_are_not_said_to_help(dataset_of, quick_config):
    knobs = {"conversion_rate": 0.25, "engaged_conversion_rate": 0.25, "delay_days": 8.0, "engaged_delay_days": 8.0}
    blind = simulate(4000, SimulationConfig(seed=11, engagement_days=0.01, feature_effect=0.0, **knobs))
    claims = claims_of(dataset_of(blind), quick_config(resamples=80, steps=200))
    rows = claims[claims["claim"] == "C5"]
    assert len(rows) == 3 and "supported" not in set(rows["verdict"])


@pytest.mark.slow
def test_signals_that_tell_much_are_found(dataset_of, quick_config):
    telling = simulate(4000, SimulationConfig(seed=11))
    claims = claims_of(dataset_of(telling), quick_config(resamples=80, steps=200))
    rows = claims[claims["claim"] == "C5"].set_index("effect")["verdict"]
    assert rows["Log loss of which labels will flip"] == "supported"
    assert rows["Flip rate by engagement, before features are taken into account"] == "supported"
    assert set(claims.loc[claims["claim"] == "C3", "verdict"]) == {"supported"}


@pytest.mark.slow
def test_labels_that_arrive_at_once_are_not_said_to_flip(dataset_of, quick_config):
    prompt = simulate(3000, SimulationConfig(seed=2, engagement_days=0.01, delay_days=0.01, engaged_delay_days=0.01))
    claims = claims_of(dataset_of(prompt), quick_config())
    assert set(claims.loc[claims["claim"] == "C3", "verdict"]) == {"not supported"}


def test_a_grid_too_fine_for_the_window_is_refused(simulated, dataset_of, quick_config):
    with pytest.raises(ConfigError, match=r"'step_days' is 0\.01, which makes 3,000 bins"):
        run(dataset_of(simulated), quick_config(step_days=0.01))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"counterfactual_days": 1000.0}, "0 are older than 'counterfactual_days'"),
        ({"training_days": 0.5}, "No training exposure is left for the method"),
    ],
)
def test_settings_that_leave_a_method_without_rows_are_refused_before_training(dataset_of, settings, message):
    dataset = dataset_of(simulate(600, SimulationConfig(seed=2)))
    with pytest.raises(NotEnoughDataError, match=message):
        run(dataset, DelayConfig(**settings))


def test_a_segment_with_the_name_of_all_exposures_is_refused(dataset_of):
    frame = simulate(600, SimulationConfig(seed=2))
    with pytest.raises(DataError, match="holds 'all', which is what the tables call all exposures"):
        run(dataset_of(frame.assign(segment=frame["segment"].replace("A", "all"))), DelayConfig())
