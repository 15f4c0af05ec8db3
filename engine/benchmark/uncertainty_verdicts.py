"""What the uncertainty benchmark was to show, judged from the intervals alone."""

from __future__ import annotations

import pandas as pd

from engine.benchmark.delay_verdicts import within
from engine.benchmark.uncertainty_judge import MATCHED
from engine.benchmark.uncertainty_methods import CEILING, LABELS, ONE, OURS
from engine.benchmark.uncertainty_real import TREND
from engine.benchmark.uncertainty_simulated import CONFIDENCE, SETTINGS
from engine.benchmark.uncertainty_summary import GUARANTEE, SPEED
from engine.claims import MINIMUM_UNITS
from engine.uncertainty.findings import informative

VERDICT_COLUMNS = ("goal", "on", "value", "ci_low", "ci_high", "n", "verdict")
GAIN_GOAL = 1.25
CEILING_GOAL = 0.95
SECONDS_GOAL = 0.1
SPEED_GOAL = 20.0


def verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """Judge every goal.

    Where the simulated prior is mismatched, the default way (MIST, buckets by cross-fitting) finds at least 25 % more
    than one threshold at the same test precision, and at least 95 % of what the best possible score finds. The
    guaranteed precision is kept in at least the stated share of repetitions, at a recall above that of MAPIE's
    thresholds per bucket. The exact program takes at most 100 ms of processor time, and a boundary with one bucket at
    most a twentieth of the time that `TunedThresholdClassifierCV` takes for the same selection.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.uncertainty_summary.SUMMARY_COLUMNS`.

    Returns
    -------
    DataFrame
        Columns `VERDICT_COLUMNS`; ``verdict`` is *met*, *missed* or *open*: the interval holds both, or fewer than
        `engine.claims.MINIMUM_UNITS` seeds, units or repetitions are behind it. Times are judged by the least and the
        most of their repeats.
    """
    rows = _mismatch(summary) + _guarantee(summary) + _speed(summary)
    return pd.DataFrame(rows, columns=list(VERDICT_COLUMNS))


def informative_scorers(summary: pd.DataFrame) -> tuple[str, ...]:
    """Name the scorers whose uncertainty tells something about positivity at equal score; empty if none does.

    Intervals are widened for the number of scorers compared.
    """
    return informative(summary[summary["metric"] == TREND])


def _mismatch(summary: pd.DataFrame) -> list[tuple[object, ...]]:
    """Judge recall at matched precision where the model's prior is wrong."""
    names = [name for name, setting in SETTINGS.items() if setting.has_mismatch]
    ours = summary[(summary["method"] == OURS) & (summary["statistic"] == "ratio") & summary["data"].isin(names)]
    rows: list[tuple[object, ...]] = []
    for baseline, goal, least in (
        (ONE, "at least 25 % more recall than one threshold at equal test precision", GAIN_GOAL),
        (CEILING, "at least 95 % of the recall of the best possible score", CEILING_GOAL),
    ):
        for row in ours[(ours["baseline"] == baseline) & (ours["metric"] == MATCHED)].itertuples():
            where = f"{row.data}, precision {row.target}, {row.rows:,} tuning rows"
            rows.append(_row(goal, where, row, within(row.ci_low, row.ci_high, least=least)))
    return rows


def _guarantee(summary: pd.DataFrame) -> list[tuple[object, ...]]:
    """Judge the guaranteed mode."""
    own = summary[(summary["data"] == GUARANTEE) & (summary["method"] == "guaranteed")]
    rows = []
    for row in own[own["statistic"] == "share"].itertuples():
        goal = f"guaranteed precision is kept in at least {100 * CONFIDENCE:.0f} % of repetitions"
        rows.append(_row(goal, _where(row), row, within(row.ci_low, row.ci_high, least=CONFIDENCE)))
    peers = own["baseline"].isin(["mapie_buckets", "mapie_sequence"])
    for row in own[peers & (own["statistic"] == "ratio")].itertuples():
        goal = f"guaranteed mode finds more than {LABELS[row.baseline]}"
        rows.append(_row(goal, _where(row), row, within(row.ci_low, row.ci_high, least=1)))
    return rows


def _where(row: object) -> str:
    """Say on what a guarantee was repeated."""
    return f"{row.scorer}, precision {row.target}, {row.rows:,} tuning rows"  # type: ignore[attr-defined]


def _speed(summary: pd.DataFrame) -> list[tuple[object, ...]]:
    """Judge times."""
    own = summary[(summary["data"] == SPEED) & (summary["metric"] == "seconds")]
    rows = []
    for row in own[(own["method"] == "exact_dp") & (own["statistic"] == "value")].itertuples():
        goal = f"exact program takes at most {1000 * SECONDS_GOAL:.0f} ms (s)"
        where = f"{row.buckets} buckets, 500 bins, {row.rows:,} rows"
        rows.append(_row(goal, where, row, within(row.ci_low, row.ci_high, most=SECONDS_GOAL), least_n=1))
    for row in own[own["statistic"] == "ratio"].itertuples():
        same = summary[(summary["metric"] == "same_selection") & (summary["method"] == row.method)]["ci_low"].min() == 1
        name, _, kind = row.method.partition(", ")
        goal = f"one bucket is at least {SPEED_GOAL:.0f} times as fast as {LABELS[name]} (times)"
        metric = kind or "metric of scikit-learn's own functions"
        where = f"{row.rows:,} rows, {metric}, {'same selection' if same else 'selections differ'}"
        judged = within(row.ci_low, row.ci_high, least=SPEED_GOAL) if same else "open"
        rows.append(_row(goal, where, row, judged, least_n=1))
    return rows


def _row(goal: str, where: str, row: object, judged: str, *, least_n: int = MINIMUM_UNITS) -> tuple[object, ...]:
    """Return one verdict; few units decide nothing."""
    value, low, high, n = (getattr(row, name) for name in ("value", "ci_low", "ci_high", "n"))
    return goal, where, value, low, high, n, judged if n >= least_n else "open"
