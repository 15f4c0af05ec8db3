"""What the review says of a pair: what decides a method's direction, what there is to explain, and for the ear."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from dashboard.controls import graph_review, graph_review_text
from engine.figures.theme import METHOD_LABEL
from engine.graph.review_evidence import Evidence, Explanation
from engine.runs import Run


def test_the_probability_that_decides_stands_beside_what_a_method_prefers(stored: Run) -> None:
    parts = graph_review.material(stored)
    assert parts.scores is not None
    is_against = (parts.scores["direction"] > 0) & (parts.scores["score"] < parts.scores["back_score"])
    row = parts.scores[is_against & (parts.scores["method"] == "dual")].iloc[0]
    desk = SimpleNamespace(material=parts)
    table = graph_review_text.methods(desk, int(row["pair"])).set_index("Method")  # type: ignore[arg-type]
    said = table.loc[METHOD_LABEL["dual"]]
    assert said["Prefers"] == "⟶" and said["P ⟶"] == graph_review_text.chance(1 / (1 + np.exp(-row["direction"])))
    assert table.loc[METHOD_LABEL["popularity"], "P ⟶"] == "–", "it prefers the higher score"


@pytest.mark.parametrize(("back_edge", "is_both"), [(4, True), (-1, False)])
def test_a_pair_linked_both_ways_has_no_direction_to_explain_by_degrees(
    stored: Run, back_edge: int, is_both: bool
) -> None:
    parts = graph_review.material(stored)
    told = Explanation("degree", "none", (-5.9, -6.5, -5.2), pd.DataFrame(), float("nan"), 900)
    found = Evidence(directions=pd.DataFrame(), explanation=told, other=pd.DataFrame())
    pair = parts.pairs.iloc[0].copy()
    pair["edge"], pair["back_edge"] = 3, back_edge
    words = graph_review_text.explanation(parts.scene, pair, found)
    assert ("linked **both ways**, so there is no direction to explain" in words) == is_both
    assert ("no clear difference in popularity" in words) != is_both
    assert "× 0.00274** [" in words or "× 0.00274 [" in words


def test_alternative_texts_of_the_review_carry_the_figures() -> None:
    terms = pd.DataFrame({"term": ["popularity", "season", "time_order"], "value": [np.log(2), np.nan, -np.log(4)]})
    assert graph_review_text.factors(terms) == "popularity × 2.00, time order × 0.250"
    shares = pd.DataFrame({"value": [0.875, 0.5], "one_way": [0.9, 0.25], "n": [1200, 4]})
    said = graph_review_text.claimed(shares)
    assert "a direction for 88 % of 1,200 linked pairs; 90 % are one-way in the data; categories: 1" in said
    methods = pd.DataFrame({"method": ["single", "hope"], "value": [0.5, 0.75]})
    assert (
        graph_review_text.confirmed(methods) == "Of 2 methods HOPE (Katz SVD) agrees with reviewers most often: 0.750"
    )
