"""How long to wait: the trade-off of one window, and the law that the delays follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls.delay import Choice, arrival_rows, flip_rows, stored
from dashboard.layout import number
from dashboard.state import DELAY
from engine.figures.theme import METHOD_LABEL
from engine.metrics.calibration import wilson_interval

_FIRST = ("exact_joint", "kaplan_meier")
"""The estimators that open: the first that is stored."""
_WEEK = 7.0
_LAWS = {"exponential": "Exponential", "weibull": "Weibull"}


def hazard_rows(run: Run, group: str) -> pd.DataFrame:
    """Return the weekly hazard of one grouping: of those still negative at the start of a week, how many convert in it.

    Parameters
    ----------
    run : Run
    group : str

    Returns
    -------
    DataFrame
        ``key, elapsed_days`` (middle of the week), ``hazard, hazard_low, hazard_high, at_risk`` (at its start),
        ``visible_share, n``; empty where no hazard is stored.

    Notes
    -----
    h_week = 1 − Π (1 − h_step), with Wilson's interval on those at risk at the start of the week.
    """
    rows = flip_rows(run, group)
    if "hazard" not in rows:
        return pd.DataFrame()
    parts = []
    for key, line in rows.groupby("key", sort=False):
        line = line.sort_values("elapsed_days")
        days, at_risk = line["elapsed_days"].to_numpy(), line["at_risk"].to_numpy(dtype=float)
        step = max(1, round(_WEEK / float(days[1] - days[0]))) if len(days) > 1 else 1
        starts = np.arange(0, len(days) - 1, step)
        ends = np.minimum(starts + step, len(days) - 1)
        stays = np.append(1.0, np.cumprod(1.0 - line["hazard"].fillna(0.0).to_numpy()[1:]))
        # Once everybody has converted there is nobody left to ask about.
        left = stays[starts] > 0
        hazard = 1.0 - np.divide(stays[ends], stays[starts], out=np.full(starts.size, np.nan), where=left)
        low, high = wilson_interval(np.where(left, hazard, 0.0) * at_risk[starts], np.where(left, at_risk[starts], 0.0))
        parts.append(
            pd.DataFrame(
                {
                    "key": key,
                    "elapsed_days": (days[starts] + days[ends]) / 2,
                    "hazard": hazard,
                    "hazard_low": low,
                    "hazard_high": high,
                    "at_risk": at_risk[starts],
                    "visible_share": line["visible_share"].to_numpy()[ends],
                    "n": line["n"].max(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def has_tradeoff(run: Run, segment: str) -> bool:
    """Say whether the error of a window is known for a segment."""
    table = stored(run, "tradeoff")
    return bool(len(table)) and bool((table["segment"] == segment).any())


def choose_estimator(run: Run, segment: str) -> str:
    """Let the reader choose whose error is taken apart."""
    table = stored(run, "tradeoff")
    names = list(dict.fromkeys(table.loc[table["segment"] == segment, "estimator"]))
    chosen = st.selectbox(
        "Estimator whose error is taken apart",
        names,
        index=next((names.index(name) for name in _FIRST if name in names), 0),
        format_func=lambda name: METHOD_LABEL[name],
        key=DELAY["estimator"],
        bind="query-params",
    )
    return chosen if chosen in names else names[0]


def tradeoff_rows(run: Run, segment: str, estimator: str) -> pd.DataFrame:
    """Return the parts of an estimator's error by window, all as sizes."""
    table = stored(run, "tradeoff")
    rows = table[(table["segment"] == segment) & (table["estimator"] == estimator)]
    return rows.assign(
        bias=rows["bias"].abs(), spread=np.sqrt(rows["variance"]), staleness=rows["staleness"].abs()
    ).sort_values("waiting_days")


def tradeoff_sentence(run: Run, choice: Choice, estimator: str) -> str:
    """Say where the error is smallest, and what it is at the window of the slider."""
    rows = tradeoff_rows(run, choice.segment, estimator)
    name = METHOD_LABEL[estimator].split(" (")[0]
    best = rows[rows["optimum"].astype(bool)]
    if best.empty:
        return f"**{name}** has no optimum here: too few exposures."
    top = next(best.itertuples())
    parts = [f"**{name}** errs least at a window of {_days(top.waiting_days)}: {_points(top)}"]
    here = rows[np.isclose(rows["waiting_days"], choice.waiting_days)]
    if len(here) and np.isfinite(here["error"].iloc[0]):
        parts.append(f"at the slider's {_days(choice.waiting_days)}: {_points(next(here.itertuples()))}")
    if "is_apart" in rows and len(rows) > 1:
        parts.append(_told_apart(rows))
    return "; ".join(parts) + f" · n {int(top.rows):,} exposures."


