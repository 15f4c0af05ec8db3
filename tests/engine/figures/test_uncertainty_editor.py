"""The histogram above a slider holds the counts of its bucket, and its line stands where the threshold is."""

from xml.etree import ElementTree

import pandas as pd
import pytest

from engine.figures.theme import BLUE, VERMILION
from engine.figures.uncertainty_editor import GREY, HEIGHT, LEFT_OUT, MOST_BARS, WIDTH, bucket_histogram

FOUR = pd.DataFrame({"n": [100, 64, 16, 4], "positives": [0, 16, 4, 4]})


def elements(svg, name, color=None):
    found = ElementTree.fromstring(svg).findall(f"{{http://www.w3.org/2000/svg}}{name}")
    return [element for element in found if color is None or element.get("fill") == color]


def heights(svg, color):
    return [float(bar.get("height")) for bar in elements(svg, "rect", color)]


def test_heights_are_square_roots_of_counts():
    svg = bucket_histogram(FOUR, cut=2)
    assert heights(svg, GREY) == pytest.approx([HEIGHT * share for share in (1.0, 0.8, 0.4, 0.2)], abs=0.01)
    # The lowest bin holds no positive, so it has no bar.
    assert heights(svg, BLUE) == pytest.approx([HEIGHT * share for share in (0.4, 0.2, 0.2)], abs=0.01)


def test_bars_stand_on_the_floor_in_the_place_of_their_bin():
    for place, bar in enumerate(elements(bucket_histogram(FOUR, cut=0), "rect", GREY)):
        assert float(bar.get("x")) == pytest.approx(place * WIDTH / 4, abs=0.01)
        assert float(bar.get("y")) + float(bar.get("height")) == pytest.approx(HEIGHT, abs=0.02)


def test_what_the_threshold_leaves_out_is_pale():
    bars = elements(bucket_histogram(FOUR, cut=1), "rect", GREY)
    assert [bar.get("opacity") for bar in bars] == [str(LEFT_OUT)] * 3 + [None]


@pytest.mark.parametrize(("cut", "x"), [(0, WIDTH - 1), (1, 0.75 * WIDTH), (3, 0.25 * WIDTH), (4, 1)])
def test_the_line_stands_at_the_lowest_bin_selected_and_stays_in_sight(cut, x):
    (line,) = elements(bucket_histogram(FOUR, cut=cut), "line")
    assert float(line.get("x1")) == float(line.get("x2")) == pytest.approx(x)
    assert line.get("stroke") == VERMILION


def test_many_bins_share_bars_that_are_as_high_as_their_mean_and_end_at_the_threshold():
    even = pd.DataFrame({"n": [9] * 1_000, "positives": [1] * 1_000})
    svg = bucket_histogram(even, cut=333)
    bars = elements(svg, "rect", GREY)
    assert len(bars) in (MOST_BARS, MOST_BARS + 1)
    assert heights(svg, GREY) == pytest.approx([HEIGHT] * len(bars))
    assert any(float(bar.get("x")) == pytest.approx(0.667 * WIDTH, abs=0.01) for bar in bars)


@pytest.mark.parametrize("rows", [0, 3])
def test_an_empty_bucket_has_a_line_and_no_bars(rows):
    svg = bucket_histogram(pd.DataFrame({"n": [0] * rows, "positives": [0] * rows}), cut=0)
    assert not elements(svg, "rect") and len(elements(svg, "line")) == 1
