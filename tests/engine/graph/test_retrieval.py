"""Both ways of retrieval give the same lists up to the order of equal scores."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from engine.errors import ConfigError
from engine.graph.ranks import excluded_candidates, top_candidates
from engine.graph.retrieval import check_retrieval, retrieve
from engine.graph.scoring import CocitationScorer, InnerProductScorer, offset_scorer

HAS_FAISS = importlib.util.find_spec("faiss") is not None


class FlatIndex:
    """Answers what an exact index of the package answers, so that our part is tested without it, too."""

    def __init__(self, dimension):
        self.stored = np.empty((0, dimension), dtype=np.float32)

    def add(self, vectors):
        self.stored = np.concatenate([self.stored, vectors])

    def search(self, asked, depth):
        scores = asked @ self.stored.T
        order = np.argsort(-scores, axis=1)[:, :depth]
        return np.take_along_axis(scores, order, axis=1), order


@pytest.fixture(params=["stand-in", "package"])
def faiss(request, monkeypatch):
    """Search by the package where it is installed, and by a stand-in in any case."""
    if request.param == "stand-in":
        monkeypatch.setitem(sys.modules, "faiss", SimpleNamespace(IndexFlatIP=FlatIndex))
    elif not HAS_FAISS:
        pytest.skip("needs the optional package faiss")


def heavy_tailed(count, seed):
    """Return a scorer and what is excluded: node 0 knows half of all nodes."""
    rng = np.random.default_rng(seed)
    source, target = rng.standard_normal((2, count, 8)).astype(np.float32)
    offsets = rng.standard_normal((2, count)).astype(np.float32)
    hub = np.stack([np.zeros(count // 2, dtype=np.int64), np.arange(1, count // 2 + 1)])
    known = np.unique(np.concatenate([hub, rng.integers(count, size=(2, 3 * count))], axis=1), axis=1)
    # Single pairs get something on top, or something off; some of them are excluded.
    pairs = np.unique(np.concatenate([known[::-1, :count], rng.integers(count, size=(2, count))], axis=1), axis=1)
    bonus = sparse.csr_array((rng.choice([-4.0, 4.0], pairs.shape[1]).astype(np.float32), pairs), shape=(count, count))
    return InnerProductScorer(source, target, *offsets, bonus), excluded_candidates(known, count)


def test_exact_retrieval_is_the_blocked_product():
    scorer, excluded = heavy_tailed(50, 0)
    found, expected = (
        retrieve(scorer, np.arange(50), 4, excluded, method="exact"),
        top_candidates(scorer, np.arange(50), 4, excluded),
    )
    assert all((left == right).all() for left, right in zip(found, expected, strict=True))


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize(("count", "k"), [(400, 10), (30, 20), (5, 10)])
def test_faiss_finds_the_same_candidates_and_scores(count, k):
    scorer, excluded = heavy_tailed(count, 1)
    nodes = np.random.default_rng(2).permutation(count)
    candidates, scores = retrieve(scorer, nodes, k, excluded, method="faiss")
    expected, values = top_candidates(scorer, nodes, k, excluded)
    assert scores == pytest.approx(values, abs=1e-4)
    is_left = np.isfinite(values)
    assert (candidates[is_left] == expected[is_left]).all()


@pytest.mark.usefixtures("faiss")
def test_faiss_looks_behind_all_that_is_left_out():
    # Of eight nodes the four best are known: the two that stay are the fifth and the sixth.
    scorer = offset_scorer(np.arange(8.0, 0.0, -1.0), np.arange(8.0))
    excluded = excluded_candidates(np.stack([np.full(3, 0), np.arange(1, 4)]), 8)
    candidates, scores = retrieve(scorer, np.array([0, 7]), 2, excluded, method="faiss")
    assert candidates.tolist() == [[4, 5], [0, 1]] and scores.tolist() == [[4, 3], [15, 14]]


@pytest.mark.usefixtures("faiss")
def test_faiss_chooses_among_equal_scores_only():
    scorer = offset_scorer(np.repeat([2.0, 1.0, 0.0], 20), np.zeros(60))
    excluded = excluded_candidates(np.empty((2, 0), dtype=np.int64), 60)
    candidates, scores = retrieve(scorer, np.arange(60), 5, excluded, method="faiss")
    assert (scores == 2).all() and (candidates < 20).all()
    assert all(node not in candidates[node] and len(set(candidates[node])) == 5 for node in range(60))


def test_a_scorer_without_inner_products_is_answered_exactly(five):
    excluded = excluded_candidates(five.edge_index, 5)
    found = retrieve(CocitationScorer.of(five), np.arange(5), 2, excluded, method="faiss")
    expected = top_candidates(CocitationScorer.of(five), np.arange(5), 2, excluded)
    assert all((left == right).all() for left, right in zip(found, expected, strict=True))


def test_faiss_is_refused_where_it_is_not_installed(monkeypatch):
    check_retrieval("exact")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="'retrieval' is faiss, which is not installed; install faiss-cpu"):
        check_retrieval("faiss")
