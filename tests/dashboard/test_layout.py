"""Texts and tables from data must reach the page and the spreadsheet as texts and tables."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.layout import escape_markdown, to_csv
from engine.runs import read_run

HOSTILE = {
    "image": "![x](http://127.0.0.1:9/beacon.png)",
    "link": "[click](javascript:alert(1))",
    "html": "<img src=x onerror=alert(1)>",
    "badge": ":red-badge[fine] :material/delete: $x^2$",
    "heading": "# Title",
    "code": "`rm -rf`",
}


def unescape(text: str) -> str:
    """Read markdown backslash escapes as a markdown reader does."""
    plain, rest = "", text
    while rest:
        if rest[0] == "\\":
            rest = rest[1:]
        plain, rest = plain + rest[0], rest[1:]
    return plain


@pytest.mark.parametrize("name", HOSTILE)
def test_no_markup_of_a_label_survives_and_it_still_reads_the_same(name: str) -> None:
    text = HOSTILE[name]
    escaped = escape_markdown(text)
    assert unescape(escaped).replace("\u200b", "") == text
    live = [mark for place, mark in enumerate(escaped) if mark in "`*_[]()#!<>$:" and escaped[place - 1] != "\\"]
    assert live == []


@pytest.mark.parametrize("text", ["see http://a.b/c", "HTTPS://A.B", "www.a.b", "me@a.b", "ftp://a"])
def test_an_address_is_parted_so_that_no_reader_makes_a_link_of_it(text: str) -> None:
    escaped = unescape(escape_markdown(text))
    assert escaped.replace("\u200b", "") == text
    assert not re.search(r"://|www\.|@[a-z]", escaped, re.IGNORECASE)


def test_marks_that_turn_the_reading_direction_are_dropped() -> None:
    assert escape_markdown("invoice\u202efdp.exe\u2066\x00") == "invoicefdp.exe"


def test_lines_become_one_and_long_names_are_cut() -> None:
    assert escape_markdown("a\n\n# b\tc") == r"a \# b c"
    long = escape_markdown("x" * 10_000)
    assert len(long) == 120
    assert long.endswith("…")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "|", "%", "\t", "\r", " ="])
def test_a_text_that_a_spreadsheet_would_run_is_quoted(start: str) -> None:
    table = pd.read_csv(io.BytesIO(to_csv(pd.DataFrame({"name": [f"{start}HYPERLINK(1)"]}))))
    assert table["name"][0].startswith("'")


def test_numbers_and_plain_texts_reach_the_csv_unchanged() -> None:
    table = pd.DataFrame({"name": ["-1.5", "+2e3", "plain", None], "value": [-1.0, 0.25, float("nan"), 3.0]})
    lines = to_csv(table).decode().splitlines()
    assert lines == ["name,value", "-1.5,-1.0", "+2e3,0.25", "plain,", ",3.0"]


def test_a_column_name_is_guarded_like_a_cell_and_the_table_is_left_alone() -> None:
    table = pd.DataFrame({"=1+1": ["@x"]})
    assert to_csv(table).decode().splitlines() == ["'=1+1", "'@x"]
    assert table.iloc[0, 0] == "@x"


def page() -> None:
    import altair as alt
    import pandas as pd
    import plotly.graph_objects as go
    import streamlit as st

    from dashboard import layout

    layout.page_header("Which way?", "It points right.", st.session_state["run"])
    layout.metric_card("MRR", 0.41234, 0.385, 0.44, 1204, baseline="popularity 0.153", term="interval")
    table = pd.DataFrame({"x": [1, 2]})
    words = {"title": "T", "how_to_read": "Left to right.", "alt": "Rises."}
    layout.chart_card(go.Figure(go.Scatter(x=[1, 2], y=[3, 4])), table, key="plotly", **words)
    layout.chart_card(alt.Chart(table).mark_point().encode(x="x:Q"), table, key="altair", **words)
    layout.error_box("Column '[x](http://a)' is missing.")


@pytest.fixture
def drawn(store_run: Callable[..., Path]) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["run"] = read_run(store_run("graph-one", seed=3))
    return app.run()


def test_a_page_opens_with_its_question_and_where_its_figures_come_from(drawn: AppTest) -> None:
    assert not drawn.exception
    assert drawn.title[0].value == "Which way?"
    context = unescape(drawn.caption[0].value)
    for part in ("graph-one", "debian-programs", "simulated", "seed 3", "12 edges", "Made up."):
        assert part in context


def test_a_figure_stands_with_its_interval_its_n_and_its_baseline(drawn: AppTest) -> None:
    assert drawn.metric[0].value == "0.412"
    assert drawn.caption[1].value == "[0.385, 0.440] · n 1,204  \npopularity 0.153"


def test_charts_of_both_libraries_get_a_card_with_a_takeaway(drawn: AppTest) -> None:
    plotly, vega = drawn.get("plotly_chart")[0].proto, drawn.get("vega_lite_chart")[0].proto
    assert json.loads(plotly.spec)["data"][0]["y"] == [3, 4]
    assert plotly.alt == vega.alt == "Rises."


def test_an_error_is_shown_as_it_is_worded_without_its_markup(drawn: AppTest) -> None:
    assert unescape(drawn.error[0].value) == "Column '[x](http:\u200b//a)' is missing."
