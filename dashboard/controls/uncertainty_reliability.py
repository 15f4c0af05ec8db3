"""The reliability tab: which curves are drawn on which axes, metrics by bucket, recalibration before and after."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import get_args

import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls.one_of import one_of
from dashboard.controls.thresholds import Choice
from dashboard.controls.uncertainty_units import counted, heading
from dashboard.glossary import TERMS
from dashboard.layout import escape_markdown, number
from dashboard.state import RELIABILITY as KEY
from engine.claims import MINIMUM_UNITS
from engine.figures.theme import METRIC_LABEL
from engine.figures.uncertainty_parts import Scale
from engine.uncertainty.findings import recalibration_sentence
from engine.uncertainty.names import ALL, bucket_name
from engine.uncertainty.reliability import BINNINGS, Binning, base_rates, pick, smooth_errors
from engine.uncertainty.slice_view import slice_names, slice_reliability

SPLITS = {"test": "Test rows", "tune": "Tuning rows"}
_BINS = {"equal_mass": "Equal count", "equal_width": "Equal width"}
_SCALES = {"linear": "Linear", "log": "Log", "logit": "Logit"}
METRIC_GROUPS = {
    "Losses and ranking": ("log_loss", "brier", "roc_auc", "pr_auc"),
    "Calibration": ("ece", "ece_debiased", "smooth_ece", "miscalibration", "discrimination"),
    "Parts of the Brier score": (
        *("brier", "brier_reliability", "brier_resolution", "brier_uncertainty", "brier_within"),
    ),
}
REPAIRS = {"isotonic": "Isotonic", "temperature": "Temperature"}
REPAIR_METRICS = {"bias": "Bias", "ece": "ECE", "log_loss": "Log loss", "brier": "Brier score"}
IN_POINTS = ("bias", "ece")
"""Metrics that are shown in percentage points."""
FEW = f"A bucket of fewer than {MINIMUM_UNITS}, or of one class only, has no interval."
OLDER = "This run is of an older version without these figures. Open **Train** and train it again on the same data."


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the reader wants to see of the reliability curves."""

    split: str
    binning: Binning
    scale: Scale
    isotonic: bool
    by: str
    """Column whose values have a curve each; empty for uncertainty buckets."""
    apart: bool
    """Whether every curve has a panel of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """What is drawn: bins numbered as ``bucket``, and what belongs to each number."""

    table: pd.DataFrame
    names: list[str]
    """Safe for a figure."""
    base_rates: list[float]
    base_rate: float
    """Of all rows."""
    corp: pd.DataFrame | None
    errors: pd.DataFrame | None


def has_binnings(run: Run) -> bool:
    """Say whether the run stores both ways to cut bins."""
    return "binning" in run.curve("reliability").columns


def slice_columns(run: Run) -> list[str]:
    """Return the columns that the run can show value by value."""
    if "slices" not in run.manifest["curves"]:
        return []
    return list(dict.fromkeys(name for name, _, _ in slice_names(run.curve("slices"))))


def choose_view(choice: Choice) -> View:
    """Draw the controls above the curves; all of them stand in the address bar."""
    run = choice.run
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        split = one_of("Rows", SPLITS, KEY["split"])
        columns = slice_columns(run)
        by = ""
        if columns:
            labels = {"": "Uncertainty"} | {name: escape_markdown(name, limit=24) for name in columns}
            by = one_of("A curve per", labels, KEY["by"])
        bins = one_of("Bins", _BINS if has_binnings(run) and not by else {"equal_mass": "Equal count"}, KEY["bins"])
        scale = one_of("Axes", _SCALES, KEY["scale"])
        isotonic = st.toggle(
            "Isotonic curve",
            value=True,
            key=KEY["isotonic"],
            bind="query-params",
            disabled="corp" not in run.manifest["curves"] or bool(by),
            help=TERMS["corp_curve"].help(),
        )
        apart = st.toggle(
            "Side by side", value=True, key=KEY["apart"], bind="query-params", help="A panel for every curve."
        )
    return View(
        split=split,
        binning="equal_width" if bins == BINNINGS[1] else "equal_mass",
        scale=next(name for name in get_args(Scale) if name == scale),
        isotonic=isotonic and not by,
        by=by,
        apart=apart,
    )


def curves(choice: Choice, view: View) -> Curves:
    """Return the bins of every bucket or slice, numbered, with their names and base rates."""
    grid = choice.editor.grids[view.split]
    overall = float(grid.positives.sum() / grid.totals.sum())
    if view.by:
        return _slice_curves(choice, view, overall)
    table = pick(choice.run.curve("reliability"), binning=view.binning, scorer=choice.scorer, split=view.split)
    table = table[table["bucket"] != ALL]
    corp = None
    if view.isotonic and "corp" in choice.run.manifest["curves"]:
        stored = choice.run.curve("corp")
        corp = stored[(stored["scorer"] == choice.scorer) & (stored["split"] == view.split)]
    n_buckets = choice.editor.n_buckets
    return Curves(
        table=table,
        names=choice.editor.bucket_labels(view.split),
        base_rates=_bucket_rates(choice, view.split),
        base_rate=overall,
        corp=corp,
        errors=smooth_errors(choice.run.metrics, scorer=choice.scorer, split=view.split, n_buckets=n_buckets),
    )


def _bucket_rates(choice: Choice, split: str) -> list[float]:
    """Return the share of positives in every bucket, from the cells: bins of older runs do not count positives."""
    grid = choice.editor.grids[split]
    counts = zip(grid.positives.sum(axis=1).tolist(), grid.totals.sum(axis=1).tolist(), strict=True)
    return [positives / total if total else float("nan") for positives, total in counts]


def _slice_curves(choice: Choice, view: View, overall: float) -> Curves:
    """Return the bins of every value of a column, the largest value first."""
    slices = choice.run.curve("slices")
    bins = int(choice.run.manifest["config"]["reliability_bins"])
    found = slice_reliability(slices, choice.editor.layout, scorer=choice.scorer, column=view.by, n_bins=bins)
    found = found[found["split"] == view.split]
    values = [value for column, value, _ in slice_names(slices) if column == view.by]
    table = found.assign(bucket=found["value"].map({value: place for place, value in enumerate(values)}))
    rates = base_rates(table[["value", "n", "positives"]]).set_index("value")["base_rate"]
    return Curves(
        table=table,
        names=[escape(value if len(value) <= 24 else value[:23] + "…") for value in values],
        base_rates=[float(rates.get(value, float("nan"))) for value in values],
        base_rate=overall,
        corp=None,
        errors=None,
    )


def curves_sentence(drawn: Curves, view: View) -> str:
    """Say how many bins miss the diagonal beyond chance, how many hold no row, and how many few."""
    filled = drawn.table[drawn.table["n"] > 0]
    off = filled[(filled["ci_low"] > filled["mean_predicted"]) | (filled["ci_high"] < filled["mean_predicted"])]
    expected = 0.05 * len(filled)
    empty = len(drawn.table) - len(filled)
    words = f"In {len(off)} of {len(filled)} bins the 95 % interval leaves the predicted rate out; about "
    words += f"{number(expected, 2)} would by chance alone."
    words += f" {empty} {'bin holds' if empty == 1 else 'bins hold'} no row (crosses in the strip)." if empty else ""
    return words + f" {SPLITS[view.split]}, n {int(filled['n'].sum()):,} rows."


def segments(choice: Choice) -> dict[str, str]:
    """Return the segments of the stored tables with their names for reading."""
    k = choice.editor.n_buckets
    return {bucket_name(ALL, k): "All rows"} | (
        {bucket_name(i, k): label for i, label in enumerate(choice.editor.bucket_labels())} if k > 1 else {}
    )


def choose_group() -> str:
    """Let the reader choose which metrics are listed."""
    return one_of("Metrics", {name: name for name in METRIC_GROUPS}, KEY["metrics"])


def metric_rows(choice: Choice, group: str) -> pd.DataFrame:
    """Return the stored metrics of one group by bucket, on test rows."""
    metrics = choice.run.metrics
    own = metrics[(metrics["method"] == choice.scorer) & (metrics["split"] == "test")]
    return own[own["metric"].isin(METRIC_GROUPS[group]) & own["segment"].isin(segments(choice))]


def metric_table(choice: Choice, group: str) -> pd.DataFrame:
    """Write the metrics of one group, a row per bucket; empty if the run has none of them."""
    rows, lines = metric_rows(choice, group), []
    for segment, name in segments(choice).items():
        own = {str(row.metric): row for row in rows[rows["segment"] == segment].itertuples()}
        if own:
            line = {"Uncertainty": name, heading(choice.run): f"{int(next(iter(own.values())).n):,}"}
            lines.append(line | {METRIC_LABEL[key]: _cell(own[key]) for key in METRIC_GROUPS[group] if key in own})
    return pd.DataFrame(lines).fillna("–").set_index("Uncertainty") if lines else pd.DataFrame()


def metric_words(run: Run, group: str) -> str:
    """Explain the metrics of a group."""
    terms = [TERMS[key] for key in METRIC_GROUPS[group]]
    return f"Test rows; {counted(run)} {FEW}\n\n" + "\n".join(
        f"- **{term.label}**: {term.gloss}" + (f" Better: {term.better}." if term.better else "") for term in terms
    )


def _cell(row: object, factor: float = 1.0, *, sign: bool = False) -> str:
    """Write a value with its interval; a line may break between the two only."""
    value, low, high = (factor * float(getattr(row, name)) for name in ("value", "ci_low", "ci_high"))
    if value != value:
        return "–"
    lead = "+" if sign and value > 0 else ""
    if low != low:
        return f"{lead}{number(value)} [–]"
    return f"{lead}{number(value)} [{number(low)},\u00a0{number(high)}]"


def repair_words(run: Run) -> str:
    """Explain the table of both recalibrations."""
    return (
        "The change is paired: the same rows are scored before and after, so its interval is narrower than the two "
        f"beside it suggest. Here {counted(run)} {FEW}"
    )


def recalibration(choice: Choice) -> pd.DataFrame:
    """Return what the run stores of both recalibrations; empty if it stores nothing."""
    if "recalibration" not in choice.run.manifest["curves"]:
        return pd.DataFrame()
    table = choice.run.curve("recalibration")
    return table[table["scorer"] == choice.scorer]


def choose_repair_metric() -> str:
    """Let the reader choose what recalibration is judged by."""
    return one_of("Judged by", REPAIR_METRICS, KEY["repair"])


def repair_axis(metric: str) -> str:
    """Name a metric and its unit."""
    return {
        "bias": "Bias: mean score − observed rate (points)",
        "ece": "ECE (points)",
        "log_loss": "Log loss (nats)",
        "brier": "Brier score",
    }[metric]


def repair_rows(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return one metric before and after, without the changes; bias and ECE in percentage points."""
    rows = table[(table["metric"] == metric) & (table["baseline"] == "")]
    return _scaled(rows, metric)


def _scaled(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Turn shares into percentage points."""
    columns = ["value", "ci_low", "ci_high"]
    return rows.assign(**{name: 100 * rows[name] for name in columns}) if metric in IN_POINTS else rows


def repair_table(choice: Choice, table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Write one metric before and after each recalibration with the paired change, a row per bucket."""
    rows = _scaled(table[table["metric"] == metric], metric)
    found = {(row.method, row.baseline, row.segment): row for row in rows.itertuples()}
    lines = []
    for segment, name in segments(choice).items():
        if ("raw", "", segment) not in found:
            continue
        before = found["raw", "", segment]
        line = {"Uncertainty": name, heading(choice.run): f"{int(before.n):,}", "Before": _cell(before)}
        for method, label in REPAIRS.items():
            line[f"{label}, after"] = _cell(found[method, "", segment])
            line[f"{label}, change"] = _cell(found[method, "raw", segment], sign=True)
        lines.append(line)
    return pd.DataFrame(lines).set_index("Uncertainty")


def repair_sentence(table: pd.DataFrame) -> str:
    """Say whether recalibration repairs what the buckets show."""
    return recalibration_sentence(table)
