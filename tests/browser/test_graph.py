"""The directed graph: find a node, move along an arrow, come back, share the view."""

from __future__ import annotations

import re

from driver import Reader
from playwright.sync_api import Locator, Page, expect

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


def picture(page: Page) -> Locator:
    return page.locator(".js-plotly-plot").first


def first_row(page: Page) -> Locator:
    """Return the first row of the list of targets, from the table that screen readers get."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    return table.locator("canvas table tbody tr").first


def text_of(row: Locator) -> str:
    """Return the text of a row once it is there: it is drawn some time after the page."""
    expect(row).to_have_text(re.compile(r"\S"))
    return row.text_content() or ""


def shown_node(page: Page) -> str:
    return page.get_by_test_id("stMain").get_by_test_id("stSelectbox").locator("input").first.input_value()


def search(page: Page, name: str) -> None:
    field = page.get_by_test_id("stMain").get_by_test_id("stSelectbox").locator("input").first
    field.click()
    field.fill(name)
    page.get_by_role("option", name=name, exact=True).click()
    expect(page.get_by_text(f"What to recommend after {name}")).to_be_visible()


def test_a_node_is_found_a_neighbour_followed_and_the_view_restored(reader: Reader) -> None:
    page = reader.open("graph")
    expect(picture(page)).to_be_visible()
    start = text_of(first_row(page))
    search(page, "git")
    reader.drawn()
    assert "graph-node=git" in page.url
    expect(first_row(page)).not_to_have_text(start)

    picture(page).scroll_into_view_if_needed()
    target = picture(page).evaluate(NEIGHBOUR)
    page.mouse.click(target["x"], target["y"])
    expect(page.get_by_text(f"What to recommend after {target['name']}")).to_be_visible()
    reader.drawn()
    moved = text_of(first_row(page))
    assert f"graph-node={target['name']}" in page.url

    page.reload()
    reader.drawn()
    expect(page.get_by_text(f"What to recommend after {target['name']}")).to_be_visible()
    assert shown_node(page) == target["name"]
    expect(first_row(page)).to_have_text(moved)


def test_back_returns_to_the_node_before(reader: Reader) -> None:
    page = reader.open("graph")
    before = shown_node(page)
    search(page, "git")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_text(f"What to recommend after {before}")).to_be_visible()
    reader.drawn()
    assert shown_node(page) == before
