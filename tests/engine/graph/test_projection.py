"""One map for both spaces, with figures that say how far it can be trusted."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from engine.errors import ConfigError
from engine.graph import projection
from engine.graph.projection import project
from engine.graph.scoring import InnerProductScorer

PLACES = list(projection.COORDINATES)


def clusters(count: int, dimension: int = 8, groups: int = 3, seed: int = 0) -> InnerProductScorer:
    """Return nodes in groups, whose target vectors are near their source vectors."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(groups, dimension)) * 4
    source = (centre[np.arange(count) % groups] + rng.normal(size=(count, dimension))).astype(np.float32)
    target = (source + 0.3 * rng.normal(size=(count, dimension))).astype(np.float32)
    nothing = np.zeros(count, dtype=np.float32)
    return InnerProductScorer(source, target, nothing, nothing)


def stacked_of(scorer: InnerProductScorer) -> np.ndarray:
    return np.concatenate([v / np.linalg.norm(v, axis=1, keepdims=True) for v in (scorer.source, scorer.target)])


def placed_of(found: projection.Projection) -> np.ndarray:
    both = found.coordinates.to_numpy(dtype=np.float64)
    return np.concatenate([both[:, :2], both[:, 2:]])


def test_the_default_is_the_joint_principal_component_analysis(fitted):
    scorer = fitted.scorers["dual"]
    found = project(scorer)
    reference = PCA(2).fit(stacked_of(scorer))
    expected, placed = reference.transform(stacked_of(scorer)), placed_of(found)
    for axis in (0, 1):
        sign = np.sign(placed[:, axis] @ expected[:, axis])
        assert placed[:, axis] == pytest.approx(sign * expected[:, axis], abs=2e-3)
    assert found.axes["explained_variance"].tolist() == pytest.approx(reference.explained_variance_ratio_, abs=1e-5)
    assert (found.quality["method"] == "pca").all() and (found.quality["n_fitted"] == len(scorer.source)).all()


def test_the_axes_keep_their_signs(fitted):
    scorer = fitted.scorers["dual"]
    again = project(scorer).coordinates
    assert project(scorer).coordinates.equals(again)
    flipped = InnerProductScorer(-scorer.source, -scorer.target, scorer.target_offset, scorer.source_offset)
    # The axes are those of the same cloud seen from behind: same loadings, opposite coordinates.
    assert project(flipped).coordinates.to_numpy() == pytest.approx(-again.to_numpy(), abs=2e-3)


def test_vectors_of_length_zero_can_be_projected(fitted):
    assert np.isfinite(project(fitted.scorers["paper"]).coordinates.to_numpy()).all()


def test_the_gap_between_the_spaces_is_told_apart_from_what_lies_within_them():
    away = np.zeros((40, 4), dtype=np.float32)
    away[:, 0] = 1
    near = away.copy()
    near[:, 0], near[:, 1] = -1, np.linspace(-1, 1, 40)
    found = project(InnerProductScorer(away, near, np.zeros(40), np.zeros(40)))
    # Axis 1 holds little but the gap; axis 2 is the spread of the targets, symmetric around the sources.
    assert found.axes["between_roles"].iloc[0] > 0.95 and found.axes["between_roles"].iloc[1] < 0.05


def test_identical_vectors_have_no_axis_and_no_gap():
    same = np.ones((30, 4), dtype=np.float32)
    found = project(InnerProductScorer(same, same, np.zeros(30), np.zeros(30)))
    assert found.axes[["explained_variance", "between_roles"]].to_numpy() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("count", [60, 61])
def test_trustworthiness_is_that_of_scikit_learn(count):
    scorer = clusters(count)
    found = project(scorer)
    stacked, placed = stacked_of(scorer).astype(np.float64), placed_of(found)
    table = found.quality.set_index(["measure", "role"])
    for role, rows in (("source", slice(0, count)), ("target", slice(count, None))):
        expected = trustworthiness(stacked[rows], placed[rows], n_neighbors=10)
        assert table.loc[("trustworthiness", role), "value"] == pytest.approx(expected, abs=1e-9)


