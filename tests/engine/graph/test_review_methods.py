"""Every method scores the pairs to review both ways, as it would score them by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.graph import scene
from engine.graph.config import GraphConfig
from engine.graph.data import Prepared
from engine.graph.explain import explain_edges
from engine.graph.explore import Scene
from engine.graph.review_methods import _rounded, review_scores
from engine.graph.review_pairs import review_pairs
from engine.graph.train import Fitted


@pytest.fixture(scope="module")
def curves(fitted: Fitted, prepared: Prepared, quick: GraphConfig) -> dict[str, pd.DataFrame]:
    shown = scene.shown_scorer(fitted.scorers, quick)
    return {
        "nodes": scene.node_table(prepared),
        "edges": scene.edge_table(shown, prepared),
    }


@pytest.fixture(scope="module")
def lists(fitted: Fitted, prepared: Prepared, quick: GraphConfig) -> pd.DataFrame:
    return scene.ranked_lists(fitted.scorers, prepared, quick)


@pytest.fixture(scope="module")
def table(fitted: Fitted, prepared: Prepared, curves: dict[str, pd.DataFrame], lists: pd.DataFrame) -> pd.DataFrame:
    return review_scores(fitted.scorers, prepared, curves, lists, form="dual")


def test_every_method_scores_every_pair_to_review(table, fitted, curves, lists) -> None:
    tables = Scene(curves["nodes"], curves["edges"], lists, "dual")
    pairs = review_pairs(tables, explain_edges(tables.edges))[["source", "target"]].to_numpy()
    assert len(pairs) > 50
    for method in fitted.scorers:
        assert (table.loc[table["method"] == method, ["source", "target"]].to_numpy() == pairs).all()


def test_scores_are_those_of_the_method_to_three_digits(table, fitted) -> None:
    for method, scorer in fitted.scorers.items():
        rows = table[table["method"] == method]
        source, target = rows["source"].to_numpy(dtype=np.int64), rows["target"].to_numpy(dtype=np.int64)
        forward, backward = scorer.pairs(source, target), scorer.pairs(target, source)
        noise = 1.01e-6 * float(np.abs([forward, backward]).max())
        np.testing.assert_allclose(rows["score"], forward, rtol=5.1e-3, atol=noise)
        np.testing.assert_allclose(rows["back_score"], backward, rtol=5.1e-3, atol=noise)


def test_most_methods_prefer_the_way_with_the_higher_score(table) -> None:
    for method in ("popularity", "cocitation", "hope"):
        rows = table[table["method"] == method]
        ahead = rows["score"].astype(float) - rows["back_score"].astype(float)
        clear = ahead.abs() > 0.02 * rows[["score", "back_score"]].abs().max(axis=1)
        assert clear.sum() > 20 and (np.sign(ahead[clear]) == np.sign(rows.loc[clear, "direction"])).all()


def test_rounding_keeps_three_digits_and_drops_noise() -> None:
    rounded = _rounded(np.array([[1234.5, -0.0123456], [0.0, 1e-9]], dtype=np.float32))
    np.testing.assert_allclose(rounded, [[1230.0, -0.0123], [0.0, 0.0]], rtol=1e-6)
    assert _rounded(np.zeros((2, 0), dtype=np.float32)).shape == (2, 0)


def test_ranks_are_counted_by_hand_among_what_is_not_known(table, fitted, prepared) -> None:
    training = prepared.training
    known = set(map(tuple, training.edge_index.T)) | set(map(tuple, training.validation_edge_index.T))
    for row in table[table["method"] == "popularity"].head(40).itertuples():
        for start, end, rank in ((row.source, row.target, row.rank), (row.target, row.source, row.back_rank)):
            scores = fitted.scorers["popularity"].rows(np.array([start]))[0]
            others = [n for n in range(training.num_nodes) if n not in (start, end) and (start, n) not in known]
            better = sum(scores[n] > scores[end] for n in others)
            tied = sum(scores[n] == scores[end] for n in others)
            assert rank == 1 + better + tied / 2


def test_the_shown_form_agrees_with_the_tables_that_chose_the_pairs(table, curves) -> None:
    edges = curves["edges"]
    own = table[table["method"] == "dual"].merge(edges, on=["source", "target"], suffixes=("", "_stored"))
    assert len(own) > 20
    np.testing.assert_allclose(own["score"], own["score_stored"], rtol=6e-3, atol=0.006)
    assert (own["rank"] == own["rank_stored"]).all() and (own["back_rank"] == own["back_rank_stored"]).all()
