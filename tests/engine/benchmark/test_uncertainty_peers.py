"""Other people's ways get the same rows, and a fair set of candidates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.benchmark import uncertainty_peers
from engine.benchmark.uncertainty_peers import (
    TAIL_SHARES,
    candidate_vectors,
    constrained_recall,
    mapie_buckets,
    mapie_one,
    missing,
    peer_ways,
    tuned_threshold,
)
from engine.benchmark.uncertainty_simulated import SETTINGS, draw, rows_of
from engine.uncertainty.boundaries import score_only_threshold

TARGET = 0.6


@pytest.fixture(scope="module")
def rows():
    return rows_of(draw(SETTINGS["base rate .25, tau 1"], 3, 6000))


def test_the_metric_is_recall_where_the_precision_is_kept():
    truth, chosen = np.array([1, 1, 0, 0, 1]), np.array([1, 1, 1, 0, 0])
    assert constrained_recall(0.66)(truth, chosen) == pytest.approx(2 / 3)
    assert constrained_recall(0.67)(truth, chosen) == 0


def test_scikit_learn_finds_our_threshold_when_it_tries_every_score(rows):
    steps = np.floor(rows.score * 50) / 50
    theirs = tuned_threshold(steps, rows.label, constrained_recall(TARGET), np.unique(steps))
    ours = score_only_threshold(steps, rows.label, rows.weight, TARGET)
    assert np.array_equal(steps >= theirs, steps >= ours) and (steps >= ours).any()


def test_without_a_precision_in_reach_nothing_is_selected(rows):
    assert tuned_threshold(rows.score, 0 * rows.label + (rows.score < 0.1), constrained_recall(0.99), 5) == np.inf


def test_candidates_select_the_shares_of_their_bucket(rows):
    bucket = (rows.uncertainty > np.median(rows.uncertainty)).astype(np.int64)
    score = rows.score + 1e-9 * np.arange(rows.score.size)
    vectors = candidate_vectors(score, bucket)
    assert vectors.shape == (len(TAIL_SHARES) ** 2, 2)
    for place in (0, 1):
        inside = score[bucket == place]
        shares = [np.mean(inside >= threshold) for threshold in np.unique(vectors[:, place])[::-1]]
        assert shares == pytest.approx(TAIL_SHARES, abs=2 / inside.size)
        assert all(low < high for low, high in pairwise(shares))


def test_what_is_not_installed_is_left_out_and_named(rows, monkeypatch):
    monkeypatch.setattr(uncertainty_peers, "find_spec", lambda module: None)
    assert missing() == {
        "venn-abers==1.5.4": ["venn_abers"],
        "mapie==1.6.0": ["mapie_one", "mapie_buckets", "mapie_sequence"],
    }
    assert [way.method for way in peer_ways(rows, (TARGET,), buckets=(1, 3), confidence=0.9)] == ["tuned_classifier"]


def test_the_requirements_name_every_optional_package(request):
    folder = request.config.rootpath / "engine" / "benchmark"
    named = {line for line in (folder / "requirements-uncertainty.txt").read_text().splitlines() if "==" in line}
    from engine.benchmark.uncertainty_speed import ORACLES

    needed = {requirement for _, requirement in [*uncertainty_peers.NEEDS.values(), *ORACLES.values()]}
    assert named == needed


def test_the_controller_gets_a_threshold_per_bucket(rows):
    pytest.importorskip("mapie")
    one = mapie_one(rows, (0.4,), 0.9).select[0.4](rows)
    several = mapie_buckets(rows, (0.4,), 2, 0.9).select[0.4](rows)
    for chosen in (one, several):
        assert rows.label[chosen].mean() > 0.4
    assert several.sum() > 0
