"""The score of a stream is the weighted mean of its steps, with paired intervals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.delay.config import DelayConfig
from engine.delay.data import prepare
from engine.delay.simulate import SimulationConfig, simulate
from engine.delay.streaming import Replay, Timeline
from engine.delay.streaming_methods import STREAM_METHODS
from engine.delay.streaming_tables import PAIRS, STREAM_COLUMNS, STREAM_METRICS, StreamScores, stream
from engine.metrics.classification import average_precision, log_loss, roc_auc
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS

CONFIG = DelayConfig(
    members=1, hidden=8, steps=30, batch_size=64, resamples=20, waiting_days=4.0, attribution_days=15.0
)
LABEL = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
P = np.array([0.9, 0.1, 0.2, 0.3, 0.1, 0.1])


def scores_of(label, day, unit=None, **probability) -> StreamScores:
    days = Timeline(pretrain_from=0.0, pretrain_to=1.0, gap_days=1.0, edges=np.arange(5.0))
    label = np.asarray(label, dtype=float)
    played = Replay(timeline=days, exposure=np.arange(label.size), day=np.asarray(day), probability=probability)
    return StreamScores(played, label=label, unit=np.arange(label.size) if unit is None else np.asarray(unit))


def test_the_score_is_the_mean_of_the_steps_weighted_by_exposures_and_not_pooled():
    scores = scores_of(LABEL, [2, 2, 3, 3, 3, 3], oracle=P)
    values = dict(zip(STREAM_METRICS, scores.values(np.ones(6))[-1, 0], strict=True))
    # Step 1: two rows, AUC 1. Step 2: four rows, the positive beats two of three negatives.
    assert values["roc_auc"] == pytest.approx((2 * 1 + 4 * 2 / 3) / 6)
    assert roc_auc(LABEL, P) == pytest.approx(7 / 8)
    assert values["pr_auc"] == pytest.approx((2 * 1 + 4 * 1 / 2) / 6)
    assert average_precision(LABEL, P) != pytest.approx(values["pr_auc"])
    assert values["log_loss"] == pytest.approx(log_loss(LABEL, P))  # a mean of rows: both are the same
    assert values["calibration"] == pytest.approx(1.7 / 2)  # of sums; the mean of the ratios 1 and 0.7 would be 0.8


def test_a_step_is_scored_on_its_own_rows():
    scores = scores_of(LABEL, [2, 2, 3, 3, 3, 3], oracle=P)
    first, second = scores.values(np.ones(6))[:-1, 0]
    assert first.tolist() == pytest.approx([log_loss(LABEL[:2], P[:2]), 1.0, 1.0, 1.0])
    assert second.tolist() == pytest.approx([log_loss(LABEL[2:], P[2:]), 2 / 3, 1 / 2, 0.7])


def test_a_step_of_one_class_counts_where_it_has_a_value():
    scores = scores_of([1, 0, 0, 0], [2, 2, 3, 3], oracle=np.array([0.8, 0.4, 0.5, 0.5]))
    values = scores.values(np.ones(4))
    assert np.isnan(values[1, 0, 1:]).all() and np.isfinite(values[1, 0, 0])
    assert values[-1, 0, 1] == 1.0
    assert values[-1, 0, 0] == pytest.approx(-np.log([0.8, 0.6, 0.5, 0.5]).mean())
    assert values[-1, 0, 3] == pytest.approx(2.2)


def test_weights_count_a_row_as_often_as_it_was_drawn():
    scores = scores_of(LABEL, [2, 2, 3, 3, 3, 3], oracle=P)
    weight = np.array([2.0, 1.0, 1.0, 0.0, 3.0, 1.0])
    taken = np.repeat(np.arange(6), weight.astype(int))
    again = scores_of(LABEL[taken], np.array([2, 2, 3, 3, 3, 3])[taken], oracle=P[taken])
    assert scores.values(weight) == pytest.approx(again.values(np.ones(taken.size)), nan_ok=True)
    empty = scores.values(np.array([1.0, 1.0, 0, 0, 0, 0]))
    assert np.isnan(empty[1]).all() and empty[-1, 0, 1] == 1.0


@pytest.fixture(scope="module")
def measured():
    rng = np.random.default_rng(0)
    label = (rng.random(600) < 0.3).astype(float)
    good = np.clip(0.2 + 0.3 * label + rng.normal(0, 0.05, 600), 0.01, 0.99)
    half = (good + 0.08) / 2
    day, unit = np.repeat([2.0, 3.0, 4.0], 200), rng.integers(0, 150, 600)
    scores = scores_of(label, day, unit, oracle=good, pretrained=good, vanilla=np.full(600, 0.08), wait=half, twin=half)
    return scores.measure(resamples=60, rng=np.random.default_rng(1))


def test_relative_metrics_are_0_for_vanilla_and_1_for_the_oracle(measured):
    table = measured.metrics().set_index(["method", "metric"])
    for metric in ("relative_log_loss", "relative_roc_auc", "relative_pr_auc"):
        for method, value in (("vanilla", 0.0), ("oracle", 1.0), ("pretrained", 1.0)):
            assert table.loc[(method, metric), ["value", "ci_low", "ci_high"]].tolist() == pytest.approx([value] * 3)
    between = table.loc[("wait", "relative_log_loss")]
    loss = {name: table.loc[(name, "log_loss"), "value"] for name in ("wait", "vanilla", "oracle")}
    assert between["value"] == pytest.approx((loss["wait"] - loss["vanilla"]) / (loss["oracle"] - loss["vanilla"]))
    assert between["ci_low"] < between["value"] < between["ci_high"]


def test_a_relative_metric_without_a_sure_gap_is_no_number():
    rng = np.random.default_rng(0)
    label = (rng.random(300) < 0.3).astype(float)
    near = [np.clip(0.3 + rng.normal(0, 0.02, 300), 0.01, 0.99) for _ in range(2)]
    scores = scores_of(label, np.repeat([2.0, 3.0, 4.0], 100), oracle=near[0], vanilla=near[1])
    table = scores.measure(resamples=60, rng=rng).metrics().set_index(["method", "metric"])
    assert table.loc[("oracle", "relative_log_loss"), ["value", "ci_low", "ci_high"]].isna().all()
    assert table.loc[("oracle", "log_loss"), "value"] > 0


def test_differences_are_paired(measured):
    table = measured.differences((("wait", "twin"), ("vanilla", "oracle"))).set_index(["method", "metric"])
    assert (table.loc["wait", ["value", "ci_low", "ci_high"]] == 0).all(axis=None)
    loss = table.loc[("vanilla", "log_loss")]
    assert 0 < loss["ci_low"] <= loss["value"] <= loss["ci_high"] and loss["n"] <= 150
    ratio = measured.metrics().set_index(["method", "metric"])["value"]
    gap = abs(ratio["vanilla", "calibration"] - 1) - abs(ratio["oracle", "calibration"] - 1)
    assert table.loc[("vanilla", "calibration_error"), "value"] == pytest.approx(gap)


@pytest.fixture(scope="module")
def result(dataset_of):
    log = dataset_of(simulate(1200, SimulationConfig(seed=5, days=80.0, window_days=15.0)))
    return stream(log, prepare(log, CONFIG), CONFIG)


def test_a_stream_has_every_table(result):
    assert list(result.stream) == list(STREAM_COLUMNS) and list(result.metrics) == list(METRIC_COLUMNS)
    assert list(result.differences) == list(DIFFERENCE_COLUMNS)
    assert tuple(result.stream["method"].unique()) == STREAM_METHODS == tuple(result.metrics["method"].unique())
    facts = result.facts.iloc[0]
    assert facts["steps"] == result.stream["day"].nunique() >= 3 and facts["reason"] == ""
    assert facts["first_test"] == result.stream["day"].min() >= facts["pretrain_to"] + facts["gap_days"]
    assert facts["exposures"] == result.stream.drop_duplicates("day")["exposures"].sum()
    assert set(result.metrics["split"]) == set(result.differences["split"]) == {"stream"}
    assert len(result.differences) == 4 * len(PAIRS)
    known = result.stream.dropna()
    assert (known["ci_low"] <= known["value"]).all() and (known["value"] <= known["ci_high"]).all()
    assert (result.stream["n"] <= result.stream["exposures"]).all()


def test_the_score_follows_from_the_table_of_steps(result):
    steps = result.stream.query("metric == 'log_loss' and method == 'es_dfm'")
    mean = np.average(steps["value"], weights=steps["exposures"])
    score = result.metrics.query("metric == 'log_loss' and method == 'es_dfm'")["value"].item()
    assert score == pytest.approx(mean, abs=1e-6)


def test_a_log_too_short_for_a_stream_gives_empty_tables_and_a_reason(dataset_of):
    config = dataclasses.replace(CONFIG, stream_step_days=10.0)
    log = dataset_of(simulate(1200, SimulationConfig(seed=5, days=80.0, window_days=50.0)))
    found = stream(log, prepare(log, config), config)
    assert found.stream.empty and found.metrics.empty and found.differences.empty
    assert list(found.stream) == list(STREAM_COLUMNS)
    assert found.facts["steps"].item() == 0 and "after the gap" in found.facts["reason"].item()
    assert pd.isna(found.facts["first_test"].item())
