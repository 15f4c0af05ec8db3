"""What every method would learn if the world changed, where the truth is known."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_whatif
from dashboard.glossary import TERMS
from engine.figures.delay_whatif import what_if_bars, what_if_sweep


def draw(run: Run) -> None:
    """Draw the tab.

    Parameters
    ----------
    run : Run
    """
    base = delay_whatif.law(run)
    if base is None:
        layout.empty_state(
            "No exposure had its whole window by the day looked at, so there is no law to change. Describe a later day "
            "with --as-of."
            if delay.is_described(run)
            else f"This run holds no law to change. {delay.AGAIN}"
        )
        return
    st.markdown(
        ":orange-badge[:material/science: Made up, truth known] What would every method learn if the world changed?",
        help=TERMS["what_if_delay"].help(),
    )
    world = delay_whatif.choose(run, base)
    table = delay_whatif.learned(world)
    sentence = delay_whatif.sentence(table)
    st.markdown(f"##### {sentence}")
    left, right = st.columns(2, gap="medium")
    with left:
        layout.chart_card(
            what_if_bars(table, truth=float(table["truth"].iloc[0])),
            table,
            key="delay-if-chart",
            title="What every method learns",
            how_to_read=f"{TERMS['what_if_delay'].help()}  \nDashed: the truth after the change. In brackets: learned "
            "minus truth, in percentage points. Nothing is sampled, so there are no intervals.",
            alt=sentence,
        )
    with right:
        _sweep(world, height=70 + 26 * len(table), alt=sentence)
    st.caption(delay_whatif.law_note(run))


def _sweep(world: delay_whatif.World, *, height: int, alt: str) -> None:
    """Draw how far off the methods are over the engagement rate, or over the delays where it cannot change."""
    swept = delay_whatif.sweep(world)
    over, here = delay_whatif.swept_over(world)
    missing = delay_whatif.missing_state(world.law)
    words = (
        f"There is {missing}, so the delays change instead. Signals cannot help: ours and the exact weights without "
        "signals are the same."
        if missing
        else "**Blue** weighs each engagement state on its own: a drift of the engagement rate leaves its weights "
        "right. Weights without signals mix both states in the old proportion. A change of conversion rates or delays "
        "makes both stale."
    )
    layout.chart_card(
        what_if_sweep(swept, over=over, here=here, height=height),
        swept,
        key="delay-if-sweep",
        title="How far off, by " + ("engagement rate" if over == "engagement" else "factor of the delays"),
        how_to_read=f"All else as chosen above. {words}",
        alt=alt,
    )
