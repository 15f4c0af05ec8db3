"""The cohort triangle shows each cell where it belongs, hatched where it was immature, and opens a week on a click."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.figures.delay_cohorts import cohort_curves, cohort_triangle


@pytest.fixture
def cells() -> pd.DataFrame:
    """Two weeks of three: the first fully seen, the second seen at 7 and projected to 14 days."""
    return pd.DataFrame(
        {
            "label": ["w1", "w1", "w2", "w2", "w1", "w1", "w2", "w2"],
            "age_days": [7.0, 14.0, 7.0, 14.0, 7.0, 14.0, 7.0, 14.0],
            "stage": ["seen", "seen", "seen", "projected", *["final"] * 4],
            "rate": [0.1, 0.2, 0.15, 0.3, 0.1, 0.2, 0.15, 0.25],
            "ci_low": 0.05,
            "ci_high": 0.4,
            "n": [10, 10, 20, 20, 10, 10, 20, 20],
        }
    )


def drawn(figure) -> dict:
    return {trace.name: trace for trace in figure.data}


def test_every_cell_has_its_colour_in_its_week_and_age(cells):
    figure = cohort_triangle(cells, labels=["w1", "w2", "w3"], ages=[7.0, 14.0], top=0.4)
    known, final = drawn(figure)["seen or projected"], drawn(figure)["final"]
    assert list(known.marker.color) == [0.1, 0.2, 0.15, 0.3] and list(known.y) == ["w1", "w1", "w2", "w2"]
    assert list(known.base + known.x / 2) == pytest.approx([0, 1, 0, 1])
    assert list(final.marker.color) == [0.1, 0.2, 0.15, 0.25] and final.xaxis == "x2"
    assert (known.marker.cmin, known.marker.cmax) == (0, 0.4) == (final.marker.cmin, final.marker.cmax)
    assert known.marker.showscale and not final.marker.showscale


def test_only_immature_cells_are_hatched(cells):
    figure = cohort_triangle(cells, labels=["w1", "w2"], ages=[7.0, 14.0], top=0.4)
    assert list(drawn(figure)["seen or projected"].marker.pattern.shape) == ["", "", "", "/"]
    assert set(drawn(figure)["final"].marker.pattern.shape) == {""}


def test_a_cell_carries_its_week_and_does_not_fade_when_another_is_clicked(cells):
    known = drawn(cohort_triangle(cells, labels=["w1", "w2"], ages=[7.0, 14.0], top=0.4))["seen or projected"]
    assert [row[0] for row in known.customdata] == ["w1", "w1", "w2", "w2"]
    assert known.unselected.marker.opacity == 1


def test_height_and_rows_do_not_depend_on_the_day(cells):
    labels = ["w1", "w2", "w3"]
    early = cells[(cells["label"] == "w1") | (cells["stage"] == "final")]
    one, other = (cohort_triangle(rows, labels=labels, ages=[7.0, 14.0], top=0.4) for rows in (cells, early))
    assert one.layout.height == other.layout.height and list(one.layout.yaxis.categoryarray) == labels
    nothing = cohort_triangle(cells[:0], labels=labels, ages=[7.0, 14.0], top=0.4)
    assert not nothing.data and nothing.layout.height == one.layout.height


def test_the_open_week_is_framed(cells):
    figure = cohort_triangle(cells, labels=["w1", "w2"], ages=[7.0, 14.0], top=0.4, chosen="w2")
    assert [(shape.y0, shape.y1) for shape in figure.layout.shapes] == [(0.5, 1.5)]
    assert not cohort_triangle(cells, labels=["w1", "w2"], ages=[7.0, 14.0], top=0.4).layout.shapes


def test_one_week_shows_what_was_seen_projected_and_final(cells):
    lines = {trace.name: trace for trace in cohort_curves(cells[cells["label"] == "w2"], top=0.5).data}
    assert list(lines["Seen"].y) == [0.15] and lines["Seen"].line.dash == "solid"
    assert list(lines["Projected"].y) == [0.3] and lines["Projected"].line.dash == "dot"
    assert list(lines["Final"].y) == [0.15, 0.25] and lines["Final"].line.dash == "dash"
    assert not cohort_curves(cells[:0], top=0.5).data
