"""Own data, end to end: an odd file in, its columns confirmed, a report, and a picture on each of the three pages."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from driver import PATIENCE, Reader, Server
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.slow

QUESTIONS = {
    "graph": "Which way does it point?",
    "delay": "Which labels will still change?",
    "uncertainty": "How far may a score be trusted?",
}
IMAGE = "![x](http://evil.example/x.png)"


def written(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(header)
    table.writerows(rows)
    return text.getvalue().encode()


def edges() -> tuple[bytes, dict[str, str]]:
    """Write a ring of things in which each leads to the next ones, under names that try to be markup."""
    names = [f"Größe {k} <b>'{k}'</b> $k$" for k in range(60)]
    rows = [(names[k], names[(k + step) % 60], step) for k in range(60) for step in (1, 2, 5, 7)]
    header = ("von “Knoten”", "nach, Knoten", "wie oft :smile:")
    return written(header, rows), {"Source": header[0], "Target": header[1], "Weight": header[2]}


def exposures() -> tuple[bytes, dict[str, str]]:
    """Write coupons of which a third is redeemed within three weeks."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(1500):
        day = float(rng.uniform(0, 120))
        later = f"{day + rng.exponential(6):.3f}" if rng.random() < 0.35 else ""
        rows.append((k % 400, "Nord" if k % 3 else "Süd", f"{day:.3f}", later, f"{rng.normal():.3f}"))
    header = ("Kunde Nr.", "Region", "gezeigt am", "eingelöst am", f"x {IMAGE}")
    return written(header, rows), {"Exposure time": header[2], "Conversion time": header[3], "Unit": header[0]}


def scores() -> tuple[bytes, dict[str, str]]:
    """Write scores that promise the more too much, the more uncertain they are."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(3000):
        score, doubt = rng.beta(1, 3), rng.choice([0.1, 0.2, 0.3])
        rows.append((int(rng.random() < score ** (1 + 3 * doubt)), f"{score:.4f}", doubt, "N" if score > 0.2 else "S"))
    header = ("wahr? 'ja'", f"p̂ {IMAGE}", 'σ² "alt"', "Ort")
    return written(header, rows), {"Label": header[0], "Score": header[1], "Uncertainty": header[2]}


FILES = {"graph": edges, "delay": exposures, "uncertainty": scores}


def choose(reader: Reader, role: str, column: str) -> None:
    """Choose the column of a role, unless it was guessed."""
    box = reader.page.get_by_role("combobox", name=re.compile(rf"{re.escape(role)}( · needed)?$")).first
    if box.input_value() == column:
        return
    box.click()
    reader.page.get_by_role("option", name=column, exact=True).click()
    reader.drawn()
    expect(box).to_have_value(column)


def upload(reader: Reader, kind: str, content: bytes, name: str) -> Page:
    page = reader.open("data")
    page.get_by_role("radio", name=QUESTIONS[kind]).click()
    reader.drawn()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    return page


@pytest.mark.parametrize("kind", list(QUESTIONS))
def test_an_odd_file_becomes_a_picture_on_its_page(new_reader: Callable[..., Reader], kind: str) -> None:
    reader = new_reader("dark" if kind == "delay" else "light", height=2400)
    content, roles = FILES[kind]()
    page = upload(reader, kind, content, f"Käufe & <i>{kind}</i> {IMAGE}.csv")
    check = page.get_by_role("button", name="Check the data")
    expect(check).to_be_visible()
    if kind == "uncertainty":
        page.get_by_role("radio", name="Scores of your own model").click()
        reader.drawn()
    for role, column in roles.items():
        choose(reader, role, column)
    check.click()
    expect(page.get_by_text("What is in the file")).to_be_visible(timeout=3 * PATIENCE)
    expect(page.get_by_role("heading", level=5)).to_contain_text("can be described")
    with page.expect_download() as card:
        page.get_by_role("button", name="Data card").click()
    assert "Content hash" in card.value.path().read_text()

    page.get_by_role("button", name="Describe (no training)").click()
    link = page.get_by_role("link", name=re.compile(rf"^Open {kind}-"))
    expect(link).to_be_visible(timeout=6 * PATIENCE)
    link.click()
    page.wait_for_url(f"**/{kind}*")
    reader.drawn()
    picture = page.locator(".js-plotly-plot .main-svg, [data-testid=stVegaLiteChart] svg, [data-testid=stEchartsChart]")
    expect(picture.first).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text(re.compile(rf"{kind}-\d+-\d+")).first).to_be_visible()


def test_a_bad_file_gives_a_sentence_and_the_next_one_works(reader: Reader) -> None:
    page = upload(reader, "graph", b"a,b\n1,2,3\n", "ragged.csv")
    box = page.get_by_test_id("stAlertContentError")
    expect(box).to_contain_text("ragged.csv")
    page.locator("input[type=file]").set_input_files({"name": "good.csv", "mimeType": "text/csv", "buffer": edges()[0]})
    expect(page.get_by_role("button", name="Check the data")).to_be_visible()
    expect(box).to_have_count(0)


def test_what_one_reader_uploads_no_other_sees_and_it_goes_when_it_is_removed(
    new_reader: Callable[..., Reader], server: Server
) -> None:
    first = new_reader()
    page = upload(first, "graph", edges()[0], "mine.csv")
    expect(page.get_by_role("button", name="Check the data")).to_be_visible()
    kept = list((server.runs / ".uploads").glob("*/own-data.csv"))
    assert len(kept) == 1
    # Back from another page the file is still there, without a second upload.
    first.go("Overview")
    first.go("Your data")
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    expect(page.get_by_role("button", name="Check the data")).to_be_visible()
    other = new_reader().open("data")
    expect(other.get_by_text("Where it points")).to_be_visible()
    assert "mine.csv" not in other.locator("body").inner_text()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Check the data")).to_have_count(0)
    assert not kept[0].exists()


def test_an_upload_goes_when_its_tab_is_closed(browser: BrowserContext, server: Server) -> None:
    reader = Reader(browser.new_page(), server.url)
    page = upload(reader, "graph", edges()[0], "mine.csv")
    expect(page.get_by_role("button", name="Check the data")).to_be_visible()
    (kept,) = (server.runs / ".uploads").glob("*/own-data.csv")
    page.close()
    for _ in range(100):
        if not kept.exists():
            return
        time.sleep(0.1)
    raise AssertionError("the file is still kept")
