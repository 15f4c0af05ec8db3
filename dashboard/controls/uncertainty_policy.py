"""Take thresholds out of a run as a policy, bring one back, and judge it on new rows."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.controls import thresholds
from dashboard.controls.thresholds import EDITED, SINGLE, Choice
from dashboard.controls.uncertainty_outcome import caution
from dashboard.layout import escape_markdown, number
from dashboard.state import POLICY
from dashboard.state import UNCERTAINTY as KEY
from engine.errors import DataError
from engine.figures.theme import METHOD_LABEL
from engine.uncertainty.names import scorer_label
from engine.uncertainty.policy import Policy, export_policy, make_policy, outcome_metrics, policy_text, read_policy
from engine.uncertainty.policy_use import Judged, judge_policy, policy_code

MOST_POLICY = 1_000_000
"""Bytes of a policy at most."""
MOST_ROWS = 20 * 1024 * 1024
"""Bytes of new rows at most."""
MOST_COLUMNS = 200
FOLDED = ("recalibrated", "boosted", "matched_prior", "placebo")
"""Methods whose thresholds belong to another score or another uncertainty, so they cannot be taken out."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Hold a policy that was brought back, or why it could not be read."""

    policy: Policy | None
    complaint: str = ""


def boundary_choice(choice: Choice) -> Policy:
    """Let the reader choose a boundary, and return it as a policy."""
    table = choice.run.curve("boundaries")
    own = table[table["scorer"] == choice.scorer]
    methods = [EDITED, *(m for m in dict.fromkeys(own["method"]) if m not in FOLDED)]
    left, right = st.columns([0.6, 0.4])
    method = left.selectbox(
        "Thresholds",
        methods,
        format_func=lambda key: "Yours, as they stand now" if key == EDITED else METHOD_LABEL.get(key, key),
        key=POLICY["method"],
    )
    if method not in methods or method == EDITED:
        return _edited(choice)
    targets = sorted(own["target"].unique().tolist())
    target = right.selectbox("Precision at least", targets, format_func=lambda t: f"{t:.2f}", key=POLICY["target"])
    target = target if target in targets else targets[0]
    return export_policy(choice.run, scorer=choice.scorer, method=method, target=target)


def _edited(choice: Choice) -> Policy:
    """Write the reader's boundary, or the optimum where none was moved."""
    editor, goal = choice.editor, thresholds.goal_of(choice)
    cuts = st.session_state.get(KEY["cuts"])
    if cuts is None or len(cuts) != editor.n_buckets:
        cuts = thresholds.solve(choice, goal)
    return make_policy(
        choice.run,
        scorer=choice.scorer,
        method=EDITED,
        target=goal.aim if goal.mode in ("free", "precision") else None,
        edges=editor.layout.uncertainty_edges,
        thresholds=editor.thresholds_of(cuts),
        tune=outcome_metrics(editor.decide(cuts, "tune")),
        test=outcome_metrics(editor.decide(cuts, "test")),
    )


def as_json(policy: Policy) -> str:
    """Write a policy as JSON."""
    return policy_text(policy)


def as_python(policy: Policy) -> str:
    """Write a policy as Python that needs nothing else."""
    return policy_code(policy)


def threshold_table(policy: Policy) -> pd.DataFrame:
    """Write the thresholds of a policy, one line per bucket."""
    lows = [-np.inf, *policy.uncertainty_edges]
    highs = [*policy.uncertainty_edges, np.inf]
    lines = []
    for bucket, (low, high, threshold) in enumerate(zip(lows, highs, policy.thresholds, strict=True), 1):
        span = "any" if np.isinf(low) and np.isinf(high) else ""
        span = span or (f"up to {number(high)}" if np.isinf(low) else f"above {number(low)}")
        span += f" and up to {number(high)}" if np.isfinite(low) and np.isfinite(high) else ""
        told = "all" if threshold == -np.inf else "none" if threshold == np.inf else f"from {threshold:.6g}"
        lines.append({"Bucket": bucket, "Uncertainty": span, "Selected, by score": told})
    return pd.DataFrame(lines)


def cautions(choice: Choice, policy: Policy) -> list[str]:
    """Say which buckets have tuning rows that hardly tell a threshold, as their sliders do.

    Parameters
    ----------
    choice : Choice
    policy : Policy
        Of the shown run. With other buckets than those of the sliders, or with one threshold for all, nothing is said.

    Returns
    -------
    list of str
        One sentence per reason, with the buckets it holds for.
    """
    layout, grid = choice.editor.layout, choice.editor.grids["tune"]
    if policy.method == SINGLE or tuple(layout.uncertainty_edges.tolist()) != policy.uncertainty_edges:
        return []
    found: dict[str, list[str]] = {}
    for bucket, (n, positives) in enumerate(zip(grid.totals.sum(axis=1), grid.positives.sum(axis=1), strict=True), 1):
        if said := caution(int(n), int(positives)):
            found.setdefault(said, []).append(str(bucket))
    return [f"{'Bucket' if len(own) == 1 else 'Buckets'} {', '.join(own)}: {said}" for said, own in found.items()]