def _told_apart(rows: pd.DataFrame) -> str:
    """Say of how many other windows the best one is known to err less."""
    others = rows[~rows["optimum"].astype(bool)]
    apart = int(others["is_apart"].sum())
    words = {0: "no other window can be told from it", len(others): "all other windows err more"}
    return words.get(apart, f"{apart} of the {len(others)} other windows err more, the rest cannot be told from it")


def _days(count: float) -> str:
    """Write a length of time in days."""
    return f"{count:g} day" + ("" if count == 1 else "s")


def _points(row: Any) -> str:
    """Write an error with its interval in percentage points."""
    low, high = number(100 * row.error_low), number(100 * row.error_high)
    return f"{number(100 * row.error)} points [{low}, {high}]"


def completeness_rows(run: Run, segment: str) -> pd.DataFrame:
    """Return what every window sees, and the share of the exposures that are old enough for it."""
    windows = run.curve("windows")
    rows = windows[windows["segment"] == segment]
    n = float(arrival_rows(run, segment, "snapshot")["n"].max())
    return rows.assign(readable=rows["read"] / n)[
        ["waiting_days", "seen", "seen_low", "seen_high", "readable", "read", "seen_final"]
    ]


def completeness_sentence(run: Run, choice: Choice) -> str:
    """Say what the window of the slider sees and what it leaves out."""
    rows = completeness_rows(run, choice.segment)
    row = next(rows[rows["waiting_days"] == choice.waiting_days].itertuples())
    return (
        f"A window of {_days(choice.waiting_days)} sees {number(100 * row.seen)} % of the positives "
        f"[{number(100 * row.seen_low)}, {number(100 * row.seen_high)}]; {number(100 * row.readable)} % of the "
        f"exposures are old enough to be read · n {int(row.read):,}."
    )


def cure_rows(run: Run, segment: str) -> pd.DataFrame:
    """Return fitted laws beside the Kaplan–Meier curve, and by how much they miss; empty where none is stored."""
    rows = arrival_rows(run, segment, "snapshot")
    if "cure_exponential" not in rows:
        return pd.DataFrame()
    return rows.assign(**{f"miss_{law}": rows[f"cure_{law}"] - rows["converted"] for law in _LAWS})


def cure_summary(run: Run, segment: str) -> pd.DataFrame:
    """Write the fitted laws of a segment out for reading."""
    table = stored(run, "cure")
    if table.empty:
        return table
    rows = table[(table["view"] == "snapshot") & (table["key"] == segment)]
    return pd.DataFrame(
        {
            "Law": [_LAWS.get(law, law) for law in rows["law"]],
            "Converts ever": rows["converted"],
            "95 % interval": [
                f"[{number(100 * low)}, {number(100 * high)}] %"
                for low, high in zip(rows["converted_low"], rows["converted_high"], strict=True)
            ],
            "Within the window": rows["converted_within"],
            "Kaplan–Meier": rows["km_within"],
            "Largest miss": rows["gap_max"],
            "Log-likelihood": rows["log_likelihood"],
            "n": rows["n"],
        }
    )


def cure_sentence(run: Run, segment: str) -> str:
    """Say which law fits better and by how much it still misses."""
    table = stored(run, "cure")
    rows = table
    if len(table):
        rows = table[(table["view"] == "snapshot") & (table["key"] == segment) & table["log_likelihood"].notna()]
    if rows.empty:
        return "No delay law could be fitted here."
    best = rows.loc[rows["log_likelihood"].idxmax()]
    others = rows[rows["law"] != best["law"]]
    gain = "" if others.empty else f", by {number(best['log_likelihood'] - others['log_likelihood'].max())} nats"
    return (
        f"The {_LAWS.get(best['law'], best['law'])} mixture cure fits better{gain}; it still misses the Kaplan–Meier "
        f"curve by up to {number(100 * best['gap_max'])} points and says that {number(100 * best['converted'])} % "
        f"[{number(100 * best['converted_low'])}, {number(100 * best['converted_high'])}] convert ever, "
        f"{number(100 * best['converted_within'])} % within the window · n {int(best['n']):,}."
    )
