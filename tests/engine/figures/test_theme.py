"""One colour, one meaning; one layout."""

import re

import pytest

from engine.figures import theme
from engine.figures.theme import METHOD_LABEL, OUR_METHODS, TRUTH_METHODS, method_color, plotly_layout


def luminance(colour: str) -> float:
    """Return the relative luminance of a hexadecimal colour (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


MARKS = {
    "source": theme.SOURCE,
    "ours": theme.OURS,
    "rival": theme.RIVAL,
    "truth": theme.TRUTH,
    "mutual": theme.MUTUAL,
    "grey": theme.GREY,
} | {f"verdict {key}": colour for key, colour in theme.VERDICT.items()}


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("page", ["#FFFFFF", "#10151C"])
def test_marks_are_seen_on_the_light_and_on_the_dark_page(name, page):
    # 3:1 is what WCAG asks of graphics; 2.5 allows the palette's purple on white, drawn with a shape of its own.
    assert contrast(MARKS[name], page) > 2.5


def test_verdicts_and_roles_have_colours_of_their_own():
    assert len(set(theme.VERDICT.values())) == 3
    assert len({theme.SOURCE, theme.TARGET, theme.MUTUAL}) == 3


def test_every_named_method_has_a_label_and_no_label_names_two():
    assert set(OUR_METHODS) | set(TRUTH_METHODS) <= set(METHOD_LABEL)
    assert len(set(METHOD_LABEL.values())) == len(METHOD_LABEL)
    assert len(set(theme.METRIC_LABEL.values())) == len(theme.METRIC_LABEL)


def test_ours_is_strong_truth_neutral_the_rival_accented_and_the_rest_grey():
    assert {method_color(method) for method in OUR_METHODS} == {theme.OURS}
    assert method_color("oracle", rival="oracle") == theme.TRUTH
    assert method_color("hope", rival="hope") == theme.RIVAL and method_color("hope") == theme.BASELINES[0]


def test_other_baselines_take_the_greys_in_turn():
    count = len(theme.BASELINES)
    greys = [method_color("x", position=position) for position in range(count + 1)]
    assert greys[:count] == list(theme.BASELINES) and greys[count] == greys[0]


def test_colours_are_written_in_hexadecimal():
    assert all(re.fullmatch(r"#[0-9A-F]{6}", colour) for colour in (*MARKS.values(), *theme.BASELINES))


def test_a_layout_has_a_fixed_height_and_changes_win():
    layout = plotly_layout(height=200, xaxis={"title": {"text": "Epoch"}}, showlegend=True)
    assert layout["height"] == 200 and layout["showlegend"] is True
    assert layout["xaxis"]["title"]["text"] == "Epoch" and layout["xaxis"]["gridcolor"] == theme.GRID
    assert "title" not in layout["yaxis"] and "title" not in layout


def test_a_title_gets_its_room():
    assert plotly_layout(height=200, title="T")["title"]["text"] == "T"
    assert plotly_layout(height=200, title="T")["margin"]["t"] > plotly_layout(height=200)["margin"]["t"]