def uploaded_policy() -> Imported | None:
    """Let the reader bring a policy back."""
    file = st.file_uploader("A policy (JSON)", type=["json"], key=POLICY["file"], max_upload_size=1)
    if file is None:
        return None
    if file.size > MOST_POLICY:
        return Imported(None, f"The file has {file.size:,} bytes; a policy has at most {MOST_POLICY:,}.")
    try:
        return Imported(read_policy(file.getvalue().decode("utf-8")))
    except UnicodeDecodeError:
        return Imported(None, "This is no text; give a policy that was exported.")
    except (DataError, RecursionError) as error:
        return Imported(None, str(error) if isinstance(error, DataError) else "This is no policy.")


def origin(policy: Policy) -> str:
    """Say where a policy comes from."""
    aim = "no precision target" if policy.target is None else f"precision target {policy.target:.2f}"
    method = "moved by hand" if policy.method == EDITED else METHOD_LABEL.get(policy.method, policy.method)
    return (
        f"{escape_markdown(method)} for {escape_markdown(scorer_label(policy.scorer))} · {aim} · run "
        f"**{escape_markdown(policy.run)}** · made {escape_markdown(policy.made[:16])}"
    )


def uploaded_rows() -> tuple[pd.DataFrame | None, str]:
    """Let the reader bring new labelled rows; return them, or why they cannot be read."""
    file = st.file_uploader(
        "New rows (CSV or Parquet, at most 20 MB)",
        type=["csv", "parquet"],
        key=POLICY["rows"],
        max_upload_size=20,
        help="Columns label, score, uncertainty; also weight (how many rows a line stands for) and unit (what rows of "
        "one customer or household share).",
    )
    if file is None:
        return None, ""
    if file.size > MOST_ROWS:
        return None, f"The file has {file.size / 2**20:.1f} MB; at most {MOST_ROWS // 2**20} MB are read."
    try:
        return read_rows(file.getvalue(), is_parquet=file.name.lower().endswith(".parquet")), ""
    except DataError as error:
        return None, str(error)


def read_rows(content: bytes, *, is_parquet: bool) -> pd.DataFrame:
    """Read the columns that judging needs from an uploaded table.

    Raises
    ------
    DataError
        If it is no table, has too many columns or no rows.
    """
    needed = ["label", "score", "uncertainty", "weight", "unit"]
    source = io.BytesIO(content)
    try:
        if is_parquet:
            import pyarrow.parquet as pq

            names = pq.ParquetFile(source).schema_arrow.names
        else:
            names = list(pd.read_csv(source, nrows=0).columns)
        source.seek(0)
        used = [name for name in needed if name in names]
        if len(names) <= MOST_COLUMNS and used:
            rows = pd.read_parquet(source, columns=used) if is_parquet else pd.read_csv(source, usecols=used)
        else:
            rows = pd.DataFrame(columns=used)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise DataError("The file cannot be read as a table; give CSV with a header, or Parquet.") from error
    if len(names) > MOST_COLUMNS:
        raise DataError(f"The file has {len(names)} columns; at most {MOST_COLUMNS} are read.")
    if not used:
        shown = ", ".join(map(str, names[:6]))
        raise DataError(f"The file has the columns {shown}; label, score and uncertainty are needed.")
    if rows.empty:
        raise DataError("The file has no rows; give some with label, score and uncertainty.")
    return rows


def judged(policy: Policy, rows: pd.DataFrame) -> Judged:
    """Judge a policy on new rows."""
    return judge_policy(policy, rows)


def verdict(policy: Policy, found: Judged) -> tuple[str, str]:
    """Say whether the new rows bear the target of a policy out: how to show it, and the sentence."""
    row = found.metrics.set_index("metric").loc["precision"]
    told = f"{number(row['value'])} [{number(row['ci_low'])}, {number(row['ci_high'])}] · n {found.selected:,} selected"
    aim = "" if policy.target is None else f"the target of {policy.target:.2f}"
    return {
        "no target": ("info", f"Precision on the new rows {told}; the policy has no target."),
        "nothing": ("info", "No new row is selected."),
        "few": ("warning", f"Few new rows are selected: precision {told} says little."),
        "missed": ("error", f"Precision on the new rows {told} lies below {aim}: set the thresholds anew."),
        "exceeded": ("warning", f"Precision on the new rows {told} lies above {aim}: recall is given away."),
        "met": ("success", f"Precision on the new rows {told} agrees with {aim}."),
    }[found.verdict]


def then_and_now(policy: Policy, found: Judged) -> pd.DataFrame:
    """Put every share on the new rows beside those of the export."""
    lines = []
    for row in found.metrics.itertuples():
        before = [_estimate(getattr(policy, split).get(row.metric)) for split in ("tune", "test")]
        now = {"value": row.value, "ci_low": row.ci_low, "ci_high": row.ci_high, "n": row.n}
        line = {"": str(row.metric).replace("coverage", "share selected").capitalize()}
        lines.append(line | {"New rows": _estimate(now), "Test rows then": before[1], "Tuning rows then": before[0]})
    return pd.DataFrame(lines).set_index("")


def _estimate(row: Any) -> str:
    """Write a stored share with its interval and n."""
    if not row or not {"value", "ci_low", "ci_high", "n"} <= set(row):
        return "–"
    n = "" if np.isnan(row["n"]) else f" · n {row['n']:,.0f}"
    return f"{number(row['value'])} [{number(row['ci_low'])}, {number(row['ci_high'])}]{n}"
