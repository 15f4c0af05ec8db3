"""Buckets are cut as the reader says, and one without rows stays with n = 0."""

from __future__ import annotations

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import ConfigError
from engine.result import RunResult
from engine.runs import read_run, write_run
from engine.uncertainty.boundaries import greedy_path
from engine.uncertainty.bucket_choice import CANDIDATES, choose_buckets
from engine.uncertainty.bucket_cut import EQUAL_COUNTS, BucketCut, bucket_cut, width_edges
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.described import describe
from engine.uncertainty.grid import Grid, assign_buckets
from engine.uncertainty.guaranteed import guaranteed_plane
from engine.uncertainty.monotone import solve_monotone_frontier
from engine.uncertainty.policy import apply_policy, export_policy
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate
from engine.uncertainty.summary import answer
from engine.uncertainty.tuning import tune

WIDTH = BucketCut(way="width")
OWN = (0.02, 0.11, 0.3)
FAST = {"resamples": 20, "precision_targets": (0.4,)}


def memory(frame):
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


@pytest.fixture(scope="module")
def frame():
    """Scores with one tuning row of by far the largest uncertainty, and rows on the own edges."""
    found = simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3))[["label", "score", "uncertainty", "split"]]
    found.loc[found.index[found["split"] == "tune"][0], "uncertainty"] = 1.5
    for place, edge in enumerate(OWN):
        found.loc[found.index[100 + 40 * place : 120 + 40 * place], "uncertainty"] = edge
    return found


@pytest.fixture(scope="module")
def holed(frame, as_dataset) -> RunResult:
    """Five buckets of equal width: no row lies in the third and fourth, one in the fifth, all of it tuning."""
    return run(as_dataset(frame), UncertaintyConfig(buckets=5, bucket_cut="width", **FAST))


def edges_of(result, axis="uncertainty", scorer="given"):
    table = result.curves["edges"]
    own = table[(table["axis"] == axis) & (table["scorer"] == scorer)].sort_values("index")
    return own["edge"].to_numpy()


def bucket_counts(result):
    return result.curves["cells"].groupby(["split", "bucket"])["n"].sum()


def counted(frame, edges):
    bucket = assign_buckets(frame["uncertainty"].to_numpy(float), np.array(edges))
    full = pd.MultiIndex.from_product([["test", "tune"], range(len(edges) + 1)], names=["split", "bucket"])
    return frame.groupby(["split", bucket]).size().rename_axis(["split", "bucket"]).reindex(full, fill_value=0)


def test_equal_widths_lie_between_the_smallest_and_the_largest_value():
    values = np.array([2.0, 3.0, 3.0, 3.0, 10.0])
    assert WIDTH.edges(values, 4).tolist() == [4.0, 6.0, 8.0]
    assert assign_buckets(values, WIDTH.edges(values, 4)).tolist() == [0, 0, 0, 0, 3]
    assert WIDTH.edges(values, 1).size == WIDTH.edges(np.full(3, 2.0), 4).size == 0
    assert BucketCut(way="width", span=(0.0, 12.0)).edges(values, 4).tolist() == [3.0, 6.0, 9.0]


def test_a_value_on_an_upper_edge_belongs_below_it():
    assert assign_buckets(np.array([3.9, 4.0, 4.1]), width_edges(2.0, 10.0, 4)).tolist() == [0, 0, 1]


def test_own_edges_win_over_numbers_and_values():
    assert BucketCut(own=OWN).edges(np.array([7.0, 8.0]), 2).tolist() == list(OWN)


@pytest.mark.parametrize("cut", [EQUAL_COUNTS, WIDTH, BucketCut(own=OWN)])
def test_a_weight_stands_for_so_many_rows(cut):
    rng = np.random.default_rng(0)
    values, weight = rng.gamma(2, size=300), rng.integers(1, 5, 300)
    assert cut.edges(values, 4, weight).tolist() == cut.edges(np.repeat(values, weight), 4).tolist()


def test_equal_counts_follow_a_change_of_scale_and_equal_widths_do_not():
    values = np.random.default_rng(1).gamma(2, size=900)
    for cut, is_kept in ((EQUAL_COUNTS, True), (WIDTH, False)):
        plain, logarithm = (assign_buckets(v, cut.edges(v, 3)) for v in (values, np.log(values)))
        assert np.array_equal(plain, logarithm) == is_kept


def test_own_edges_are_those_of_the_given_score_alone():
    config = UncertaintyConfig(bucket_edges=OWN)
    assert bucket_cut(config).own == OWN
    assert bucket_cut(config, scorer="rate_4_flat") == EQUAL_COUNTS


