"""The funnel adds up, its observed shares are counts, and a model of engaged exposures promises too much."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.delay.config import DelayConfig
from engine.delay.funnel import STAGES, funnel_table, selection_gap, stage_probabilities
from engine.delay.panel import Panel
from engine.delay.train import OURS


@pytest.fixture(scope="module")
def funnel(quick_fit):
    prepared, config, fitted = quick_fit
    return funnel_table(fitted, prepared, config)


def test_observed_shares_are_counts_of_the_later_exposures(funnel, simulated, quick_fit):
    prepared, config, _ = quick_fit
    rows = simulated[simulated["exposure_time"] >= prepared.as_of]
    rows = rows[rows["exposure_time"] + 30.0 <= prepared.observed_until]
    engaged = rows["engagement_time"] - rows["exposure_time"] <= config.waiting_days
    delay = rows["conversion_time"] - rows["exposure_time"]
    mine = funnel[funnel["segment"] == "B"].set_index("stage")
    b = rows["segment"] == "B"
    assert mine.loc["engaged", "observed"] == pytest.approx(engaged[b].mean())
    assert mine.loc["converted_engaged", "observed"] == pytest.approx((engaged & (delay <= 30.0))[b].mean())
    assert mine.loc["converted_plain", "observed"] == pytest.approx((~engaged & (delay <= 30.0))[b].mean())
    assert mine.loc["exposed", "n"] == b.sum() and mine.loc["exposed", "units"] == rows.loc[b, "unit"].nunique()


def test_engaged_and_plain_conversions_add_up_to_what_the_method_predicts(quick_fit):
    prepared, _, fitted = quick_fit
    said = stage_probabilities(fitted, prepared)
    assert set(said) == set(STAGES)
    assert np.allclose(said["converted_engaged"] + said["converted_plain"], said["converted"], atol=1e-12)
    assert np.allclose(said["converted"], fitted.probability[OURS], atol=1e-6)
    assert np.allclose(said["engaged"], fitted.engagement, atol=1e-6)


def test_without_a_leak_nothing_converts_without_engagement(quick_fit):
    prepared, _, fitted = quick_fit
    said = stage_probabilities(dataclasses.replace(fitted, has_leak=False), prepared)
    assert not said["converted_plain"].any() and (said["converted"] <= said["engaged"]).all()


def test_every_row_adds_up_and_lies_inside_its_interval(funnel):
    assert all(tuple(part) == STAGES for _, part in funnel.groupby("segment")["stage"])
    wide = funnel.pivot(index="segment", columns="stage", values="observed")
    assert np.allclose(wide["converted_engaged"] + wide["converted_plain"], wide["converted"])
    assert np.allclose(funnel["ratio"], funnel["predicted"] / funnel["observed"])
    assert (funnel["ci_low"] <= funnel["observed"]).all() and (funnel["observed"] <= funnel["ci_high"]).all()
    assert (funnel["ratio_low"] <= funnel["ratio"]).all() and (funnel["ratio"] <= funnel["ratio_high"]).all()


def test_a_model_of_engaged_exposures_promises_too_much_over_all(quick_fit):
    prepared, config, fitted = quick_fit
    gap = selection_gap(fitted, prepared, config).set_index(["model", "population", "metric"])["value"]
    assert gap["engaged_only", "all", "calibration"] > 1.5 > gap["entire_space", "all", "calibration"]
    assert gap["engaged_only", "all", "log_loss"] > gap["entire_space", "all", "log_loss"]
    assert abs(gap["engaged_only", "engaged", "calibration"] - 1) < abs(gap["engaged_only", "all", "calibration"] - 1)


def test_the_entire_space_of_the_gap_is_the_method_of_the_run(quick_fit):
    prepared, config, fitted = quick_fit
    gap = selection_gap(fitted, prepared, config).set_index(["model", "population", "metric"])
    rows = np.flatnonzero(prepared.test)
    panel = Panel(
        "test",
        label=prepared.label[rows],
        unit=prepared.unit[rows],
        members={OURS: fitted.members[OURS][:, rows]},
        segments={"all": np.ones(rows.size, dtype=bool)},
    )
    value = panel.values(np.ones(rows.size), np.arange(config.members))[0, 0]
    assert gap.loc[("entire_space", "all", "log_loss"), "value"] == pytest.approx(value[0])
    assert gap.loc[("entire_space", "all", "roc_auc"), "value"] == pytest.approx(value[1])


def test_without_engagement_there_is_no_gap_to_show(quick_fit):
    prepared, _, fitted = quick_fit
    never = dataclasses.replace(prepared, engage_delay=np.full(prepared.time.size, np.inf))
    assert selection_gap(fitted, never, DelayConfig()).empty
