"""A description from counts against the run on the rows themselves."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.result import DatasetInfo
from engine.uncertainty.compress import GROUPS
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.described import describe
from engine.uncertainty.editor import open_editor
from engine.uncertainty.findings import abstention_sentence, information_sentence
from engine.uncertainty.grid import Layout
from engine.uncertainty.run import run
from engine.uncertainty.simulate import simulate
from engine.uncertainty.slice_view import cells_of_slice, slice_names, slice_reliability

CONFIG = UncertaintyConfig(resamples=30, precision_targets=(0.3,))


def memory(frame):
    """Hand a frame over as Arrow: the way through pandas relies on an option that pandas retires."""
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    found = simulate(12_000)[["label", "score", "uncertainty", "split"]]
    return found.assign(region=rng.choice(["north", "south"], len(found), p=[0.7, 0.3]))


@pytest.fixture(scope="module")
def described(frame):
    return describe(memory(frame), {}, CONFIG, source="scores.csv")


@pytest.fixture(scope="module")
def own_run(frame):
    info = DatasetInfo(name="scores.csv", origin="own", data_id="0" * 8)
    return run(load(frame.drop(columns="region"), info=info), CONFIG)


def layout_of(result):
    edges = result.curves["edges"]
    found = {axis: part.sort_values("index")["edge"].to_numpy() for axis, part in edges.groupby("axis")}
    return Layout(uncertainty_edges=found.get("uncertainty", np.empty(0)), score_edges=found["score"])


def test_the_score_is_judged_as_from_the_rows(described, own_run):
    one, many = (
        result.metrics[(result.metrics["segment"] == "all") & (result.metrics["split"] == "test")].set_index("metric")
        for result in (described, own_run)
    )
    for metric, slack in (("log_loss", 2e-3), ("brier", 5e-4), ("ece", 2e-3), ("roc_auc", 2e-3), ("smooth_ece", 3e-3)):
        assert one.loc[metric, "value"] == pytest.approx(many.loc[metric, "value"], abs=slack)


def test_cells_are_those_of_the_rows_at_the_edges_of_the_run(described, frame):
    layout, cells = layout_of(described), described.curves["cells"]
    for split, part in frame.groupby("split"):
        cell = layout.cell(part["score"].to_numpy(), part["uncertainty"].to_numpy())
        own = cells[cells["split"] == split]
        counts = np.bincount(cell, minlength=layout.shape[0] * layout.shape[1])
        positives = np.bincount(cell, part["label"], minlength=counts.size)
        assert own["n"].tolist() == counts.tolist()
        assert own["positives"].tolist() == positives.tolist()


def test_thresholds_select_of_the_rows_what_the_editor_counts(described, frame):
    editor = open_editor(described.curves["cells"], described.curves["edges"], "given")
    table = described.curves["boundaries"]
    chosen = table[(table["method"] == "mist") & (table["target"] == 0.3)].sort_values("bucket")
    decision = editor.decide(chosen["cut"].tolist(), "test")
    test = frame[frame["split"] == "test"]
    bucket = np.searchsorted(layout_of(described).uncertainty_edges, test["uncertainty"])
    selected = test["score"].to_numpy() >= chosen["threshold"].to_numpy()[bucket]
    assert decision.selected == selected.sum()
    assert decision.true_positive == test["label"][selected].sum()


def test_n_counts_rows(described, frame):
    test = int((frame["split"] == "test").sum())
    own = described.metrics[described.metrics["split"] == "test"]
    assert (own[own["segment"] == "all"]["n"] == test).all()
    buckets = own[own["segment"].str.startswith("uncertainty bucket")].groupby("segment")["n"].first()
    assert buckets.sum() == test
    assert set(described.curves["claims"]["n_unit"]) == {"rows"}
    assert described.dataset.rows["rows"] == len(frame)


@pytest.fixture(scope="module")
def without_split(frame):
    """Describe without splits, with and without units."""
    plain = frame.drop(columns="split")
    frames = {"rows": plain, "units": plain.assign(unit=[f"u{k // 3}" for k in range(len(plain))])}
    return {name: describe(memory(part), {}, CONFIG, source="scores.csv") for name, part in frames.items()}


def test_no_table_or_sentence_counts_groups_where_rows_are_meant(described, without_split):
    for result in (described, *without_split.values()):
        test = result.dataset.rows["test rows"]
        for name in ("abstention", "claims", "correlations", "differences", "estimators", "risk_coverage", "verdicts"):
            assert set(result.curves[name]["n"]) == {test}, name
        for name in ("trend", "recalibration", "threshold_bands", "frontier"):
            table = result.curves[name]
            assert "n" not in table.columns or GROUPS not in set(table["n"]), name
        trend = result.curves["trend"].groupby("segment")["n"].first()
        assert trend["all"] == test and test / 10 <= trend["top tenth of scores"] < test / 8
        repaired = result.curves["recalibration"].groupby("segment")["n"].first()
        assert repaired["all"] == repaired.drop("all").sum() == test
        assert set(result.curves["scorers"]["n_unit"]) == {"rows"}
        sentences = [*result.curves["verdicts"]["sentence"], information_sentence(result.curves["estimators"])]
        sentences += [
            abstention_sentence(result.curves["abstention"], metric) for metric in ("log_loss", "brier", "error")
        ]
        for sentence in sentences:
            assert f"n {test:,}" in sentence and f"n {GROUPS}" not in sentence


def test_slices_are_drawn_with_the_rows_that_the_run_splits(without_split):
    for result in without_split.values():
        columns = ["n", "positives"]
        by_slice = result.curves["slices"].groupby(["split", "bucket", "bin"])[columns].sum()
        cells = result.curves["cells"].set_index(["split", "bucket", "bin"])[columns]
        pd.testing.assert_frame_equal(
            by_slice, cells[cells["n"] > 0].sort_index(), check_dtype=False, check_index_type=False
        )


def test_slices_of_units_hold_whole_units(frame):
    units = pd.Series([f"u{k // 3}" for k in range(len(frame))])
    part = frame.drop(columns="split").assign(unit=units, region=[f"r{k // 3 % 5}" for k in range(len(frame))])
    slices = describe(memory(part), {}, CONFIG, source="scores.csv").curves["slices"]
    assert (slices.groupby(["value", "split"])["n"].sum() % 3 == 0).all()


def test_slices_add_up_to_the_cells_and_open_in_the_editor(described, frame):
    slices = described.curves["slices"]
    sizes = frame["region"].value_counts()
    assert slice_names(slices) == [("region", name, int(n)) for name, n in sizes.items()]
    north = frame[(frame["region"] == "north") & (frame["split"] == "test")]
    cells = cells_of_slice(slices, layout_of(described), scorer="given", column="region", value="north")
    editor = open_editor(cells, described.curves["edges"], "given")
    everything = editor.decide([layout_of(described).shape[1]] * editor.n_buckets, "test")
    assert (everything.selected, everything.true_positive) == (len(north), north["label"].sum())


def test_reliability_of_a_slice_counts_its_rows(described, frame):
    table = slice_reliability(
        described.curves["slices"], layout_of(described), scorer="given", column="region", n_bins=5
    )
    for (value, split), part in table.groupby(["value", "split"]):
        rows = frame[(frame["region"] == value) & (frame["split"] == split)]
        for row in part.itertuples():
            last = row.bin_high == 1.0
            inside = rows[(rows["score"] >= row.bin_low) & ((rows["score"] < row.bin_high) | last)]
            assert (row.n, row.positives) == (len(inside), inside["label"].sum())
            assert row.mean_predicted == pytest.approx(inside["score"].mean())


def test_without_splits_every_row_is_used_once(frame):
    found = describe(memory(frame.drop(columns="split")), {}, CONFIG, source="scores.csv")
    assert found.dataset.rows["tune rows"] + found.dataset.rows["test rows"] == len(frame)
    assert found.curves["slices"]["n"].sum() == len(frame)
    assert found.curves["cells"]["n"].sum() == len(frame)


def test_a_weight_counts_as_so_many_rows(frame):
    part = frame.drop(columns="region")
    weight = np.random.default_rng(2).integers(1, 3, len(part))
    one = describe(memory(part.assign(weight=weight)), {}, CONFIG, source="x")
    many = describe(memory(part.loc[part.index.repeat(weight)]), {}, CONFIG, source="x")
    assert one.dataset.rows["rows"] == many.dataset.rows["rows"] == weight.sum()
    values = [r.metrics[r.metrics["segment"] == "all"].set_index("metric")["value"] for r in (one, many)]
    pd.testing.assert_series_equal(values[0], values[1], atol=2e-3, rtol=0)


def test_predictions_are_rows_as_they_are_with_their_slices(described, frame):
    found = described.predictions
    assert 0 < len(found) <= 3000
    assert set(found["region"]) == {"north", "south"}
    assert set(np.round(found["prob"], 5)) <= set(np.round(frame["score"].astype(np.float32), 5))
