"""Both spaces show the same nodes, and what is marked in one is marked in the other."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.figures.graph_projection import SEGMENTS, projections
from engine.figures.theme import CATEGORIES, DEGREES, GREY, SOURCE, TARGET

HOSTILE = "<img src=x onerror=alert(1)>"
PLACES = ["source_x", "source_y", "target_x", "target_y"]


@pytest.fixture
def points():
    """Four nodes in both spaces, in two groups."""
    return pd.DataFrame(
        {
            "node": [0, 1, 2, 3],
            "name": ["a", "b", HOSTILE, "d"],
            "group": [0, 1, 0, 1],
            "source_x": [0.0, 1.0, 2.0, 3.0],
            "source_y": [1.0, 0.0, 1.0, 0.0],
            "target_x": [5.0, 6.0, 7.0, 8.0],
            "target_y": [2.0, 3.0, 2.0, 3.0],
        }
    )


@pytest.fixture
def marked(points):
    """Node 0 is selected; 1 leads to it, it leads to 2."""
    return points.iloc[[1, 2, 0]].assign(part=["source", "target", "selected"])


ONE_GROUP = pd.DataFrame({"label": ["all nodes"], "n": [4]})
TWO_GROUPS = pd.DataFrame({"label": ["tools", HOSTILE], "n": [2, 2]})


def draw(points, marked, *, lassoed=None, legend=TWO_GROUPS, palette="category", **options):
    chosen = points.iloc[:0] if lassoed is None else lassoed
    return projections(points, marked, chosen, legend, palette=palette, **options)


def named(figure, name):
    """Return the one trace of a name."""
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def spots(trace):
    return list(zip(trace.x, trace.y, strict=True))


def test_every_node_stands_in_both_panels_and_the_marked_ones_on_top(points, marked):
    figure = draw(points.assign(group=0), marked, legend=ONE_GROUP, palette="role", axes=("31 %", "12 %"))
    for role, color, axis in (("source", SOURCE, "x"), ("target", TARGET, "x2")):
        cloud = named(figure, f"{role}s as {role}")
        assert cloud.type == "scattergl" and cloud.marker.color == color and (cloud.xaxis or "x") == axis
        assert list(cloud.x) == points[f"{role}_x"].tolist() and list(cloud.y) == points[f"{role}_y"].tolist()
        assert list(cloud.customdata) == [0, 1, 2, 3]
        star = named(figure, f"selected as {role}")
        assert spots(star) == [(points[f"{role}_x"][0], points[f"{role}_y"][0])] and star.marker.symbol == "star"
        assert list(named(figure, f"source as {role}").x) == [points[f"{role}_x"][1]]
        assert list(named(figure, f"target as {role}").x) == [points[f"{role}_x"][2]]
    assert figure.layout.xaxis.title.text == figure.layout.xaxis2.title.text == "31 %"
    assert figure.layout.yaxis.title.text == "12 %" and figure.layout.dragmode == "lasso"


def ways_of(figure):
    """Return the arrows from source to target: both ends, node and panel."""
    return [
        ((arrow.ax, arrow.ay), (arrow.x, arrow.y), int(arrow.name.removeprefix("way ")), arrow.axref)
        for arrow in figure.layout.annotations
        if (arrow.name or "").startswith("way ")
    ]


@pytest.mark.parametrize(("arrangement", "panels"), [("side", ["x", "x2"]), ("overlaid", ["x"])])
def test_the_way_of_the_selected_node_leads_from_its_source_to_its_target(points, marked, arrangement, panels):
    figure = draw(points, marked, arrangement=arrangement)
    assert ways_of(figure) == [((0.0, 1.0), (5.0, 2.0), 0, panel) for panel in panels]


def test_panels_show_the_other_end_hollow(points, marked):
    figure = draw(points, marked)
    hollow = {name: named(figure, f"selected, its {name} end") for name in ("source", "target")}
    assert spots(hollow["target"]) == [(5.0, 2.0)] and (hollow["target"].xaxis or "x") == "x"
    assert spots(hollow["source"]) == [(0.0, 1.0)] and hollow["source"].xaxis == "x2"
    assert {trace.marker.symbol for trace in hollow.values()} == {"star-open"}


def test_lassoed_nodes_are_ringed_in_both_panels(points, marked):
    figure = draw(points, marked, lassoed=points.iloc[[1, 3]])
    assert list(named(figure, "lassoed as source").x) == [1.0, 3.0]
    assert list(named(figure, "lassoed as target").x) == [6.0, 8.0]
    assert list(named(figure, "lassoed as target").customdata) == [1, 3]


def test_one_frame_holds_both_roles_told_apart_by_shape(points, marked):
    figure = draw(points, marked, arrangement="overlaid", lassoed=points.iloc[[3]])
    assert {trace.xaxis or "x" for trace in figure.data} == {"x"}
    clouds = [trace for trace in figure.data if trace.name.startswith("tools as")]
    assert [trace.marker.symbol for trace in clouds] == ["circle", "diamond"]
    keys = {trace.name: trace.marker.symbol for trace in figure.data if trace.name.startswith("as a")}
    assert keys == {"as a source": "circle", "as a target": "diamond"}
    # A source of the selected node is near it as a source, a target as a target.
    assert len(named(figure, "source as target").x) == 0 and len(named(figure, "target as source").x) == 0
    assert ways_of(figure)[1:] == [((3.0, 0.0), (8.0, 3.0), 3, "x")]


def test_marks_are_drawn_by_the_same_layer_as_the_clouds_they_stand_on(points, marked):
    figure = draw(points, marked, lassoed=points)
    assert {trace.type for trace in figure.data if list(trace.x) != [None]} == {"scattergl"}


def test_rings_of_thousands_of_nodes_shrink_to_dots(points, marked):
    few, many = (draw(points, marked, lassoed=pd.concat([points] * n)) for n in (1, 600))
    assert named(few, "lassoed as source").marker.symbol == "circle-open"
    assert named(many, "lassoed as source").marker.symbol == "circle"


def test_only_so_many_ways_are_drawn(points, marked):
    many = pd.concat([points] * 30, ignore_index=True)
    figure = draw(many, marked, arrangement="overlaid", lassoed=many)
    assert len(ways_of(figure)) == 1 + SEGMENTS < len(many)
    assert len(ways_of(draw(points, marked, lassoed=points))) == 2, "panels show the way of the selected node alone"


def test_the_legend_names_each_group_once_with_its_count(points, marked):
    figure = draw(points, marked)
    shown = [trace for trace in figure.data if trace.showlegend is not False]
    assert [trace.name for trace in shown] == ["tools (2)", "&lt;img src=x onerror=alert(1)&gt; (2)"]
    assert [trace.marker.color for trace in shown] == list(CATEGORIES[:2])
    groups = {trace.legendgroup for trace in figure.data if trace.name.startswith("tools")}
    assert groups == {"tools"}, "a click in the legend hides a group in both panels"


def test_more_groups_than_colours_end_in_grey_and_degrees_have_a_scale(points, marked):
    crowd = pd.DataFrame({"label": [str(place) for place in range(len(CATEGORIES) + 1)], "n": 1})
    colors = [trace.marker.color for trace in draw(points, marked, legend=crowd).data if trace.showlegend is not False]
    assert colors == [*CATEGORIES, GREY]
    buckets = pd.DataFrame({"label": [str(place) for place in range(len(DEGREES))], "n": 1})
    figure = draw(points, marked, legend=buckets, palette="degree")
    assert [trace.marker.color for trace in figure.data if trace.showlegend is not False] == list(DEGREES)


def test_names_never_become_markup(points, marked):
    text = draw(points, points.iloc[[2]].assign(part="selected"), lassoed=points).to_json()
    assert "<img" not in text and "\\u003cimg" not in text


def test_few_points_get_more_ink_than_many(points, marked):
    few = draw(points, marked)
    crowd = draw(pd.concat([points] * 3000, ignore_index=True), marked)
    assert few.data[0].marker.opacity > crowd.data[0].marker.opacity
