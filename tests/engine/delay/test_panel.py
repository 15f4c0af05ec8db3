"""Metrics of a panel are those of the metric functions, and their differences are paired."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from engine.delay.panel import CALIBRATION_ERROR, METRICS, RELATIVE, Panel, share_of_gap


@pytest.fixture
def panel() -> Panel:
    rng = np.random.default_rng(0)
    label = (rng.random(300) < 0.3).astype(float)
    good = np.clip(0.3 + 0.4 * (label - 0.3) + rng.normal(0, 0.1, 300), 0.02, 0.98)
    part = np.arange(300) % 3 == 0
    return Panel(
        "test",
        label=label,
        unit=np.arange(300) // 2,
        members={"good": good[None], "flat": np.full((1, 300), 0.2)},
        segments={"all": np.ones(300, dtype=bool), "part": part, "nobody": np.zeros(300, dtype=bool)},
    )


def test_values_are_those_of_scikit_learn(panel):
    rows = panel.measure(resamples=10, rng=np.random.default_rng(0)).rows()
    assert {row["segment"] for row in rows} == {"all", "part"}
    rng = np.random.default_rng(0)
    label = (rng.random(300) < 0.3).astype(float)
    good = np.clip(0.3 + 0.4 * (label - 0.3) + rng.normal(0, 0.1, 300), 0.02, 0.98)
    for segment, place in (("all", np.arange(300)), ("part", np.arange(0, 300, 3))):
        y, p = label[place], good[place]
        expected = (log_loss(y, p), roc_auc_score(y, p), average_precision_score(y, p), brier_score_loss(y, p))
        found = {row["metric"]: row for row in rows if row["method"] == "good" and row["segment"] == segment}
        assert [found[metric]["value"] for metric in METRICS] == pytest.approx([*expected, p.sum() / y.sum()])
        assert found["log_loss"]["n"] == np.unique(place // 2).size
        assert all(row["ci_low"] <= row["value"] <= row["ci_high"] for row in found.values())


def test_a_difference_is_that_of_the_values_and_narrower_than_its_parts(panel):
    measured = panel.measure(resamples=200, rng=np.random.default_rng(1))
    value = {(row["method"], row["metric"]): row for row in measured.rows() if row["segment"] == "all"}
    found = measured.difference("good", "flat", "log_loss")
    assert found["value"] == pytest.approx(value["good", "log_loss"]["value"] - value["flat", "log_loss"]["value"])
    same = measured.difference("good", "good", "log_loss")
    assert (same["value"], same["ci_low"], same["ci_high"]) == (0, 0, 0)
    error = measured.difference("good", "flat", CALIBRATION_ERROR, "part")
    assert error["n"] == 100 and error["ci_low"] <= error["value"] <= error["ci_high"]


def test_a_part_with_one_class_has_no_ranking_but_a_loss():
    panel = Panel(
        "test",
        label=np.zeros(4),
        unit=np.arange(4),
        members={"only": np.full((1, 4), 0.5)},
        segments={"all": np.ones(4, dtype=bool)},
    )
    found = {row["metric"]: row["value"] for row in panel.measure(resamples=5, rng=np.random.default_rng(0)).rows()}
    assert found["log_loss"] == pytest.approx(np.log(2))
    assert all(np.isnan(found[name]) for name in ("roc_auc", "pr_auc", "calibration"))


def test_the_interval_covers_the_draw_of_the_networks_too():
    rng = np.random.default_rng(3)
    label = (rng.random(2000) < 0.3).astype(float)
    steady = np.full((4, 2000), 0.3)
    shaky = np.repeat([[0.2], [0.25], [0.35], [0.4]], 2000, axis=1)  # networks that disagree; their mean is steady
    panel = Panel(
        "test",
        label=label,
        unit=np.arange(2000),
        members={"steady": steady, "shaky": shaky, "curve": steady[:1]},
        segments={"all": np.ones(2000, dtype=bool)},
    )
    measured = panel.measure(resamples=100, rng=rng)
    width = {r["method"]: r["ci_high"] - r["ci_low"] for r in measured.rows() if r["metric"] == "calibration"}
    assert width["shaky"] > 1.5 * width["steady"] and width["curve"] == width["steady"]
    found = measured.difference("shaky", "steady", "log_loss")
    assert found["value"] == pytest.approx(0, abs=1e-12) and found["ci_low"] < 0 < found["ci_high"]


def test_copies_of_the_rows_of_a_unit_narrow_no_interval():
    rng = np.random.default_rng(0)
    label = (rng.random(200) < 0.3).astype(float)
    share = np.clip(0.2 + 0.3 * label + rng.normal(0, 0.1, 200), 0.02, 0.98)

    def width(copies: int) -> float:
        panel = Panel(
            "test",
            label=np.tile(label, copies),
            unit=np.tile(np.arange(200), copies),
            members={"only": np.tile(share, copies)[None]},
            segments={"all": np.ones(200 * copies, dtype=bool)},
        )
        row = panel.measure(resamples=100, rng=np.random.default_rng(1)).rows()[0]
        return row["ci_high"] - row["ci_low"]

    assert width(4) == pytest.approx(width(1))


def test_relative_metrics_put_vanilla_at_0_and_the_oracle_at_1():
    rng = np.random.default_rng(0)
    label = (rng.random(600) < 0.3).astype(float)
    good = np.clip(0.3 + 0.5 * (label - 0.3) + rng.normal(0, 0.05, 600), 0.02, 0.98)
    noise = np.clip(0.3 + rng.normal(0, 0.1, 600), 0.02, 0.98)
    members = {"oracle": good[None], "vanilla": noise[None], "half": (good + noise)[None] / 2}
    panel = Panel("test", label=label, unit=np.arange(600), members=members, segments={"all": np.ones(600, dtype=bool)})
    measured = panel.measure(resamples=100, rng=np.random.default_rng(1))
    rows = {(row["method"], row["metric"]): row for row in measured.relative_rows()}
    assert len(rows) == 3 * len(RELATIVE)
    for metric in RELATIVE:
        ends = [rows[method, f"relative_{metric}"] for method in ("vanilla", "oracle")]
        assert [(row["value"], row["ci_low"], row["ci_high"]) for row in ends] == [(0, 0, 0), (1, 1, 1)]
    half, value = rows["half", "relative_log_loss"], {row["method"]: row["value"] for row in measured.rows()[::5]}
    assert set(value) == set(members)
    expected = (value["half"] - value["vanilla"]) / (value["oracle"] - value["vanilla"])
    assert half["value"] == pytest.approx(expected) and half["ci_low"] < expected < half["ci_high"]
    assert half["n"] == 600


def test_a_share_of_a_gap_that_may_be_zero_is_undefined():
    draws = np.column_stack((np.full(100, 0.4), np.full(100, 0.5), np.linspace(0.4, 0.51, 100)))
    assert np.isnan(share_of_gap(np.array([0.4, 0.5, 0.45]), draws)).all()
    clear = draws - np.array([0.0, 0.0, 0.1])
    assert share_of_gap(np.array([0.4, 0.5, 0.35]), clear)[0] == pytest.approx(2 / 3)
