"""The map of both spaces: a lasso in one panel marks the same nodes in the other, in a table, until it is cleared."""

from __future__ import annotations

import math
from typing import Any

from driver import Reader
from playwright.sync_api import Locator, Page, expect

# Where the first panel lies, in pixels.
PANEL = """
plot => {
    const {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
    return {x: box.x + xaxis._offset, y: box.y + yaxis._offset, width: xaxis._length, height: yaxis._length};
}
"""
# Panel and nodes of every trace of lassoed nodes.
RINGS = """
plot => plot._fullData.filter(trace => trace.name.startsWith("lassoed as"))
    .map(trace => ({panel: trace.xaxis, nodes: Array.from(trace.customdata), x: Array.from(trace.x)}))
"""


def the_map(page: Page) -> Locator:
    return page.locator(".st-key-graph-projections .js-plotly-plot")


def circle(page: Page, plot: Locator) -> None:
    """Draw a lasso around the middle of the left panel."""
    plot.scroll_into_view_if_needed()
    panel = plot.evaluate(PANEL)
    x, y = panel["x"] + 0.5 * panel["width"], panel["y"] + 0.5 * panel["height"]
    radius = 0.1 * min(panel["width"], panel["height"])
    page.mouse.move(x + radius, y)
    page.mouse.down()
    for step in range(1, 17):
        angle = 2 * math.pi * step / 16
        page.mouse.move(x + radius * math.cos(angle), y + radius * math.sin(angle))
    page.mouse.up()


def rings(plot: Locator) -> dict[str, dict[str, Any]]:
    return {ring["panel"]: ring for ring in plot.evaluate(RINGS)}


def test_a_lasso_in_one_panel_marks_the_other_and_a_table_until_it_is_cleared(reader: Reader) -> None:
    page = reader.open("graph")
    plot = the_map(page)
    expect(plot).to_be_visible()
    reader.drawn()
    circle(page, plot)
    heading = page.get_by_text("lassoed nodes")
    expect(heading).to_be_visible()
    reader.drawn()
    marked = rings(plot)
    assert set(marked) == {"x", "x2"} and marked["x"]["nodes"] == marked["x2"]["nodes"] != []
    assert marked["x"]["x"] != marked["x2"]["x"], "the same nodes stand elsewhere as targets"
    assert f"{len(marked['x']['nodes']):,} lassoed nodes" in heading.inner_text()

    page.get_by_role("button", name="Clear selection").click()
    expect(heading).to_have_count(0)
    reader.drawn()
    assert [ring["nodes"] for ring in rings(plot).values()] == [[], []]
