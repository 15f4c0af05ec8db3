"""Own data, end to end: an odd file in, its columns confirmed, a report, and a picture on each of the three pages."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterable

import pandas as pd
import pytest
from driver import PATIENCE, Reader, Server
from playwright.sync_api import BrowserContext, Page, expect

from engine.datasets import SAMPLE_DATA

pytestmark = pytest.mark.slow

QUESTIONS = {
    "graph": "Which way does it point?",
    "delay": "Which labels will still change?",
    "uncertainty": "How far may a score be trusted?",
}
ROWS = {"graph": "One row per link", "delay": "One row per person", "uncertainty": "One row per case"}
"""How the page begins to say what a file for a question holds."""
IMAGE = "![x](http://evil.example/x.png)"


def written(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(header)
    table.writerows(rows)
    return text.getvalue().encode()


def edges() -> tuple[bytes, dict[str, str]]:
    """Write links between real programs, whose names and those of the columns try to be markup."""
    links = pd.read_csv(SAMPLE_DATA / "debian_programs_edges.csv.gz").head(3000)
    header = ("von “Knoten”", "nach, Knoten", "wie :smile:")
    rows = [
        (f"Größe {u} <b>'x'</b> $k$", f"Größe {v} <b>'x'</b> $k$", how) for u, v, how in links.itertuples(index=False)
    ]
    return written(header, rows), {"Source": header[0], "Target": header[1]}


def exposures() -> tuple[bytes, dict[str, str]]:
    """Write real coupons, a third of the features, under odd names, with households as padded numbers."""
    log = pd.read_csv(SAMPLE_DATA / "journey_coupons.csv.gz").head(3000)
    names = {
        "unit": "Kunde Nr.",
        "segment": "Gruppe",
        "exposure_time": "gezeigt am",
        "conversion_time": "eingelöst am",
        "trips_60d": f"x {IMAGE}",
        "age": "Âge (années)",
    }
    log = log[list(names)].assign(unit=[f"{unit:06d}" for unit in log["unit"]]).rename(columns=names)
    roles = {"Exposure time": "gezeigt am", "Conversion time": "eingelöst am", "Unit": "Kunde Nr."}
    return log.to_csv(index=False).encode(), roles


def scores() -> tuple[bytes, dict[str, str]]:
    """Write the scores that the shipped model of purchases gave, with labels in words and a German separator."""
    scored = pd.read_parquet(SAMPLE_DATA / "runs" / "journey-purchases" / "predictions.parquet")
    header = ("wahr? 'ja'", f"p̂ {IMAGE}", 'σ² "alt"', "Ort")
    table = pd.DataFrame(
        {
            header[0]: ["yes" if label else "no" for label in scored["y_true"]],
            header[1]: scored["prob"],
            header[2]: scored["uncertainty"],
            header[3]: ["Süd" if case % 2 else "Nord" for case in scored["sample_id"]],
        }
    )
    return table.to_csv(index=False, sep=";").encode(), {
        "Label": header[0],
        "Score": header[1],
        "Uncertainty": header[2],
    }


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
    # An upload asks the server for an address first, and Streamlit loses the answer if the script starts right then.
    expect(page.get_by_text(ROWS[kind])).to_be_visible()
    reader.drawn()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    return page


@pytest.mark.parametrize("kind", list(QUESTIONS))
def test_an_odd_file_becomes_a_picture_on_its_page(new_reader: Callable[..., Reader], kind: str) -> None:
    reader = new_reader("dark" if kind == "delay" else "light", height=2400)
    content, roles = FILES[kind]()
    name = f"Käufe & <b> $k$ :smile: *{kind}*.csv"
    page = upload(reader, kind, content, name)
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
    context = page.get_by_test_id("stMain").get_by_test_id("stCaptionContainer").filter(has_text="Run ")
    expect(context.first).to_contain_text(f"data {name} (own)")


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
    column = edges()[1]["Source"]
    choose(first, "Source", column)
    # Back from another page the file is still there, without a second upload, and so is what was said about it.
    first.go("Overview")
    first.go("Your data")
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    expect(page.get_by_role("combobox", name="Source · needed")).to_have_value(column)
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
