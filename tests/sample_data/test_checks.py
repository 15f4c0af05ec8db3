"""The measured facts of a graph, by hand."""

from __future__ import annotations


def test_a_quantile_is_the_smallest_value_that_the_share_does_not_exceed(script):
    quantile = script("checks").quantile
    assert [quantile([4, 1, 3, 2], level) for level in (0.25, 0.5, 0.51, 1.0)] == [1, 2, 3, 4]
    assert quantile([7], 0.5) == 7


def test_reciprocity_counts_directed_edges_with_a_reverse(script):
    # a <-> b, a -> c, d -> c: two of four directed edges have their reverse.
    facts = script("checks").edge_facts([("a", "b"), ("b", "a"), ("a", "c"), ("d", "c")])
    assert facts["nodes"] == 4
    assert facts["edges"] == 4
    assert facts["reciprocity"] == 0.5
    assert facts["out_degree_q50_q90_q99_max"] == [1, 2, 2, 2]
    assert facts["in_degree_q50_q90_q99_max"] == [1, 2, 2, 2]


def test_a_repeated_edge_counts_once(script):
    assert script("checks").edge_facts([("a", "b"), ("a", "b")])["edges"] == 1
