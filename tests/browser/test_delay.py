"""Delayed feedback from a cohort to the exported comparison: one journey over the page, and what else only it shows."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from delay_steps import card, choose_week, day, open_tab, press, share, triangle
from driver import Reader
from playwright.sync_api import Page, expect


def test_cohort_as_of_date_window_methods_export(reader: Reader, tmp_path: Path) -> None:
    page = reader.open("delay")
    open_tab(page, "Day by day")
    week = choose_week(reader, 2)
    assert f"delay-cohort={week}" in page.url
    move_the_day(reader)
    expect(page.get_by_text(f"Week from {week}", exact=True)).to_be_visible()

    open_tab(page, "Labels over time")
    # The cards of the tab before stand until the server has answered.
    expect(card(page, 0)).to_contain_text("Positives seen by day")
    reader.drawn()
    move_the_window(reader)

    open_tab(page, "Methods")
    page.get_by_role("radio", name="Calibration", exact=True).click()
    expect(page.get_by_text("Calibration on later exposures", exact=True)).to_be_visible()
    reader.drawn()
    shown = compared(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="All method tables (CSV)").click()
    waiting.value.save_as(tmp_path / "methods.csv")
    with (tmp_path / "methods.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if (row["table"], row["split"], row["segment"], row["metric"]) == ("metric", "test", "all", "calibration")
        ]
    assert len(rows) == len(shown) >= 7
    assert sorted(round(float(row["value"]), 6) for row in rows) == sorted(round(value, 6) for value in shown)


def compared(page: Page) -> list[float]:
    """Return the values in the chart of the methods."""
    plot = page.locator(".js-plotly-plot").first
    return [float(value) for value in plot.evaluate("plot => plot._fullData.map(trace => trace.x[0])")]


def move_the_day(reader: Reader) -> None:
    """Step to the next day: what was known, the triangle and the address move, and nothing changes its height."""
    page = reader.page
    known, cells = card(page, 0).inner_text(), triangle(page).evaluate("plot => plot._fullData[0].y.length")
    height = triangle(page).bounding_box()
    page.get_by_role("button", name="Next", exact=True).click()
    expect(card(page, 0)).not_to_have_text(known, use_inner_text=True)
    reader.drawn()
    assert day(page) > "2017-08-15"
    assert triangle(page).evaluate("plot => plot._fullData[0].y.length") > cells
    after = triangle(page).bounding_box()
    assert height is not None and after is not None and after["height"] == height["height"]


def move_the_window(reader: Reader) -> None:
    """Wait longer: more of the final positives are known and fewer labels flip; the address keeps it."""
    page = reader.page
    known, flipping = card(page, 0).inner_text(), card(page, 1).inner_text()
    press(page, page.get_by_test_id("stSlider").locator("input[type=range]").first, *["ArrowRight"] * 3)
    expect(card(page, 0)).not_to_have_text(known, use_inner_text=True)
    expect(card(page, 1)).not_to_have_text(flipping, use_inner_text=True)
    reader.drawn()
    found = re.search(r"delay-window=([\d.]+)", page.url)
    assert found is not None
    expect(card(page, 0)).to_contain_text(f"day {float(found[1]):g}")
    assert share(card(page, 0).inner_text()) > share(known)
    assert share(card(page, 1).inner_text()) < share(flipping)
    page.reload()
    reader.drawn()
    expect(card(page, 0)).to_contain_text(f"day {float(found[1]):g}")


def test_the_player_moves_the_day_and_stops_by_itself(reader: Reader) -> None:
    page = reader.open("delay?delay-tab=Day%20by%20day")
    slider = page.get_by_test_id("stSlider").locator("input[type=range]").first
    press(page, slider, "End")
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_disabled()
    reader.drawn()
    last = day(page)
    for _ in range(2):
        before = day(page)
        page.get_by_role("button", name="Back", exact=True).click()
        expect(page).not_to_have_url(re.compile(f"delay-day={before}"))
        reader.drawn()
    assert day(page) < last
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"delay-day={last}"))
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    reader.drawn()
    # It has stopped: after two more ticks the day is still the last one.
    page.wait_for_timeout(2_500)
    assert day(page) == last
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_every_tab_draws_when_it_is_opened(reader: Reader) -> None:
    page = reader.open("delay")
    for name, parts in (
        ("Labels over time", ("Hazard and delay law", "Naive or honest", "Funnel", "How long to wait")),
        ("Day by day", ()),
        (
            "Methods",
            ("Calibration", "Over the stream", "As labels mature", "Flipped labels", "Influence of a flip"),
        ),
        ("Weights", ()),
        ("What if", ()),
    ):
        open_tab(page, name)
        reader.drawn()
        for part in parts:
            open_tab(page, part)
            reader.drawn()
            assert reader.complaints() == []


# Contrast of the page's background with the fill of every label and number at risk.
CONTRASTS = """
() => {
    const light = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const page = light(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
    return [...document.querySelectorAll(".annotation-text, .textpoint text")].map(text => {
        const [low, high] = [page, light(text.style.fill)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    });
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_and_numbers_at_risk_can_be_read_on_either_background(reader: Reader, scheme: str) -> None:
    reader.page.emulate_media(color_scheme=scheme)
    page = reader.open("delay?delay-by=Segment")
    reader.drawn()
    found = page.evaluate(CONTRASTS)
    assert len(found) > 20 and min(found) >= 4.5


def test_cards_keep_their_figures_whole_in_a_narrow_window(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 820, "height": 900})
    page = reader.open("delay")
    reader.drawn()
    values = page.get_by_test_id("stMetricValue").locator("*").filter(has_text=re.compile(r"^[\d.]+( %)?$"))
    cut = values.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)")
    assert values.count() >= 4 and cut == []


def test_a_day_that_is_not_stored_leaves_the_address(reader: Reader) -> None:
    page = reader.open("delay?delay-day=2099-01-01")
    expect(page).not_to_have_url(re.compile("2099"))
    open_tab(page, "Day by day")
    expect(page.get_by_text("Cohorts as of 2017-08-15")).to_be_visible()
    expect(page).not_to_have_url(re.compile("2099"))
