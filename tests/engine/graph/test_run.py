"""Whole runs: what they leave behind, what they find on planted truth, and what they do not claim without one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.claims import CLAIM_COLUMNS
from engine.graph.config import GraphConfig, shown_method
from engine.graph.explore import Scene, default_node, links
from engine.graph.run import run
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS
from engine.runs import read_run, write_run

SHORT = GraphConfig(methods=("dual", "single", "popularity", "degree_head"), resamples=200)

TIE = 0.1
"""Difference in HitRate@10 within which, on both sides, two forms count as equal on a planted graph."""


@pytest.fixture(scope="module")
def result(dataset, quick):
    """Every method in haste."""
    return run(dataset, quick)


def test_a_run_leaves_the_agreed_tables(result):
    assert tuple(result.metrics.columns) == METRIC_COLUMNS
    assert tuple(result.curves["differences"].columns) == DIFFERENCE_COLUMNS
    assert tuple(result.curves["claims"].columns) == CLAIM_COLUMNS
    assert result.curves["split"]["edges"].sum() == 1200
    assert set(result.metrics["method"]) == set(result.config.methods)
    assert result.seconds > 0 and result.kind == "graph"


def test_the_same_seed_gives_the_same_result_twice(result, dataset, quick):
    again = run(dataset, quick)
    for name in ("metrics", "predictions", "history"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(again, name), check_exact=True)
    assert result.curves.keys() == again.curves.keys()
    for name, table in result.curves.items():
        pd.testing.assert_frame_equal(table, again.curves[name], check_exact=True)
    for group in ("embeddings", "model"):
        one, other = getattr(result, group), getattr(again, group)
        assert one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def test_stored_embeddings_rebuild_the_scores(result):
    source, target = (result.embeddings[name].astype(np.float32) for name in ("source", "target"))
    edges = result.curves["edges"]
    u, v = edges["source"].to_numpy(), edges["target"].to_numpy()
    score = (source[u] * target[v]).sum(axis=1)
    score += result.embeddings["target_offset"][v] + result.embeddings["source_offset"][u]
    training = set(edges.loc[edges["split"] == "train", ["source", "target"]].itertuples(index=False, name=None))
    is_reversed = np.array([(target, source) in training for source, target in zip(u, v, strict=True)])
    in_degree = result.curves["nodes"]["training_in_degree"].to_numpy()
    level, slope = (result.model[f"dual.{name}"] for name in ("reciprocity", "reciprocity_slope"))
    score += is_reversed * (level + slope * np.log1p(in_degree[u]))
    assert score == pytest.approx(edges["score"].to_numpy(), abs=0.02)


def test_a_stored_run_can_be_explored(result, tmp_path):
    stored = read_run(write_run(result, tmp_path / "graph-made", command=["python", "-m", "engine"]))
    shown = Scene(
        stored.curve("nodes"),
        stored.curve("edges"),
        stored.predictions,
        shown_method(stored.manifest["config"]["form"]),
    )
    node = default_node(shown)
    table = links(shown, node)
    edges = result.curves["edges"]
    known = edges[(edges["source"] == node) | (edges["target"] == node)]
    assert (table["kind"] != "predicted").sum() == len(known)
    assert len(shown.edge_names) == len(edges)


def test_the_paper_form_can_be_shown_instead(dataset, quick):
    config = dataclasses.replace(quick, form="paper", methods=("paper", "single", "popularity"))
    found = run(dataset, config)
    assert set(found.predictions.loc[found.predictions["role"] == "source", "method"]) == {"paper"}
    # Its scores are cosines of vectors without negative entries.
    assert found.curves["edges"]["score"].between(0, 1).all()
    assert set(found.curves["claims"]["comparison"]) == {"paper"}


def test_a_run_without_the_claims_methods_has_no_claims(dataset, quick):
    found = run(dataset, dataclasses.replace(quick, methods=("dual", "popularity")))
    assert found.curves["claims"].empty and tuple(found.curves["claims"].columns) == CLAIM_COLUMNS


@pytest.mark.parametrize(("limit", "size"), [(10**6, 0), (100, 65_536)])
def test_a_run_states_the_size_of_its_steps_and_what_its_tables_leave_out(dataset, quick, monkeypatch, limit, size):
    monkeypatch.setattr("engine.graph.batches.FULL_BATCH_EDGES", limit)
    monkeypatch.setattr("engine.graph.scene.EDGE_SCORES", 50 * len(dataset.nodes))
    found = run(dataset, dataclasses.replace(quick, methods=("dual", "popularity")))
    assert found.config.batch_size == size
    assert set(found.history["stage"]) == {"dual embeddings" + (", 65,536 edges per step" if size else "")}
    assert found.dataset.rows["edges kept for pages"] == len(found.curves["edges"]) == 50
    assert found.dataset.rows["edges"] == 1200


def value_of(result, method, metric, segment="all"):
    """Return one row of the metrics."""
    table = result.metrics
    return table[(table["method"] == method) & (table["metric"] == metric) & (table["segment"] == segment)].iloc[0]


@pytest.mark.slow
def test_planted_directions_are_found_by_two_embeddings_and_not_by_one(make_dataset):
    found = run(make_dataset(6_000, groups=6, random_share=0.0, mutual_share=0.2, seed=3), SHORT)
    dual, single = (value_of(found, method, "direction_auc") for method in ("dual", "single"))
    assert dual["ci_low"] > 0.6 and dual["ci_low"] > single["ci_high"]
    claims = found.curves["claims"].set_index("effect")
    for effect in ("Direction AUC, embeddings alone", "Direction AUC, with degrees"):
        assert claims.loc[effect, "verdict"] == "supported"
    hits = found.curves["differences"]
    hits = hits[(hits["baseline"] == "single") & (hits["metric"] == "hit_rate_at_10")].set_index("segment")
    # Two embeddings pay where edges point one way; where they point both ways, the two forms lie within the margin.
    assert hits.loc["one_way", "ci_low"] > TIE
    assert -TIE < hits.loc["mutual", "ci_low"] <= hits.loc["mutual", "ci_high"] < TIE
    # The ring of groups leaves no order of the nodes: degrees tell a part of the directions only.
    assert value_of(found, "degree_head", "direction_auc")["value"] < dual["value"]
    assert (
        value_of(found, "dual", "hit_rate_at_10")["ci_low"] > value_of(found, "popularity", "hit_rate_at_10")["ci_high"]
    )


@pytest.mark.slow
def test_a_graph_of_mutual_and_random_edges_claims_no_asymmetry(make_dataset):
    # Its one-way edges have random ends: nothing but degrees can tell their direction.
    found = run(make_dataset(4_000, groups=6, mutual_share=0.8, random_share=0.2, seed=4), SHORT)
    claims = found.curves["claims"]
    assert len(claims) == 3 and not (claims["verdict"] == "supported").any()
    # Whatever the head reads into a hundred random directions stays near guessing.
    assert claims.loc[claims["effect"].str.startswith("Direction AUC"), "value"].abs().max() < 0.1


@pytest.mark.slow
def test_a_graph_of_mutual_edges_alone_has_no_direction_to_claim(make_dataset):
    found = run(make_dataset(1_500, groups=6, mutual_share=1.0, random_share=0.0, seed=5), SHORT)
    assert found.dataset.rows["one-way edges"] == 0
    claims = found.curves["claims"]
    assert set(claims["verdict"]) == {"inconclusive"} and (claims["n"] == 0).all()
