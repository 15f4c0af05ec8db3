"""Every page, in light and dark, reached every way."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from driver import PAGES, Reader
from playwright.sync_api import Page, expect

BACKGROUND = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 21, 28)"}
STYLE = "(node, name) => getComputedStyle(node)[name]"


def luminance(color: str) -> float:
    """Return the relative luminance of a CSS colour, as WCAG 2 defines it."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two CSS colours."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sidebar_leads_through_all_pages_and_each_is_legible(
    new_reader: Callable[..., Reader], scheme: str
) -> None:
    reader = new_reader(scheme)
    reader.open()
    for name in (*list(PAGES.values())[1:], "Overview"):
        page = reader.go(name)
        check_colours(page, BACKGROUND[scheme])
        assert reader.complaints() == []


def check_colours(page: Page, background: str) -> None:
    """Check that title and axes stand out from a page of the right theme, and that figures let it shine through."""
    assert page.get_by_test_id("stApp").evaluate(STYLE, "backgroundColor") == background
    assert contrast(page.get_by_role("heading", level=1).evaluate(STYLE, "color"), background) > 7
    for text in page.locator(".js-plotly-plot .xtick text, .js-plotly-plot .ytick text").all()[:4]:
        assert contrast(text.evaluate(STYLE, "fill"), background) > 3
    for paper in page.locator(".js-plotly-plot .main-svg").all()[:4]:
        assert paper.evaluate(STYLE, "backgroundColor") in ("rgba(0, 0, 0, 0)", "transparent")


def test_a_card_leads_to_its_page_with_its_run(reader: Reader) -> None:
    page = reader.open()
    for kind, name in list(PAGES.items())[1:4]:
        page.get_by_role("link", name=f"Open {name}").click()
        page.wait_for_url(f"**/{kind}*")
        reader.drawn()
        expect(page.get_by_test_id("stSidebar").get_by_text(f"{name} run")).to_be_visible()
        reader.go("Overview")


def test_the_chosen_run_stays_chosen_on_every_page_and_in_its_address(reader: Reader) -> None:
    page = reader.open("graph?graph-run=journey-categories")
    for name in ("Overview", "Train", "Directed graph"):
        reader.go(name)
        if name != "Train":
            picker = page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").first.locator("input")
            expect(picker).to_have_value("journey-categories")
            assert "graph-run=journey-categories" in page.url


@pytest.mark.parametrize("path", ["graph?graph-run=../../etc/passwd", "?delay-run=gone&graph-run=%00%FF"])
def test_an_unknown_run_in_the_address_falls_back_to_a_stored_one(reader: Reader, path: str) -> None:
    page = reader.open(path)
    assert "run=" not in page.url
    assert page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").count() >= 1
