"""Delayed feedback: the waiting window moves, and what is known and what will flip move with it."""

from __future__ import annotations

import re

from driver import PATIENCE, Reader
from playwright.sync_api import Locator, expect


def test_the_window_changes_what_is_known_and_what_will_flip(reader: Reader) -> None:
    page = reader.open("delay")
    seen, flips = page.get_by_test_id("stMetric").nth(0), page.get_by_test_id("stMetric").nth(1)
    known, flipping = seen.inner_text(), flips.inner_text()
    slider = page.get_by_test_id("stSlider").locator("input[type=range]").first
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(seen).not_to_have_text(known, use_inner_text=True)
    expect(flips).not_to_have_text(flipping, use_inner_text=True)
    reader.drawn()
    day = re.search(r"delay-window=([\d.]+)", page.url)
    assert day is not None
    expect(seen).to_contain_text(f"day {float(day[1]):g}")

    # Waiting longer, more of the final positives are known and fewer labels flip.
    assert _share(seen.inner_text()) > _share(known)
    assert _share(flips.inner_text()) < _share(flipping)

    page.reload()
    reader.drawn()
    expect(page.get_by_test_id("stMetric").nth(0)).to_contain_text(f"day {float(day[1]):g}")


def open_tab(tab: Locator) -> None:
    """Click a tab; again where the page was redrawn between press and release, as a reader would."""
    for patience in (5_000, 10_000, PATIENCE):
        tab.click()
        try:
            expect(tab).to_have_attribute("aria-selected", "true", timeout=patience)
            return
        except AssertionError:
            if patience == PATIENCE:
                raise


def test_every_tab_draws_when_it_is_opened(reader: Reader) -> None:
    page = reader.open("delay")
    tabs = page.get_by_role("tab")
    assert tabs.count() >= 3
    for tab in tabs.all():
        open_tab(tab)
        reader.drawn()
        assert reader.complaints() == []


def _share(text: str) -> float:
    """Read the percentage of a metric card."""
    found = re.search(r"([\d.]+) %", text)
    assert found is not None, text
    return float(found[1])
