"""What a reader of thresholds asks beside precision and recall: rate at the cut, F1, optimism, rows it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.errors import ConfigError
from engine.metrics.calibration import wilson_interval
from engine.uncertainty.boundaries import single_path
from engine.uncertainty.decision import Decision
from engine.uncertainty.editor import EVERYTHING, NOTHING, Editor
from engine.uncertainty.grid import Grid

Z = 1.959963984540054
"""97.5 % point of the standard normal distribution."""
AT_THE_CUT = 40
"""Rows that are pooled around a threshold at least, if there are so many."""
Share = tuple[float, float, float]
"""Value with the ends of its 95 % interval."""


def f1_score(decision: Decision) -> Share:
    """Return F1 with its interval.

    ``F1 = 2 J / (1 + J)`` rises with ``J = TP / (TP + FP + FN)``, a share of the rows that are selected
    or positive; Wilson's interval of J is carried over. NaN if there are no such rows.

    Parameters
    ----------
    decision : Decision

    Returns
    -------
    (float, float, float), in [0, 1]

    References
    ----------
    Wilson (1927) for the share, given the number of rows that are selected or positive.
    """
    rows = decision.selected + decision.false_negative
    ends = wilson_interval(decision.true_positive, rows)
    share = decision.true_positive / rows if rows else math.nan
    value, low, high = (2 * j / (1 + j) for j in (share, *(float(end) for end in ends)))
    return value, low, high


def share_selected(decision: Decision) -> Share:
    """Return the share of rows that are selected, with Wilson's interval."""
    low, high = wilson_interval(decision.selected, decision.rows)
    return decision.coverage, float(low), float(high)


def difference(one: Share, other: Share) -> Share:
    """Return ``one - other`` of two independent shares with Newcombe's interval.

    Parameters
    ----------
    one, other : (float, float, float)
        Shares with Wilson's intervals.

    Returns
    -------
    (float, float, float)

    References
    ----------
    Newcombe (1998), method 10: the distances to the ends add in squares.
    """
    value = one[0] - other[0]
    low = value - math.hypot(one[0] - one[1], other[2] - other[0])
    return value, low, value + math.hypot(one[2] - one[0], other[0] - other[1])


def rows_needed(share: float, half_width: float) -> int:
    """Return how many rows tell a share to plus or minus a half width, at 95 %.

    Parameters
    ----------
    share : float, in [0, 1]
    half_width : float, > 0

    Returns
    -------
    int

    Examples
    --------
    >>> rows_needed(0.9, 0.02)
    865
    """
    return math.ceil(share * (1 - share) * (Z / half_width) ** 2)


def rates_at_the_cut(grid: Grid, cuts: Sequence[int], *, least: int = AT_THE_CUT) -> pd.DataFrame:
    """Return the rate of positives around every threshold: what the next rows to enter or leave are worth.

    Parameters
    ----------
    grid : Grid
    cuts : sequence of K int, 0 .. L
    least : int
        Bins are pooled evenly above and below a threshold until they hold so many rows.

    Returns
    -------
    DataFrame
        ``bucket, n, positives, rate, ci_low, ci_high``, one row per bucket; NaN in a bucket without rows.
    """
    positives, totals = grid.from_top()
    size = grid.shape[1]
    width = np.arange(1, size + 1)
    won, n = [], []
    for bucket, cut in enumerate(cuts):
        low, high = np.maximum(cut - width, 0), np.minimum(cut + width, size)
        rows = totals[bucket, high] - totals[bucket, low]
        place = int(np.argmax(rows >= min(least, int(rows[-1]))))
        n.append(int(rows[place]))
        won.append(int(positives[bucket, high[place]] - positives[bucket, low[place]]))
    counted = pd.DataFrame({"bucket": np.arange(len(won)), "n": n, "positives": won})
    ci_low, ci_high = wilson_interval(won, n)
    return counted.assign(
        rate=counted["positives"] / counted["n"].where(counted["n"] > 0), ci_low=ci_low, ci_high=ci_high
    )


def score_histogram(grid: Grid) -> pd.DataFrame:
    """Count rows and positives by bucket and score bin, the lowest score first: ``bucket, bin, n, positives``."""
    n_buckets, n_bins = grid.shape
    return pd.DataFrame(
        {
            "bucket": np.repeat(np.arange(n_buckets), n_bins),
            "bin": np.tile(np.arange(n_bins), n_buckets),
            "n": grid.totals.ravel(),
            "positives": grid.positives.ravel(),
        }
    )


def best_single(grid: Grid, *, value: float, cost: float) -> list[int]:
    """Return the one threshold for all buckets that is worth most, as cuts; fewest rows among equals.

    Parameters
    ----------
    grid : Grid
    value, cost : float
        Gain of a true and loss of a false positive.
    """
    path = single_path(grid)
    worth = value * path.positives - cost * (path.selected - path.positives)
    best: list[int] = path.cuts[int(np.argmax(worth))].tolist()
    return best


def cut_near(editor: Editor, text: str) -> int:
    """Find the cut that a typed threshold means: a word, or the bin edge nearest to a number.

    Parameters
    ----------
    editor : Editor
    text : str
        ``all``, ``none`` or a score.

    Returns
    -------
    int, 0 .. L

    Raises
    ------
    ConfigError
        If it is neither.
    """
    word = text.strip().lower()
    known = editor.cut_of(word)
    if known is not None:
        return known
    try:
        value = float(word.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"'{text}' is no threshold; type a score, '{EVERYTHING}' or '{NOTHING}'.")
    inner = editor.thresholds[1:-1]
    if inner.size == 0:
        return int(editor.layout.shape[1]) if value <= 0 else 0
    return int(np.argmin(np.abs(inner - value))) + 1
