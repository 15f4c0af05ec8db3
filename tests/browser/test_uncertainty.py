"""Prediction uncertainty: thresholds move, the confusion matrix follows, and one press snaps them to the optimum."""

from __future__ import annotations

from driver import Reader
from playwright.sync_api import Locator, Page, expect


def sliders(page: Page) -> Locator:
    return page.get_by_test_id("stSlider").locator("input[type=range]")


def matrix(page: Page) -> Locator:
    """Return the first confusion matrix: the test rows."""
    return page.get_by_test_id("stMain").locator("table").filter(has_text="selected").first


def values(page: Page) -> list[str]:
    return [slider.input_value() for slider in sliders(page).all()]


def test_a_threshold_moves_the_confusion_matrix_and_snap_brings_it_back(reader: Reader) -> None:
    reader.accepted = "Test precision"
    page = reader.open("uncertainty")
    page.get_by_role("button", name="Snap").click()
    reader.drawn()
    snapped, start = matrix(page).inner_text(), values(page)
    last = sliders(page).last
    last.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(matrix(page)).not_to_have_text(snapped, use_inner_text=True)
    reader.drawn()
    moved = values(page)
    # Only the slider that was moved differs, apart from the first, which moves all.
    assert [a == b for a, b in zip(moved[1:-1], start[1:-1], strict=True)] == [True] * (len(start) - 2)
    assert moved[-1] != start[-1]

    edited = matrix(page).inner_text()
    page.reload()
    reader.drawn()
    assert matrix(page).inner_text() == edited
    assert values(page)[1:] == moved[1:]

    page.get_by_role("button", name="Snap").click()
    expect(matrix(page)).to_have_text(snapped, use_inner_text=True)
    reader.drawn()
    assert values(page)[1:] == start[1:]


def test_move_all_moves_every_threshold(reader: Reader) -> None:
    reader.accepted = "Test precision"
    page = reader.open("uncertainty")
    start, before = values(page), matrix(page).inner_text()
    sliders(page).first.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(matrix(page)).not_to_have_text(before, use_inner_text=True)
    reader.drawn()
    assert len(set(values(page))) == 1
    assert values(page)[0] != start[0]


def test_another_score_has_other_curves(reader: Reader) -> None:
    reader.accepted = "Test precision"
    page = reader.open("uncertainty")
    answer = page.get_by_role("heading", level=5).first
    before = answer.inner_text()
    page.get_by_test_id("stMain").get_by_test_id("stSelectbox").first.locator("input").click()
    page.get_by_role("option").last.click()
    expect(answer).not_to_have_text(before)
    reader.drawn()
    assert "uncertainty-scorer=" in page.url
