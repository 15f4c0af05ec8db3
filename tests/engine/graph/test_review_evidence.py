"""Evidence is told for the arrow as it is shown: of an edge the other way, everything is turned round."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.graph.explore import Scene
from engine.graph.review_evidence import pair_evidence
from engine.metrics.calibration import wilson_interval

# a -> b with events; c -> b and b -> c, a mutual pair.
EDGES = pd.DataFrame(
    {
        "source": [0, 2, 1],
        "target": [1, 1, 2],
        "users": [40, 30, 20],
        "days_followed": [90, 10, 12],
        "reverse_days_followed": [60, 12, 10],
        "source_days": [300, 50, 60],
        "target_days": [240, 60, 50],
        "lift": [1.5, 1.2, 1.3],
        "reverse_lift": [1.1, 1.3, 1.2],
        "season_share": [0.02, 0.0, 0.01],
        "lift_first": [1.6, 1.1, 1.0],
        "lift_second": [1.4, np.nan, 1.9],
        "relation": ["pairs", "needs", "suggests"],
        "split": ["train", "test", "train"],
    }
)
EXPLAINED = pd.DataFrame(
    {
        "evidence": ["events", "degree", "events"],
        "asymmetry": [0.3, 0.1, -0.2],
        "asymmetry_low": [0.1, -0.2, -0.3],
        "asymmetry_high": [0.5, 0.4, -0.1],
        "popularity": [-0.22, 0.1, 0.0],
        "season": [0.01, np.nan, 0.0],
        "time_order": [0.4, np.nan, -0.2],
        "time_order_low": [0.2, np.nan, -0.4],
        "time_order_high": [0.6, np.nan, 0.0],
        "rest": [0.11, np.nan, 0.0],
        "replicates": [1.0, np.nan, 0.0],
        "explanation": ["time_order", "none", "rest"],
        "n": [40, 7, 20],
    }
)


@pytest.fixture
def shown() -> Scene:
    nodes = pd.DataFrame({"name": list("abc"), "label": list("abc"), "category": list("xxy")})
    return Scene(nodes, EDGES, pd.DataFrame(), "dual")


def test_an_edge_this_way_is_told_as_it_stands(shown: Scene) -> None:
    found = pair_evidence(shown, EXPLAINED, 0, -1)
    this, other = found.directions.loc["this"], found.directions.loc["other"]
    assert this[["is_edge", "users", "followed", "days", "lift", "season_share"]].tolist() == [
        True, 40, 90, 300, 1.5, 0.02,
    ]  # fmt: skip
    assert other[["is_edge", "followed", "days", "lift"]].tolist() == [False, 60, 240, 1.1]
    assert other[["users", "season_share", "lift_first", "lift_second"]].isna().all()
    low, high = wilson_interval([90], [300])
    assert this[["share", "share_low", "share_high"]].tolist() == [0.3, low[0], high[0]]
    told = found.explanation
    assert told is not None and (told.basis, told.key, told.replicates, told.n) == ("events", "time_order", 1.0, 40)
    assert told.asymmetry == (0.3, 0.1, 0.5)
    order = told.terms.set_index("term").loc["time_order"]
    assert order.tolist() == [0.4, 0.2, 0.6]
    assert told.terms.set_index("term").loc["popularity", ["low", "high"]].isna().all()


def test_users_and_season_of_the_other_way_are_told_where_the_data_have_them(shown: Scene) -> None:
    edges = EDGES.assign(reverse_users=[25, 20, 30], reverse_season_share=[0.04, 0.01, 0.0])
    scene = Scene(shown.nodes, edges, pd.DataFrame(), "dual")
    found = pair_evidence(scene, EXPLAINED, 0, -1).directions
    assert found["users"].tolist() == [40, 25] and found["season_share"].tolist() == [0.02, 0.04]
    turned = pair_evidence(scene, EXPLAINED, -1, 0)
    assert turned.directions["users"].tolist() == [25, 40]
    assert set(turned.other["column"]) == {"relation"}, "they stand in the table already"


def test_an_edge_the_other_way_is_turned_round(shown: Scene) -> None:
    found = pair_evidence(shown, EXPLAINED, -1, 0)
    assert found.directions["is_edge"].tolist() == [False, True]
    assert found.directions["followed"].tolist() == [60, 90] and found.directions["days"].tolist() == [240, 300]
    assert found.directions["lift"].tolist() == [1.1, 1.5] and found.directions.loc["other", "lift_first"] == 1.6
    told = found.explanation
    assert told is not None and told.asymmetry == (-0.3, -0.5, -0.1)
    terms = told.terms.set_index("term")
    assert terms["value"].to_dict() == {"popularity": 0.22, "season": -0.01, "time_order": -0.4, "rest": -0.11}
    assert terms.loc["time_order", ["low", "high"]].tolist() == [-0.6, -0.2]


def test_the_terms_add_up_to_the_asymmetry_both_ways(shown: Scene) -> None:
    for edge, back in ((0, -1), (-1, 0)):
        told = pair_evidence(shown, EXPLAINED, edge, back).explanation
        assert told is not None and told.terms["value"].sum() == pytest.approx(told.asymmetry[0])


def test_a_mutual_pair_has_the_facts_of_both_edges(shown: Scene) -> None:
    found = pair_evidence(shown, EXPLAINED, 2, 1)
    assert found.directions["users"].tolist() == [20, 30]
    assert found.directions["lift_first"].tolist() == [1.0, 1.1]
    assert found.explanation is not None and found.explanation.key == "rest"
    assert found.other.to_dict("records") == [
        {"direction": "this", "column": "relation", "value": "suggests"},
        {"direction": "other", "column": "relation", "value": "needs"},
    ]


def test_without_an_edge_nothing_is_known(shown: Scene) -> None:
    found = pair_evidence(shown, EXPLAINED, -1, -1)
    assert found.explanation is None and found.other.empty
    assert found.directions.drop(columns="is_edge").isna().all(axis=None)
