"""Keys and names that the tables of a run and their readers share."""

from __future__ import annotations

ALL = -1
"""Bucket number that stands for all buckets together."""
BASELINE = "single_threshold"
GIVEN = "given"
"""Scorer key of score and uncertainty that the data bring."""
MATCHED_PRIOR = "matched_prior"
"""Method key of the repair: one threshold on the same rate under the matched prior."""
RECALIBRATORS = ("recalibrated", "boosted")
"""Method keys of rivals that fold score and uncertainty into one score with one threshold."""
MATCHED = "recall_at_matched_precision"
RELATIVE = "relative_recall_gain"
"""Metric key of differences of recall in percent of the baseline."""
RECALL_MARGIN = 2.0
"""Percentage points of recall at equal precision worth the upkeep of several thresholds: one positive in fifty."""
SCORER_LABEL = {
    "ensemble": "Deep ensemble",
    "mc_dropout": "Dropout kept on",
    "laplace": "Last-layer Laplace",
    "natpn_flat": "Posterior network, flat prior",
    "natpn_matched": "Posterior network, matched prior",
    "counts": "Deep ensemble, training counts",
    GIVEN: "Given score",
}


def segment_of(scorer: str, target: float) -> str:
    """Name a segment of the metrics table: the scorer and the precision target."""
    return f"{scorer} · precision>={target:.2f}"


def bucket_name(bucket: int, n_buckets: int) -> str:
    """Name a bucket as a segment of the metrics table.

    Examples
    --------
    >>> bucket_name(-1, 3), bucket_name(0, 3)
    ('all', 'uncertainty bucket 1 of 3')
    """
    return "all" if bucket == ALL else f"uncertainty bucket {bucket + 1} of {n_buckets}"


def scorer_label(scorer: str) -> str:
    """Write a scorer for reading.

    Examples
    --------
    >>> scorer_label("rate_4_flat"), scorer_label("rate_all_matched")
    ('Rate over the last 4 weeks, flat prior', 'Rate over all weeks, matched prior')
    """
    if scorer in SCORER_LABEL:
        return SCORER_LABEL[scorer]
    window, _, prior = scorer.removeprefix("rate_").rpartition("_")
    span = "all weeks" if window == "all" else f"the last {window} weeks" if window.isdigit() else f"window {window}"
    return f"Rate over {span}, {prior} prior"
