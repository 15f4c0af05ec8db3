"""Groups add up, samples are stated, and what must be drawn is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.projection_view import Sample, centred, grouped, sampled, sampling_sentence, with_nodes


def nodes_of(categories: list[str]) -> pd.DataFrame:
    count = len(categories)
    return pd.DataFrame({"category": categories, "in_degree": range(count), "out_degree": [0] * count})


def test_a_role_makes_one_group():
    group, legend = grouped(nodes_of(["a", "b"]), "role")
    assert group.tolist() == [0, 0] and legend.to_dict("records") == [{"label": "all nodes", "n": 2}]


def test_the_largest_categories_come_first_and_the_rest_is_one_group():
    categories = ["a"] * 1 + ["b"] * 3 + ["c"] * 2 + [f"small {place}" for place in range(5)]
    group, legend = grouped(nodes_of(categories), "category")
    assert legend["label"].tolist() == ["b", "c", "a", "small 0", "small 1", "small 2", "2 other categories"]
    assert legend["n"].tolist() == [3, 2, 1, 1, 1, 1, 2]
    assert np.bincount(group).tolist() == legend["n"].tolist()
    assert [legend["label"][place] for place in group[:6]] == ["a", "b", "b", "b", "c", "c"]


def test_few_categories_leave_no_rest():
    assert grouped(nodes_of(["x", "y", "x"]), "category")[1]["label"].tolist() == ["x", "y"]


def test_degrees_fall_into_buckets_that_double():
    nodes = pd.DataFrame({"category": "", "in_degree": [0, 1, 2, 3, 4, 7, 8, 31, 32, 900], "out_degree": 0})
    group, legend = grouped(nodes, "in_degree")
    assert legend["label"].tolist() == ["0", "1", "2–3", "4–7", "8–15", "16–31", "32+"]
    assert group.tolist() == [0, 1, 2, 2, 3, 3, 4, 5, 6, 6]
    assert legend["n"].tolist() == [1, 1, 2, 2, 1, 1, 2]
    assert grouped(nodes, "out_degree")[1]["n"].tolist() == [10, 0, 0, 0, 0, 0, 0]


def cloud(dense: int, sparse: int) -> pd.DataFrame:
    """Return many nodes on one spot and few spread far around it."""
    rng = np.random.default_rng(0)
    far = rng.uniform(-10, 10, size=(sparse, 4))
    return pd.DataFrame(
        np.concatenate([rng.normal(scale=0.01, size=(dense, 4)), far]),
        columns=["source_x", "source_y", "target_x", "target_y"],
    )


def test_dense_areas_are_thinned_more_than_sparse_ones():
    sample = sampled(cloud(9000, 300), limit=1000, seed=1)
    assert len(sample.nodes) == 1000 and sample.of == 9300
    assert (sample.nodes >= 9000).mean() > 0.2, "a uniform sample would hold 3 % of them"
    assert (sample.nodes < 9000).sum() > (sample.nodes >= 9000).sum(), "the dense area stays the densest"


def test_the_same_seed_draws_the_same_nodes():
    places = cloud(400, 100)
    assert np.array_equal(sampled(places, limit=50, seed=3).nodes, sampled(places, limit=50, seed=3).nodes)
    assert not np.array_equal(sampled(places, limit=50, seed=3).nodes, sampled(places, limit=50, seed=4).nodes)


@given(st.integers(1, 60), st.integers(1, 80), st.data())
def test_a_sample_keeps_its_limit_and_what_must_be_drawn(count, limit, data):
    places = pd.DataFrame(np.zeros((count, 4)), columns=["source_x", "source_y", "target_x", "target_y"])
    keep = data.draw(st.lists(st.integers(0, count - 1), max_size=5))
    base = sampled(places, limit=limit)
    assert len(base.nodes) == min(limit, count)
    full = with_nodes(base, keep)
    assert set(keep) <= set(full.nodes.tolist()) and set(base.nodes.tolist()) <= set(full.nodes.tolist())
    assert len(full.nodes) <= min(limit, count) + len(set(keep))
    assert (np.diff(full.nodes) > 0).all() and full.is_whole == (len(full.nodes) == count)


def test_centring_takes_the_gap_between_the_spaces_away_and_nothing_else():
    places = cloud(30, 10).assign(name="x")
    moved = centred(places.assign(target_x=places["target_x"] + 5))
    pd.testing.assert_frame_equal(moved, centred(places))
    assert moved.drop(columns="name").mean().to_numpy() == pytest.approx(np.zeros(4), abs=1e-12)
    assert np.diff(moved["source_y"]) == pytest.approx(np.diff(places["source_y"]))


def test_a_sample_is_never_silent():
    assert sampling_sentence(Sample(np.arange(5), 5)) == "Showing all 5 nodes."
    sentence = sampling_sentence(Sample(np.arange(30_000), 100_000))
    assert sentence.startswith("Showing 30,000 of 100,000 nodes") and "always drawn" in sentence


@pytest.mark.slow
def test_a_hundred_thousand_nodes_are_sampled():
    places = cloud(90_000, 10_000)
    sample = sampled(places, limit=30_000)
    assert len(np.unique(sample.nodes)) == 30_000 and sample.nodes.max() < 100_000
