"""The delay curves show the numbers of their tables and mark what the snapshot day could not see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.delay import flip_curves, hazard_curves
from engine.figures.delay_arrival import cure_curves, seen_curves
from engine.figures.theme import OURS, RIVAL


@pytest.fixture
def flips() -> pd.DataFrame:
    """Two groups over four days; the snapshot saw the first for two days, the second never."""
    first = {"key": "old", "flip": [0.2, 0.1, 0.05, 0.0], "visible_share": [1.0, 0.9, 0.4, 0.0], "n": 100}
    second = {"key": "new", "flip": [0.3, 0.2, 0.1, 0.0], "visible_share": [0.0] * 4, "n": 50}
    parts = [pd.DataFrame(part | {"elapsed_days": [0.0, 1.0, 2.0, 3.0]}) for part in (first, second)]
    table = pd.concat(parts, ignore_index=True)
    low, high = table["flip"] * 0.8, table["flip"] * 1.2
    return table.assign(flip_low=low, flip_high=high, at_risk=[100, 90, 80, 70, 50, 40, 30, 20])


def traces(figure, name: str) -> list:
    return [trace for trace in figure.data if trace.name == name]


def test_every_value_is_drawn_solid_where_visible_and_dotted_beyond(flips):
    figure = flip_curves(flips, group="cohort", waiting_days=1.0, immature_from=2.0)
    solid, dotted = traces(figure, "old")
    assert (solid.line.dash, list(solid.x), list(solid.y)) == ("solid", [0, 1], [0.2, 0.1])
    assert (dotted.line.dash, list(dotted.x), list(dotted.y)) == ("dot", [1, 2, 3], [0.1, 0.05, 0.0])
    (unseen,) = traces(figure, "new")
    assert unseen.line.dash == "dot" and list(unseen.y) == [0.3, 0.2, 0.1, 0.0]


def test_bands_and_numbers_at_risk_are_those_of_the_table(flips):
    figure = flip_curves(flips, group="cohort", waiting_days=1.0, immature_from=None)
    new, old = traces(figure, "95 % band")
    assert list(new.y) == pytest.approx([0.36, 0.24, 0.12, 0.0, 0.0, 0.08, 0.16, 0.24])
    assert list(old.y)[:4] == pytest.approx([0.24, 0.12, 0.06, 0.0])
    assert list(traces(figure, "at risk: old")[0].text) == ["100", "90", "80", "70"]
    assert list(traces(figure, "at risk: new")[0].text) == ["50", "40", "30", "20"]


def test_labels_stand_in_the_order_of_the_curves_with_their_n(flips):
    figure = flip_curves(flips, group="cohort", waiting_days=1.0, immature_from=None)
    named = [note for note in figure.layout.annotations if "<b>" in note.text]
    assert [note.text for note in sorted(named, key=lambda note: -note.y)] == [
        "<b>new</b> · n 50",
        "<b>old</b> · n 100",
    ]


@pytest.mark.parametrize(("immature_from", "shaded"), [(2.0, [(2.0, 3.0)]), (None, []), (3.0, [])])
def test_the_window_is_marked_and_the_immature_ages_are_shaded(flips, immature_from, shaded):
    figure = flip_curves(flips, group="cohort", waiting_days=1.5, immature_from=immature_from)
    shapes = figure.layout.shapes
    assert [(shape.x0, shape.x1) for shape in shapes if shape.type == "rect"] == shaded
    assert [(shape.x0, shape.x1) for shape in shapes if shape.type == "line"] == [(1.5, 1.5)]


def test_a_group_that_nobody_followed_to_the_end_is_told(flips):
    figure = flip_curves(flips.assign(flip=np.nan), group="cohort", waiting_days=1.0, immature_from=None)
    assert not figure.data and "No exposure was followed" in figure.layout.annotations[0].text


def test_arrival_shows_the_estimate_the_naive_count_and_the_truth():
    days = [0.0, 1.0, 2.0]
    snapshot = pd.DataFrame(
        {
            "elapsed_days": days,
            "seen": [0.1, 0.5, 1.0],
            "seen_low": [0.05, 0.4, 1.0],
            "seen_high": [0.2, 0.6, 1.0],
            "seen_naive": [0.2, 0.7, 1.0],
            "n": 30,
            "at_risk": [30, 20, 5],
        }
    )
    final = pd.DataFrame({"elapsed_days": days, "seen": [0.1, 0.4, 1.0], "n": 60, "at_risk": [60, 50, 40]})
    figure = seen_curves(snapshot, final, name="seen", waiting_days=1.0, immature_from=1.0)
    drawn = {trace.name: trace for trace in figure.data}
    assert list(drawn["Kaplan–Meier"].y) == [0.1, 0.5, 1.0] and drawn["Kaplan–Meier"].line.color == OURS
    assert list(drawn["Counted naively"].y) == [0.2, 0.7, 1.0] and drawn["Counted naively"].line.color == RIVAL
    assert list(drawn["Final"].y) == [0.1, 0.4, 1.0] and drawn["Final"].line.dash == "dash"
    assert list(drawn["at risk: Kaplan–Meier"].text) == ["30", "20", "5"]
    assert list(drawn["at risk: Final"].text) == ["60", "50", "40"]
    unknown = seen_curves(snapshot.assign(seen=np.nan), final, name="seen", waiting_days=1.0, immature_from=None)
    assert not unknown.data


def test_a_group_with_too_few_rows_is_named_and_not_drawn(flips):
    few = flips.assign(n=flips["n"].where(flips["key"] == "old", 29))
    figure = flip_curves(few, group="segment", waiting_days=1.0, immature_from=None)
    assert not traces(figure, "new") and traces(figure, "old")
    assert "new · n 29: too few rows" in [note.text for note in figure.layout.annotations]
    assert not traces(figure, "at risk: new")


def test_a_group_that_was_not_followed_is_named_while_the_others_are_drawn(flips):
    lost = flips.assign(flip=flips["flip"].where(flips["key"] == "old"))
    figure = flip_curves(lost, group="segment", waiting_days=1.0, immature_from=None)
    assert "new · n 50: not followed to the end" in [note.text for note in figure.layout.annotations]
    assert traces(figure, "old") and not traces(figure, "new")


def test_the_hazard_is_drawn_with_its_own_band(flips):
    table = flips.assign(hazard=[0.4, 0.3, 0.2, 0.1] * 2, hazard_low=0.05, hazard_high=0.5)
    figure = hazard_curves(table[table["key"] == "old"], group="segment", waiting_days=1.0, immature_from=None)
    solid, dotted = traces(figure, "old")
    assert list(solid.y) == [0.4, 0.3] and list(dotted.y) == [0.3, 0.2, 0.1]
    assert list(traces(figure, "95 % band")[0].y) == [0.5] * 4 + [0.05] * 4


def test_numbers_at_risk_of_a_thinned_line_stand_at_its_own_days():
    snapshot = pd.DataFrame({"elapsed_days": [0.0, 3.0], "seen": [0.1, 1.0], "at_risk": [9, 4], "n": 30})
    snapshot = snapshot.assign(seen_low=0.1, seen_high=0.9, seen_naive=0.5)
    final = pd.DataFrame({"elapsed_days": [0.0, 1.0, 2.0, 3.0], "seen": 0.5, "at_risk": [8, 7, 6, 5], "n": 60})
    figure = seen_curves(snapshot, final, name="seen", waiting_days=None, immature_from=None)
    (mine,) = traces(figure, "at risk: Kaplan–Meier")
    assert list(mine.x) == [0.0, 3.0] and list(mine.text) == ["9", "4"]
    assert list(traces(figure, "at risk: Final")[0].text) == ["8", "7", "6", "5"]


def test_fitted_laws_are_drawn_over_the_curve_and_their_misfit_below():
    table = pd.DataFrame(
        {
            "elapsed_days": [0.0, 1.0],
            "converted": [0.1, 0.2],
            "converted_low": [0.05, 0.15],
            "converted_high": [0.15, 0.3],
            "cure_exponential": [0.12, 0.18],
            "cure_weibull": [0.1, 0.2],
            "miss_exponential": [0.02, -0.02],
            "miss_weibull": [0.0, 0.0],
            "n": 100,
        }
    )
    drawn = {trace.name: trace for trace in cure_curves(table, immature_from=None).data if trace.name != "95 % band"}
    assert list(drawn["Exponential"].y) == [0.12, 0.18] and list(drawn["Weibull"].y) == [0.1, 0.2]
    assert list(drawn["Exponential − Kaplan–Meier"].y) == [0.02, -0.02]
    assert drawn["Exponential − Kaplan–Meier"].yaxis == "y2"
    bands = [trace for trace in cure_curves(table, immature_from=None).data if trace.name == "95 % band"]
    assert list(bands[1].y) == pytest.approx([0.05, 0.1, -0.05, -0.05])
    assert not cure_curves(table.assign(cure_exponential=np.nan, cure_weibull=np.nan), immature_from=None).data
