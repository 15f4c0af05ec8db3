"""What readers do on the page of delayed labels, step by step, for the journeys."""

from __future__ import annotations

import re
from typing import Any

from driver import PATIENCE, Reader
from playwright.sync_api import Locator, Page, expect

# Week and pixel of the middle of the final cell in a row of the triangle.
CELL = """
(plot, row) => {
    const final = plot._fullData.find(trace => trace.name === "final");
    const {xaxis2, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
    const week = yaxis._categories[row], place = Array.from(final.y).lastIndexOf(week);
    return {
        week,
        x: box.x + xaxis2._offset + xaxis2.l2p(final.base[place] + final.x[place] / 2),
        y: box.y + yaxis._offset + yaxis.l2p(row),
    };
}
"""


def open_tab(page: Page, name: str) -> None:
    """Click a tab; again where the page was redrawn between press and release, as a reader would."""
    tab = page.get_by_role("tab", name=name, exact=True)
    for patience in (5_000, 10_000, PATIENCE):
        tab.click()
        try:
            expect(tab).to_have_attribute("aria-selected", "true", timeout=patience)
            return
        except AssertionError:
            if patience == PATIENCE:
                raise


def share(text: str) -> float:
    """Read the percentage of a metric card."""
    found = re.search(r"([\d.]+) %", text)
    assert found is not None, text
    return float(found[1])


def card(page: Page, place: int) -> Locator:
    return page.get_by_test_id("stMetric").nth(place)


def triangle(page: Page) -> Locator:
    return page.locator("[class*=st-key-delay-triangle] .js-plotly-plot")


def choose_week(reader: Reader, row: int) -> str:
    """Click a cell of the triangle and return the week that opens."""
    page = reader.page
    plot = triangle(page)
    plot.scroll_into_view_if_needed()
    expect(plot.locator(".bars .point path").first).to_be_visible()
    cell: dict[str, Any] = plot.evaluate(CELL, row)
    page.mouse.click(cell["x"], cell["y"])
    expect(page.get_by_text(f"Week from {cell['week']}", exact=True)).to_be_visible()
    reader.drawn()
    return str(cell["week"])


def day(page: Page) -> str:
    """Return the day in the address bar, where the slider has written one."""
    found = re.search(r"delay-day=([^&]+)", page.url)
    return found[1] if found else ""


def press(page: Page, slider: Locator, *keys: str) -> None:
    """Move a slider by keys."""
    slider.focus()
    for key in keys:
        page.keyboard.press(key)
