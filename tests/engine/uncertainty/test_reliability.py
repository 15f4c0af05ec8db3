"""Reliability bins against a naive loop, classifier metrics against scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from engine.metrics.binomial import clopper_pearson_interval
from engine.metrics.calibration import wilson_interval
from engine.uncertainty import reliability as r
from engine.uncertainty.grid import Layout
from engine.uncertainty.names import ALL, bucket_name
from engine.uncertainty.rows import Rows

LAYOUT = Layout(uncertainty_edges=np.array([0.12, 0.25]), score_edges=np.array([0.2, 0.5]))


@pytest.mark.parametrize("weighted", [False, True])
def test_bins_equal_a_naive_loop(make_rows, weighted):
    tune, test = make_rows(weighted=weighted), make_rows(seed=1, weighted=weighted)
    table = r.reliability(tune, {"tune": tune, "test": test}, LAYOUT, 5)
    for row in table.itertuples():
        rows = {"tune": tune, "test": test}[row.split]
        n = positives = 0
        promised = 0.0
        for score, u, label, weight in zip(rows.score, rows.uncertainty, rows.label, rows.weight, strict=True):
            bucket = sum(u > edge for edge in LAYOUT.uncertainty_edges)
            last = row.bin_high == 1.0
            inside = row.bin_low <= score and (score < row.bin_high or last)
            if inside and row.bucket in (ALL, bucket):
                n, positives, promised = n + weight, positives + weight * label, promised + weight * score
        assert (row.n, row.positives) == (n, positives)
        if n:
            assert row.mean_predicted == pytest.approx(promised / n)
            assert row.observed_rate == pytest.approx(positives / n)
            assert (row.ci_low, row.ci_high) == pytest.approx([float(v) for v in wilson_interval(positives, n)])


def test_bins_hold_equal_counts_on_the_tuning_rows():
    score = np.linspace(0, 1, 1000)
    edges = r.equal_mass_edges(score, np.ones(1000, dtype=np.int64), 10)
    assert np.histogram(score, np.concatenate([[0], edges, [1]]))[0].tolist() == [100] * 10


def test_tied_scores_share_a_bin():
    score = np.repeat([0.1, 0.2, 0.9], [70, 20, 10])
    assert r.equal_mass_edges(score, np.ones(100, dtype=np.int64), 10).tolist() == [0.2, 0.9]


def test_an_empty_bin_of_the_test_rows_stays_without_a_rate(make_rows):
    tune = make_rows()
    high = tune.score > 0.5
    test = Rows(*(getattr(tune, name)[high] for name in tune.__slots__))
    table = r.reliability(tune, {"test": test}, LAYOUT, 5)
    empty = table[table["n"] == 0]
    assert len(table[table["bucket"] == ALL]) == 2 * 5 and len(empty) > 0
    assert empty[["mean_predicted", "observed_rate", "ci_low", "ci_high"]].isna().all().all()


def test_bins_do_not_move_with_the_scores_of_the_test_rows(make_rows):
    tune, test = make_rows(), make_rows(seed=1)
    other = Rows(test.score**3, test.uncertainty, test.label, test.weight, test.unit)
    first, second = (r.reliability(tune, {"test": rows}, LAYOUT, 5) for rows in (test, other))
    assert first["bin_low"].tolist() == second["bin_low"].tolist()
    assert first["n"].tolist() != second["n"].tolist()


def test_classifier_metrics_equal_scikit_learn_in_every_bucket(make_rows):
    rows = make_rows(2000, weighted=True)
    table = r.classifier_metrics(rows, LAYOUT, n_bins=5, resamples=10, rng=np.random.default_rng(0))
    found = {(row.segment, row.metric): row.value for row in table.itertuples()}
    bucket = np.searchsorted(LAYOUT.uncertainty_edges, rows.uncertainty)
    for number in (ALL, 0, 1, 2):
        kept = np.ones(2000, dtype=bool) if number == ALL else bucket == number
        y, s, w = rows.label[kept], rows.score[kept], rows.weight[kept]
        name = bucket_name(number, 3)
        assert found[name, "roc_auc"] == pytest.approx(roc_auc_score(y, s, sample_weight=w))
        assert found[name, "pr_auc"] == pytest.approx(average_precision_score(y, s, sample_weight=w))
        assert found[name, "brier"] == pytest.approx(brier_score_loss(y, s, sample_weight=w))
        clipped = np.clip(s, 1e-7, 1 - 1e-7)
        assert found[name, "log_loss"] == pytest.approx(log_loss(y, clipped, sample_weight=w))


def test_ece_is_the_mean_gap_over_bins_and_zero_where_rates_equal_scores():
    # Two bins of 4: scores .25 and .75, rates .25 and .75.
    score = np.repeat([0.25, 0.75], 4)
    label = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    ones = np.ones(8, dtype=np.int64)
    one = Layout(np.empty(0), np.empty(0))

    def ece(values):
        rows = Rows(values, np.full(8, 0.1), label, ones, np.arange(8))
        table = r.classifier_metrics(rows, one, n_bins=2, resamples=5, rng=np.random.default_rng(0))
        return table.set_index("metric")["value"]["ece"]

    assert ece(score) == 0.0
    assert ece(np.repeat([0.05, 0.95], 4)) == pytest.approx(0.2)


def test_a_bucket_of_one_class_has_no_auc_and_says_so_with_nan(make_rows):
    rows = make_rows()
    certain = rows.uncertainty <= 0.12
    rows = Rows(rows.score, rows.uncertainty, np.where(certain, 0, rows.label), rows.weight, rows.unit)
    table = r.classifier_metrics(rows, LAYOUT, n_bins=5, resamples=5, rng=np.random.default_rng(0))
    own = table[table["segment"] == bucket_name(0, 3)].set_index("metric")
    assert np.isnan(own.loc["roc_auc", "value"]) and np.isnan(own.loc["roc_auc", "ci_low"])
    assert np.isfinite(own.loc["log_loss", "value"])


@pytest.mark.parametrize("change", ["few", "one class"])
def test_a_bucket_of_a_handful_or_of_one_class_has_values_without_intervals(make_rows, change):
    rows = make_rows()
    last = np.flatnonzero(rows.uncertainty > 0.25)
    if change == "few":
        few = rows.take(np.setdiff1d(np.arange(rows.label.size), last[19:]))
    else:
        few = replace(rows, label=np.where(rows.uncertainty > 0.25, 0, rows.label))
    table = r.classifier_metrics(few, LAYOUT, n_bins=5, resamples=20, rng=np.random.default_rng(0))
    bare = table[table["segment"] == bucket_name(2, 3)].set_index("metric")
    assert bare[["ci_low", "ci_high"]].isna().all(axis=None)
    assert np.isfinite(bare.loc["log_loss", "value"]) and bare["n"].iloc[0] >= 10
    others = table[(table["segment"] != bucket_name(2, 3)) & (table["metric"] == "log_loss")]
    assert others["ci_low"].notna().all() and len(others) == 3


def test_a_bucket_without_rows_stays_with_n_0(make_rows):
    layout = Layout(uncertainty_edges=np.array([0.12, 1e9]), score_edges=np.array([0.5]))
    table = r.classifier_metrics(make_rows(), layout, n_bins=5, resamples=5, rng=np.random.default_rng(0))
    assert sorted(set(table["segment"])) == ["all", *(bucket_name(k, 3) for k in range(3))]
    empty = table[table["segment"] == bucket_name(2, 3)]
    assert (empty["n"] == 0).all() and empty["value"].isna().all() and len(empty) == len(table) / 4


def test_bins_of_equal_width_stand_beside_those_of_equal_mass(make_rows):
    rows = make_rows()
    table = r.reliability(rows, {"test": rows}, LAYOUT, 4)
    wide = r.pick(table, binning="equal_width", bucket=ALL)
    assert wide["bin_low"].tolist() == [0.0, 0.25, 0.5, 0.75]
    inside = [((rows.score >= low) & (rows.score < low + 0.25 + (low == 0.75))).sum() for low in wide["bin_low"]]
    assert wide["n"].tolist() == inside
    assert r.pick(table, bucket=ALL)["n"].sum() == wide["n"].sum() == 400


def test_the_exact_interval_of_a_bin_holds_wilsons(make_rows):
    table = r.reliability(make_rows(), {"test": make_rows(seed=1)}, LAYOUT, 5)
    filled = table[table["n"] > 0]
    exact = [[float(v) for v in clopper_pearson_interval(row.positives, row.n)] for row in filled.itertuples()]
    np.testing.assert_allclose(filled[["exact_low", "exact_high"]].to_numpy(), exact)


def test_the_bins_of_a_run_from_before_there_were_two_binnings_are_of_equal_mass(make_rows):
    table = r.reliability(make_rows(), {"test": make_rows(seed=1)}, LAYOUT, 5)
    old = table[table["binning"] == "equal_mass"].drop(columns=["binning", "exact_low", "exact_high"])
    assert len(r.pick(old, split="test")) == len(old)
    assert r.pick(old, binning="equal_width").empty


def test_base_rates_add_up_the_bins_of_a_bucket(make_rows):
    rows = make_rows()
    found = r.base_rates(r.pick(r.reliability(rows, {"test": rows}, LAYOUT, 5), split="test"))
    own = rows.uncertainty <= 0.12
    first = found[found["bucket"] == 0].iloc[0]
    assert (first["n"], first["positives"]) == (own.sum(), rows.label[own].sum())
    assert first["base_rate"] == pytest.approx(rows.label[own].mean())
    assert found.iloc[0]["base_rate"] == pytest.approx(rows.label.mean())


def test_the_smooth_error_of_every_bucket_is_picked(make_rows):
    table = r.classifier_metrics(make_rows(), LAYOUT, n_bins=5, resamples=5, rng=np.random.default_rng(0))
    metrics = table.assign(method="given", split="test")
    found = r.smooth_errors(metrics, scorer="given", split="test", n_buckets=3)
    own = table[(table["metric"] == "smooth_ece") & (table["segment"] != "all")]
    assert found["bucket"].tolist() == [0, 1, 2]
    assert found["value"].tolist() == own["value"].tolist()
    assert r.smooth_errors(metrics, scorer="given", split="tune", n_buckets=3).empty
    one = metrics[metrics["segment"] == "all"]
    assert r.smooth_errors(one, scorer="given", split="test", n_buckets=1)["bucket"].tolist() == [0]
