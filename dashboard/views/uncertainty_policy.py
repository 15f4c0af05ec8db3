"""Policy: take thresholds away with a few lines of Python that apply them, bring them back, judge them on new rows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import EngineError
from dashboard.controls import uncertainty as controls
from dashboard.controls import uncertainty_policy as policies
from dashboard.glossary import TERMS


def draw(choice: controls.Choice) -> None:
    """Draw the tab.

    Parameters
    ----------
    choice : Choice
    """
    left, right = st.columns(2, gap="medium")
    with left:
        _take(choice)
    with right:
        _bring()


def _take(choice: controls.Choice) -> None:
    """Show a boundary as a policy and as Python, both to be taken away."""
    with st.container(border=True):
        st.markdown("**Take thresholds away**", help=TERMS["policy"].help())
        try:
            policy = policies.boundary_choice(choice)
        except EngineError as error:
            layout.error_box(error)
            return
        st.table(policies.threshold_table(policy), border="horizontal", hide_index=True)
        for said in policies.cautions(choice, policy):
            st.caption(f":material/warning: {said}")
        code = policies.as_python(policy)
        with st.container(horizontal=True):
            st.download_button(
                "Policy (JSON)",
                data=lambda: policies.as_json(policy).encode(),
                file_name="policy.json",
                mime="application/json",
                key="policy-json",
                on_click="ignore",
                icon=":material/download:",
                type="primary",
            )
            st.download_button(
                "Python",
                data=code.encode(),
                file_name="policy.py",
                mime="text/x-python",
                key="policy-python",
                on_click="ignore",
                icon=":material/download:",
            )
        st.caption("The same thresholds as a program that needs nothing but Python:")
        st.code(code, language="python", height=380, wrap_lines=True)


def _bring() -> None:
    """Read a policy and judge it on new rows."""
    with st.container(border=True):
        st.markdown("**Judge a policy on new rows**")
        st.caption(
            "Nothing that you give is stored. The new rows need the columns **label** (0 or 1), **score** and "
            "**uncertainty**, on the scale of the score that the policy was made for."
        )
        imported = policies.uploaded_policy()
        rows, complaint = policies.uploaded_rows()
        if complaint:
            layout.error_box(complaint)
        if imported is None:
            layout.empty_state("Give a policy that was taken away here or with `python -m engine policy export`.")
            return
        if imported.policy is None:
            layout.error_box(imported.complaint)
            return
        st.markdown(policies.origin(imported.policy))
        st.table(policies.threshold_table(imported.policy), border="horizontal", hide_index=True)
        if rows is not None:
            _judged(imported.policy, rows)
        elif not complaint:
            layout.empty_state("Now give rows that the thresholds have not seen.")


def _judged(policy: Any, rows: Any) -> None:
    """Show what a policy achieves on new rows."""
    try:
        found = policies.judged(policy, rows)
    except EngineError as error:
        layout.error_box(error)
        return
    kind, text = policies.verdict(policy, found)
    getattr(st, kind)(text)
    st.table(policies.then_and_now(policy, found), border="horizontal")