def test_every_boundary_by_uncertainty_takes_the_own_edges_and_no_number_is_chosen(make_rows):
    tuned = tune(make_rows(), UncertaintyConfig(bucket_edges=OWN), (0.4,))
    by_uncertainty = [plane for plane in tuned.planes if plane.recalibrator is None]
    assert tuned.choice.empty and len(by_uncertainty) == 6
    assert all(plane.layout.uncertainty_edges.tolist() == list(OWN) for plane in by_uncertainty)


def test_the_guarantee_cuts_its_learning_half_into_equal_widths(make_rows):
    rows = make_rows()
    found = guaranteed_plane(rows, (0.4,), buckets=4, cut=WIDTH).layout.uncertainty_edges
    assert np.diff(found) == pytest.approx(np.full(2, found[1] - found[0]))
    assert rows.uncertainty.min() < found[0] and found[-1] < rows.uncertainty.max()


def test_the_number_of_equal_widths_is_chosen_by_cross_fitting(make_rows):
    rows = make_rows()
    table = choose_buckets(rows, (0.4,), seed=0, cut=WIDTH)
    assert table["buckets"].tolist() == list(CANDIDATES) and table["chosen"].sum() == 1
    skewed = replace(rows, uncertainty=rows.uncertainty**3)
    assert not np.array_equal(choose_buckets(skewed, (0.4,), seed=0, cut=WIDTH)["recall"], table["recall"])


def test_a_bucket_without_rows_stays_with_a_count_of_zero(holed, frame):
    least = frame.loc[frame["split"] == "tune", "uncertainty"].min()
    assert edges_of(holed).tolist() == np.linspace(least, 1.5, 6)[1:-1].tolist()
    counts = bucket_counts(holed)
    assert counts["tune"].tolist()[2:] == [0, 0, 1] and counts["test"].tolist()[2:] == [0, 0, 0]
    metrics = holed.metrics[holed.metrics["segment"] == "uncertainty bucket 3 of 5"]
    assert (metrics["n"] == 0).all() and metrics["value"].isna().all() and "roc_auc" in set(metrics["metric"])
    repaired = holed.curves["recalibration"]
    repaired = repaired[repaired["segment"] == "uncertainty bucket 3 of 5"]
    assert len(repaired) and (repaired["n"] == 0).all() and repaired["value"].isna().all()
    assert set(holed.curves["reliability"]["bucket"]) == {-1, 0, 1, 2, 3, 4}


def test_no_sentence_holds_a_number_that_is_none(holed):
    said = [answer(holed.metrics, holed.curves["differences"], "given", 0.4), *holed.curves["verdicts"]["sentence"]]
    assert not any("nan" in text for text in said)
    assert "where it is most certain (n " in said[0] and "least (bucket 2 of 5, n " in said[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bucket_edges": (100.0, 200.0)}, "tuning and test rows lie in uncertainty bucket 1 of 3"),
        ({"bucket_cut": "width", "buckets": 5, "outlier": 1e6}, "rows lie in uncertainty bucket 1 of 5"),
    ],
)
def test_edges_that_part_nothing_rule_nothing_out(frame, as_dataset, options, words):
    outlier = options.pop("outlier", None)
    rows = frame if outlier is None else frame.assign(uncertainty=frame["uncertainty"].replace(1.5, outlier))
    config = UncertaintyConfig(**options, **FAST)
    for result in (run(as_dataset(rows), config), describe(memory(rows), {}, config, source="x")):
        verdict, tables = result.curves["verdicts"].iloc[0], result.curves
        said = answer(result.metrics, tables["differences"], "given", 0.4, scorers=tables["scorers"])
        for text in (verdict["sentence"], said):
            assert words in text and "ruled out" not in text and "No gain" not in text and "no gain" not in text
        assert verdict["verdict"] == "not judged" and set(tables["claims"]["claim"]) == {"C6"}


def test_one_bucket_is_told_as_asked_for(frame, as_dataset):
    result = run(as_dataset(frame), UncertaintyConfig(buckets=1, **FAST))
    assert "one uncertainty bucket was asked for" in result.curves["verdicts"]["sentence"].iloc[0]


def test_own_edges_around_one_value_claim_nothing(frame, as_dataset):
    result = run(as_dataset(frame.assign(uncertainty=0.05)), UncertaintyConfig(bucket_edges=OWN, **FAST))
    assert result.curves["claims"].empty
    assert "rows lie in uncertainty bucket 2 of 4" in result.curves["verdicts"]["sentence"].iloc[0]


def test_of_an_empty_bucket_nothing_is_selected_where_thresholds_are_free(holed):
    table = holed.curves["boundaries"]
    empty = table[table["bucket"].isin([2, 3])].groupby("method")["threshold"].min()
    free = empty.drop(["single_threshold", "isotonic"])
    assert np.isposinf(free).all() and np.isfinite(empty["single_threshold"])


