"""The weights that methods train with: how they spread, what a limit on them would cost, and the largest ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls.delay import segment_text, stored
from dashboard.controls.delay_methods import families
from dashboard.layout import number
from dashboard.state import DELAY
from engine.figures.theme import METHOD_LABEL

NO_LIMIT = "none"
_SHOWN_FIRST = ("dress_style", "es_dfm", "defer", "fsiw")
_MOST = 5
_SUMS = ("n", "weight_sum", "weight_square_sum")


def has_sums(run: Run) -> bool:
    """Say whether the stored histogram knows the sums that clipping needs."""
    return set(_SUMS) <= set(run.curve("weights"))


def weighing(table: pd.DataFrame) -> list[str]:
    """Return the methods whose weights are not all 1, in the order of the families."""
    is_one = (table["bin_low"] < 1.0) & (table["bin_high"] >= 1.0 - 1e-9) & (table["label"] != "pending")
    moving = set(table.loc[(table["n"] > 0) & ~is_one, "method"])
    return [method for family in families(table["method"]).values() for method in family if method in moving]


def choose(run: Run) -> tuple[list[str], str, float | None]:
    """Let the reader choose methods, a segment, and a limit on the weights.

    Parameters
    ----------
    run : Run

    Returns
    -------
    methods : list of str
    segment : str
    clip : float, optional
        A bin edge; none for no limit.
    """
    table = run.curve("weights")
    methods, segments = weighing(table), list(dict.fromkeys(table["segment"])) if "segment" in table else ["all"]
    left, middle, right = st.columns([0.5, 0.17, 0.33], vertical_alignment="bottom", gap="medium")
    with left:
        chosen = st.multiselect(
            "Methods whose rows are weighted",
            methods,
            default=[method for method in _SHOWN_FIRST if method in methods] or methods[:2],
            format_func=lambda name: METHOD_LABEL.get(name, name),
            max_selections=_MOST,
            key=DELAY["weights"],
            bind="query-params",
        )
    with middle:
        segment = st.selectbox(
            "Segment",
            segments,
            format_func=segment_text,
            key=DELAY["weight_segment"],
            bind="query-params",
            disabled=len(segments) < 2,
        )
    with right:
        edges = [*[f"{edge:.3g}" for edge in limits(table)], NO_LIMIT]
        clip = st.select_slider(
            "Cut weights at",
            edges,
            value=NO_LIMIT,
            key=DELAY["clip"],
            bind="query-params",
            disabled=not has_sums(run),
            help="A limit trades bias for stability. The figures below are exact: the sums of every bin are stored.",
        )
    limit = next((edge for edge in limits(table) if f"{edge:.3g}" == clip), None)
    return [name for name in methods if name in chosen], segment if segment in segments else "all", limit


def limits(table: pd.DataFrame) -> list[float]:
    """Return the bin edges at which the weights can be cut, smallest first."""
    used = table[table["n"] > 0]
    return sorted({float(edge) for edge in used["bin_high"]} | {float(edge) for edge in used["bin_low"] if edge > 0})


def histogram(run: Run, methods: list[str], segment: str) -> pd.DataFrame:
    """Return the histogram of some methods in one segment."""
    table = run.curve("weights")
    rows = table[table["method"].isin(methods)]
    return rows[rows["segment"] == segment] if "segment" in rows else rows


def clipped(table: pd.DataFrame, clip: float | None) -> pd.DataFrame:
    """Work out what a limit on the weights does to every method, exactly, from the sums of the bins.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, label, bin_low, n, weight_sum, weight_square_sum``; one segment.
    clip : float, optional
        A bin edge; none for no limit.

    Returns
    -------
    DataFrame
        ``method, mean_weight, ess_share, clipped_share, rows`` of the labels as seen.

    Notes
    -----
    A bin above the limit c keeps its n rows and gets the sums n c and n c²; ESS = (Σ w)² ÷ (n Σ w²).
    """
    return _cut(table, [float("inf") if clip is None else clip]).drop(columns="clip")


def clip_path(table: pd.DataFrame) -> pd.DataFrame:
    """Return what every possible limit does: `clipped` at each bin edge, with the edge as ``clip``."""
    return _cut(table, limits(table))


def _cut(table: pd.DataFrame, clips: list[float]) -> pd.DataFrame:
    """Apply several limits at once; see `clipped`."""
    limit = np.array(clips)
    parts = []
    for method, rows in table[(table["label"] != "pending") & (table["n"] > 0)].groupby("method", sort=False):
        low, n, total, squares = (rows[name].to_numpy(dtype=float)[:, np.newaxis] for name in ("bin_low", *_SUMS))
        over = low >= limit - 1e-9  # (bins, limits)
        finite = np.where(np.isfinite(limit), limit, 0.0)
        mass = np.where(over, n * finite, total).sum(axis=0)
        square = np.where(over, n * finite**2, squares).sum(axis=0)
        parts.append(
            pd.DataFrame(
                {
                    "method": method,
                    "mean_weight": mass / n.sum(),
                    "ess_share": mass**2 / (n.sum() * square),
                    "clipped_share": (over * n).sum(axis=0) / n.sum(),
                    "rows": int(n.sum()),
                    "clip": limit,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def summary(run: Run, methods: list[str], segment: str, clip: float | None) -> pd.DataFrame:
    """Write the weights of the chosen methods out for reading, before and after the limit."""
    rows = run.metrics[(run.metrics["split"] == "train") & (run.metrics["segment"] == "all")]
    value = rows.pivot_table(index="method", columns="metric", values="value", sort=False).reindex(methods)
    share = rows[rows["metric"] == "ess_share"].set_index("method").reindex(methods)
    table = pd.DataFrame(
        {
            "Method": [METHOD_LABEL.get(method, method) for method in methods],
            "ESS as trained": value["ess_share"],
            "95 %": [f"[{number(a)}, {number(b)}]" for a, b in zip(share["ci_low"], share["ci_high"], strict=True)],
            "Largest": value["max_weight"],
            "Clipped": value["clipped_share"],
            "Units": share["n"],
        }
    ).reset_index(drop=True)
    if not has_sums(run):
        return table
    after = clipped(histogram(run, methods, segment), clip).set_index("method").reindex(methods)
    return table.assign(
        **{
            "ESS at limit": after["ess_share"].to_numpy(),
            "Mean at limit": after["mean_weight"].to_numpy(),
            "Cut at limit": after["clipped_share"].to_numpy(),
            "Rows": after["rows"].to_numpy(),
        }
    )


def tails(run: Run, methods: list[str]) -> pd.DataFrame:
    """List the largest weights of some methods, largest first."""
    table = stored(run, "tails")
    if table.empty:
        return table
    rows = table[table["method"].isin(methods)].sort_values("weight", ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "Method": [METHOD_LABEL.get(method, method) for method in rows["method"]],
            "Weight": rows["weight"].astype(float),
            "Share": rows["weight_share"].astype(float),
            "Label": rows["label"].astype(str),
            "Age": rows["age_days"].astype(float),
            "Segment": rows["segment"].astype(str),
            "Exposure": rows["exposure_id"].astype(str),
        }
    )


def sentence(run: Run, methods: list[str], segment: str, clip: float | None) -> str:
    """Say what the limit does to every chosen method."""
    table = histogram(run, methods, segment)
    if not methods or table.empty or not has_sums(run):
        return "Choose a method whose rows are weighted."
    before = clipped(table, None).set_index("method")
    parts = []
    after = clipped(table, clip).set_index("method").reindex(methods)
    for row in after.reset_index().itertuples():
        old = before.loc[row.method]
        name = METHOD_LABEL.get(row.method, row.method)
        now = "" if clip is None else f" → {number(100 * row.ess_share)} % with {number(100 * row.clipped_share)} % cut"
        parts.append(f"{name} {number(100 * old['ess_share'])} %{now} · n {int(row.rows):,} rows")
    return f"Effective sample share, {segment_text(segment)}: {'; '.join(parts)}."
