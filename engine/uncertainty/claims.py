"""Turn the measured effects into differences with paired intervals and into claims with verdicts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from engine.claims import CLAIM_COLUMNS, claim_row
from engine.result import DIFFERENCE_COLUMNS
from engine.uncertainty.compare import paired
from engine.uncertainty.grid import Floats
from engine.uncertainty.names import (
    BASELINE,
    MATCHED,
    MATCHED_PRIOR,
    RECALIBRATORS,
    RECALL_MARGIN,
    RELATIVE,
    scorer_label,
    segment_of,
)

TREND_MARGIN_SHARE = 0.1
"""A shift in positivity below a tenth of the base rate hardly moves a cut."""


def difference_rows(table: pd.DataFrame, draws: Floats, targets: Sequence[float]) -> pd.DataFrame:
    """Compare every boundary with one threshold, and what may replace several thresholds with these.

    Parameters
    ----------
    table : DataFrame
        Test rows as returned by `engine.uncertainty.compare.measure_split`.
    draws : ndarray of shape (resamples, len(table))
    targets : sequence of float

    Returns
    -------
    DataFrame
        Columns `DIFFERENCE_COLUMNS`. Metric ``recall_at_matched_precision`` is a difference of
        recalls, ``relative_recall_gain`` the same in percent of the baseline.
    """
    place = {(r.scorer, r.method, r.target): r.Index for r in table[table["metric"] == MATCHED].itertuples()}
    found = []
    for scorer in table["scorer"].unique():
        for target in targets:
            rivals = [(m, place[s, m, t]) for s, m, t in place if (s, t) == (scorer, target)]
            for method, baseline, left, right in _pairs(scorer, target, rivals, place):
                key = {"method": method, "baseline": baseline, "split": "test", "segment": segment_of(scorer, target)}
                for metric, relative in ((MATCHED, False), (RELATIVE, True)):
                    effect = paired(table, draws, [left], [right], relative=relative)
                    found.append(key | {"metric": metric} | effect | {"n": int(table["n"].iloc[left])})
    return pd.DataFrame(found, columns=list(DIFFERENCE_COLUMNS))


def _pairs(
    scorer: str, target: float, rivals: Sequence[tuple[str, int]], place: dict[tuple[str, str, float], int]
) -> list[tuple[str, str, int, int]]:
    """Name what is compared at one scorer and target: method, baseline and their positions."""
    here = dict(rivals)
    pairs = [(m, BASELINE, p, here[BASELINE]) for m, p in rivals if m != BASELINE]
    pairs += [(m, "mist", here[m], here["mist"]) for m in RECALIBRATORS if m in here]
    matched = place.get((scorer.replace("_flat", "_matched"), BASELINE, target))
    if scorer.endswith("_flat") and matched is not None:
        pairs += [(MATCHED_PRIOR, m, matched, here[m]) for m in (BASELINE, "mist")]
    return pairs


def claim_scorers(scorers: pd.DataFrame) -> list[str]:
    """Choose the scorers that carry claims: the classifier, and the flat rate on the thinnest evidence.

    One whose uncertainty makes a single bucket carries none.
    """
    chosen = scorers.head(1)
    flat = scorers[scorers["scorer"].str.endswith("_flat")].sort_values("evidence", kind="stable")
    chosen = pd.concat([chosen, flat.head(1)])
    return list(dict.fromkeys(chosen.loc[chosen["buckets"] > 1, "scorer"]))


def claim_rows(
    table: pd.DataFrame,
    draws: Floats,
    trends: pd.DataFrame,
    scorers: pd.DataFrame,
    targets: Sequence[float],
    unit_name: str,
) -> pd.DataFrame:
    """Measure claims C6 and C7 for the classifier and for the thinnest evidence.

    Returns
    -------
    DataFrame
        Columns `engine.claims.CLAIM_COLUMNS`; no row for a scorer whose uncertainty makes a single bucket, as
        nothing can change with it, and none on C7 where its buckets part no rows.
    """
    base_rate = float(scorers["base_rate"].iloc[0])
    rows = []
    parted = set(scorers.loc[scorers["undivided"] == "", "scorer"])
    for scorer in claim_scorers(scorers):
        shown = trends[
            (trends["scorer"] == scorer) & (trends["method"] == "uncertainty") & (trends["segment"] == "all")
        ]
        # Own edges around one value make buckets, but nothing that changes.
        if scorer in parted or shown["value"].notna().all():
            rows.append(_trend_claim(scorer, shown.iloc[0], base_rate, unit_name))
    matched = table[table["metric"] == MATCHED]
    for scorer in (name for name in claim_scorers(scorers) if name in parted):
        # A coarse score jumps over single precision levels: the mean over all targets depends on none.
        left, right = (
            matched.index[(matched["scorer"] == scorer) & (matched["method"] == method)].tolist()
            for method in ("mist", BASELINE)
        )
        effect = {key: 100 * share for key, share in paired(table, draws, left, right).items()}
        rows.append(_recall_claim(scorer, targets, effect, int(table["n"].iloc[0]), unit_name))
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def _trend_claim(scorer: str, trend: pd.Series, base_rate: float, unit_name: str) -> dict[str, object]:
    """State C6 for one scorer."""
    return claim_row(
        "C6",
        effect="Positivity, most to least certain, at equal score",
        comparison="least certain",
        baseline="most certain rows",
        segment=scorer_label(scorer),
        value=trend["value"],
        ci_low=trend["ci_low"],
        ci_high=trend["ci_high"],
        n=int(trend["n"]),
        n_unit=unit_name,
        margin=100 * TREND_MARGIN_SHARE * base_rate,
        unit=" pp",
        sign=0,
    )


def _recall_claim(
    scorer: str, targets: Sequence[float], effect: dict[str, float], n: int, unit_name: str
) -> dict[str, object]:
    """State C7 for one scorer."""
    span = f"{targets[0]:.2f}" if len(targets) == 1 else f"{targets[0]:.2f} to {targets[-1]:.2f}, mean"
    return claim_row(
        "C7",
        effect=f"Recall at test precision {span}",
        comparison="MIST, a threshold per bucket",
        baseline="one threshold",
        segment=scorer_label(scorer),
        value=effect["value"],
        ci_low=effect["ci_low"],
        ci_high=effect["ci_high"],
        n=n,
        n_unit=unit_name,
        margin=RECALL_MARGIN,
        unit=" pp",
    )
