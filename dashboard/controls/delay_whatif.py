"""What every method would learn if the world changed: sliders over the law of a run, closed forms, known truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls.delay import page_facts, stored
from dashboard.controls.delay_methods import families
from dashboard.layout import number
from dashboard.state import DELAY
from engine.delay.whatif import Change, Law, law_from, what_if

LEARNED: dict[Literal["stale", "fresh"], str] = {"stale": "before", "fresh": "after"}
FACTORS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
SWEPT = ("dress_style", "exact_joint", "wait", "vanilla")
_POINTS = 41
_KEYS = ("engagement", "conversion", "delay", "waiting", "auxiliary")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the reader made of the world."""

    law: Law
    change: Change
    engagement: float
    waiting_days: float
    auxiliary: Literal["stale", "fresh"]


def law(run: Run) -> Law | None:
    """Return the law of a run, measured on what had matured; none where it is not stored."""
    table = stored(run, "law")
    return law_from(table) if len(table) else None


def has_both_states(base: Law) -> bool:
    """Say whether some exposures engaged and some did not: a state nobody was in has no rates to mix in."""
    return 0.0 < float(base.share[1]) < 1.0


def missing_state(base: Law) -> str:
    """Say which state nobody was in; nothing where there is none."""
    if has_both_states(base):
        return ""
    return f"no {'exposure without engagement' if float(base.share[1]) > 0 else 'engagement'} in these data"


def reset() -> None:
    """Take every change back."""
    for key in _KEYS:
        st.session_state.pop(DELAY[key], None)


def choose(run: Run, base: Law) -> World:
    """Draw the sliders.

    Parameters
    ----------
    run : Run
    base : Law

    Returns
    -------
    World
    """
    start = round(100 * float(base.share[1]))
    missing = missing_state(base)
    first, second, third = st.columns(3, gap="medium")
    with first:
        engagement = st.slider(
            "Engagement rate (%)",
            0,
            100,
            start,
            key=DELAY["engagement"],
            bind="query-params",
            disabled=bool(missing),
            help=f"There is {missing}: how the other state converts is unknown, so the rate cannot be changed."
            if missing
            else f"In these data {number(100 * float(base.share[1]))} % engage by the waiting window.",
        )
        learned = st.segmented_control(
            "Auxiliary models: when learned",
            list(LEARNED),
            default="stale",
            required=True,
            format_func=lambda name: LEARNED[name],
            key=DELAY["auxiliary"],
            bind="query-params",
            help="**Before** the change: everything that needs matured labels is from the old world, as right after a "
            "drift. **After** the change: it has caught up.",
        )
    with second:
        conversion = _factor("Conversion rates times", DELAY["conversion"])
        st.button("Take all changes back", icon=":material/undo:", key="delay-if-reset", on_click=reset)
    with third:
        delay = _factor("Delays times", DELAY["delay"])
        longest = int(np.floor(base.window_days))
        usual = min(max(round(float(page_facts(run)["waiting_days"])), 1), longest)
        waiting = st.slider(
            "Waiting window (days)", 1, longest, usual, key=DELAY["waiting"], bind="query-params", format="%d d"
        )
    auxiliary: Literal["stale", "fresh"] = "fresh" if learned == "fresh" else "stale"
    # The slider has whole percents: untouched, it stands for the exact rate.
    share = None if missing or engagement == start else engagement / 100
    return World(
        law=base,
        change=Change(engagement=share, conversion_factor=conversion, delay_factor=delay),
        engagement=float(base.share[1]) if share is None else share,
        waiting_days=float(waiting),
        auxiliary=auxiliary,
    )


def _factor(label: str, key: str) -> float:
    """Draw the slider of a factor."""
    words = [f"{factor:g}" for factor in FACTORS]
    chosen = st.select_slider(label, words, value="1", key=key, bind="query-params")
    return float(chosen) if chosen in words else 1.0


def learned(world: World) -> pd.DataFrame:
    """Return what every method learns, in the order of the families."""
    table = what_if(world.law, world.change, waiting_days=world.waiting_days, auxiliary=world.auxiliary)
    order = [method for family in families(table["method"]).values() for method in family]
    return table.set_index("method").reindex([name for name in order if name in set(table["method"])]).reset_index()


def swept_over(world: World) -> tuple[Literal["engagement", "delay_factor"], float]:
    """Return what the sweep changes, and where it stands now: delays where there is one engagement state only."""
    if has_both_states(world.law):
        return "engagement", world.engagement
    return "delay_factor", world.change.delay_factor


def sweep(world: World) -> pd.DataFrame:
    """Return how far some methods are off at every engagement rate, or factor of the delays, all else as chosen."""
    over, _ = swept_over(world)
    points = np.linspace(0.0, 1.0, _POINTS) if over == "engagement" else np.geomspace(FACTORS[0], FACTORS[-1], _POINTS)
    parts = []
    for point in points:
        change = replace(world.change, **{over: float(point)})
        table = what_if(world.law, change, waiting_days=world.waiting_days, auxiliary=world.auxiliary)
        parts.append(table[table["method"].isin(SWEPT)].assign(**{over: float(point)}))
    table = pd.concat(parts, ignore_index=True)
    return (
        table.assign(method=pd.Categorical(table["method"], SWEPT, ordered=True))
        .sort_values(["method", over])
        .astype({"method": str})
    )


def sentence(table: pd.DataFrame) -> str:
    """Say the truth, and what ours, exact weights without signals, and vanilla make of it."""
    rows = table.set_index("method")
    truth = float(rows["truth"].iloc[0])
    parts = [
        f"{name} {_points(rows.loc[method, 'bias'])}"
        for method, name in (
            ("dress_style", "ours"),
            ("exact_joint", "exact weights without signals"),
            ("wait", "waiting"),
            ("vanilla", "vanilla"),
        )
    ]
    return f"The truth is {number(100 * truth)} %. Off by: {', '.join(parts)}."


def _points(bias: float) -> str:
    """Write a bias in percentage points; what rounding leaves is nothing."""
    return f"{number(100 * bias)} points" if abs(bias) > 1e-12 else "nothing"


def law_note(run: Run) -> str:
    """Say what the law was measured on; of a state that nobody was in only that."""
    table = stored(run, "law").drop_duplicates("state")
    parts = [
        f"{row.state}: {number(100 * row.share)} % of the exposures, {number(100 * row.conversion)} % of them convert "
        f"(n {int(row.n):,})"
        for row in table[table["n"] > 0].itertuples()
    ]
    base = law(run)
    parts += [missing_state(base)] if base is not None and not has_both_states(base) else []
    return f"The law before the change, from the exposures that had matured: {'; '.join(parts)}."


def drift_sentence(run: Run) -> str:
    """Say what signals are worth if the engagement rate of these data doubled or halved, from the closed forms."""
    base = law(run)
    if base is None or not has_both_states(base):
        return ""
    old = float(base.share[1])
    new = 2 * old if old <= 0.5 else old / 2
    waiting = min(float(page_facts(run)["waiting_days"]), base.window_days)
    rows = what_if(base, Change(engagement=new), waiting_days=waiting).set_index("method")
    return (
        f"Under drift: were the engagement rate of these data to go from {number(100 * old)} % "
        f"to {number(100 * new)} % before the weights are learned again, the rate learned without signals would be off "
        f"by {_points(rows.loc['exact_joint', 'bias'])}, with them by {_points(rows.loc['dress_style', 'bias'])} "
        f"(truth {number(100 * float(rows['truth'].iloc[0]))} %, closed form; see **What if**)."
    )
