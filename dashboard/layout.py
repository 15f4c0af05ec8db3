"""What every page is made of: header, figures with their interval and n, chart cards, messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.glossary import TERMS
from dashboard.state import PAGES, RUN, Kind
from engine.figures.common import estimate, interval, number

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>$~:^-])")
_UNSEEN = re.compile("[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Control characters and marks without a glyph, among them those that turn the reading direction."""
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=@)", re.IGNORECASE)
"""Where a space without width keeps an address from becoming a link."""
_FORMULA_START = re.compile(r"^\s*[=+\-@|%\t\r]")
_PLAIN_NUMBER = re.compile(r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$")
_CHART_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
_LASSO_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}


def escape_markdown(text: object, *, limit: int = 120) -> str:
    """Make text from data safe to show in markdown.

    Nothing in it becomes a link, an image, HTML or formatting; control characters and those that turn the reading
    direction are dropped, white space is collapsed and long texts are shortened.

    Parameters
    ----------
    text : object
    limit : int, default 120
        Characters kept.

    Returns
    -------
    str
    """
    plain = visible(text)
    plain = plain if len(plain) <= limit else plain[: limit - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", _ADDRESS.sub("\u200b", plain))


def visible(text: object) -> str:
    """Write text from data on one line, without control characters and marks that turn the reading direction."""
    return " ".join(_UNSEEN.sub("", " ".join(str(text).split())).split())


def page_header(question: str, answer: str, run: Run) -> None:
    """Open a page: the question, the computed answer, and where the figures come from.

    Parameters
    ----------
    question : str
        Title of the page.
    answer : str
        One computed sentence for this run; data-supplied parts already escaped.
    run : Run
    """
    st.title(question, anchor=False)
    st.markdown(f"##### {answer}")
    st.caption(context_line(run))


def context_line(run: Run) -> str:
    """Say which run, data, seed and how many rows stand behind a page."""
    manifest = run.manifest
    data = manifest["dataset"]
    counts = {str(name).replace("_", " "): count for name, count in data["rows"].items() if count}
    rows = ", ".join(f"{count:,} {escape_markdown(name)}" for name, count in counts.items())
    return (
        f"Run **{escape_markdown(run.id)}** · data **{escape_markdown(data['name'])}** "
        f"({escape_markdown(data['origin'])}) · seed {escape_markdown(manifest['seed'])} · {rows} · "
        f"intervals are 95 %  \n{escape_markdown(data['description'], limit=400)}"
    )


def metric_card(  # noqa: PLR0913 - a figure never stands without its interval, n and baseline
    label: str,
    value: float,
    low: float,
    high: float,
    n: int,
    *,
    baseline: str = "",
    unit: str = "",
    term: str | None = None,
) -> None:
    """Show one figure with its interval, its n and its baseline.

    Parameters
    ----------
    label : str
        Markdown, as are `baseline` and `unit`: parts from data already escaped.
    value, low, high : float
    n : int
    baseline : str, default ""
        What to compare with, already written out, for example ``"popularity 0.153"``.
    unit : str, default ""
    term : str, optional
        Key of the glossary term shown on hover.
    """
    with st.container(border=True, height="stretch"):
        st.metric(label, f"{number(value)}{unit}", help=TERMS[term].help() if term else None)
        st.caption(f"{interval(low, high, unit=unit)} · n {n:,}" + (f"  \n{baseline}" if baseline else ""))


def chart_card(  # noqa: PLR0913 - one call describes the whole card
    figure: Any,
    table: pd.DataFrame,
    *,
    key: str,
    title: str,
    how_to_read: str,
    alt: str,
    on_select: Callable[[], None] | Literal["ignore"] = "ignore",
    selection_mode: Any = "points",
) -> Any:
    """Show a chart with its title, how to read it, and its data for download.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure or altair.Chart
    table : DataFrame
        The rows that were drawn.
    key : str
        Unique on the page.
    title : str
    how_to_read : str
        One to three sentences.
    alt : str
        The takeaway, for screen readers.
    on_select : callable or "ignore"
        Called when a mark is chosen (Plotly); its event is ``st.session_state[key]``.
    selection_mode : str or iterable of str

    Returns
    -------
    object
        What the chart element returned.
    """
    with st.container(border=True):
        _card_head(table, key=key, title=title, how_to_read=how_to_read)
        return _draw(figure, key=key, alt=alt, on_select=on_select, selection_mode=selection_mode)


def table_card(table: pd.DataFrame, rows: pd.DataFrame, *, key: str, title: str, how_to_read: str, alt: str) -> None:
    """Show a written table whose cells wrap instead of being cut, with how to read it and its numbers for download.

    Parameters
    ----------
    table : DataFrame
        What is shown; texts are markdown, parts from data already escaped.
    rows : DataFrame
        The numbers behind it.
    key : str
        Unique on the page.
    title, how_to_read, alt : str
        As in `chart_card`.
    """
    with st.container(border=True):
        _card_head(rows, key=key, title=title, how_to_read=how_to_read)
        st.table(table, border="horizontal", alt=alt)


def _card_head(table: pd.DataFrame, *, key: str, title: str, how_to_read: str) -> None:
    """Show the title of a card, and behind a button how to read it and its data."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        tools = st.popover("How to read", icon=":material/info:", width="content", type="tertiary")
    with tools:
        st.markdown(how_to_read)
        st.download_button(
            "Data (CSV)",
            data=lambda: to_csv(table),
            file_name=f"{key}.csv",
            mime="text/csv",
            key=f"{key}-csv",
            on_click="ignore",
            icon=":material/download:",
        )


def _draw(figure: Any, *, key: str, alt: str, on_select: Any, selection_mode: Any) -> Any:
    """Hand a figure to the widget of its library."""
    if type(figure).__module__.startswith("altair"):
        return st.altair_chart(figure, key=key, alt=alt, width="stretch")
    return st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        width="stretch",
        config=_LASSO_CONFIG if "lasso" in selection_mode else _CHART_CONFIG,
        on_select=on_select,
        selection_mode=selection_mode,
    )


def to_csv(table: pd.DataFrame) -> bytes:
    """Write a table as CSV whose texts no spreadsheet takes for a formula.

    Parameters
    ----------
    table : DataFrame
        Column names are texts too, and guarded alike; numbers stay as they are.

    Returns
    -------
    bytes
        UTF-8.
    """
    safe = table.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name].dtype):
            safe[name] = [_safe_cell(value) for value in safe[name]]
    return safe.rename(columns=_safe_cell).to_csv(index=False).encode()


def _safe_cell(value: Any) -> Any:
    """Put an apostrophe before a text that would start a formula; numbers stay."""
    if isinstance(value, str) and _FORMULA_START.match(value) and not _PLAIN_NUMBER.match(value):
        return "'" + value
    return value


def link_to_run(kind: Kind, run_id: str, label: str) -> None:
    """Link to the page of a kind with one run chosen; nothing where the navigation is not drawn.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    run_id : str
    label : str
        Markdown; parts from data already escaped.
    """
    page = st.session_state.get(PAGES, {}).get(kind)
    if page is not None:
        st.page_link(page, label=label, icon=":material/arrow_forward:", query_params={RUN[kind]: run_id})


def empty_state(text: str) -> None:
    """Say what is missing and what to do next."""
    st.info(text, icon=":material/lightbulb:")


def error_box(error: Exception | str) -> None:
    """Show an error of the engine as it is worded, beside the control that caused it."""
    st.error(escape_markdown(error, limit=600), icon=":material/error:")


__all__ = [
    "chart_card",
    "context_line",
    "empty_state",
    "error_box",
    "escape_markdown",
    "estimate",
    "link_to_run",
    "metric_card",
    "number",
    "page_header",
    "table_card",
    "to_csv",
    "visible",
]
