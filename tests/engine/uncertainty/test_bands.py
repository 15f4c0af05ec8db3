"""Frontier, bound and threshold bands follow from the counts, whatever draws the units took."""

from __future__ import annotations

import numpy as np
import pytest

from engine.metrics.resampling import bootstrap
from engine.uncertainty.bands import bound_table, frontier_table, threshold_bands
from engine.uncertainty.boundaries import count_selected
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.draws import DrawnCounts, unit_draws, unit_index
from engine.uncertainty.isotonic import upper_bound
from engine.uncertainty.rows import Rows
from engine.uncertainty.tuning import tune

TARGETS = (0.3, 0.5)


@pytest.fixture(scope="module")
def rows(make_rows):
    return {"tune": make_rows(800), "test": make_rows(800, seed=1)}


@pytest.fixture(scope="module")
def plane(rows):
    return tune(rows["tune"], UncertaintyConfig(buckets=3), TARGETS).planes[0]


def test_draws_are_those_of_the_bootstrap_of_rows(rows):
    unit = rows["test"].unit
    index, n_units = unit_index(unit)
    direct = bootstrap(lambda w: w[:10], unit, n_resamples=130, rng=np.random.default_rng(3))
    chunks = np.concatenate(list(unit_draws(n_units, 130, np.random.default_rng(3))), axis=1)
    assert (direct == chunks[index[:10]].T).all() and chunks.shape == (n_units, 130)


def test_drawn_counts_are_those_of_the_repeated_rows(rows, plane):
    test = rows["test"]
    index, n_units = unit_index(test.unit)
    taken = next(unit_draws(n_units, 3, np.random.default_rng(0)))
    positives, totals = DrawnCounts(plane.cell(test), test, plane.layout.shape)(taken)
    for draw in range(3):
        grid = plane.grid(test.take(np.repeat(np.arange(index.size), taken[index, draw].astype(int))))
        for found, expected in zip((positives, totals), grid.from_top(), strict=True):
            assert (found[:, :, draw] == expected).all()


def test_the_frontier_shows_counts_of_its_boundaries_and_bands_around_them(rows, plane):
    table = frontier_table(plane, rows, resamples=60, rng=np.random.default_rng(0))
    assert set(table["line"]) == {"single_threshold", "mist", "exact_dp", "bound"}
    test = table[table["split"] == "test"].dropna()
    assert len(test) > 50
    for name in ("recall", "precision"):
        inside = (test[f"{name}_low"] <= test[name] + 1e-9) & (test[name] <= test[f"{name}_high"] + 1e-9)
        assert inside.mean() > 0.95
    assert table[table["split"] == "tune"]["recall_low"].isna().all()
    ends = table[(table["line"] == "mist") & (table["split"] == "tune")]
    assert ends["recall"].iloc[-1] == 1.0 and ends["recall"].is_monotonic_increasing


def test_no_line_passes_the_bound_on_the_tuning_rows(rows, plane):
    table = frontier_table(plane, rows, resamples=10, rng=np.random.default_rng(0))
    tuning = table[(table["split"] == "tune") & (table["line"] != "bound") & (table["selected"] > 0)]
    total = rows["tune"].label.sum()
    grid = plane.grid(rows["tune"])
    for row in tuning.iloc[::7].itertuples():
        # The target as a fraction may lie above the precision by rounding: allow for it.
        assert row.recall * total <= upper_bound(grid, max(row.precision - 1e-4, 0.0)) + 1e-9


def test_headroom_is_what_the_bound_leaves(rows, plane):
    table = bound_table(plane, rows["tune"], TARGETS).set_index(["method", "target"])
    grid = plane.grid(rows["tune"])
    for target in TARGETS:
        bound = upper_bound(grid, target)
        for method in plane.cuts:
            row = table.loc[method, target]
            assert row["bound"] == bound and row["positives"] <= bound + 1e-9
            won = count_selected(grid, plane.cuts[method][TARGETS.index(target)])[0]
            assert row["headroom"] == pytest.approx(100 * (int(bound + 1e-9) - won) / won)
        assert table.loc["exact_dp", target]["headroom"] <= table.loc["mist", target]["headroom"]


def test_threshold_bands_hold_what_was_chosen_and_narrow_with_more_units(make_rows):
    widths = []
    for n in (600, 9600):
        rows = make_rows(n)
        plane = tune(rows, UncertaintyConfig(buckets=2), (0.4,)).planes[0]
        table = threshold_bands(plane, rows, (0.4,), rng=np.random.default_rng(0), resolves=60)
        assert set(table["method"]) == {"single_threshold", "mist"} and table["selects_none"].between(0, 1).all()
        assert (table["low"] <= table["threshold"]).all() and (table["threshold"] <= table["high"]).all()
        single = table[table["method"] == "single_threshold"]
        assert single["threshold"].nunique() == 1
        widths.append(float((single["high"] - single["low"]).max()))
    assert widths[1] < widths[0]


def test_rows_that_all_repeat_have_bands_without_width():
    score, label = np.tile([0.9, 0.5, 0.1], 100), np.tile([1, 1, 0], 100)
    rows = Rows(score, np.tile([0.1, 0.2, 0.3], 100), label, np.ones(300, dtype=np.int64), np.arange(300) // 3)
    plane = tune(rows, UncertaintyConfig(buckets=1), (0.9,)).planes[0]
    table = threshold_bands(plane, rows, (0.9,), rng=np.random.default_rng(0), resolves=20)
    assert table[["threshold", "low", "high"]].to_numpy().tolist() == [[0.5] * 3] * 2
