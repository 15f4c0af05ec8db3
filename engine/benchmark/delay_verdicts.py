"""What the delay benchmark was to show, judged from the intervals alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.benchmark.delay_methods import ORACLE, OURS, WAIT, label_of
from engine.claims import MINIMUM_UNITS

VERDICT_COLUMNS = ("data", "goal", "rows", "value", "ci_low", "ci_high", "n", "verdict")
GAP_GOAL = 0.95
CALIBRATION_GOAL = 0.01
LATER, RECENT = "later exposures", "recent exposures of other units"
_PLACES = {LATER: ("test", "all"), RECENT: ("holdout", "age:immature")}


def verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """Judge every goal on every data set.

    Simulated data, against the true probabilities: ours closes at least 95 % of the gap in log loss between vanilla
    and the oracle, and mean predicted over mean true is within 1 % of 1; both on later exposures and on recent ones
    (still inside their window on the snapshot day) of units that training never saw. Real data, on both kinds of rows:
    the log loss of ours is not above that of any method but the oracle by more than the interval, and its calibration
    error is below that of waiting for the window. Drift goes on after the snapshot day, where no label can follow it:
    there even the oracle is off, and its figure stands beside that of ours.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.delay_summary.SUMMARY_COLUMNS`.

    Returns
    -------
    DataFrame
        Columns `VERDICT_COLUMNS`; ``verdict`` is *met*, *missed* or *open* (the interval holds both, or fewer than
        `engine.claims.MINIMUM_UNITS` units are behind it).
    """
    found: list[dict[str, object]] = []
    for data, rows in summary.groupby("data", sort=False):
        judged = _simulated(rows) if (rows["metric"] == "excess_log_loss").any() else _real(rows)
        found += [{"data": data} | row for row in judged]
    return pd.DataFrame(found, columns=list(VERDICT_COLUMNS))


def within(low: float, high: float, *, least: float = -np.inf, most: float = np.inf) -> str:
    """Say whether an interval lies inside allowed limits (*met*), outside (*missed*), or across one (*open*)."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return "open"
    if low >= least and high <= most:
        return "met"
    return "missed" if high < least or low > most else "open"


def _simulated(rows: pd.DataFrame) -> list[dict[str, object]]:
    """Judge the goals on data whose truth is known."""
    found = []
    goal = f"closes at least {100 * GAP_GOAL:.0f} % of the gap in log loss from vanilla to the oracle"
    for place in _PLACES:
        gap = _pick(rows, place, statistic="gap_closed", metric="excess_log_loss")
        found += [_row(goal, place, row, within(row.ci_low, row.ci_high, least=GAP_GOAL)) for row in gap.itertuples()]
    for place in _PLACES:
        ratio = _pick(rows, place, statistic="value", metric="calibration_truth")
        for row in ratio.itertuples():
            judged = within(row.ci_low, row.ci_high, least=1 - CALIBRATION_GOAL, most=1 + CALIBRATION_GOAL)
            oracle = _pick(rows, place, statistic="value", metric="calibration_truth", method=ORACLE)
            known = f" (oracle {oracle['value'].iloc[0]:.3f})" if len(oracle) else ""
            found.append(
                _row(f"mean predicted is within {100 * CALIBRATION_GOAL:.0f} % of the truth{known}", place, row, judged)
            )
    return found


def _real(rows: pd.DataFrame) -> list[dict[str, object]]:
    """Judge the goals on data whose truth is not known: against the method that comes out best, and against waiting."""
    found = []
    for place in _PLACES:
        rivals = _pick(rows, place, statistic="difference", metric="log_loss")
        rivals = rivals[(rivals["baseline"] != ORACLE) & rivals["value"].notna()]
        if len(rivals):
            best = rivals.loc[rivals["value"].idxmax()]
            # Any method whose interval lies below ours refutes the goal, not only the best by value.
            row = rivals.loc[rivals["ci_low"].idxmax()] if (rivals["ci_low"] > 0).any() else best
            judged = "missed" if row["ci_low"] > 0 else "met"
            goal = f"log loss is not above that of any method: less {label_of(str(row['baseline']))}"
            found.append(_row(goal, place, row, judged))
        waiting = _pick(rows, place, statistic="difference", metric="calibration_error")
        for row in waiting[waiting["baseline"] == WAIT].itertuples():
            judged = "met" if row.ci_high < 0 else "missed" if row.ci_low > 0 else "open"
            found.append(_row("calibration error is below that of waiting for the window", place, row, judged))
    return found


def _pick(rows: pd.DataFrame, place: str, *, statistic: str, metric: str, method: str = OURS) -> pd.DataFrame:
    """Return the rows of one method and statistic on one kind of exposures."""
    split, segment = _PLACES[place]
    mask = (rows["split"] == split) & (rows["segment"] == segment) & (rows["method"] == method)
    return rows[mask & (rows["statistic"] == statistic) & (rows["metric"] == metric)]


def _row(goal: str, place: str, row: object, judged: str) -> dict[str, object]:
    """Return one verdict; few units decide nothing."""
    figures = {name: getattr(row, name) for name in ("value", "ci_low", "ci_high", "n")}
    few = int(figures["n"]) < MINIMUM_UNITS
    return {"goal": goal, "rows": place} | figures | {"verdict": "open" if few else judged}
