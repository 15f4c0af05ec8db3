"""One colour map, one vocabulary, one layout for every figure of both libraries."""

from __future__ import annotations

from typing import Any

# Okabe and Ito's palette: told apart with every common colour vision, on light and on dark.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, VERMILION, GREY = "#56B4E9", "#D55E00", "#8A94A0"

SOURCE, TARGET, MUTUAL = BLUE, ORANGE, PURPLE
OURS, RIVAL, TRUTH = BLUE, VERMILION, "#7F7F7F"
BASELINES = ("#9AA3AD", "#7C8793", "#B4BCC4", "#66717D", "#A7AFB8")
CATEGORIES = (BLUE, ORANGE, PURPLE, SKY, "#8C6D1F", "#7F6BD6")
"""Colours of the largest groups of nodes; all other nodes are grey, and green rings mark a lasso."""
DEGREES = ("#7A6CC0", "#4A7FC1", "#2A9BAA", "#22A884", "#62C15A", "#A8C733", "#E0C02B")
"""From few edges to many; rising lightness on light, distinct on dark."""
GRID = "rgba(128, 136, 146, 0.22)"
LINE = "rgba(128, 136, 146, 0.65)"
TEXT = "#000037"
"""For text in a figure: Streamlit puts the strong text colour of its theme in the place of this one, light or dark.
Without a colour texts are too pale on light; and no single colour has a contrast of 4.5 on both backgrounds."""
VERDICT = {"supported": GREEN, "not supported": VERMILION, "inconclusive": GREY}

OUR_METHODS = ("dual", "dress_style", "mist", "exact_dp", "ensemble")
TRUTH_METHODS = ("oracle",)

METHOD_LABEL = {
    "dual": "Dual embeddings (ours)",
    "single": "Single embedding",
    "paper": "Paper's literal form",
    "popularity": "In-degree popularity",
    "cocitation": "Co-citation",
    "hope": "HOPE (Katz SVD)",
    "degree_head": "Degrees only",
    "adaptive": "Degree-adaptive sampling",
    "fixed": "Fixed fan-out",
    "no_propagation": "Without neighbours",
    "feature_neighbours": "Edges of similar nodes",
    "oracle": "Oracle (final labels)",
    "pretrained": "Pre-trained, then frozen",
    "wait": "Wait for the window",
    "vanilla": "Vanilla (unripe = negative)",
    "vanilla_win": "Vanilla, two rows",
    "fnw": "FNW",
    "fnc": "FNC",
    "es_dfm": "ES-DFM",
    "exact_joint": "Exact weights, no signals",
    "defer": "DEFER",
    "defuse": "DEFUSE",
    "fsiw": "FSIW",
    "ulc": "ULC",
    "dfm": "DFM",
    "nndf": "nnDF",
    "esdf": "ESDF",
    "entire_space": "Entire space, no signals",
    "dress_style": "DRESS-style (ours)",
    "kaplan_meier": "Kaplan–Meier by segment",
    "isotonic": "One isotonic threshold",
    "greedy": "Greedy per bucket",
    "greedy_merged": "Greedy, buckets together",
    "best_of": "Best of one threshold and MIST",
    "mist_group": "MIST, whole groups",
    "equal_weight_dp": "Equal-weight program",
    "monotone_dp": "Exact, rising with uncertainty",
    "guaranteed": "Guaranteed precision",
    "mist": "MIST",
    "exact_dp": "Exact program",
    "recalibrated": "Recalibrator, one threshold",
    "boosted": "Boosted recalibrator, one threshold",
    "placebo": "Placebo (shuffled uncertainty)",
    "single_threshold": "One threshold",
    "matched_prior": "Matched prior, one threshold",
    "ensemble": "Deep ensemble",
    "given": "Given score",
    "mc_dropout": "Dropout kept on",
    "laplace": "Last-layer Laplace",
    "natpn_flat": "Posterior network, flat prior",
    "natpn_matched": "Posterior network, matched prior",
    "counts": "Deep ensemble, training counts",
}

