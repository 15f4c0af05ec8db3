"""Another share of positives than the rows have: how the reader states it, and what follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard.controls import thresholds
from dashboard.controls.thresholds import Choice
from dashboard.controls.uncertainty_outcome import SPLITS
from dashboard.layout import number
from dashboard.state import EDITOR
from engine.uncertainty.decision import Decision
from engine.uncertainty.objectives import odds_factor, shifted_target, under_shift

By = Literal["rate", "tau", "kappa"]
WAYS: dict[By, str] = {"rate": "New base rate", "tau": "Negatives were thinned", "kappa": "Drift factor"}
MOST_HELD = 0.99
"""Largest precision that the editor holds."""
_KEPT: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def factor(choice: Choice) -> float:
    """Let the reader state a shift in one of three ways, and return the factor on the odds of a positive."""
    by = st.radio("Stated as", list(WAYS), format_func=WAYS.__getitem__, key=EDITOR["shift_by"], **_KEPT)
    grid = choice.editor.grids["tune"]
    base = float(grid.positives.sum() / grid.totals.sum())
    if by == "tau":
        kept = st.number_input(
            "One negative in so many was kept",
            1.0,
            10_000.0,
            10.0,
            step=1.0,
            key=EDITOR["tau"],
            help="Where negatives were sampled for training or labelling, the stream has this many times more.",
            **_KEPT,
        )
        return 1 / float(kept)
    if by == "kappa":
        help_text = "1: no change; 0.5: positives half as frequent beside negatives."
        kappa = st.number_input(
            "Factor on the odds of a positive", 0.01, 100.0, 0.8, step=0.1, key=EDITOR["kappa"], help=help_text, **_KEPT
        )
        return float(kappa)
    rate = st.number_input(
        "Share of positives then, in percent",
        0.001,
        99.0,
        round(50 * base, 3),
        step=0.5,
        format="%.3f",
        key=EDITOR["rate"],
        help=f"The tuning rows have {100 * base:.3g} %.",
        **_KEPT,
    )
    return odds_factor(base, float(rate) / 100)


def table(mine: Mapping[str, Decision], kappa: float) -> pd.DataFrame:
    """Write what a boundary achieves now and under the shift, on both splits."""
    lines = []
    for split, rows in SPLITS.items():
        decision = mine[split]
        then = under_shift(decision, kappa)
        recall = _text(*decision.recall)
        shown = {
            "Precision": (_text(*decision.precision), _text(*(then[key] for key in _PRECISION))),
            "Recall": (recall, recall),
            "Share selected": (number(decision.coverage), number(then["coverage"])),
            "Share of positives": (number(decision.positives / decision.rows), number(then["base_rate"])),
        }
        for name, (before, after) in shown.items():
            heading = f"{name}, {rows} (n {decision.rows:,})"
            lines.append({"": heading, "As the rows are": before, "Under the shift": after})
    return pd.DataFrame(lines).set_index("")


_PRECISION = ("precision", "precision_low", "precision_high")


def _text(value: float, low: float, high: float) -> str:
    """Write a share with its interval."""
    return f"{number(value)} [{number(low)}, {number(high)}]"


def sentence(choice: Choice, kappa: float) -> str:
    """Say what to ask for now to have the precision of the page under the shift.

    What is held in the editor would not do: it is what is asked for on these rows, by the button itself for one.
    """
    now = shifted_target(choice.target, kappa)
    return (
        f"Recall stays, because the positives look as before. To have precision {choice.target:.2f} under the shift, "
        f"hold {now:.3g} on these rows."
    )


def hold_button(choice: Choice, kappa: float) -> None:
    """Offer to hold the precision that means the wanted one under the shift."""
    wanted = shifted_target(choice.target, kappa)
    # Rounded down, it would mean less than the precision wanted.
    now = min(max(math.ceil(100 * wanted - 1e-9) / 100, 0.01), MOST_HELD)
    st.button(
        f"Hold {now:.2f} on these rows",
        key="uncertainty-hold-shifted",
        on_click=_hold,
        args=(choice, now),
        icon=":material/target:",
        help="Places the thresholds so that the precision under the shift is at least the one asked for."
        if wanted <= MOST_HELD
        else f"At most {MOST_HELD} can be held.",
        disabled=wanted > MOST_HELD,
    )


def _hold(choice: Choice, aim: float) -> None:
    """Hold another precision."""
    st.session_state[EDITOR["mode"]] = "precision"
    st.session_state[EDITOR["aim"]] = aim
    thresholds.place_anew(choice)
