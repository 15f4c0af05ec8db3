"""Training from the page: real trainings, watched, cancelled, reloaded and opened."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from driver import PATIENCE, Reader
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow


def badge(page: Page, state: str, *, patience: int = PATIENCE) -> None:
    """Wait until the followed job shows a state; milliseconds."""
    expect(page.get_by_test_id("stMain").get_by_text(state, exact=True)).to_be_visible(timeout=patience)


def set_fields(page: Page, **values: str) -> None:
    """Type settings into the form."""
    page.get_by_text("Settings", exact=True).click()
    for label, value in values.items():
        field = page.get_by_label(label.replace("_", " ").capitalize(), exact=True)
        # While a form is redrawn for other data, fields of the one before can still stand beside its own.
        expect(field).to_have_count(1)
        field.fill(value)


def test_a_training_is_watched_survives_a_reload_and_is_cancelled(new_reader: Callable[..., Reader]) -> None:
    reader = new_reader()
    page = reader.open("train")
    set_fields(page, epochs="5000")
    page.get_by_role("button", name="Train", exact=True).click()
    badge(page, "running")
    losses = page.locator(".js-plotly-plot .scatterlayer path.js-line").first
    expect(losses).to_be_visible(timeout=3 * PATIENCE)
    progress = page.get_by_test_id("stProgress")
    expect(progress).to_contain_text(re.compile(r"epoch \d+ of"))
    before = progress.inner_text()
    expect(progress).not_to_have_text(before, timeout=3 * PATIENCE)

    # The other pages stay usable meanwhile, and a reload is a new session that finds the job again.
    reader.go("Overview")
    page = reader.open("train")
    badge(page, "running")
    page.get_by_role("button", name="Cancel").click()
    badge(page, "cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.get_by_text("nothing was kept")).to_be_visible()


def test_a_finished_training_is_opened_on_its_page(reader: Reader) -> None:
    page = reader.open("train")
    page.get_by_role("radio", name="Delayed feedback").click()
    reader.drawn()
    set_fields(page, steps="10", members="1", resamples="20")
    page.get_by_role("button", name="Train", exact=True).click()
    badge(page, "running")
    badge(page, "done", patience=6 * PATIENCE)
    link = page.get_by_role("link", name=re.compile(r"^Open delay-"))
    run_id = link.inner_text().split()[-1]
    link.click()
    page.wait_for_url("**/delay*")
    reader.drawn()
    expect(page.get_by_test_id("stMain").get_by_text(run_id).first).to_be_visible()
    assert page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").locator("input").input_value() == run_id


def test_a_setting_out_of_range_is_explained_beside_the_form_and_starts_nothing(reader: Reader) -> None:
    page = reader.open("train")
    set_fields(page, epochs="0")
    page.get_by_role("button", name="Train", exact=True).click()
    box = page.get_by_test_id("stAlertContentError")
    expect(box).to_have_text(re.compile(r"'epochs' is 0; allowed is a whole number from 1"))
    page.get_by_label("Epochs", exact=True).fill("100")
    # The box is what this journey is about; elsewhere it would count as trouble.
    page.goto(reader.url)
    reader.drawn()
