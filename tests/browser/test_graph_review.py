"""The asymmetry review: give verdicts by mouse and by key, take one back, reload, carry the file away."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driver import Reader
from graph_steps import NAME, another_pair, arrived, headline, introduce, progress
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.usefixtures("no_verdicts")


def opened(reader: Reader) -> Page:
    """Open the review and say who reviews."""
    reader.open("graph?graph-tab=Review+pairs")
    expect(reader.page.get_by_role("heading", name="What the verdicts say")).to_be_visible()
    reader.drawn()
    return introduce(reader)


def test_verdicts_are_given_changed_kept_over_a_reload_and_exported(reader: Reader, tmp_path: Path) -> None:
    page = opened(reader)
    first = headline(page).inner_text()
    page.get_by_label("Note", exact=True).fill("1 of 2, =1+1")
    with another_pair(reader):
        page.get_by_role("button", name="Right way").click()
    progress(page, "1 of ")
    second = headline(page).inner_text()
    with another_pair(reader):
        page.get_by_role("button", name="Unrelated").click()
    progress(page, "2 of ")
    page.get_by_role("button", name="Undo").click()
    expect(headline(page)).to_have_text(second, use_inner_text=True)
    progress(page, "1 of ")
    with another_pair(reader):
        page.get_by_role("button", name="Both fine").click()
    expect(page.get_by_text("2 pairs judged by 1 reviewer")).to_be_visible()

    page.reload()
    reader.drawn()
    progress(page, "2 of ")
    assert "review-name=Ann" in page.url

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Verdicts (CSV)").click()
    path = tmp_path / "verdicts.csv"
    waiting.value.save_as(path)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert [row["verdict"] for row in rows] == ["right", "unrelated", "withdrawn", "both"]
    assert [row["is_current"] for row in rows] == ["yes", "no", "no", "yes"]
    assert {row["reviewer"] for row in rows} == {NAME}
    assert rows[0]["note"] == "1 of 2, =1+1" and f"{rows[0]['source']} ⟶ {rows[0]['target']}" == first
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", rows[0]["time_utc"])


def test_keys_give_verdicts_and_move_but_not_while_a_note_is_written(reader: Reader) -> None:
    page = opened(reader)
    first = headline(page).inner_text()
    note = page.get_by_label("Note", exact=True)
    note.click()
    note.press_sequentially("3 of 4, n u p")
    reader.drawn()
    assert headline(page).inner_text() == first
    progress(page, "0 of ")
    headline(page).click()
    reader.drawn()
    with another_pair(reader):
        page.keyboard.press("2")
    progress(page, "1 of ")
    with another_pair(reader):
        page.keyboard.press("p")
    assert headline(page).inner_text() == first
    expect(page.get_by_label("Note", exact=True)).to_have_value("3 of 4, n u p")
    page.keyboard.press("u")
    progress(page, "0 of ")


def test_a_double_click_judges_one_pair_and_leaves_the_page_where_it_is(reader: Reader) -> None:
    page = opened(reader)
    button = page.get_by_role("button", name="Both fine")
    button.scroll_into_view_if_needed()
    before = button.bounding_box()
    with another_pair(reader):
        button.dblclick()
    progress(page, "1 of ")
    with another_pair(reader):
        button.click()
    progress(page, "2 of ")
    assert before is not None and button.bounding_box() == pytest.approx(before, abs=2)


def test_a_pair_is_chosen_from_the_list_and_filters_follow(reader: Reader) -> None:
    page = opened(reader)
    with another_pair(reader):
        page.get_by_test_id("stRadio").locator("label").nth(4).click()
    page.get_by_text("To review", exact=True).click()
    reader.drawn()
    with another_pair(reader):
        page.get_by_role("button", name="Wrong way").click()
    page.get_by_text("Reviewed", exact=True).click()
    expect(page.get_by_test_id("stRadio").locator("label")).to_have_count(2)
    reader.drawn()
    assert "review-show=Reviewed" in page.url


def test_a_pair_leads_to_its_nodes_and_back_to_the_same_pair(reader: Reader) -> None:
    page = opened(reader)
    with another_pair(reader):
        page.get_by_role("button", name="Next").click()
    pair = headline(page).inner_text()
    page.get_by_role("button", name=f"Explore {pair.split(' ⟶ ')[0]}").click()
    arrived(page, pair.split(" ⟶ ")[0])
    reader.drawn()
    page.get_by_role("tab", name="Review pairs").click()
    expect(headline(page)).to_have_text(pair, use_inner_text=True)
    reader.drawn()


# Words of a choice that are cut: shortened by dots, or beyond the edge of what they stand in.
CUT = """
element => {
    for (let part = element; part && !part.matches("[data-testid=stMain]"); part = part.parentElement) {
        const box = element.getBoundingClientRect(), frame = part.getBoundingClientRect();
        const hides = getComputedStyle(part).overflowX !== "visible";
        if (hides && (part.scrollWidth > part.clientWidth + 1 || box.right > frame.right + 1)) return true;
    }
    return false;
}
"""


@pytest.mark.parametrize("width", [1024, 1366])
def test_every_choice_can_be_read_in_a_narrow_window(new_reader: Callable[..., Reader], width: int) -> None:
    page = opened(new_reader(width=width))
    words = ["Right way", "Wrong way", "Both fine", "Unrelated", "Undo", "How to judge"]
    words += ["Order not replicated", "Reviewed", "Prediction"]
    main = page.get_by_test_id("stMain")
    cut = [word for word in words if main.locator("p", has_text=re.compile(f"^{word}")).first.evaluate(CUT)]
    assert cut == []