def test_the_overlap_is_the_share_of_nearest_neighbours_that_stay_so():
    scorer = clusters(50)
    found = project(scorer)
    stacked, placed = stacked_of(scorer), placed_of(found)
    table = found.quality.set_index(["measure", "role"])

    def nearest(query: np.ndarray, candidate: np.ndarray, node: int) -> set[int]:
        order = np.argsort(np.linalg.norm(candidate - query[node], axis=1))
        return set([other for other in order if other != node][:10])

    for role, query, candidate in (("source", 0, 0), ("target", 50, 50), ("source_to_target", 0, 50)):
        shares = [
            len(
                nearest(stacked[query : query + 50], stacked[candidate : candidate + 50], node)
                & nearest(placed[query : query + 50], placed[candidate : candidate + 50], node)
            )
            / 10
            for node in range(50)
        ]
        row = table.loc[("neighbour_overlap", role)]
        assert row["value"] == pytest.approx(np.mean(shares), abs=0.011)
        assert row["ci_low"] <= row["value"] <= row["ci_high"]


def test_a_plane_is_mapped_faithfully_and_a_random_map_is_not():
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, size=200)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1).astype(np.float32)
    table = project(InnerProductScorer(ring, ring, np.zeros(200), np.zeros(200))).quality
    assert (table["value"] > 0.9).all()
    chance = table.groupby("measure")["random"].mean()
    assert chance["trustworthiness"] == pytest.approx(0.5, abs=0.05)
    assert chance["neighbour_overlap"] == pytest.approx(10 / 199, abs=0.03)


def test_large_graphs_are_judged_on_a_stated_sample(monkeypatch):
    monkeypatch.setattr("engine.graph.projection_quality.JUDGED_NODES", 40)
    table = project(clusters(100)).quality
    assert set(table["n"]) == {40} and set(table["n_nodes"]) == {100}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_tiny_graphs_have_a_map_and_judge_what_can_be_judged(count):
    found = project(clusters(count))
    assert found.coordinates.shape == (count, 4) and np.isfinite(found.coordinates.to_numpy()).all()
    assert found.quality["value"].between(0, 1).all() and len(found.quality) == (0 if count < 3 else 5)


@pytest.mark.slow
def test_tsne_separates_groups_is_seeded_and_says_what_it_did():
    scorer = clusters(90, groups=3)
    found = project(scorer, "tsne", seed=4)
    assert project(scorer, "tsne", seed=4).coordinates.equals(found.coordinates)
    assert found.axes["explained_variance"].isna().all()
    trust = found.quality.query("measure == 'trustworthiness'")["value"]
    assert (trust > 0.9).all()
    parameters = json.loads(found.quality["parameters"].iloc[0])
    assert parameters["perplexity"] == 30 and (found.quality["seed"] == 4).all()


@pytest.mark.slow
def test_beyond_its_cap_tsne_is_fitted_to_a_sample_and_the_rest_is_placed_among_it(monkeypatch):
    monkeypatch.setitem(projection.FITTED_NODES, "tsne", 60)
    scorer = clusters(120, groups=3)
    found = project(scorer, "tsne", seed=1)
    assert set(found.quality["n_fitted"]) == {60} and set(found.quality["n_nodes"]) == {120}
    # A placed vector lies between its neighbours, so groups stay together.
    placed, group = placed_of(found), np.tile(np.arange(120) % 3, 2)
    centre = np.stack([placed[group == g].mean(axis=0) for g in range(3)])
    nearest = np.linalg.norm(placed[:, np.newaxis] - centre, axis=2).argmin(axis=1)
    assert (nearest == group).mean() > 0.95


def test_a_vector_equal_to_a_fitted_one_lands_on_it(monkeypatch):
    stacked = np.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3]].astype(np.float64)
    monkeypatch.setattr(projection, "ANCHORS", 2)
    fitted = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    placed = projection._with_the_rest(stacked, np.arange(4), fitted)
    assert placed[4:] == pytest.approx(fitted, abs=1e-5)


@pytest.mark.skipif(importlib.util.find_spec("umap") is not None, reason="the package is installed")
def test_umap_without_its_package_is_refused_by_name():
    with pytest.raises(ConfigError, match="umap-learn"):
        project(clusters(30), "umap")


def test_the_projection_is_a_setting_with_three_values():
    from engine.graph.config import GraphConfig

    assert GraphConfig().projection == "pca" and GraphConfig(projection="tsne").projection == "tsne"
    with pytest.raises(ConfigError, match="'projection' is 'lda'; allowed are pca, tsne, umap"):
        GraphConfig(projection="lda")
