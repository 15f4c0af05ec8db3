"""The delay curves show the numbers of their tables and mark what the snapshot day could not see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.delay import flip_curves, hazard_curves
from engine.figures.delay_arrival import cure_curves, seen_curves
from engine.figures.theme import OURS, RIVAL, TEXT


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
    assert [note.text.partition("</span> ")[2] for note in sorted(named, key=lambda note: -note.y)] == [
        "<b>new</b> · n 50",
        "<b>old</b> · n 100",
    ]


def colors_of_text(figure) -> set:
    fonts = [note.font for note in figure.layout.annotations] + [trace.textfont for trace in figure.data if trace.text]
    return {font.color for font in [*fonts, figure.layout.yaxis2.tickfont]}


def test_labels_and_numbers_at_risk_have_the_colour_of_text_and_a_stroke_of_their_line(flips):
    figure = flip_curves(flips, group="cohort", waiting_days=1.0, immature_from=2.0)
    assert colors_of_text(figure) == {TEXT}, "a line's colour is hard to read on one of the two backgrounds"
    for row, key in enumerate(("old", "new")):
        stroke = f'<span style="color:{traces(figure, key)[0].line.color}">━</span>'
        assert any(note.text.startswith(f"{stroke} <b>{key}</b>") for note in figure.layout.annotations)
        assert figure.layout.yaxis2.ticktext[row].endswith(stroke), "rows count from below"
        assert set(traces(figure, f"at risk: {key}")[0].y) == {row}
    assert figure.layout.yaxis2.ticktext[1].startswith("at risk")


def test_names_from_data_are_shown_letter_by_letter(flips):
    odd = flips.assign(key=flips["key"].replace("old", "x <b>y</b><br>%{x}"))
    shown = "x &lt;b&gt;y&lt;/b&gt;&lt;br&gt;%&#123;x}"
    figure = flip_curves(odd, group="segment", waiting_days=1.0, immature_from=None)
    assert any(f"<b>{shown}</b> · n 100" in note.text for note in figure.layout.annotations)
    assert traces(figure, "x <b>y</b><br>%{x}")[0].hovertemplate.startswith(f"<b>{shown}</b>, day")
    few = flip_curves(odd.assign(n=odd["n"].replace(100, 9)), group="segment", waiting_days=1.0, immature_from=None)
    assert f"{shown} · n 9: too few rows" in [note.text for note in few.layout.annotations]


@pytest.mark.parametrize(("immature_from", "shaded"), [(2.0, [(2.0, 3.0)]), (None, []), (3.0, [])])
def test_the_window_is_marked_and_the_immature_ages_are_shaded(flips, immature_from, shaded):
    figure = flip_curves(flips, group="cohort", waiting_days=0.5, immature_from=immature_from)
    shapes = figure.layout.shapes
    assert [(shape.x0, shape.x1) for shape in shapes if shape.type == "rect"] == shaded
    assert [(shape.x0, shape.x1) for shape in shapes if shape.type == "line"] == [(0.5, 0.5)]


def window_of(figure) -> tuple:
    (label,) = [note for note in figure.layout.annotations if note.text.startswith("window")]
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    return label.xanchor, {shape.x0 for shape in lines}, [(shape.y0, shape.y1) for shape in lines]


@pytest.mark.parametrize(("days", "side"), [(1.0, "left"), (2.0, "left"), (2.5, "right"), (3.0, "right")])
def test_the_window_is_named_on_the_side_that_has_room(flips, days, side):
    figure = flip_curves(flips, group="cohort", waiting_days=days, immature_from=None)
    assert window_of(figure)[:2] == (side, {days})


def test_the_line_of_the_window_leaves_out_the_labels_in_the_corner(flips):
    _, _, whole = window_of(flip_curves(flips, group="cohort", waiting_days=0.5, immature_from=1.0))
    assert whole == [(0.0, 1.0)]
    figure = flip_curves(flips, group="cohort", waiting_days=2.9, immature_from=1.0)
    _, _, parts = window_of(figure)
    corner = [note for note in figure.layout.annotations if note.xref == "paper"]
    assert len(corner) == 3
    for note in corner:
        middle = note.y - (0.03 if note.yanchor == "top" else 0.0)
        assert not any(low < middle < high for low, high in parts)
    assert sum(high - low for low, high in parts) > 0.5, "most of the line stays"


def test_a_group_that_nobody_followed_to_the_end_is_told(flips):
    figure = flip_curves(flips.assign(flip=np.nan), group="cohort", waiting_days=1.0, immature_from=None)
    assert not figure.data and "No exposure was followed" in figure.layout.annotations[0].text


def labels_of(figure) -> set[str]:
    return {note.text.split("<b>")[-1] for note in figure.layout.annotations}


def test_arrival_shows_the_estimate_the_naive_count_and_the_truth():
    days = [0.0, 1.0, 2.0]
    snapshot = pd.DataFrame(
        {
            "elapsed_days": days,
            "seen": [0.1, 0.5, 1.0],
            "seen_low": [0.05, 0.4, 1.0],
            "seen_high": [0.2, 0.6, 1.0],
            "seen_naive": [0.2, 0.7, 1.0],
            "converted_naive": [2 / 30, 7 / 30, 10 / 30],
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
    assert labels_of(figure) >= {
        "Final</b> · n 60",
        "Kaplan–Meier</b> · n 30",
        "Counted naively</b> · n 10 conversions",
    }
    rates = snapshot.assign(converted=0.2, converted_low=0.1, converted_high=0.3)
    converted = seen_curves(rates, None, name="converted", waiting_days=None, immature_from=None)
    assert "Counted naively</b> · n 30" in labels_of(converted)
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
    snapshot = snapshot.assign(seen_low=0.1, seen_high=0.9, seen_naive=0.5, converted_naive=0.1)
    final = pd.DataFrame({"elapsed_days": [0.0, 1.0, 2.0, 3.0], "seen": 0.5, "at_risk": [8, 7, 6, 5], "n": 60})
    figure = seen_curves(snapshot, final, name="seen", waiting_days=None, immature_from=None)
    (mine,) = traces(figure, "at risk: Kaplan–Meier")
    assert list(mine.x) == [0.0, 3.0] and list(mine.text) == ["9", "4"]
    assert list(traces(figure, "at risk: Final")[0].text) == ["8", "7", "6", "5"]


def days_at_risk(table, draw=flip_curves) -> list:
    return list(traces(draw(table, group="all", waiting_days=1.0, immature_from=None), "at risk: all")[0].x)


def test_columns_at_risk_are_few_apart_and_end_where_nobody_is_followed():
    days = np.arange(66.0)
    table = pd.DataFrame({"key": "all", "elapsed_days": days, "flip": 0.1, "flip_low": 0.0, "flip_high": 0.2, "n": 90})
    table = table.assign(at_risk=np.where(days < 65, 80, 0), visible_share=1.0)
    assert days_at_risk(table) == [0, 11, 22, 33, 44, 55]
    short = table[table["elapsed_days"] <= 5]
    assert days_at_risk(short.assign(at_risk=[9, 9, 9, 9, 9, 0])) == [0, 1, 2, 3, 4], "after its end nobody is at risk"
    weeks = table.assign(hazard=0.1, hazard_low=0.0, hazard_high=0.2).iloc[[3, 10, 17, 24, 31, 34]]
    assert days_at_risk(weeks, hazard_curves) == [3, 10, 17, 24, 31], "the last, shorter week is too near"


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
