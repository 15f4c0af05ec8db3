"""Figures show the numbers of their tables, and numbers are written one way."""

import html
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.figures import theme
from engine.figures.common import empty_figure, estimate, keyed, loss_curves, method_dots, number, plain_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.41234, "0.412"),
        (0.4, "0.400"),
        (-0.41234, "-0.412"),
        (0.99951, "1.00"),
        (1.0, "1.00"),
        (12.345, "12.3"),
        (99.96, "100"),
        (123.4, "123"),
        (999.6, "1,000"),
        (1204.0, "1,204"),
        (1234567.8, "1,234,568"),
        (0.00012345, "0.000123"),
        (0.00001234, "1.23e-05"),
        (-0.00001234, "-1.23e-05"),
        (0.0, "0"),
        (-0.0, "0"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_numbers_are_written_with_three_significant_digits(value, text):
    assert number(value) == text


@given(st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-300))
def test_a_written_number_is_off_by_half_a_digit_at_most(value):
    read = float(number(value).replace(",", ""))
    assert abs(read - value) <= 0.00501 * abs(value)


def test_an_estimate_carries_its_interval_unit_and_n():
    assert estimate(0.412, 0.385, 0.44, 1204) == "0.412 [0.385, 0.440] · n 1,204"
    assert estimate(-3.0, -4.0, -2.0, 10, unit=" %") == "-3.00 % [-4.00, -2.00] · n 10"


TABLE = pd.DataFrame(
    {
        "method": ["dual", "hope", "popularity", "oracle", "new"],
        "value": [0.5, 0.3, 0.2, 0.9, np.nan],
        "ci_low": [0.4, 0.25, 0.1, 0.9, np.nan],
        "ci_high": [0.65, 0.4, 0.3, 0.9, np.nan],
        "n": [10, 10, 10, 10, 0],
    }
)


def test_dots_stand_at_the_values_with_their_intervals_in_the_order_of_the_table():
    figure = method_dots(TABLE, axis_title="MRR", rival="hope", reference=0.0)
    assert [trace.x[0] for trace in figure.data] == [0.5, 0.3, 0.2, 0.9]
    assert [trace.y[0] for trace in figure.data] == [theme.METHOD_LABEL[key] for key in TABLE["method"][:4]]
    assert figure.layout.yaxis.categoryarray == tuple(trace.y[0] for trace in figure.data)
    ends = [(trace.error_x.arrayminus[0], trace.error_x.array[0]) for trace in figure.data]
    np.testing.assert_allclose(ends, [(0.1, 0.15), (0.05, 0.1), (0.1, 0.1), (0, 0)], atol=1e-12)
    assert [trace.marker.color for trace in figure.data] == [
        theme.OURS,
        theme.RIVAL,
        theme.BASELINES[0],
        theme.TRUTH,
    ]
    assert "0.500 [0.400, 0.650] · n 10" in figure.data[0].hovertemplate
    assert figure.layout.xaxis.title.text == "MRR" and figure.layout.shapes[0].x0 == 0.0
    assert figure.data[3].marker.symbol == "diamond" and figure.data[0].marker.symbol == "circle"


def test_charts_side_by_side_can_share_their_range_and_height():
    figure = method_dots(TABLE, axis_title="MRR", x_range=(0, 1), height=333)
    assert figure.layout.xaxis.range == (0, 1) and figure.layout.height == 333 and not figure.layout.shapes


def test_more_methods_need_more_room():
    assert method_dots(TABLE, axis_title="x").layout.height > method_dots(TABLE[:1], axis_title="x").layout.height


def test_an_unknown_method_is_shown_by_its_key():
    assert method_dots(TABLE.assign(method="new")[:1], axis_title="x").data[0].y == ("new",)


@pytest.mark.parametrize("table", [TABLE[4:], TABLE[:0]])
def test_nothing_to_draw_says_so(table):
    figure = method_dots(table, axis_title="x")
    assert not figure.data and figure.layout.annotations[0].text == "No value for this selection."


def test_an_empty_figure_keeps_its_height_and_hides_its_axes():
    figure = empty_figure("Why", height=120)
    assert figure.layout.height == 120 and figure.layout.annotations[0].text == "Why"
    assert figure.layout.xaxis.visible is False and figure.layout.yaxis.visible is False


HISTORY = pd.DataFrame(
    {
        "stage": ["a", "a", "b", "b"],
        "epoch": [1, 2, 1, 2],
        "loss": ["total"] * 4,
        "value": [1.0, 0.5, 2.0, 1.5],
    }
)


def test_losses_are_drawn_per_stage_with_the_last_one_strong():
    figure = loss_curves(HISTORY)
    assert [(trace.name, list(trace.x), list(trace.y)) for trace in figure.data] == [
        ("a: total", [1, 2], [1.0, 0.5]),
        ("b: total", [1, 2], [2.0, 1.5]),
    ]
    assert [trace.line.color for trace in figure.data] == [theme.GREY, theme.OURS]


def test_losses_of_one_stage_can_be_chosen():
    assert [trace.name for trace in loss_curves(HISTORY, stages=["a"]).data] == ["a: total"]


def test_every_line_is_named_where_it_ends():
    both = loss_curves(HISTORY).layout.annotations
    assert [(note.x, note.y, note.text) for note in both] == [(2, 0.5, "a: total"), (2, 1.5, "b: total")]
    alone = loss_curves(HISTORY.assign(loss="<b>edge_loss"), stages=["a"]).layout.annotations
    assert [note.text for note in alone] == ["&lt;b&gt;edge loss"]


def test_names_of_lines_that_end_together_do_not_overlap():
    same = loss_curves(HISTORY.assign(value=[2.0, 1.5, 2.0, 1.5])).layout.annotations
    assert [(note.text, note.yshift) for note in same] == [("a: total", 0), ("b: total", 15)]
    many = [HISTORY[:2].assign(loss=f"l{place}", value=[3.0, end]) for place, end in enumerate([1, 1, 1, 2, 2.001, 1])]
    notes = loss_curves(pd.concat(many)).layout.annotations
    # Every second name would lie on another; the strong line is named in any case.
    assert [(note.text, note.yshift) for note in notes] == [("l4", 0), ("l5", 0)]


@pytest.mark.parametrize("history", [HISTORY[:0], HISTORY])
def test_no_epoch_yet_says_so(history):
    figure = loss_curves(history, stages=[], height=200)
    assert figure.layout.annotations[0].text == "The first epoch is still running." and figure.layout.height == 200


def test_drawing_leaves_the_table_alone():
    before = TABLE.copy()
    method_dots(TABLE, axis_title="x")
    pd.testing.assert_frame_equal(TABLE, before)


@pytest.mark.parametrize("name", ["plain", "tiny <b>x</b>", "a<br>b & c", "%{x} $y$", "&lt;"])
def test_a_name_from_data_comes_back_letter_by_letter(name):
    written = plain_text(name)
    assert html.unescape(written) == name and not set("<${") & set(written)


def test_a_label_has_a_stroke_of_its_colour_and_no_colour_of_its_own():
    assert keyed("<b>A</b>", "#0072B2") == '<span style="color:#0072B2">━</span> <b>A</b>'
