"""While labels mature: nothing of the future is used, the end agrees with the truth, and soft labels beat hard ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.delay import maturing
from engine.delay.maturing import FOLLOWED, KINDS, MAX_DAYS, METRICS, maturing_table, soft_labels
from engine.metrics.classification import calibration_ratio, log_loss, roc_auc


@pytest.fixture(scope="module")
def table(quick_fit):
    prepared, config, fitted = quick_fit
    return maturing_table(fitted, prepared, config)


def at(table, day, method, kind):
    """Return the metrics of one line on one day."""
    rows = table[(table["day"] == day) & (table["method"] == method) & (table["kind"] == kind)]
    return rows.set_index("metric")["value"]


def test_every_line_has_its_days(table):
    assert set(table["kind"]) == set(KINDS) and set(table["metric"]) == set(METRICS)
    assert set(table["method"]) == set(FOLLOWED) and table["day"].nunique() <= MAX_DAYS
    assert not table.duplicated(["day", "method", "kind", "metric"]).any()


def test_on_the_last_day_nothing_is_left_to_estimate(table):
    last = table["day"].max()
    for method in FOLLOWED:
        lines = [at(table, last, method, kind) for kind in KINDS]
        assert lines[0].to_numpy() == pytest.approx(lines[2].to_numpy())
        assert lines[1].to_numpy() == pytest.approx(lines[2].to_numpy())
    assert (table.loc[table["day"] == last, "seen_share"] == 1).all()


@pytest.mark.parametrize("method", FOLLOWED)
def test_naive_and_realised_agree_with_the_plain_metrics(table, quick_fit, method):
    prepared, _, fitted = quick_fit
    day = 21.0
    rows = np.flatnonzero(prepared.test & (prepared.time < prepared.as_of + day))
    f = fitted.probability[method][rows]
    so_far = (prepared.delay[rows] <= prepared.as_of + day - prepared.time[rows]).astype(float)
    for kind, label in (("naive", so_far), ("realised", prepared.label[rows])):
        found = at(table, day, method, kind)
        assert found["log_loss"] == pytest.approx(log_loss(label, f))
        assert found["calibration"] == pytest.approx(calibration_ratio(label, f))
        assert found["roc_auc"] == pytest.approx(roc_auc(label, f))
    line = table[(table["day"] == day) & (table["method"] == method)]
    assert np.allclose(line["seen_share"], so_far.sum() / prepared.label[rows].sum())
    assert (line["n"] == np.unique(prepared.unit[rows]).size).all()


def test_a_soft_label_counts_as_a_weighted_positive_and_negative(table, quick_fit):
    prepared, _, fitted = quick_fit
    rows = np.flatnonzero(prepared.test & (prepared.time < prepared.as_of + 14.0))
    soft, inside = soft_labels(fitted, prepared, rows, np.array([14.0]))
    q, f = soft["estimated"][:, 0], fitted.probability["vanilla"][rows]
    assert inside.all() and ((q > 0) & (q < 1)).any()
    label, twice = np.repeat([1.0, 0.0], rows.size), np.concatenate((f, f))
    weight = np.concatenate((q, 1 - q))
    found = at(table, 14.0, "vanilla", "estimated")
    assert found["roc_auc"] == pytest.approx(roc_auc(label, twice, weight))
    assert found["calibration"] == pytest.approx(f.sum() / q.sum())
    assert found["log_loss"] == pytest.approx(log_loss(label, twice, weight))


@pytest.mark.parametrize("day", [7.0, 28.0])
def test_what_happens_after_a_day_changes_nothing_that_is_known_on_it(table, quick_fit, day):
    prepared, config, fitted = quick_fit
    later = prepared.test & (prepared.time + prepared.delay > prepared.as_of + day)
    cut = dataclasses.replace(prepared, delay=np.where(later, np.inf, prepared.delay))
    again = maturing_table(fitted, cut, config)
    for method in FOLLOWED:
        for kind in ("naive", "estimated"):
            assert at(again, day, method, kind).to_numpy() == pytest.approx(at(table, day, method, kind).to_numpy())
        assert at(again, day, method, "realised")["calibration"] != at(table, day, method, "realised")["calibration"]


def test_estimates_come_closer_to_what_came_true_than_labels_so_far(table):
    for method in FOLLOWED:
        for day in (7.0, 14.0, 21.0):
            naive, estimated, realised = (at(table, day, method, kind) for kind in KINDS)
            for metric in ("log_loss", "calibration"):
                assert abs(estimated[metric] - realised[metric]) < abs(naive[metric] - realised[metric])


def test_intervals_hold_their_values(table):
    assert (table["ci_low"] <= table["value"]).all() and (table["value"] <= table["ci_high"]).all()


def test_of_many_exposures_whole_units_are_followed(quick_fit, monkeypatch):
    prepared, config, fitted = quick_fit
    monkeypatch.setattr(maturing, "MAX_ROWS", int(prepared.test.sum() / 2.5))
    kept = prepared.test & (prepared.unit % 3 == 0)
    found = maturing_table(fitted, prepared, config)
    assert found["n"].max() == np.unique(prepared.unit[kept]).size
