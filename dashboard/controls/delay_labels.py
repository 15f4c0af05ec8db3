"""Single labels: which were open, which flipped, what one flip does to the model; and the funnel behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls.delay import segment_text, stored
from dashboard.layout import number
from dashboard.state import DELAY

FLIP_FILTER = {"all": "All", "flipped": "Flipped", "stayed": "Stayed negative"}
MODELS = {"logistic": "Logistic regression", "network": "A small network"}
QUANTITIES = {"own": "own score", "mean": "mean score"}
STAGES = {
    "engaged": "Engaged by the window",
    "converted_engaged": "… and converted",
    "converted_plain": "Converted, not engaged",
    "converted": "Converted, all",
}
_PARTS = {
    "engaged": "engaged by the window",
    "converted_engaged": "engaged and converted",
    "converted_plain": "converted without engagement",
    "converted": "all conversions",
}
"""Stage to its name within a sentence."""
_CHECKED = {"entire_space": "Entire space (ours)", "engaged_only": "Engaged exposures only"}
_TOP_FLIPS = 12
_EFFECTS = {"parameters": "parameters (length)", "own": "own score", "mean": "mean score"}


def pending_rows(run: Run) -> pd.DataFrame:
    """List held-out labels that were open on the snapshot day, likeliest flips first."""
    table = run.predictions
    rows = table[table["prob_flip"].notna()].sort_values("prob_flip", ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "Exposure": rows["exposure_id"].astype(str),
            "Segment": rows["segment"].astype(str),
            "Age (days)": rows["age_days"],
            "Flip probability": rows["prob_flip"].astype(float),
            "Flipped": np.where(rows["y_true"] == 1, "yes", "no"),
            "Score, vanilla": rows["prob_vanilla"].astype(float),
            "Score, ours": rows["prob_dress_style"].astype(float),
            "Score, oracle": rows["prob_oracle"].astype(float),
        }
    )


def pending_metrics(run: Run) -> pd.DataFrame:
    """Return how well flips of the open labels were foretold: with signals, without, and by the segment's curve."""
    rows = run.metrics[(run.metrics["split"] == "pending") & (run.metrics["segment"] == "all")]
    return rows[rows["metric"] == "log_loss"]


def choose_flips() -> str:
    """Let the reader choose which of the listed labels to see."""
    chosen = st.segmented_control(
        "Show",
        list(FLIP_FILTER),
        default="all",
        required=True,
        format_func=lambda name: FLIP_FILTER[name],
        key=DELAY["flips"],
        bind="query-params",
    )
    return chosen if chosen in FLIP_FILTER else "all"


def flip_examples(run: Run, which: str = "all") -> pd.DataFrame:
    """Return labels that were open on the snapshot day with the score before and after their final label."""
    table = stored(run, "flips")
    if table.empty or which == "all":
        return table
    flipped = table["flipped"].astype(bool)
    return table[flipped if which == "flipped" else ~flipped]


