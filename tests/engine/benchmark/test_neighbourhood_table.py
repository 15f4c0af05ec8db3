"""The figures of the neighbourhood study, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.neighbourhood_table import markdown, summarise


def ranks(method, values, *, seed=0, nodes=(1, 1, 2, 3)):
    """Return four test edges of three query nodes; the target of node 3 has 40 training in-edges."""
    table = {"seed": seed, "setting": "edges", "method": method, "node": nodes, "source": nodes}
    table |= {"target": [10, 11, 12, 13], "in_degree": [1, 1, 1, 40], "out_degree": 2, "rank": values}
    return pd.DataFrame(table)


@pytest.fixture
def study():
    """Return two splits: full finds three of four targets, then two; none finds one each time."""
    parts = [
        *(ranks("full", [1, 10, 11, 3]), ranks("none", [1, 12, 12, 12])),
        *(ranks("full", [1, 99, 11, 3], seed=1), ranks("none", [99, 12, 1, 12], seed=1)),
    ]
    return summarise(pd.concat(parts, ignore_index=True))


def row(table, method, baseline, segment):
    """Return one row."""
    found = table[(table["method"] == method) & (table["baseline"] == baseline) & (table["segment"] == segment)]
    assert len(found) == 1
    return found.iloc[0]


def test_hit_rates_are_means_over_the_edges_of_all_splits(study):
    assert row(study, "full", "", "all")["value"] == pytest.approx(5 / 8)
    assert row(study, "none", "", "all")["value"] == pytest.approx(2 / 8)
    assert row(study, "full", "", "in_degree:32+")["value"] == 1
    assert row(study, "full", "", "in_degree:1")["value"] == pytest.approx(3 / 6)


def test_differences_are_paired_and_count_the_splits_in_which_they_are_above_zero(study):
    all_edges, few = row(study, "full", "none", "all"), row(study, "full", "none", "in_degree:1")
    assert all_edges["value"] == pytest.approx(3 / 8)
    assert (all_edges["ahead"], all_edges["splits"], all_edges["n"]) == (2, 2, 3)
    # On rarely linked targets: 2 against 1 hits, then 1 against 1.
    assert (few["value"], few["ahead"], few["n"]) == (pytest.approx(1 / 6), 1, 2)


def test_a_node_is_one_unit_however_many_splits_it_occurs_in(study):
    # Node 3 alone decides its bucket: every resample that draws it says the same.
    hub = row(study, "full", "none", "in_degree:32+")
    assert (hub["n"], hub["ci_low"], hub["ci_high"]) == (1, 1, 1)


def test_repeating_a_split_narrows_no_interval():
    one = pd.concat([ranks("full", [1, 10, 11, 3]), ranks("none", [1, 12, 12, 12])])
    both = pd.concat([one, one.assign(seed=1)])
    first, second = (row(summarise(table), "full", "none", "all") for table in (one, both))
    assert (first["ci_low"], first["ci_high"]) == pytest.approx((second["ci_low"], second["ci_high"]))


def test_few_nodes_decide_nothing_and_enough_of_them_do():
    def gain(count):
        nodes = np.arange(count)
        base = {"seed": 0, "setting": "edges", "node": nodes, "source": nodes, "target": 99, "in_degree": 1}
        parts = [pd.DataFrame(base | {"out_degree": 1, "method": m, "rank": r}) for m, r in (("full", 1), ("none", 50))]
        return row(summarise(pd.concat(parts)), "full", "none", "all")

    assert (gain(19)["verdict"], gain(20)["verdict"], gain(20)["margin"]) == ("inconclusive", "supported", 0.01)


def test_an_empty_bucket_stays_without_a_value(study):
    empty = row(study, "full", "none", "in_degree:4-7")
    assert np.isnan(empty["value"]) and empty["n"] == 0 and empty["verdict"] == "inconclusive"


def test_new_nodes_are_told_by_role_and_by_what_is_known_of_them():
    base = {"seed": 0, "setting": "arrivals", "known": "edges", "node": [1, 2], "source": [1, 5], "target": [6, 2]}
    base |= {"role": ["source", "target"]}
    parts = [
        pd.DataFrame(base | {"revealed": k, "method": m, "rank": r})
        for k, m, r in ((1, "dual", [1, 50]), (1, "popularity", [50, 50]), (2, "dual", [1, 1]))
    ]
    table = summarise(pd.concat(parts, ignore_index=True))
    one, two = table[table["revealed"] == 1], table[table["revealed"] == 2]
    assert row(one, "dual", "", "source")["value"] == 1 and row(one, "dual", "", "target")["value"] == 0
    assert row(one, "dual", "popularity", "all")["value"] == 0.5
    assert row(two, "dual", "", "all")["value"] == 1
    assert not (two["baseline"] != "").any()


def test_the_text_shows_differences_with_intervals_and_verdicts(study):
    lines = markdown(study.assign(data="made")).splitlines()
    line = next(line for line in lines if "| all | full − none |" in line)
    assert "+37.5 [" in line and "| 3 | 2 of 2 | inconclusive |" in line
    assert not any("nan" in line or "out_degree" in line for line in lines)
