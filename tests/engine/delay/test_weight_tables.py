"""What the weights of a method cost, where they sit, and which rows carry the most."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from engine.delay.streams import Stream
from engine.delay.weight_tables import TAILS, weight_histogram, weight_metrics, weight_rows, weight_tails
from engine.delay.weights import ess_share


def prepared(n: int, segment: list[str] | None = None, unit: list[int] | None = None) -> SimpleNamespace:
    """Stand in for the arrays that the tables look up."""
    return SimpleNamespace(
        exposure_id=np.array([f"e{k}" for k in range(n)], dtype=object),
        segment=np.array(segment or ["A"] * n, dtype=object),
        unit=np.array(unit or list(range(n))),
        age=np.arange(n, dtype=float),
    )


def stream(positive: list[float], negative: list[float], **more: object) -> Stream:
    """Make a stream over exposures 0, 1, …"""
    return Stream(exposure=np.arange(len(positive)), positive=np.array(positive), negative=np.array(negative), **more)


def test_a_soft_negative_has_an_entry_for_what_was_seen_and_one_for_what_may_come():
    table = weight_rows(stream([1.0, 0.25, 0.0], [0.0, 0.75, 1.0]), np.zeros(3))
    found = set(table.itertuples(index=False, name=None))
    assert found == {(0, "positive", 1.0), (1, "negative", 0.75), (1, "pending", 0.25), (2, "negative", 1.0)}


def test_weights_of_fnw_follow_from_the_fitted_model():
    table = weight_rows(stream([1.0, 0.0], [0.0, 1.0], own_weight=True), np.array([0.5, 0.2]))
    assert table["weight"].tolist() == pytest.approx([1.5, 0.8 * 1.2])


def test_metrics_of_weights_follow_from_the_labels_as_seen():
    rows = weight_metrics(
        {"fsiw": stream([3.0, 0.5], [0.0, 1.0], clipped_share=0.5)},
        {"fsiw": np.zeros(2)},
        prepared(2),
        resamples=20,
        rng=np.random.default_rng(0),
    )
    found = {row["metric"]: row["value"] for row in rows}
    assert found == {"ess_share": 16 / (2 * 10), "mean_weight": 2.0, "max_weight": 3.0, "clipped_share": 0.5}
    assert {row["n"] for row in rows} == {2} and {row["split"] for row in rows} == {"train"}


def random_streams(seed: int) -> tuple[dict[str, Stream], dict[str, np.ndarray], SimpleNamespace]:
    """Two methods with weights up to 10, three segments."""
    rng = np.random.default_rng(seed)
    label = rng.random(300) < 0.4
    weight = np.minimum(rng.lognormal(0.0, 1.0, 300), 10.0)
    streams = {
        "fsiw": stream((label * weight).tolist(), (~label * weight).tolist()),
        "vanilla": stream(label.astype(float).tolist(), (~label).astype(float).tolist()),
    }
    return streams, dict.fromkeys(streams, np.zeros(300)), prepared(300, rng.choice(list("ABC"), 300).tolist())


@pytest.mark.parametrize("seed", range(5))
def test_clipping_at_any_edge_is_exact_from_the_sums_alone(seed):
    streams, probability, data = random_streams(seed)
    table = weight_histogram(streams, probability, data)
    weight = streams["fsiw"].positive + streams["fsiw"].negative
    for segment in ("all", "A", "B", "C"):
        rows = table[(table["method"] == "fsiw") & (table["segment"] == segment)]
        mine = weight if segment == "all" else weight[data.segment == segment]
        for edge in sorted(set(rows["bin_high"])):
            above = rows["bin_low"] >= edge
            total = np.where(above, rows["n"] * edge, rows["weight_sum"]).sum()
            square = np.where(above, rows["n"] * edge**2, rows["weight_square_sum"]).sum()
            clipped = np.minimum(mine, edge)
            assert total**2 / (rows["n"].sum() * square) == pytest.approx(ess_share(clipped), rel=1e-9)
            assert total / rows["n"].sum() == pytest.approx(clipped.mean(), rel=1e-9)
            assert rows.loc[above, "n"].sum() == (mine > edge).sum()


def test_segments_add_up_to_all_and_empty_bins_are_left_out():
    table = weight_histogram(*random_streams(1))
    keys = ["method", "label", "bin_low"]
    parts = table[table["segment"] != "all"].groupby(keys)[["n", "weight_sum", "weight_square_sum"]].sum()
    whole = table[table["segment"] == "all"].set_index(keys)[["n", "weight_sum", "weight_square_sum"]].sort_index()
    pd.testing.assert_frame_equal(parts, whole)
    assert (table["n"] > 0).all() and np.allclose(table["share"], table["n"] / table["rows"])


@pytest.mark.parametrize(
    ("weight", "low", "high"), [(1.0, 0.9, 1.0), (0.3, 0.2, 0.3), (0.0, 0.0, 0.1), (2.0, 1.9, 2.0)]
)
def test_a_weight_on_an_edge_belongs_to_the_bin_below(weight, low, high):
    table = weight_histogram({"m": stream([weight], [0.0])}, {"m": np.zeros(1)}, prepared(1))
    assert table[["bin_low", "bin_high"]].iloc[0].tolist() == pytest.approx([low, high])
    assert set(table["segment"]) == {"all"}


def test_weights_far_above_the_fine_bins_have_a_bin_each():
    table = weight_histogram({"m": stream([2.1, 1e6], [0.0, 0.0])}, {"m": np.zeros(2)}, prepared(2))
    assert (
        len(table) == 2
        and ((table["weight_sum"] <= table["bin_high"]) & (table["weight_sum"] > table["bin_low"])).all()
    )


def test_tails_list_the_largest_weights_with_their_share_and_skip_unit_weights():
    streams, probability, data = random_streams(2)
    tails = weight_tails(streams, probability, data)
    weight = streams["fsiw"].positive + streams["fsiw"].negative
    order = np.argsort(-weight, kind="stable")[:TAILS]
    assert set(tails["method"]) == {"fsiw"} and tails["rank"].tolist() == list(range(1, TAILS + 1))
    assert tails["exposure_id"].tolist() == [f"e{k}" for k in order]
    assert tails["weight_share"].to_numpy() == pytest.approx(weight[order] / weight.sum())
    assert tails["segment"].tolist() == data.segment[order].tolist() and tails["age_days"].tolist() == order.tolist()