def flip_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Write flipped and unflipped labels out for reading."""
    return pd.DataFrame(
        {
            "Exposure": rows["exposure_id"].astype(str),
            "Flipped": np.where(rows["flipped"].astype(bool), "yes", "no"),
            "P(flip)": rows["prob_flip"].astype(float),
            "Before": rows["score_before"].astype(float),
            "After": rows["score_after"].astype(float),
            "Vanilla": rows["score_vanilla"].astype(float),
            "Age": rows["age_days"].astype(float),
            "Segment": rows["segment"].astype(str),
        }
    )


def flip_sentence(rows: pd.DataFrame) -> str:
    """Say how the scores of flipped and unflipped labels moved, on average."""
    parts = []
    for flipped, words in ((True, "flipped"), (False, "stayed negative")):
        part = rows[rows["flipped"].astype(bool) == flipped]
        if len(part):
            before, after = (100 * float(part[name].mean()) for name in ("score_before", "score_after"))
            probability = 100 * float(part["prob_flip"].mean())
            parts.append(
                f"of {len(part):,} listed labels that {words} (flip probability {number(probability)} % on average) "
                f"the mean score went from {number(before)} % to {number(after)} %"
            )
    text = "; ".join(parts) or "no label was open on the snapshot day"
    return f"{text[0].upper()}{text[1:]}."


def choose_model(run: Run) -> tuple[str, str]:
    """Let the reader choose the model and the effect whose prediction is checked."""
    models = [name for name in MODELS if name in set(stored(run, "influence")["model"])]
    left, right = st.columns(2)
    with left:
        model = st.segmented_control(
            "Model",
            models,
            default=models[0],
            required=True,
            format_func=lambda name: MODELS[name],
            key=DELAY["model"],
            bind="query-params",
        )
    with right:
        quantity = st.segmented_control(
            "Effect on the",
            list(QUANTITIES),
            default="own",
            required=True,
            format_func=lambda name: QUANTITIES[name],
            key=DELAY["quantity"],
            bind="query-params",
        )
    return model if model in models else models[0], quantity if quantity in QUANTITIES else "own"


def influence_rows(run: Run, model: str) -> pd.DataFrame:
    """Return what one flip does, predicted and after training again, for one model."""
    table = stored(run, "influence")
    return table[table["model"] == model]


def top_flips(rows: pd.DataFrame) -> pd.DataFrame:
    """List the flips that move the mean score most."""
    order = rows["delta_mean"].abs().sort_values(ascending=False, kind="stable").index[:_TOP_FLIPS]
    top = rows.loc[order]
    return pd.DataFrame(
        {
            "Exposure": top["exposure_id"].astype(str),
            "Mean": 100 * top["delta_mean"].astype(float),
            "Mean, again": 100 * top["refit_mean"].astype(float),
            "Own": 100 * top["delta_own"].astype(float),
            "Own, again": 100 * top["refit_own"].astype(float),
            "Age": top["age_days"].astype(float),
            "Segment": top["segment"].astype(str),
        }
    )


def influence_checks(run: Run, model: str) -> pd.DataFrame:
    """Write out how well the predicted effects of one model agree with training again."""
    table = stored(run, "influence_check")
    rows = table[table["model"] == model] if len(table) else table
    return pd.DataFrame(
        {
            "Labels flipped": [
                "one at a time" if row.flips == 1 else f"{int(row.flips)} at once" for row in rows.itertuples()
            ],
            "Change of": [_EFFECTS.get(row.quantity, row.quantity) for row in rows.itertuples()],
            "Predicted": [number(row.predicted) for row in rows.itertuples()],
            "Trained again": [number(row.refitted) for row in rows.itertuples()],
            "Relative error": [f"{number(100 * row.relative_error)} %" for row in rows.itertuples()],
            "Correlation": [number(row.correlation) for row in rows.itertuples()],
            "n": [int(row.n) for row in rows.itertuples()],
        }
    )


def influence_sentence(run: Run, model: str) -> str:
    """Say how far the prediction for single flips is from training again."""
    table = stored(run, "influence_check")
    rows = table[(table["model"] == model) & (table["flips"] == 1) & (table["quantity"] == "own")]
    return "  \n".join(
        f"Flipped one at a time, a label moves its own score by {number(100 * row.predicted)} points on average as "
        f"predicted, {number(100 * row.refitted)} after training again: a relative error of "
        f"{number(100 * row.relative_error)} % · n {int(row.n)} flips."
        for row in rows.itertuples()
    )


def choose_funnel(run: Run) -> str:
    """Let the reader choose whose funnel is drawn."""
    segments = list(dict.fromkeys(stored(run, "funnel")["segment"]))
    chosen = st.selectbox(
        "Segment of the funnel",
        segments,
        format_func=segment_text,
        key=DELAY["funnel"],
        bind="query-params",
        disabled=len(segments) < 2,
    )
    return chosen if chosen in segments else segments[0]


def funnel_rows(run: Run, segment: str) -> pd.DataFrame:
    """Return the stages of the funnel of one segment after the exposure, named."""
    table = stored(run, "funnel")
    rows = table[(table["segment"] == segment) & table["stage"].isin(list(STAGES))]
    return rows.assign(label=[STAGES[stage] for stage in rows["stage"]])


def funnel_sentence(rows: pd.DataFrame) -> str:
    """Say whether the product of the stages agrees with what came, and name every part that is off."""
    found = rows.set_index("stage")
    row = found.loc["converted"]
    return (
        f"Over the entire space ours promises {number(row['ratio'])} × [{number(row['ratio_low'])}, "
        f"{number(row['ratio_high'])}] the conversions that came; engagement × conversion given engagement is "
        f"{number(100 * found.loc['converted_engaged', 'predicted'])} % against "
        f"{number(100 * found.loc['converted_engaged', 'observed'])} % observed · n {int(row['n']):,} exposures, "
        f"{int(row['units']):,} units. {_misses(rows)}"
    )


def _misses(rows: pd.DataFrame) -> str:
    """Name the parts of the funnel whose interval of promised ÷ observed excludes 1."""
    off = rows[(rows["ratio_low"] > 1.0) | (rows["ratio_high"] < 1.0)]
    if off.empty:
        return "No part of the funnel is off by more than its interval."
    parts = [
        f"{_PARTS[row.stage]} {number(row.ratio)} × [{number(row.ratio_low)}, {number(row.ratio_high)}]"
        for row in off.itertuples()
    ]
    return f"Off by more than the interval, promised ÷ observed: {'; '.join(parts)}."


def selection_rows(run: Run) -> pd.DataFrame:
    """Write out what a model of engaged exposures alone says of all of them, beside the entire space."""
    table = stored(run, "funnel_check")
    if table.empty:
        return table
    names = {"log_loss": "Log loss", "roc_auc": "ROC AUC", "calibration": "Predicted ÷ observed"}
    rows = table[table["metric"].isin(list(names))]
    return (
        pd.DataFrame(
            {
                "Judged on": ["all exposures" if name == "all" else f"{name} exposures" for name in rows["population"]],
                "Metric": [names[metric] for metric in rows["metric"]],
                "Model": [_CHECKED.get(name, name) for name in rows["model"]],
                "Value": [
                    f"{number(row.value)} [{number(row.ci_low)}, {number(row.ci_high)}] · n {int(row.n):,}"
                    for row in rows.itertuples()
                ],
            }
        )
        .pivot_table(index=["Judged on", "Metric"], columns="Model", values="Value", aggfunc="first", sort=False)
        .reset_index()
    )
