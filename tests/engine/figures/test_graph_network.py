"""Arrows point as the links do, in the colours and strokes of their kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.graph_network import DASH, bow, neighbourhood
from engine.figures.graph_nodes import node_groups
from engine.figures.theme import BLUE, GREY, MUTUAL, ORANGE, SKY, SOURCE, TARGET, VERMILION


@pytest.fixture
def nodes():
    """A centre with a source, a target and a two-way neighbour."""
    return pd.DataFrame(
        {
            "node": [7, 1, 2, 3],
            "hop": [0, 1, 1, 1],
            "text": ["centre", "left", "right & <b>bold</b>", "a very long name that does not fit beside"],
            "is_marked": [False, True, False, False],
            "name": ["centre", "left", "right & <b>bold</b>", "a very long name that does not fit beside"],
            "side": ["centre", "source", "target", "above"],
            "is_two_way": [False, False, False, True],
            "x": [0.0, -1.0, 1.0, 0.0],
            "y": [0.0, 0.0, 0.0, 1.0],
            "category": ["x", "x", "y", "x"],
            "in_degree": [3, 0, 12, 40],
            "out_degree": [3, 1, 0, 30],
        }
    )


@pytest.fixture
def links():
    """An observed source, a predicted target, and a pair of an observed and a held-out edge."""
    return pd.DataFrame(
        {
            "node": 7,
            "other": [1, 2, 3, 3],
            "hop": 1,
            "relation": ["needs <b>", "", "", ""],
            "is_pair": [False, False, True, True],
            "role": ["source", "target", "source", "target"],
            "kind": ["observed", "predicted", "observed", "held_out"],
            "is_two_way": [False, False, True, True],
            "score": [2.5, 1.25, 0.5, 0.75],
            "rank": [1.0, 2.0, 3.0, 1204.0],
            "back_score": [-1.0, -2.0, 0.75, 0.5],
            "back_rank": [40.0, 50.0, 1204.0, 3.0],
            "probability": [0.97, 0.96, 0.44, 0.56],
        }
    )


def arrows(figure):
    """Return the traces with arrowheads by name."""
    return {trace.name: trace for trace in figure.data if trace.mode == "lines+markers"}


def ends(trace):
    """Return the first and the last point of the first arrow of a trace."""
    points = [(x, y) for x, y in zip(trace.x, trace.y, strict=True)]
    stop = points.index((None, None))
    return points[0], points[stop - 1]


def test_sources_point_to_the_centre_and_the_centre_to_targets(nodes, links):
    drawn = arrows(neighbourhood(nodes, links))
    start, end = ends(drawn["Observed edge (source)"])
    assert start[0] < -0.8 and -0.6 < end[0] < 0 and start[1] == end[1] == 0
    start, end = ends(drawn["Prediction (target)"])
    assert 0 < start[0] < 0.6 and end[0] > 0.8


def test_colour_tells_the_role_and_stroke_the_kind(nodes, links):
    drawn = arrows(neighbourhood(nodes, links))
    assert {name: (trace.line.color, trace.line.dash) for name, trace in drawn.items()} == {
        "Observed edge (source)": (SOURCE, DASH["observed"]),
        "Prediction (target)": (TARGET, DASH["predicted"]),
        "Observed edge (both ways)": (MUTUAL, DASH["observed"]),
        "Held-out edge (both ways)": (MUTUAL, DASH["held_out"]),
    }


def test_only_the_last_point_of_an_arrow_has_a_head(nodes, links):
    for trace in arrows(neighbourhood(nodes, links)).values():
        assert trace.marker.symbol == "arrow" and trace.marker.angleref == "previous"
        heads = np.flatnonzero(np.array(trace.marker.size))
        breaks = [place for place, x in enumerate(trace.x) if x is None]
        assert heads.tolist() == [place - 1 for place in breaks]


def test_the_two_arrows_of_a_pair_bend_apart(nodes, links):
    drawn = arrows(neighbourhood(nodes, links))
    there = np.array([x for x in drawn["Held-out edge (both ways)"].x if x is not None])
    back = np.array([x for x in drawn["Observed edge (both ways)"].x if x is not None])
    assert there.min() < -0.1 and back.max() > 0.1 and there.max() < 0.02 and back.min() > -0.02


@pytest.fixture
def half_known(nodes, links):
    """A source whose way back is only predicted."""
    back = links.iloc[:1].assign(role="target", kind="predicted", relation="")
    return pd.concat([links.iloc[:1], back], ignore_index=True).assign(is_pair=True)


def test_a_predicted_way_back_keeps_the_colours_of_the_roles(nodes, half_known):
    drawn = arrows(neighbourhood(nodes.iloc[:2], half_known))
    assert {name: (trace.line.color, trace.line.dash) for name, trace in drawn.items()} == {
        "Observed edge (source)": (SOURCE, DASH["observed"]),
        "Prediction (target)": (TARGET, DASH["predicted"]),
    }
    there = np.array([y for y in drawn["Observed edge (source)"].y if y is not None])
    back = np.array([y for y in drawn["Prediction (target)"].y if y is not None])
    assert there.max() > 0.05 and back.min() < -0.05, "the two arrows lie apart"


def test_a_second_step_is_thinner_and_starts_at_the_first(nodes, links):
    outer = nodes.iloc[1:2].assign(node=9, hop=2, name="farther", text="farther", x=-1.3, y=0.3)
    far = links.iloc[:1].assign(node=1, other=9, hop=2)
    figure = neighbourhood(pd.concat([nodes, outer]), pd.concat([links, far], ignore_index=True))
    drawn = arrows(figure)
    near, second = drawn["Observed edge (source)"], drawn["Observed edge (source), second step"]
    start, end = ends(second)
    assert start[0] < -1.2 and -1.1 < end[0] < -1.0 and start[1] > end[1] > 0
    assert second.line.width < near.line.width and max(second.marker.size) < max(near.marker.size)
    (hover,) = [trace for trace in figure.data if trace.name == "links"]
    assert hover.text[-1].startswith("<b>farther → left</b>")


def named(figure, name):
    """Return the trace of a name."""
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def test_nodes_carry_their_whole_names_for_clicks_and_short_ones_to_read(nodes, links):
    trace = named(neighbourhood(nodes, links), "nodes")
    assert [item[0] for item in trace.customdata] == nodes["name"].tolist()
    assert trace.text[0] == "<b>centre</b>"
    assert trace.text[3] == "a very long name that doe…" and len(trace.text[3]) == 26
    assert trace.text[2] == "right &amp; &lt;b&gt;bold&lt;/b&gt;"
    assert trace.hovertext[1] == "<b>left</b><br>x<br>0 edges in, 1 out"
    assert list(trace.textposition) == ["middle center", "middle left", "middle right", "top center"]


def test_the_hover_of_a_link_tells_both_directions(nodes, links):
    trace = named(neighbourhood(nodes, links), "links")
    assert trace.text[0] == (
        "<b>left → centre</b><br>Observed edge: needs &lt;b&gt;<br>this way: score 2.50, rank 1"
        "<br>the other way: score -1.00, rank 40<br>points this way, if one-way: 97 %"
    )
    assert trace.text[3].startswith("<b>centre → a very long name that does not fit beside</b><br>Held-out edge<br>")
    assert "rank 1,204" in trace.text[3]


@pytest.mark.parametrize(
    ("color_by", "colors", "legend"),
    [
        ("role", [SOURCE, TARGET, MUTUAL], ["Source · 1", "Target · 1", "Edges both ways · 1"]),
        ("category", [BLUE, ORANGE, BLUE], ["x · 2", "y · 1"]),
        ("degree", [GREY, SKY, VERMILION], ["0–3 edges · 1", "4–15 edges · 1", "64+ edges · 1"]),
    ],
)
def test_the_legend_names_and_counts_what_colours_and_strokes_tell(nodes, links, color_by, colors, legend):
    figure = neighbourhood(nodes, links, color_by=color_by)
    assert list(named(figure, "nodes").marker.color[1:]) == colors
    entries = [trace.name for trace in figure.data if trace.showlegend]
    strokes = ["Observed edge · 2", "Held-out edge · 1", "Prediction · 1"]
    assert entries == [*strokes, *legend, "In the lasso · 1"]


def test_rare_categories_share_a_colour_and_are_counted(nodes, links):
    many = pd.concat([nodes, *[nodes.iloc[1:2].assign(node=10 + n, category=f"rare {n:02}") for n in range(8)]])
    group, groups = node_groups(many, "category")
    assert len(groups) == 7 and groups[-1] == ("4 other categories", GREY)
    assert group.count(6) == 4


def test_a_category_from_the_data_is_no_html(nodes, links):
    figure = neighbourhood(nodes.assign(category="<b>bold</b>"), links, color_by="category")
    assert "&lt;b&gt;bold&lt;/b&gt; · 3" in [trace.name for trace in figure.data]


def test_marked_nodes_get_a_ring(nodes, links):
    ring = named(neighbourhood(nodes, links), "marked")
    assert (list(ring.x), list(ring.y)) == ([-1.0], [0.0])


def test_every_arrow_costs_few_elements(nodes, links):
    for trace in arrows(neighbourhood(nodes, links)).values():
        arrow = [x for x in trace.x if x is not None]
        assert len(arrow) <= (20 if "both ways" in trace.name else 2)


def test_nothing_to_draw_is_said(nodes, links):
    figure = neighbourhood(nodes, links.iloc[:0])
    assert "No link of the chosen kinds" in figure.layout.annotations[0].text
    asked = neighbourhood(nodes, links.iloc[:0], empty="Choose more.")
    assert asked.layout.annotations[0].text == "Choose more."
    assert figure.layout.height == neighbourhood(nodes, links).layout.height


def test_a_straight_bow_stays_clear_of_both_ends():
    points = bow((0.0, 0.0), (1.0, 0.0), 0.0, half_width=0.3)
    assert (points[:, 1] == 0).all() and (np.diff(points[:, 0]) > 0).all()
    assert points[0, 0] > 0.3 and points[-1, 0] < 0.95


def test_a_bow_is_as_high_as_asked():
    points = bow((0.0, 0.0), (0.0, 1.0), 0.16, half_width=0.1)
    assert points[:, 0].min() == pytest.approx(-0.16, abs=0.002)
