"""Whole runs: what they hold, what they never look at, and what they find where the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.claims import CLAIM_COLUMNS
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS
from engine.runs import read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.methods import METHODS
from engine.uncertainty.names import BASELINE, MATCHED, MATCHED_PRIOR, RECALL_MARGIN, RELATIVE
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate
from engine.uncertainty.summary import answer

CONFIG = UncertaintyConfig(resamples=40, seed=1)


def simulated(rows, seed, **knobs):
    return simulate(rows, SimulationConfig(seed=seed, prior=(1.0, 3.0), **knobs))


def claim(result, key, scorer="Given score"):
    table = result.curves["claims"]
    return table[(table["claim"] == key) & (table["segment"] == scorer)].iloc[0]


def test_a_run_holds_tidy_tables_for_every_scorer(scored_run):
    assert scored_run.kind == "uncertainty"
    assert tuple(scored_run.metrics.columns) == METRIC_COLUMNS
    assert tuple(scored_run.curves["claims"].columns) == CLAIM_COLUMNS
    assert tuple(scored_run.curves["differences"].columns) == DIFFERENCE_COLUMNS
    assert scored_run.curves["scorers"]["scorer"].tolist() == ["given", "rate_all_flat", "rate_all_matched"]
    for name in ("cells", "edges", "boundaries", "reliability", "trend"):
        assert set(scored_run.curves[name]["scorer"]) == {"given", "rate_all_flat", "rate_all_matched"}


def test_every_number_stands_inside_its_interval_or_near_it_and_has_an_n(scored_run):
    metrics = scored_run.metrics.dropna()
    assert (metrics["ci_low"] <= metrics["ci_high"]).all() and (metrics["n"] > 0).all()
    recall = metrics[metrics["metric"] == "recall"]
    assert (recall["ci_low"] <= recall["value"]).mean() > 0.95 and recall["value"].between(0, 1).all()


def test_cells_hold_every_row_once(scored_run):
    cells = scored_run.curves["cells"]
    rows = scored_run.dataset.rows
    for (_, split), part in cells.groupby(["scorer", "split"]):
        assert part["n"].sum() == rows[f"{split} rows"]
    assert cells.groupby("scorer")["positives"].sum().tolist() == [rows["positives"]] * 3


def test_a_score_equal_to_the_rate_gets_the_same_boundaries(scored_run):
    tables = {name: part.drop(columns="scorer") for name, part in scored_run.curves["boundaries"].groupby("scorer")}
    pd.testing.assert_frame_equal(
        tables["given"].reset_index(drop=True), tables["rate_all_flat"].reset_index(drop=True)
    )


def test_tuned_precision_reaches_its_target_on_the_tuning_rows(scored_run):
    metrics = scored_run.metrics
    tuned = metrics[(metrics["split"] == "tune") & (metrics["metric"] == "precision")].dropna()
    target = tuned["segment"].str.extract(r">=(.*)$")[0].astype(float)
    # The guaranteed boundary was fixed on half of these rows.
    assert len(tuned) > 30 and (tuned["value"] >= target - 1e-12)[tuned["method"] != "guaranteed"].all()


def test_a_target_out_of_reach_is_shown_with_nothing_selected(as_dataset):
    # A score without information, so that no bin of at least ten rows is all positives.
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"label": rng.random(3000) < 0.1, "score": rng.random(3000), "uncertainty": rng.random(3000)})
    result = run(as_dataset(frame), UncertaintyConfig(resamples=10, precision_targets=(0.9,), buckets=2))
    own = result.metrics[result.metrics["segment"] == "given · precision>=0.90"]
    own = own[(own["method"] == "exact_dp") & (own["split"] == "tune")].set_index("metric")
    assert own.loc["recall", "value"] == 0 and np.isnan(own.loc["precision", "value"])
    assert set(result.curves["boundaries"]["cut"]) == {0}
    assert np.isinf(result.curves["boundaries"]["threshold"]).all()


def test_differences_are_those_of_the_metrics(scored_run):
    metrics = scored_run.metrics
    recall = metrics[metrics["metric"] == MATCHED].set_index(["method", "segment"])["value"]
    differences = scored_run.curves["differences"]
    own = differences[(differences["metric"] == MATCHED) & (differences["baseline"] == BASELINE)]
    own = own[own["method"] != MATCHED_PRIOR]
    rivals = {"mist", "recalibrated", "boosted", "placebo", "guaranteed", "equal_weight_dp", *METHODS} - {BASELINE}
    assert set(own["method"]) == rivals and set(differences["baseline"]) == {BASELINE, "mist"}
    assert len(own) == 3 * 4 * len(rivals)
    for row in own.itertuples():
        assert row.value == pytest.approx(recall[row.method, row.segment] - recall[BASELINE, row.segment])
    relative = differences[differences["metric"] == RELATIVE].iloc[0]
    base = recall[BASELINE, relative["segment"]]
    assert relative["value"] == pytest.approx(100 * (recall[relative["method"], relative["segment"]] / base - 1))


def test_claims_are_the_trend_and_the_mean_gain_of_one_threshold_per_bucket(scored_run):
    trend, differences = scored_run.curves["trend"], scored_run.curves["differences"]
    tuning = scored_run.curves["cells"].query("scorer == 'given' and split == 'tune'")
    base_rate = tuning["positives"].sum() / tuning["n"].sum()
    for scorer, label in (("given", "Given score"), ("rate_all_flat", "Rate over all weeks, flat prior")):
        own = trend[(trend["scorer"] == scorer) & (trend["segment"] == "all")].set_index("method").loc["uncertainty"]
        c6, c7 = (claim(scored_run, key, label) for key in ("C6", "C7"))
        assert c6[["value", "ci_low", "ci_high", "n"]].tolist() == own[["value", "ci_low", "ci_high", "n"]].tolist()
        assert c6["margin"] == pytest.approx(100 * 0.1 * base_rate)  # a tenth, in points
        gain = differences[(differences["metric"] == MATCHED) & differences["segment"].str.startswith(f"{scorer} ·")]
        mean = 100 * gain[gain["baseline"] == BASELINE].groupby("method")["value"].mean()
        assert c7["value"] == pytest.approx(mean["mist"]) and c7["margin"] == RECALL_MARGIN
        assert mean["mist"] != pytest.approx(mean["exact_dp"])


def test_the_matched_prior_is_compared_with_the_flat_one_on_the_same_rows(scored_run):
    differences = scored_run.curves["differences"]
    repair = differences[(differences["method"] == MATCHED_PRIOR) & (differences["metric"] == MATCHED)]
    assert set(repair["baseline"]) == {BASELINE, "mist"} and repair["segment"].str.startswith("rate_all_flat").all()
    metrics = scored_run.metrics
    recall = metrics[metrics["metric"] == MATCHED].set_index(["method", "segment"])["value"]
    for row in repair.itertuples():
        matched = recall[BASELINE, row.segment.replace("_flat", "_matched")]
        assert row.value == pytest.approx(matched - recall[row.baseline, row.segment])


def test_changing_test_labels_changes_no_edge_no_boundary_and_no_rival(as_dataset):
    frame = simulated(3000, 4)
    flipped = frame.copy()
    later = flipped["split"] == "test"
    flipped.loc[later, "label"] = np.random.default_rng(0).permutation(flipped.loc[later, "label"])
    config = UncertaintyConfig(resamples=10)
    first, second = (run(as_dataset(rows), config) for rows in (frame, flipped))
    for name in ("edges", "boundaries", "scorers"):
        pd.testing.assert_frame_equal(first.curves[name], second.curves[name])

    def selected(result):
        tuned = result.metrics[result.metrics["metric"].isin(["coverage"])]
        return tuned.drop(columns=["ci_low", "ci_high"]).reset_index(drop=True)

    # Which rows each method selects, the recalibrator and the placebo included, is the same too.
    pd.testing.assert_frame_equal(selected(first), selected(second))


def test_targets_and_bins_come_from_tuning_rows_whatever_the_test_rows_look_like(as_dataset):
    frame = simulated(3000, 4).drop(columns=["k_all", "n_all"])
    changed, test = frame.copy(), frame["split"] == "test"
    rng = np.random.default_rng(0)
    changed.loc[test, "label"] = (rng.random(test.sum()) < 3 * frame.loc[test, "label"].mean()).astype(int)
    changed.loc[test, "score"] = frame.loc[test, "score"] ** 3
    first, second = (run(as_dataset(rows), UncertaintyConfig(resamples=10)).curves for rows in (frame, changed))
    assert changed.loc[test, "label"].mean() > 2.5 * frame.loc[test, "label"].mean()
    assert first["boundaries"]["target"].tolist() == second["boundaries"]["target"].tolist()
    bins = ["split", "bucket", "bin", "bin_low", "bin_high"]
    pd.testing.assert_frame_equal(first["reliability"][bins], second["reliability"][bins])
    assert first["reliability"]["n"].tolist() != second["reliability"]["n"].tolist()


def test_the_same_seed_gives_the_same_run_twice(as_dataset, purchases, trained_run):
    again = run(as_dataset(purchases), UncertaintyConfig(resamples=20, members=2, hidden=8, epochs=2, seed=1))
    pd.testing.assert_frame_equal(again.metrics, trained_run.metrics)
    pd.testing.assert_frame_equal(again.predictions, trained_run.predictions)
    for name, table in trained_run.curves.items():
        pd.testing.assert_frame_equal(again.curves[name], table)
    assert all((again.model[name] == value).all() for name, value in trained_run.model.items())


def test_a_trained_run_keeps_its_network_its_losses_and_a_stated_sample(trained_run):
    assert set(trained_run.history["stage"]) == {"ensemble"} and trained_run.model
    stored = trained_run.dataset.rows["test rows stored as predictions"]
    assert len(trained_run.predictions) == stored <= 3000
    assert (
        trained_run.curves["claims"]["segment"].tolist()
        == [
            "Deep ensemble",
            "Rate over the last 4 weeks, flat prior",
        ]
        * 2
    )


def test_a_run_is_written_and_read_back(trained_run, tmp_path):
    folder = write_run(trained_run, tmp_path / "a-run", command=["python"])
    stored = read_run(folder)
    pd.testing.assert_frame_equal(stored.metrics, trained_run.metrics)
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 1_000_000


@pytest.mark.slow
def test_a_mismatched_prior_is_found_and_repaired(as_dataset):
    result = run(as_dataset(simulated(60_000, 0)), CONFIG)
    assert claim(result, "C6")["verdict"] == "supported" and claim(result, "C6")["ci_high"] < -5
    assert claim(result, "C7")["verdict"] == "supported"
    matched = claim(result, "C6", "Rate over all weeks, flat prior")
    assert matched["value"] == pytest.approx(claim(result, "C6")["value"])
    trend = result.curves["trend"]
    repaired = trend[(trend["scorer"] == "rate_all_matched") & (trend["segment"] == "all")].set_index("method")
    assert repaired.loc["uncertainty", "ci_low"] < 0 < repaired.loc["uncertainty", "ci_high"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_a_matched_prior_claims_no_gain_from_several_thresholds(as_dataset, seed):
    result = run(as_dataset(simulated(60_000, seed, model_prior=(1.0, 3.0))), CONFIG)
    assert claim(result, "C7")["verdict"] != "supported"
    assert claim(result, "C6")["verdict"] != "supported"
    differences = result.curves["differences"]
    own = differences[(differences["metric"] == MATCHED) & differences["segment"].str.startswith("given")]
    assert (own["ci_low"] <= 0).mean() >= 0.9


@pytest.mark.slow
def test_no_method_ranks_better_than_the_best_possible_score(as_dataset):
    frame = simulated(60_000, 0)
    best = frame.assign(score=frame["true_best_score"])
    config = UncertaintyConfig(resamples=10, precision_targets=(0.6,))
    ceiling = run(as_dataset(best), config).metrics
    found = run(as_dataset(frame), config).metrics

    def recall(metrics, method):
        own = metrics[(metrics["metric"] == MATCHED) & metrics["segment"].str.startswith("given")]
        return own.set_index("method").loc[method, "value"]

    limit = recall(ceiling, BASELINE)
    assert recall(found, BASELINE) < 0.85 * limit
    for method in ("greedy", "mist", "exact_dp", "recalibrated"):
        assert recall(found, BASELINE) < recall(found, method) <= 1.05 * limit


def test_an_uncertainty_that_is_the_same_for_all_rows_carries_no_claim(as_dataset):
    rows = simulated(4_000, seed=1).drop(columns=["k_all", "n_all"]).assign(uncertainty=0.2)
    result = run(as_dataset(rows), UncertaintyConfig(resamples=20))
    assert result.curves["claims"].empty
    said = answer(result.metrics, result.curves["differences"], "given", 0.3, scorers=result.curves["scorers"])
    assert "the same for all rows" in said
