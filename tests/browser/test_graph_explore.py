"""Explore the directed graph: recentre twice, go back and forward, look two steps far, see what a sampler drew."""

from __future__ import annotations

import re

from driver import Reader
from playwright.sync_api import Page, expect
from test_graph import NEIGHBOUR, picture, search, shown_node


def recentre(reader: Reader) -> str:
    """Click the first neighbour in the picture and return its name."""
    page = reader.page
    picture(page).scroll_into_view_if_needed()
    target = picture(page).evaluate(NEIGHBOUR)
    page.mouse.click(target["x"], target["y"])
    arrived(page, target["name"])
    reader.drawn()
    return str(target["name"])


def arrived(page: Page, name: str) -> None:
    expect(page.get_by_text(f"What to recommend after {name}", exact=True)).to_be_visible()


def nodes_drawn(page: Page) -> int:
    return int(picture(page).evaluate("plot => plot._fullData.find(trace => trace.name === 'nodes').customdata.length"))


def test_search_recentre_twice_back_and_forward(reader: Reader) -> None:
    page = reader.open("graph")
    search(page, "git")
    reader.drawn()
    first = recentre(reader)
    second = recentre(reader)
    page.get_by_role("button", name="Back").click()
    arrived(page, first)
    reader.drawn()
    page.get_by_role("button", name="Back").click()
    arrived(page, "git")
    reader.drawn()
    assert shown_node(page) == "git"
    page.get_by_role("button", name="Forward").click()
    arrived(page, first)
    reader.drawn()
    # The breadcrumb still holds the way ahead.
    page.get_by_role("button", name=second, exact=True).last.click()
    arrived(page, second)
    assert f"graph-node={second}" in page.url


def test_two_steps_are_drawn_and_the_address_keeps_them(reader: Reader) -> None:
    page = reader.open("graph")
    few = nodes_drawn(page)
    page.get_by_test_id("stMain").get_by_role("radio", name="2", exact=True).click()
    expect(page.get_by_text(re.compile(r"and \d+ of \d+ nodes behind them"))).to_be_visible()
    reader.drawn()
    many = nodes_drawn(page)
    assert few < many <= 150 and "graph-hops=2" in page.url
    page.reload()
    reader.drawn()
    assert nodes_drawn(page) == many


def test_the_sampled_neighbourhood_of_a_node_opens_in_its_tab(reader: Reader) -> None:
    page = reader.open("graph?graph-node=python3-debian&graph-tab=Sampled+neighbourhood")
    expect(page.get_by_text("How many neighbours does a sampler give")).to_be_visible()
    expect(page.get_by_text("Among what leads to python3-debian: how many are drawn")).to_be_visible()
    expect(page.get_by_text(re.compile(r"nodes that were ever drawn, of \d+ in reach")).first).to_be_visible()
    reader.drawn()
