"""What readers do on the page of the directed graph, step by step, for the journeys."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from driver import Reader
from playwright.sync_api import Locator, Page, expect

NAME = "Ann & Bo"
"""Who reviews."""
# Pixel and name of the first neighbour that the picture shows.
NEIGHBOUR = """
plot => {
    const nodes = plot._fullData.find(trace => trace.name === "nodes");
    const {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect(), name = nodes.customdata[1];
    return {
        name: Array.isArray(name) ? name[0] : name,
        x: box.x + xaxis._offset + xaxis.l2p(nodes.x[1]),
        y: box.y + yaxis._offset + yaxis.l2p(nodes.y[1]),
    };
}
"""
DRAWN = """
plot => plot._fullData.find(trace => trace.name === "nodes").customdata
    .map(name => Array.isArray(name) ? name[0] : name)
"""
# How many nodes of the picture are marked as lassoed.
MARKED = "plot => (plot._fullData.find(trace => trace.name === 'marked')?.x ?? []).length"
# Where the selected node stands in the first panel, in pixels, and how wide the panel is.
STAR = """
plot => {
    const star = plot._fullData.find(trace => trace.name === "selected as source");
    const {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
    return {
        x: box.x + xaxis._offset + xaxis.l2p(star.x[0]),
        y: box.y + yaxis._offset + yaxis.l2p(star.y[0]),
        width: xaxis._length,
        height: yaxis._length,
    };
}
"""
# Panel, names and places of every trace of lassoed nodes.
RINGS = """
plot => plot._fullData.filter(trace => trace.name.startsWith("lassoed as"))
    .map(trace => ({panel: trace.xaxis, names: Array.from(trace.text ?? []), x: Array.from(trace.x)}))
"""


def picture(page: Page) -> Locator:
    return page.locator(".js-plotly-plot").first


def drawn_names(page: Page) -> list[str]:
    """Return the nodes in the picture, the centre first."""
    return list(picture(page).evaluate(DRAWN))


def shown_node(page: Page) -> str:
    return page.get_by_test_id("stMain").get_by_test_id("stSelectbox").locator("input").first.input_value()


def arrived(page: Page, name: str) -> None:
    expect(page.get_by_text(f"What to recommend after {name}", exact=True)).to_be_visible()


def search(reader: Reader, name: str) -> None:
    page = reader.page
    field = page.get_by_test_id("stMain").get_by_test_id("stSelectbox").locator("input").first
    field.click()
    field.fill(name)
    page.get_by_role("option", name=name, exact=True).click()
    arrived(page, name)
    reader.drawn()


def recentre(reader: Reader) -> str:
    """Click the first neighbour in the picture and return its name."""
    page = reader.page
    picture(page).scroll_into_view_if_needed()
    target = picture(page).evaluate(NEIGHBOUR)
    page.mouse.click(target["x"], target["y"])
    arrived(page, target["name"])
    reader.drawn()
    return str(target["name"])


def first_row(page: Page) -> Locator:
    """Return the first row of the list of targets, from the table that screen readers get."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    row = table.locator("canvas table tbody tr").first
    # It is drawn some time after the page.
    expect(row).to_have_text(re.compile(r"\S"))
    return row


def the_map(page: Page) -> Locator:
    return page.locator(".st-key-graph-projections .js-plotly-plot")


def circle_the_star(page: Page, plot: Locator) -> None:
    """Draw a lasso around the selected node in the left panel."""
    plot.scroll_into_view_if_needed()
    star = plot.evaluate(STAR)
    radius = 0.08 * min(star["width"], star["height"])
    page.mouse.move(star["x"] + radius, star["y"])
    page.mouse.down()
    for step in range(1, 17):
        angle = 2 * math.pi * step / 16
        page.mouse.move(star["x"] + radius * math.cos(angle), star["y"] + radius * math.sin(angle))
    page.mouse.up()


def rings(plot: Locator) -> dict[str, dict[str, Any]]:
    """Return the marked nodes by panel."""
    return {ring["panel"]: ring for ring in plot.evaluate(RINGS)}


def headline(page: Page) -> Locator:
    """Return the pair on the desk."""
    return page.get_by_role("heading", level=5).filter(has_text="⟶").first


def progress(page: Page, words: str) -> None:
    expect(page.get_by_test_id("stProgress")).to_contain_text(words)


def introduce(reader: Reader) -> Page:
    """Say in the open review who reviews."""
    page = reader.page
    expect(headline(page)).to_be_visible()
    field = page.get_by_label("Reviewer", exact=True)
    expect(page.get_by_role("button", name="Right way")).to_be_disabled()
    field.fill(NAME)
    field.press("Enter")
    expect(page.get_by_role("button", name="Right way")).to_be_enabled()
    return reader.drawn()


@contextmanager
def another_pair(reader: Reader) -> Iterator[None]:
    """Wait until what is done inside has put another pair on the desk."""
    before = headline(reader.page).inner_text()
    yield
    expect(headline(reader.page)).not_to_have_text(before, use_inner_text=True)
    reader.drawn()
