"""Your data: give a file, say what its columns are, see what is in it, then describe it or train on it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import cache, layout
from dashboard.controls import EngineError, data, data_report, data_roles, data_source
from dashboard.state import DATA, Kind
from dashboard.views import data_next, data_report_card

_SHOWN_COLUMNS = 60
_PRIVATE = (
    "What you upload is seen by this session only: it stays while you look at other pages here, and is gone when you "
    "reload or close the page in the browser. What a description or a training finds is stored as a run that everyone "
    "who opens this dashboard can see."
)


def render() -> None:
    """Draw the page."""
    st.title("What is in your own data?", anchor=False)
    header = st.container()
    kind = data_roles.choose_kind()
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left, st.container(border=True, height="stretch"):
        source = data_source.choose()
        preview = _read(source) if source else None
    with right, st.container(border=True, height="stretch"):
        if source is None or preview is None:
            _wanted(kind)
        else:
            _preview(source, preview)
    answer = "Give a table: you see what is in it and what a model would meet, before anything is trained."
    if source is not None and preview is None:
        answer = f"{layout.escape_markdown(source.called, limit=60)} cannot be read yet."
    if source is not None and preview is not None:
        answer = _confirm_and_check(kind, source, preview)
    with header:
        st.markdown(f"##### {answer}")
        st.caption(_PRIVATE)


def _read(source: Any) -> Any | None:
    """Read the first rows, or say why that cannot be done."""
    try:
        return cache.preview(source.path, source.stamp)
    except EngineError as error:
        layout.error_box(source.reworded(str(error)))
    return None


def _wanted(kind: Kind) -> None:
    """Say what a file has to hold, and offer a template and an example."""
    form = data_roles.choose_form(kind, None, None)
    st.markdown(data_roles.FORM_GLOSSES[form])
    st.markdown(data_roles.role_table(kind, form))
    _samples(kind, form)


def _samples(kind: Kind, form: str) -> None:
    """Offer a template and an example."""
    with st.container(horizontal=True):
        st.download_button(
            "Template (CSV)",
            data=lambda: data_roles.template(kind, form),
            file_name=f"template-{form}.csv",
            mime="text/csv",
            key=f"data-template-{form}",
            on_click="ignore",
            icon=":material/table:",
        )
        st.download_button(
            "Example (CSV)",
            data=lambda: data_roles.example(kind, form),
            file_name=f"example-{form}.csv",
            mime="text/csv",
            key=f"data-example-{form}",
            on_click="ignore",
            icon=":material/download:",
        )


def _preview(source: Any, preview: Any) -> None:
    """Show the first rows as they are written."""
    facts = [
        data_report.rows_text(preview.total_rows),
        data_report.columns_text(len(preview.columns)),
        data_source.size_text(preview.bytes),
    ]
    facts += [data_report.separator_text(preview.separator)] if preview.separator else []
    # The hyphen that does not break.
    facts += [preview.encoding.replace("-", "\u2011")] if preview.encoding else []
    st.markdown(f"**{layout.escape_markdown(source.called)}** · {layout.escape_markdown(' · '.join(facts), limit=300)}")
    for warning in preview.warnings:
        st.caption(f":material/info: {layout.escape_markdown(source.reworded(warning), limit=400)}")
    looks = preview.columns[:_SHOWN_COLUMNS]
    st.dataframe(
        preview.rows[[look.name for look in looks]].map(layout.visible),
        column_config={
            look.name: st.column_config.TextColumn(f"{layout.visible(look.name)} · {look.type}") for look in looks
        },
        hide_index=True,
        height=246,
        alt="First rows of the file",
    )
    few = len(looks) < len(preview.columns)
    cut = f" of the first {len(looks)} of {len(preview.columns):,} columns" if few else ""
    st.caption(f"First {len(preview.rows)} rows{cut}, as written; the types are guessed from them.")


def _confirm_and_check(kind: Kind, source: Any, preview: Any) -> str:
    """Let the reader confirm the roles, look the file through, and go on; return the sentence for the head."""
    with st.container(border=True):
        chosen = _confirm(kind, source, preview)
        merges = data.choose_merge(chosen.form, source)
        spec = data.inspection_of(kind, source, chosen, merge_repeats=merges)
        job = data.checked(spec)
        _start(spec, chosen, job)
    name = layout.escape_markdown(source.called, limit=60)
    if job is None:
        return f"{name}: say what its columns are, then have it checked."
    if job.state == "running":
        return f"{name} is being checked."
    found = data.inspection(job, source)
    if isinstance(found, str):
        layout.error_box(found or "Stopped before it ended; check the file again.")
        return f"{name} cannot be used yet."
    data_report_card.draw(found)
    data_next.draw(found, spec, source)
    return data_report.sentence(found)


def _confirm(kind: Kind, source: Any, preview: Any) -> Any:
    """Show the guessed roles."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown("**Which column is what?**", width="content")
        tools = st.popover("What a file holds", icon=":material/help:", type="tertiary", width="content")
    form = data_roles.choose_form(kind, source, preview)
    st.caption(data_roles.FORM_GLOSSES[form])
    with tools:
        st.markdown(data_roles.role_table(kind, form))
        _samples(kind, form)
    chosen = data_roles.choose_roles(kind, form, source, preview)
    for name in chosen.by_name:
        text = f"Column '{name}' is taken as {name} because of its name; rename it in the file if it is something else."
        st.caption(f":material/info: {layout.escape_markdown(text, limit=300)}")
    st.caption(data_roles.others_text(kind, chosen))
    return chosen


def _start(spec: Any, chosen: Any, job: Any | None) -> None:
    """Offer to look the file through, or show that it is being done."""
    if job is not None and job.state == "running":
        st.fragment(_follow, run_every="500ms")(spec)
        return
    label = "Check the data" if job is None else "Check again"
    pressed = st.button(
        label,
        key="data-check-start",
        type="primary" if job is None else "secondary",
        icon=":material/fact_check:",
        disabled=bool(chosen.problems),
    )
    for problem in chosen.problems:
        st.caption(f":material/error: {layout.escape_markdown(problem, limit=300)}")
    if pressed:
        if complaint := data.start_check(spec):
            layout.error_box(complaint)
        else:
            st.rerun()


def _follow(spec: Any) -> None:
    """Show that the file is being looked through; when that has ended, draw the page once more."""
    job = data.checked(spec)
    if job is None or job.state != "running":
        st.rerun()
    left, right = st.columns([0.75, 0.25], vertical_alignment="center")
    left.markdown(f":material/hourglass_top: Checking every row · {job.seconds:.0f} s")
    right.button(
        "Cancel",
        key="data-check-cancel",
        icon=":material/stop:",
        on_click=data.stop,
        args=(DATA["check"],),
        width="stretch",
    )
