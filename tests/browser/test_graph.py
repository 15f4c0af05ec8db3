"""The directed graph from search to verdict: one journey over the whole page, and what else only a browser shows."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from driver import Reader
from graph_steps import (
    MARKED,
    NAME,
    another_pair,
    arrived,
    circle_the_star,
    drawn_names,
    first_row,
    headline,
    introduce,
    picture,
    progress,
    recentre,
    rings,
    search,
    shown_node,
    the_map,
)
from playwright.sync_api import Page, expect


def test_search_recentre_twice_back_lasso_review_verdict_export(
    reader: Reader, tmp_path: Path, no_verdicts: None
) -> None:
    page = reader.open("graph")
    explore(reader)
    circle_and_clear(reader)
    page.get_by_role("tab", name="Review pairs").click()
    judged = judge(reader)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Verdicts (CSV)").click()
    waiting.value.save_as(tmp_path / "verdicts.csv")
    (row,) = csv.DictReader((tmp_path / "verdicts.csv").open(encoding="utf-8"))
    assert f"{row['source']} ⟶ {row['target']}" == judged
    assert (row["verdict"], row["reviewer"], row["is_current"]) == ("right", NAME, "yes")


def explore(reader: Reader) -> None:
    """Search a node, move on twice by clicks, go back once, and find the view again after a reload."""
    page = reader.page
    start = first_row(page).text_content() or ""
    search(reader, "git")
    assert "graph-node=git" in page.url
    expect(first_row(page)).not_to_have_text(start)
    first = recentre(reader)
    recentre(reader)
    page.get_by_role("button", name="Back", exact=True).click()
    arrived(page, first)
    reader.drawn()
    here = first_row(page).text_content() or ""
    page.reload()
    reader.drawn()
    assert shown_node(page) == first == drawn_names(page)[0]
    expect(first_row(page)).to_have_text(here)


def circle_and_clear(reader: Reader) -> None:
    """Draw a lasso around the selected node: the other panel, the network and a table mark the same nodes."""
    page = reader.page
    plot, heading = the_map(page), page.get_by_text("lassoed nodes")
    expect(plot).to_be_visible()
    reader.drawn()
    circle_the_star(page, plot)
    expect(heading).to_be_visible()
    reader.drawn()
    marked = rings(plot)
    names = set(marked["x"]["names"])
    assert set(marked) == {"x", "x2"} and shown_node(page) in names == set(marked["x2"]["names"])
    assert marked["x"]["x"] != marked["x2"]["x"], "the same nodes stand elsewhere as targets"
    assert f"{len(names):,} lassoed nodes" in heading.inner_text()
    assert picture(page).evaluate(MARKED) == len(names & set(drawn_names(page))) > 0
    listed = lassoed_names(page)
    assert listed and listed <= names

    page.get_by_role("button", name="Clear selection").click()
    expect(heading).to_have_count(0)
    reader.drawn()
    assert [ring["names"] for ring in rings(plot).values()] == [[], []]
    assert picture(page).evaluate(MARKED) == 0


def lassoed_names(page: Page) -> set[str]:
    """Return the first nodes in the table of lassoed ones: it holds only the rows in sight."""
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    rows = table.locator("canvas table tbody tr")
    expect(rows.first).to_have_text(re.compile(r"\S"))
    return {row.locator("td").first.inner_text() for row in rows.all()}


def judge(reader: Reader) -> str:
    """Give a verdict on the first pair and return the pair."""
    page = introduce(reader)
    first = headline(page).inner_text()
    with another_pair(reader):
        page.get_by_role("button", name="Right way").click()
    progress(page, "1 of ")
    expect(page.get_by_text("1 pair judged by 1 reviewer")).to_be_visible()
    return first


def test_two_steps_are_drawn_and_the_address_keeps_them(reader: Reader) -> None:
    page = reader.open("graph")
    few = drawn_names(page)
    page.get_by_test_id("stMain").get_by_role("radio", name="2", exact=True).click()
    expect(page.get_by_text(re.compile(r"and \d+ of \d+ nodes behind them"))).to_be_visible()
    reader.drawn()
    many = drawn_names(page)
    assert set(few) < set(many) and len(many) <= 150 and "graph-hops=2" in page.url
    page.reload()
    reader.drawn()
    assert drawn_names(page) == many


def test_every_tab_is_reached_by_key_and_has_charts_or_tables(reader: Reader) -> None:
    page = reader.open("graph?graph-node=python3-debian")
    details = page.get_by_role("tab", name="Map")
    details.focus()
    expect(details).to_be_focused()
    for name, words in (
        ("Other methods", "What to recommend after python3-debian, by method"),
        ("Neighbours drawn", "How many neighbours does a sampler give"),
        ("What if", "No retraining"),
    ):
        tab = page.get_by_role("tab", name=name)
        page.keyboard.press("ArrowRight")
        expect(tab).to_be_focused()
        page.keyboard.press("Enter")
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(page.get_by_text(words).first).to_be_visible()
        reader.drawn()
        # A page that is drawn anew may take the focus with it.
        tab.focus()
        expect(tab).to_be_focused()
    page.get_by_role("tab", name="How good is it?").click()
    for name, title in (
        ("Methods", "Ranking: is the target in the first ten?"),
        ("Direction", "An edge against its reversal"),
        ("By degree", "By out-degree of the query node"),
        ("Training", "Training losses"),
    ):
        page.get_by_role("tab", name=name).click()
        expect(page.get_by_text(title, exact=True)).to_be_visible()
        expect(picture(page).locator(".main-svg").first).to_be_visible()
        reader.drawn()
