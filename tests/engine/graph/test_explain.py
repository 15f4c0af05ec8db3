"""What carries an asymmetry, by hand: from the events of an edge, or from degrees alone."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.graph.explain import EXPLAINED_COLUMNS, EXPLANATIONS, TERMS, explain_edges, explanation_summary


def edge(**changes) -> dict[str, object]:
    """Return an edge of which P(V|U) is about three times P(U|V), all of it popularity."""
    return {
        "source": "u",
        "target": "v",
        "users": 30,
        "days_followed": 60,
        "days_preceded": 60,
        "reverse_days_followed": 60,
        "reverse_days_preceded": 60,
        "source_days": 100,
        "target_days": 300,
        "asymmetry_se": 0.1,
        "popularity": 1.1,
        "season": 0.0,
        "time_order": 0.0,
        "time_order_se": 0.1,
        "direction_replicates": 0,
    } | changes


def explained(*edges: dict[str, object]) -> pd.DataFrame:
    return explain_edges(pd.DataFrame(list(edges)))


def test_the_asymmetry_compares_how_often_each_is_followed_by_the_other():
    row = explained(edge(days_followed=50, reverse_days_followed=20)).iloc[0]
    wanted = math.log((50.5 / 100.5) / (20.5 / 300.5))
    assert row["asymmetry"] == pytest.approx(wanted)
    assert (row["asymmetry_low"], row["asymmetry_high"]) == pytest.approx((wanted - 0.196, wanted + 0.196), abs=1e-4)
    assert (row["evidence"], row["n"]) == ("events", 30)


@pytest.mark.parametrize(
    ("changes", "explanation"),
    [
        ({}, "popularity"),
        ({"popularity": 0.2, "season": 0.9}, "season"),
        ({"popularity": 0.2, "time_order": 0.8, "direction_replicates": 1}, "time_order"),
        # The same order, but not in both halves.
        ({"popularity": 0.2, "time_order": 0.8, "direction_replicates": 0}, "rest"),
        ({"popularity": 0.0}, "rest"),
        # The largest term in the direction of the asymmetry counts, not the largest of all.
        ({"popularity": -1.5, "season": 2.6}, "season"),
        ({"asymmetry_se": 0.6}, "none"),
    ],
)
def test_the_largest_term_in_the_direction_of_the_asymmetry_explains_it(changes, explanation):
    assert explained(edge(**changes)).iloc[0]["explanation"] == explanation


def test_an_edge_and_its_reverse_have_opposite_terms_and_one_explanation():
    there = edge(days_followed=50, reverse_days_followed=20, days_preceded=30, reverse_days_preceded=40, season=0.3)
    back = there | {
        "source": "v",
        "target": "u",
        "days_followed": 20,
        "reverse_days_followed": 50,
        "days_preceded": 40,
        "reverse_days_preceded": 30,
        "source_days": 300,
        "target_days": 100,
        "popularity": -1.1,
        "season": -0.3,
    }
    one, other = explained(there, back).itertuples()
    assert one.explanation == other.explanation == "popularity"
    for name in ("asymmetry", *TERMS, "before_after"):
        assert getattr(one, name) == pytest.approx(-getattr(other, name), abs=1e-12)


def test_before_and_after_is_split_into_calendar_and_order():
    row = explained(edge(days_followed=80, reverse_days_preceded=70, days_preceded=30, reverse_days_followed=20)).iloc[
        0
    ]
    assert row["before_after"] == pytest.approx(math.log(150.5 / 50.5))
    assert row["before_after_by_calendar"] == pytest.approx(row["before_after"])
    assert row["time_order_low"] == pytest.approx(-0.196, abs=1e-3)


@given(
    st.integers(0, 500),
    st.integers(0, 500),
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.floats(0.01, 2),
    st.integers(0, 1),
)
def test_the_terms_always_add_up(followed, back, popularity, season, order, error, replicates):
    row = explained(
        edge(
            days_followed=followed,
            reverse_days_followed=back,
            source_days=500,
            target_days=500,
            popularity=popularity,
            season=season,
            time_order=order,
            asymmetry_se=error,
            direction_replicates=replicates,
        )
    ).iloc[0]
    assert sum(row[name] for name in TERMS) == pytest.approx(row["asymmetry"], abs=1e-9)
    assert row["explanation"] in EXPLANATIONS
    clear = row["asymmetry_low"] > 0 or row["asymmetry_high"] < 0
    assert (row["explanation"] != "none") == clear


def star(leaves: int) -> pd.DataFrame:
    """The hub h is pointed to by leaves l0, l1, ... and points back to l0 only."""
    rows = [(f"l{i}", "h") for i in range(leaves)] + [("h", "l0")]
    return pd.DataFrame(rows, columns=["source", "target"])


def test_without_events_the_degrees_speak_of_popularity_only():
    table = explain_edges(star(41)).set_index(["source", "target"])
    assert list(table.reset_index().columns) == list(EXPLAINED_COLUMNS)
    one_way = table.loc[("l1", "h")]
    # Forty other edges point to the hub, none to the leaf.
    assert one_way["asymmetry"] == one_way["popularity"] == pytest.approx(math.log(40.5 / 0.5))
    assert one_way["asymmetry_low"] == pytest.approx(math.log(81) - 1.96 * math.sqrt(1 / 40.5 + 2), abs=1e-3)
    assert (one_way["evidence"], one_way["explanation"], one_way["n"]) == ("degree", "popularity", 40)
    unknown = ["season", "time_order", "rest", "replicates", "before_after", "time_order_low"]
    assert table[unknown].isna().all().all()


def test_an_edge_with_its_reverse_is_not_asymmetric_by_degree():
    table = explain_edges(star(41)).set_index(["source", "target"])
    for pair in (("l0", "h"), ("h", "l0")):
        assert table.loc[pair, "explanation"] == "none"
    # Without the pair's own two edges.
    assert table.loc[("h", "l0"), "asymmetry"] == pytest.approx(math.log(0.5 / 40.5))


def test_too_few_edges_leave_a_degree_unclear():
    assert (explain_edges(star(3))["explanation"] == "none").all()


def test_rows_without_evidence_fall_back_to_degrees_and_keep_their_index():
    table = pd.DataFrame([edge(), edge(source="w", users=np.nan)], index=[7, 3])
    result = explain_edges(table)
    assert result.index.tolist() == [7, 3]
    assert result["evidence"].tolist() == ["events", "degree"]
    assert result["n"].dtype == np.int64


def test_positions_serve_as_well_as_names():
    names = star(41)
    codes, _ = pd.factorize(pd.concat([names["source"], names["target"]]))
    numbered = pd.DataFrame({"source": codes[: len(names)], "target": codes[len(names) :]})
    ends = ["source", "target"]
    pd.testing.assert_frame_equal(explain_edges(numbered).drop(columns=ends), explain_edges(names).drop(columns=ends))


def test_the_intervals_of_the_summary_resample_sources_not_edges():
    table = pd.DataFrame({"source": ["a"] * 50 + ["b"] * 50, "explanation": ["popularity"] * 50 + ["none"] * 50})
    found = explanation_summary(table).set_index("explanation").loc["popularity"]
    # Two sources that differ wholly: a resample may hold one of them alone.
    assert (found["share"], found["ci_low"], found["ci_high"], found["n"]) == (0.5, 0.0, 1.0, 100)


def test_a_part_of_the_edges_is_explained_by_the_degrees_of_all():
    names = star(41)
    codes, known = pd.factorize(pd.concat([names["source"], names["target"]]))
    numbered = pd.DataFrame({"source": codes[: len(names)], "target": codes[len(names) :]})
    part = numbered[::2]
    in_degree = np.bincount(numbered["target"], minlength=len(known))
    # Rows 0 and 41 are the mutual pair; only the first is in the part.
    whole = explain_edges(numbered).loc[part.index].drop(index=0)
    pd.testing.assert_frame_equal(explain_edges(part, in_degree=in_degree).drop(index=0), whole)
    assert (explain_edges(part)["n"] < explain_edges(part, in_degree=in_degree)["n"]).all()


def test_an_edge_needs_both_ends():
    with pytest.raises(DataError, match="Column 'target' is missing in the edges to explain"):
        explain_edges(pd.DataFrame({"source": ["a"]}))


def test_the_summary_counts_every_explanation_with_an_interval():
    season = {"popularity": 0.2, "season": 0.9}
    table = explained(*(edge(source=f"s{i}") for i in range(30)), *(edge(source=f"t{i}", **season) for i in range(10)))
    summary = explanation_summary(table).set_index("explanation")
    assert summary["edges"].to_dict() == {"popularity": 30, "season": 10, "time_order": 0, "rest": 0, "none": 0}
    assert summary.loc["season", "share"] == 0.25
    # Ten of forty sources, resampled: about a quarter, give or take twice 0.068.
    assert 0.08 < summary.loc["season", "ci_low"] < 0.2 < 0.3 < summary.loc["season", "ci_high"] < 0.42
    assert (summary["n"] == 40).all()
    pd.testing.assert_frame_equal(summary.reset_index(), explanation_summary(table))


def test_a_summary_needs_an_edge():
    with pytest.raises(DataError, match="no edge to summarise"):
        explanation_summary(explained(edge()).iloc[:0])
