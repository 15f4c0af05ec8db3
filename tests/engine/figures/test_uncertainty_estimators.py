"""Panels of estimators: the numbers of the table, the chosen scorer strong, placebo and margin where they belong."""

import pandas as pd
import pytest

from engine.figures.theme import GREY, OURS
from engine.figures.uncertainty_estimators import Panel, estimator_panels

NAMES = {"ensemble": "Deep ensemble", "counts": "Counts"}
PANELS = (
    Panel(metric="roc_auc", title="ROC AUC"),
    Panel(metric="trend", title="Trend", reference=0.0, placebo="placebo_trend"),
    Panel(metric="gain", title="Gain", reference=0.0, margin=2.0),
    Panel(metric="log_loss", title="Log loss"),
)
VALUES = {
    ("ensemble", "roc_auc"): 0.8,
    ("counts", "roc_auc"): 0.7,
    ("ensemble", "trend"): -3.0,
    ("ensemble", "placebo_trend"): 0.2,
    ("counts", "trend"): float("nan"),
    ("counts", "placebo_trend"): 0.1,
    ("ensemble", "gain"): 1.0,
    ("counts", "gain"): -0.5,
    ("ensemble", "log_loss"): 0.3,
    ("counts", "log_loss"): 0.4,
}
TABLE = pd.DataFrame(
    [
        {"scorer": s, "metric": m, "value": v, "ci_low": v - 0.1, "ci_high": v + 0.3, "n": 900}
        for (s, m), v in VALUES.items()
    ]
)


@pytest.fixture(scope="module")
def figure():
    return estimator_panels(TABLE, panels=PANELS, names=NAMES, chosen="counts")


def dots(figure, key):
    return {trace.name: trace for trace in figure.data if trace.xaxis == f"x{key}"}


def test_every_panel_shows_its_metric_with_intervals(figure):
    for place, panel in enumerate(PANELS):
        shown = dots(figure, "" if place == 0 else str(place + 1))
        for scorer, name in NAMES.items():
            value = VALUES[scorer, panel.metric]
            if value == value:
                assert list(shown[name].x) == [value]
                assert shown[name].error_x.array[0] == pytest.approx(0.3)
                assert shown[name].error_x.arrayminus[0] == pytest.approx(0.1)
                assert "n 900" in shown[name].hovertemplate


def test_a_scorer_without_a_value_has_no_dot_and_no_placebo(figure):
    assert set(dots(figure, "2")) == {"Deep ensemble", "Deep ensemble, shuffled"}
    said = [note for note in figure.layout.annotations if note.text == "not judged"]
    # In the row of the second scorer, of the second panel alone.
    assert [(note.xref, note.yref, note.y) for note in said] == [("x2 domain", "y2", 1)]


def test_the_placebo_is_hollow_and_beside(figure):
    own, shuffled = dots(figure, "2")["Deep ensemble"], dots(figure, "2")["Deep ensemble, shuffled"]
    assert shuffled.marker.symbol == "circle-open" and own.marker.symbol == "circle"
    assert list(shuffled.x) == [0.2] and shuffled.y[0] > own.y[0]


def test_only_the_chosen_scorer_is_strong(figure):
    colors = {name: trace.marker.color for name, trace in dots(figure, "").items()}
    assert colors == {"Deep ensemble": GREY, "Counts": OURS}


def test_the_margin_is_shaded_and_references_are_lines(figure):
    rectangles = [(shape.x0, shape.x1, shape.xref) for shape in figure.layout.shapes if shape.type == "rect"]
    lines = [(shape.x0, shape.xref) for shape in figure.layout.shapes if shape.type == "line"]
    assert rectangles == [(0, 2.0, "x3")] and lines == [(0, "x2"), (0, "x3")]


def test_a_fourth_panel_opens_a_second_row_below(figure):
    layout = figure.layout
    assert layout.yaxis4.domain[1] < layout.yaxis.domain[0]
    assert layout.xaxis4.domain == layout.xaxis.domain
    assert [layout[f"yaxis{key}"].showticklabels for key in ("", "2", "3", "4")] == [True, False, False, True]
    assert list(layout.yaxis.ticktext) == list(NAMES.values())


def test_nothing_to_compare_is_said():
    empty = estimator_panels(TABLE.iloc[:0], panels=PANELS, names=NAMES, chosen="counts")
    assert "No value" in empty.layout.annotations[0].text
