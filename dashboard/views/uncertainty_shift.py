"""What if the share of positives changes: precision and recall under a shift beside those of now."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import uncertainty as controls
from dashboard.controls import uncertainty_shift as shift
from dashboard.glossary import TERMS
from dashboard.state import EDITOR


def draw(choice: controls.Choice, mine: Any) -> None:
    """Draw the part, computed only while it is open.

    Parameters
    ----------
    choice : Choice
    mine : mapping
        Split to the decision of the boundary.
    """
    part = st.expander("What if the share of positives changes?", key=EDITOR["shift"], on_change="rerun")
    if not part.open:
        return
    with part:
        left, right = st.columns([0.36, 0.64], gap="medium")
        with left:
            kappa = shift.factor(choice)
            st.caption(
                f"The odds of a positive change by the factor **{kappa:.3g}**.", help=TERMS["prior_shift"].help()
            )
            shift.hold_button(choice, kappa)
        with right:
            st.table(shift.table(mine, kappa), border="horizontal")
            st.caption(shift.sentence(choice, kappa))
            layout.empty_state(
                "This holds if positives and negatives each look as before and only their shares change; if the scores "
                "of either change, count anew on rows of the new kind (tab **Policy**)."
            )
