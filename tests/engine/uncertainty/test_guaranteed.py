"""Guaranteed thresholds keep their target as often as they say, and select more than a naive search."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.errors import ConfigError
from engine.seeding import generator
from engine.uncertainty.boundaries import Path, count_selected
from engine.uncertainty.guaranteed import binomial_p_values, guarantee, guaranteed_plane, safest, unit_p_values
from engine.uncertainty.rows import Rows

REPEATS = 200
TARGET = 0.6


def draw(rng, n=1500, per_unit=1, spread=0.0):
    """Rows whose true rate falls with uncertainty; rows of a unit share a shift of their rate."""
    score, uncertainty = rng.beta(2, 3, n), rng.random(n)
    unit = np.arange(n) // per_unit
    shift = rng.normal(0, spread, unit.max() + 1)[unit] if spread else 0.0
    rate = np.clip(score * (1.2 - 0.5 * uncertainty) + shift, 0, 1)
    label = (rng.random(n) < rate).astype(np.int64)
    return Rows(score, uncertainty, label, np.ones(n, dtype=np.int64), unit)


def population(seed=99):
    return draw(np.random.default_rng(seed), n=60_000)


def achieved(plane, cuts, rows):
    positives, selected = count_selected(plane.grid(rows), cuts)
    return (float(positives / selected) if selected else None), float(positives / rows.label.sum())


def bonferroni(plane, rows, confidence):
    """Search every bucket on its own: largest cut whose exact test passes at the level shared by all tests."""
    positives, totals = plane.grid(rows).from_top()
    level = (1 - confidence) / (totals.shape[0] * (totals.shape[1] - 1))
    passes = stats.binom.sf(positives - 1, totals, TARGET) <= level
    last = totals.shape[1] - 1 - np.argmax(passes[:, ::-1], axis=1)
    return np.where(passes.any(axis=1), last, 0)


@pytest.mark.slow
@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_the_target_is_kept_as_often_as_stated_with_more_recall_than_a_naive_search(confidence):
    truth = population()
    kept, recall, naive = 0, [], []
    for seed in range(REPEATS):
        rows = draw(np.random.default_rng(seed))
        plane = guaranteed_plane(rows, [TARGET], buckets=3, confidence=confidence, seed=seed)
        precision, found = achieved(plane, plane.cuts["guaranteed"][0], truth)
        kept += precision is None or precision >= TARGET
        recall.append(found)
        naive.append(achieved(plane, bonferroni(plane, rows, confidence), truth)[1])
    # Three standard errors of a share below the promise would be a broken promise.
    assert kept / REPEATS >= confidence - 3 * np.sqrt(confidence * (1 - confidence) / REPEATS)
    assert np.mean(recall) > 1.2 * np.mean(naive) and np.mean(recall) > 0.1


@pytest.mark.slow
def test_counting_by_units_keeps_the_target_where_rows_of_a_unit_go_together():
    truth = draw(np.random.default_rng(98), n=60_000, per_unit=10, spread=0.3)
    kept = {"rows": 0, "units": 0}
    for seed in range(REPEATS):
        rows = draw(np.random.default_rng(seed), n=2000, per_unit=10, spread=0.3)
        for count_by in kept:
            plane = guaranteed_plane(rows, [TARGET], buckets=2, confidence=0.9, seed=seed, count_by=count_by)
            precision, _ = achieved(plane, plane.cuts["guaranteed"][0], truth)
            kept[count_by] += precision is None or precision >= TARGET
    assert kept["units"] / REPEATS >= 0.9 - 3 * np.sqrt(0.09 / REPEATS)
    assert kept["rows"] <= kept["units"]


def test_labels_of_the_testing_half_move_neither_edges_nor_path():
    rows = draw(np.random.default_rng(0))
    plane = guaranteed_plane(rows, [TARGET], buckets=3)
    for part in (0, 1):
        moved = 0
        for seed in range(4):
            # Flip the labels of random units; those of the testing half alone leave the path as it is.
            half = half_of(rows, seed)
            flipped = Rows(
                rows.score, rows.uncertainty, np.where(half == part, 1 - rows.label, rows.label), rows.weight, rows.unit
            )
            one = guaranteed_plane(flipped, [TARGET], buckets=3, seed=seed)
            other = guaranteed_plane(rows, [TARGET], buckets=3, seed=seed)
            same = np.array_equal(one.layout.score_edges, other.layout.score_edges)
            moved += not (same and np.array_equal(one.paths["guaranteed"].cuts, other.paths["guaranteed"].cuts))
        assert moved == (4 if part == 0 else 0)
    assert plane.layout.shape[0] == 3


def half_of(rows, seed):
    """The halves that a seed makes: 0 learns, 1 tests."""
    return rows.split_units(2, generator(seed, "uncertainty", "guaranteed"))


def test_p_values_are_the_binomial_tail_of_the_testing_rows():
    rows = draw(np.random.default_rng(1), n=400)
    plane = guaranteed_plane(rows, [TARGET], buckets=2)
    path = plane.paths["guaranteed"]
    found = binomial_p_values(plane, path, rows, TARGET)
    for place in (0, 5, len(path.cuts) - 1):
        won, taken = (int(v) for v in count_selected(plane.grid(rows), path.cuts[place]))
        tail = sum(stats.binom.pmf(k, taken, TARGET) for k in range(won, taken + 1))
        assert found[place] == pytest.approx(tail if taken else 1.0)


def test_unit_totals_are_tested_as_a_loop_over_units_tests_them():
    rows = draw(np.random.default_rng(2), n=300, per_unit=5, spread=0.2)
    plane = guaranteed_plane(rows, [TARGET], buckets=2)
    path = plane.paths["guaranteed"]
    places = range(0, len(path.cuts), 7)
    found = unit_p_values(plane, path, rows, TARGET, places=places)
    bucket, score_bin = np.divmod(plane.cell(rows), plane.layout.shape[1])
    for p_value, place in zip(found, places, strict=True):
        chosen = score_bin >= plane.layout.shape[1] - path.cuts[place][bucket]
        sums = [(rows.label - TARGET)[chosen & (rows.unit == u)].sum() for u in np.unique(rows.unit[chosen])]
        if len(sums) < 2:
            assert p_value == 1.0
        else:
            assert p_value == pytest.approx(stats.ttest_1samp(sums, 0, alternative="greater").pvalue)


def test_the_sequence_stops_at_its_first_failure():
    rows = draw(np.random.default_rng(3))
    plane = guaranteed_plane(rows, [TARGET], buckets=3)
    path = plane.paths["guaranteed"]
    start = safest(path, TARGET)
    passing = binomial_p_values(plane, path, rows, TARGET)[start:] <= 0.1
    found = guarantee(plane, path, rows, TARGET, confidence=0.9, count_by="rows")
    assert passing[: found.passed].all() and not passing[found.passed : found.passed + 1].any()
    assert found.p_value <= 0.1 and found.cuts.tolist() == path.cuts[start + found.passed - 1].tolist()


def test_a_target_out_of_reach_selects_nothing():
    rows = draw(np.random.default_rng(4), n=300)
    assert guaranteed_plane(rows, [0.99], buckets=3).cuts["guaranteed"].tolist() == [[0, 0, 0]]
    path = Path(np.array([[0], [1]]), np.array([0, 1]), np.array([0, 9]))
    assert safest(path, 0.5) is None


@pytest.mark.parametrize("confidence", [0.5, 1.0, 0.0])
def test_a_confidence_that_promises_nothing_or_everything_is_refused(confidence):
    with pytest.raises(ConfigError, match="'confidence' is"):
        guaranteed_plane(draw(np.random.default_rng(5), n=100), [0.5], buckets=1, confidence=confidence)
