"""The threshold editor answers from counts what a loop over rows would answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.errors import ConfigError, RunError
from engine.uncertainty.boundaries import is_feasible
from engine.uncertainty.cells import cell_table
from engine.uncertainty.decision import decide, target_check
from engine.uncertainty.editor import Editor, open_editor
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid, Layout
from engine.uncertainty.methods import METHODS

LAYOUT = Layout(uncertainty_edges=np.array([0.12, 0.25]), score_edges=np.array([0.1, 0.2, 0.3, 0.5]))


def as_frame(rows, split):
    return pd.DataFrame({name: getattr(rows, name) for name in rows.__slots__}).assign(split=split)


@pytest.fixture(scope="module")
def frame(make_rows):
    return pd.concat([as_frame(make_rows(), "tune"), as_frame(make_rows(seed=1), "test")], ignore_index=True)


@pytest.fixture(scope="module")
def editor(frame):
    edges = [("uncertainty", i, e) for i, e in enumerate(LAYOUT.uncertainty_edges)]
    edges += [("score", i, e) for i, e in enumerate(LAYOUT.score_edges)]
    table = pd.DataFrame(edges, columns=["axis", "index", "edge"]).assign(scorer="given")
    return open_editor(cell_table(frame, LAYOUT).assign(scorer="given"), table, "given")


@pytest.mark.parametrize("split", ["tune", "test"])
@pytest.mark.parametrize("cuts", [(0, 0, 0), (5, 5, 5), (1, 3, 4), (0, 2, 5)])
def test_the_confusion_matrix_equals_a_loop_over_rows(frame, editor, split, cuts):
    thresholds = editor.thresholds_of(cuts)
    counts = {(label, chosen): 0 for label in (0, 1) for chosen in (False, True)}
    for row in frame[frame["split"] == split].itertuples():
        bucket = sum(row.uncertainty > edge for edge in LAYOUT.uncertainty_edges)
        counts[row.label, row.score >= thresholds[bucket]] += 1
    found = editor.decide(cuts, split)
    assert found.true_positive == counts[1, True] and found.false_positive == counts[0, True]
    assert found.false_negative == counts[1, False] and found.true_negative == counts[0, False]
    assert (found.rows, found.positives) == (400, counts[1, True] + counts[1, False])
    assert found.coverage == found.selected / 400


def test_nothing_selected_has_no_precision_and_no_recall(editor):
    found = editor.decide((0, 0, 0), "test")
    assert np.isnan(found.precision).all() and found.recall[0] == 0.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", [0.3, 0.5, 0.7])
def test_snapping_meets_the_target_on_the_tuning_rows(editor, method, target):
    found = editor.decide(editor.snap(method, target), "tune")
    assert is_feasible(np.array(found.true_positive), np.array(found.selected), target)


def test_snapping_by_the_exact_program_finds_most(editor):
    for target in (0.3, 0.5, 0.7):
        found = {method: editor.decide(editor.snap(method, target), "tune").true_positive for method in METHODS}
        assert found["exact_dp"] == max(found.values())
        direct = decide(editor.grids["tune"], solve_frontier(editor.grids["tune"]).solve(target))
        assert found["exact_dp"] == direct.true_positive


def test_snapping_by_one_threshold_gives_every_bucket_the_same(editor):
    assert len(set(editor.snap("single_threshold", 0.5))) == 1


def test_snapping_never_looks_at_the_test_rows(editor):
    flipped = Grid(editor.grids["test"].totals - editor.grids["test"].positives, editor.grids["test"].totals)
    other = type(editor)(editor.layout, dict(editor.grids) | {"test": flipped}, editor.score_sums)
    for method in METHODS:
        assert editor.snap(method, 0.5) == other.snap(method, 0.5)


def test_an_unknown_method_is_refused(editor):
    with pytest.raises(ConfigError, match="'method' is 'best'"):
        editor.snap("best", 0.5)


@pytest.mark.parametrize("cuts", [(1, 2), (1, 2, 6), (-1, 0, 0), (1, 2, 3, 4)])
def test_cuts_that_are_not_on_the_grid_are_refused(editor, cuts):
    with pytest.raises(ConfigError, match="3 whole numbers from 0 to 5"):
        editor.decide(cuts, "test")


def test_an_unknown_scorer_is_refused():
    cells = pd.DataFrame({"scorer": ["given"], "split": "tune", "bucket": 0, "bin": 0})
    with pytest.raises(RunError, match="no scorer 'other'; it has given"):
        open_editor(cells, pd.DataFrame({"scorer": []}), "other")


def test_labels_name_every_threshold_once_and_lead_back_to_its_cut(editor):
    assert editor.labels == ("none", "0.50", "0.30", "0.20", "0.10", "all")
    assert [editor.cut_of(label) for label in editor.labels] == [0, 1, 2, 3, 4, 5]
    assert editor.cut_of("0.123") is None and editor.cut_of("") is None


def test_labels_get_more_digits_only_where_thresholds_lie_close():
    layout = Layout(np.empty(0), np.array([0.1, 0.12341, 0.12342, 0.5]))
    zeros = np.zeros((1, 5), dtype=np.int64)
    grid = Grid(zeros, zeros)
    assert Editor(layout, {"tune": grid, "test": grid}, {}).labels == (
        "none",
        "0.50",
        "0.12342",
        "0.12341",
        "0.10",
        "all",
    )


def test_the_map_keeps_every_row_and_every_positive(editor):
    for split in ("tune", "test"):
        table = editor.map_table(split)
        grid = editor.grids[split]
        by_bucket = table.groupby("bucket")[["n", "positives"]].sum()
        assert by_bucket["n"].tolist() == grid.totals.sum(axis=1).tolist()
        assert by_bucket["positives"].tolist() == grid.positives.sum(axis=1).tolist()


def test_the_bias_on_the_map_is_observed_minus_predicted(frame, editor):
    table = editor.map_table("tune")
    tune = frame[frame["split"] == "tune"]
    for row in table.itertuples():
        bucket = np.searchsorted(LAYOUT.uncertainty_edges, tune["uncertainty"])
        inside = (bucket == row.bucket) & (tune["score"] >= row.score_low)
        inside &= (tune["score"] < row.score_high) | (row.score_high == 1.0)
        part = tune[inside]
        assert row.n == len(part)
        if row.n:
            assert row.bias == pytest.approx(part["label"].mean() - part["score"].mean())
        else:
            assert np.isnan(row.rate)


def test_boundary_lines_stand_where_the_columns_of_the_map_begin(editor):
    table = editor.map_table("tune").query("bucket == 0")
    lines = editor.lines({"edited": (0, 3, 5)})
    assert lines["level"].tolist() == [0, 1, 1, 2, 2, 3]
    assert lines["label"].tolist() == ["none", "none", "0.20", "0.20", "all", "all"]
    assert lines["column"].iloc[[0, -1]].tolist() == [len(table), 0]
    starts = table.set_index("score_low")["column"]
    if 0.2 in starts.index:
        assert lines["column"].iloc[2] == starts[0.2]


@pytest.mark.parametrize(
    ("positives", "selected", "target", "verdict"),
    [
        (0, 0, 0.5, "nothing"),
        (20, 29, 0.5, "few"),
        (300, 1000, 0.5, "missed"),
        (700, 1000, 0.5, "exceeded"),
        (505, 1000, 0.5, "met"),
    ],
)
def test_a_target_is_judged_by_the_whole_interval(positives, selected, target, verdict):
    grid = Grid(positives=np.array([[5, positives]]), totals=np.array([[50, selected]]))
    assert target_check(decide(grid, np.array([1])), target) == verdict


def test_locked_buckets_stay_while_the_rest_is_solved_anew(editor):
    for method in METHODS:
        cuts = editor.snap(method, 0.4, locks={1: 2})
        assert cuts[1] == 2
        found = editor.decide(cuts, "tune")
        assert is_feasible(np.array(found.true_positive), np.array(found.selected), 0.4)


def test_a_lock_at_the_optimum_changes_nothing(editor):
    free = editor.snap("exact_dp", 0.5)
    assert editor.snap("exact_dp", 0.5, locks={0: free[0], 2: free[2]}) == free


def test_a_lock_that_breaks_the_target_is_refused(editor):
    with pytest.raises(ConfigError, match="With these buckets locked no boundary keeps to precision"):
        editor.snap("mist", 0.95, locks={0: 5, 1: 5, 2: 5})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("budget", [0, 25, 150, 400])
def test_a_budget_is_kept_and_the_exact_program_fills_it_best(editor, method, budget):
    found = editor.decide(editor.fill(method, budget), "tune")
    exact = editor.decide(editor.fill("exact_dp", budget), "tune")
    assert found.selected <= budget and found.true_positive <= exact.true_positive


def test_prices_move_free_buckets_only(editor):
    cheap, dear = editor.weigh(value=1, cost=0), editor.weigh(value=1, cost=5)
    assert all(a >= b for a, b in zip(cheap, dear, strict=True)) and sum(cheap) > sum(dear)
    assert editor.weigh(value=1, cost=5, locks={0: 4})[0] == 4


def test_the_headroom_of_the_exact_boundary_is_the_smallest(editor):
    found = {method: editor.headroom(editor.snap(method, 0.5), 0.5) for method in METHODS}
    assert min(found.values()) == found["exact_dp"] >= 0