def test_a_policy_of_such_a_run_answers_for_rows_of_an_empty_bucket(holed, tmp_path):
    stored = read_run(write_run(holed, tmp_path / "holed", command=["python", "-m", "engine"]))
    policy = export_policy(stored, scorer="given", method="mist", target=0.4)
    rows = pd.DataFrame({"score": [0.99, 0.99, 0.0], "uncertainty": [0.01, 0.8, 0.8]})
    assert apply_policy(policy, rows["score"], rows["uncertainty"]).tolist() == [True, False, False]


def test_greedy_enters_an_empty_bucket_last():
    grid = Grid(positives=np.array([[1, 3], [0, 0]]), totals=np.array([[4, 4], [0, 0]]))
    path = greedy_path(grid)
    assert path.cuts.tolist() == [[0, 0], [1, 0], [2, 0], [2, 1], [2, 2]]


def test_monotone_thresholds_select_no_more_of_an_empty_bucket_than_of_the_next():
    filled, empty = ([2, 3], [4, 4]), ([0, 0], [0, 0])
    for buckets, expected in (((empty, filled), [2, 2]), ((filled, empty), [2, 0])):
        positives, totals = (np.array(part) for part in zip(*buckets, strict=True))
        frontier = solve_monotone_frontier(Grid(positives=positives, totals=totals))
        assert frontier.solve(0.5).tolist() == expected
    locked = solve_monotone_frontier(Grid(np.array([filled[0], empty[0]]), np.array([filled[1], empty[1]])), {1: 1})
    assert locked.solve(0.5).tolist() == [2, 1]


def test_own_edges_count_given_scores_exactly(frame, as_dataset):
    result = run(as_dataset(frame), UncertaintyConfig(bucket_edges=OWN, **FAST))
    assert edges_of(result).tolist() == list(OWN)
    assert bucket_counts(result).to_dict() == counted(frame, OWN).to_dict()
    assert result.curves["scorers"]["buckets"].tolist() == [4]
    assert "bucket_choice" not in result.curves or result.curves["bucket_choice"].empty


def test_own_edges_are_exact_in_data_of_any_size(frame):
    region = np.where(np.arange(len(frame)) % 3, "north", "south")
    result = describe(memory(frame.assign(region=region)), {}, UncertaintyConfig(bucket_edges=OWN, **FAST), source="x")
    assert edges_of(result).tolist() == list(OWN)
    assert bucket_counts(result).to_dict() == counted(frame, OWN).to_dict()
    slices = result.curves["slices"]
    assert slices.groupby(["split", "bucket"])["n"].sum().to_dict() == counted(frame, OWN).to_dict()


def test_own_edges_are_exact_where_the_split_is_drawn(frame):
    config = UncertaintyConfig(bucket_edges=(*OWN, 40.0), **FAST)
    result = describe(memory(frame.drop(columns="split")), {}, config, source="x")
    pooled = bucket_counts(result).groupby("bucket").sum()
    assert pooled.tolist() == counted(frame, (*OWN, 40.0)).groupby("bucket").sum().tolist()
    assert pooled[4] == 0


@pytest.mark.parametrize("buckets", [4, None])
def test_equal_widths_are_exact_in_data_of_any_size(frame, as_dataset, buckets):
    config = UncertaintyConfig(buckets=buckets, bucket_cut="width", **FAST)
    result = describe(memory(frame), {}, config, source="x")
    edges = edges_of(result)
    tune_rows = frame[frame["split"] == "tune"]
    low, high = tune_rows["uncertainty"].min(), tune_rows["uncertainty"].max()
    assert edges.tolist() == np.linspace(low, high, edges.size + 2)[1:-1].tolist()
    assert bucket_counts(result).to_dict() == counted(frame, edges).to_dict()
    assert result.config == config


def test_equal_widths_without_a_split_lie_between_the_ends_of_all_rows(frame):
    config = UncertaintyConfig(buckets=4, bucket_cut="width", **FAST)
    result = describe(memory(frame.drop(columns="split")), {}, config, source="x")
    edges = edges_of(result)
    assert edges.tolist() == np.linspace(frame["uncertainty"].min(), 1.5, 5)[1:-1].tolist()
    pooled = bucket_counts(result).groupby("bucket").sum()
    assert pooled.tolist() == counted(frame, edges).groupby("bucket").sum().tolist()


def test_own_edges_are_refused_for_scores_that_are_trained(frame, as_dataset):
    rows = frame.drop(columns=["score", "uncertainty"]).assign(feature=1.0)
    with pytest.raises(ConfigError, match=r"'bucket_edges' is for data that bring 'score' and 'uncertainty'"):
        run(as_dataset(rows), UncertaintyConfig(bucket_edges=OWN))
