"""Prediction uncertainty, end to end: own scores in, a threshold moved, a precision held, a policy out and in again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from driver import Reader
from playwright.sync_api import Locator, Page, expect


def sliders(page: Page) -> Locator:
    return page.get_by_test_id("stSlider").locator("input[type=range]")


def values(page: Page) -> list[str]:
    return [slider.input_value() for slider in sliders(page).all()]


def matrix(page: Page) -> str:
    """Return the counts of the test rows."""
    cells = [
        page.get_by_test_id("stBaseButton-secondary").filter(has_text=cell).first
        for cell in ("TP ", "FN ", "FP ", "TN ")
    ]
    return " ".join(cell.inner_text() for cell in cells)


def scores(path: Path, *, rows: int, seed: int) -> Path:
    """Write scores that promise the more too much, the more uncertain they are."""
    rng = np.random.default_rng(seed)
    uncertainty = rng.choice([0.1, 0.2, 0.3], rows)
    score = rng.beta(1, 3, rows)
    label = rng.random(rows) < score ** (1 + 3 * uncertainty)
    pd.DataFrame({"label": label.astype(int), "score": score, "uncertainty": uncertainty}).to_csv(path, index=False)
    return path


def open_tab(reader: Reader, name: str) -> None:
    reader.page.get_by_role("tab", name=name, exact=True).click()
    expect(reader.page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
    reader.drawn()


def press(reader: Reader, slider: Locator, key: str, times: int) -> None:
    """Move a slider by keys, faster than the page answers, and wait until all sliders and the matrix have followed."""
    start, before = int(slider.input_value()), matrix(reader.drawn())
    slider.focus()
    for _ in range(times):
        reader.page.keyboard.press(key)
    expect(slider).to_have_value(str(start + times * (1 if key == "ArrowRight" else -1)))
    last = ""
    for _ in range(60):
        now = f"{matrix(reader.drawn())} {values(reader.page)}"
        if now == last and matrix(reader.page) != before:
            return
        last = now
        reader.page.wait_for_timeout(250)
    raise AssertionError("the matrix did not follow the slider")


def test_own_scores_become_thresholds_that_are_held_locked_taken_away_and_judged(
    reader: Reader, tmp_path: Path
) -> None:
    reader.accepted = "precision"
    page = reader.open("uncertainty")
    open_tab(reader, "Own scores")
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(
        scores(tmp_path / "mine.csv", rows=4000, seed=1)
    )
    start = page.get_by_role("button", name="Judge these scores")
    expect(start).to_be_enabled()
    start.click()
    expect(page.get_by_text("data mine.csv")).to_be_visible(timeout=90_000)
    reader.drawn()
    first = values(page)
    assert len(first) == 4

    press(reader, sliders(page).last, "ArrowRight", 3)
    moved = values(page)
    # Only the slider that was moved differs.
    assert moved[1:-1] == first[1:-1] and moved[-1] != first[-1]

    page.get_by_role("radio", name="Hold precision").or_(
        page.get_by_role("button", name="Hold precision")
    ).first.click()
    expect(page.get_by_role("spinbutton").first).to_be_visible()
    reader.drawn()
    page.get_by_text("Lock", exact=True).last.click()
    expect(page.get_by_role("button", name="Re-solve")).to_be_visible()
    reader.drawn()
    held = values(page)
    press(reader, sliders(page).nth(len(held) - 3), "ArrowLeft", 4)
    solved = values(page)
    assert solved[-1] == held[-1] and solved[-3] != held[-3]

    open_tab(reader, "Policy")
    with page.expect_download() as download:
        page.get_by_role("button", name="Policy (JSON)").click()
    policy = tmp_path / "policy.json"
    download.value.save_as(policy)
    uploads = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    uploads.first.set_input_files(policy)
    expect(page.get_by_text("Now give rows that the thresholds have not seen.")).to_be_visible()
    uploads.last.set_input_files(scores(tmp_path / "new.csv", rows=3000, seed=2))
    expect(page.get_by_text("Precision on the new rows")).to_be_visible()
    reader.drawn()


def test_moved_thresholds_survive_a_reload_and_undo_brings_them_back(reader: Reader) -> None:
    reader.accepted = "precision"
    page = reader.open("uncertainty")
    start = values(page)
    press(reader, sliders(page).first, "ArrowRight", 4)
    moved = values(page)
    assert len(set(moved)) == 1 and moved[0] != start[0]
    edited = matrix(page)
    page.reload()
    reader.drawn()
    assert matrix(page) == edited
    page.get_by_role("button", name="Snap", exact=True).click()
    expect(sliders(page).last).to_have_value(start[-1])
    reader.drawn()
    page.get_by_role("button", name="Undo").click()
    expect(sliders(page).last).to_have_value(moved[-1])
    reader.drawn()
    assert matrix(page) == edited