METRIC_LABEL = {
    "hit_rate_at_5": "HitRate@5",
    "hit_rate_at_10": "HitRate@10",
    "hit_rate_at_20": "HitRate@20",
    "mrr": "MRR",
    "mrr_at_5": "MRR@5",
    "mrr_at_10": "MRR@10",
    "mrr_at_20": "MRR@20",
    "ndcg_at_5": "NDCG@5",
    "ndcg_at_10": "NDCG@10",
    "ndcg_at_20": "NDCG@20",
    "recall_at_5": "Recall@5",
    "recall_at_10": "Recall@10",
    "recall_at_20": "Recall@20",
    "existence_auc": "Existence AUC",
    "existence_auc_degree_corrected": "Existence AUC, degree-corrected",
    "direction_auc": "Direction AUC",
    "direction_auc_embeddings": "Direction AUC, embeddings alone",
    "direction_auc_difference": "Direction AUC, by difference of scores",
    "log_loss": "Log loss",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "calibration": "Calibration (predicted / observed)",
    "calibration_error": "Calibration error |predicted / observed − 1|",
    "relative_log_loss": "Relative log loss (0 vanilla, 1 oracle)",
    "relative_roc_auc": "Relative ROC AUC (0 vanilla, 1 oracle)",
    "relative_pr_auc": "Relative PR AUC (0 vanilla, 1 oracle)",
    "relative_brier": "Relative Brier score (0 vanilla, 1 oracle)",
    "relative_calibration_error": "Relative calibration error (0 vanilla, 1 oracle)",
    "ess_share": "Effective sample share",
    "mean_weight": "Mean weight",
    "max_weight": "Largest weight",
    "clipped_share": "Share of weights clipped",
    "ece": "ECE",
    "ece_debiased": "ECE, debiased",
    "smooth_ece": "Smooth ECE",
    "brier_reliability": "Brier: reliability",
    "brier_resolution": "Brier: resolution",
    "brier_uncertainty": "Brier: uncertainty",
    "brier_within": "Brier: within bins",
    "miscalibration": "Miscalibration (MCB)",
    "discrimination": "Discrimination (DSC)",
    "recall": "Recall",
    "precision": "Precision",
    "recall_at_matched_precision": "Recall at matched precision",
    "relative_recall_gain": "Recall gain, % of the baseline's",
    "coverage": "Share selected",
}


def method_color(method: str, *, rival: str | None = None, position: int = 0) -> str:
    """Return the colour of a method.

    Parameters
    ----------
    method : str
        Key of the method.
    rival : str, optional
        Key of the strongest peer, which gets the accent.
    position : int, default 0
        Place among the other baselines, to vary their greys.

    Returns
    -------
    str
        Hexadecimal colour.
    """
    if method in OUR_METHODS:
        return OURS
    if method in TRUTH_METHODS:
        return TRUTH
    return RIVAL if method == rival else BASELINES[position % len(BASELINES)]


def plotly_layout(*, height: int, title: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return the layout that every Plotly figure starts from: transparent, quiet grid, room for labels.

    Parameters
    ----------
    height : int
        Pixels; fixed, so that nothing jumps when data change.
    title : str, optional
    **changes
        Further layout properties; they win.

    Returns
    -------
    dict
    """
    axis = {"gridcolor": GRID, "zerolinecolor": LINE, "linecolor": LINE, "automargin": True}
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 40 if title else 12, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hoverlabel": {"align": "left"},
        "dragmode": False,
    }
    if title:
        layout["title"] = {"text": title, "x": 0, "xanchor": "left", "font": {"size": 15}}
    layout["xaxis"] = axis | changes.pop("xaxis", {})
    layout["yaxis"] = axis | changes.pop("yaxis", {})
    return layout | changes
