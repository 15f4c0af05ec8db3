"""Another run in the sidebar while the page of the directed graph is open: what was chosen fits the new one."""

from __future__ import annotations

import contextlib

import pytest
from driver import Reader
from graph_steps import picture, shown_node
from playwright.sync_api import Page, expect


def choose_run(reader: Reader, name: str) -> Page:
    """Choose a run in the sidebar and wait until its graph is drawn."""
    page = reader.page
    field = page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").locator("input")
    field.click()
    page.get_by_role("option", name=name, exact=True).click()
    expect(field).to_have_value(name)
    reader.drawn()
    expect(picture(page).locator(".main-svg").first).to_be_visible()
    return reader.drawn()


def open_tab(reader: Reader, name: str) -> None:
    """Open an inner tab; a click that falls into a redrawing of the page is made again, as a reader would."""
    tab = reader.page.get_by_role("tab", name=name, exact=True)
    for _ in range(3):
        tab.click()
        with contextlib.suppress(AssertionError):
            expect(tab).to_have_attribute("aria-selected", "true", timeout=10_000)
            break
    expect(tab).to_have_attribute("aria-selected", "true")
    reader.drawn()


@pytest.mark.parametrize(
    ("first", "second", "score"),
    [
        ("journey-categories", "debian-programs", ""),
        ("debian-programs", "journey-categories", "&graph-score=10.5"),
    ],
)
def test_every_inner_tab_opens_after_another_run_was_chosen(
    reader: Reader, first: str, second: str, score: str
) -> None:
    reader.open(f"graph?graph-run={first}{score}")
    page = choose_run(reader, second)
    for name in ("Other methods", "Neighbours drawn", "What if"):
        open_tab(reader, name)
    before = shown_node(page)
    page.get_by_role("button", name="Random", exact=True).click()
    expect(page.get_by_test_id("stMain").get_by_test_id("stSelectbox").locator("input").first).not_to_have_value(before)
    reader.drawn()
