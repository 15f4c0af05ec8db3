"""Other questions to the same counts: a cost per mistake, a budget of rows, another share of positives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from engine.errors import ConfigError
from engine.uncertainty.decision import Decision
from engine.uncertainty.grid import Grid, Ints


def solve_cost(grid: Grid, *, value: float, cost: float) -> Ints:
    """Maximise ``value * true positives - cost * false positives``.

    Buckets do not compete, so each takes its own best cut: where its isotonic positive rate falls
    below ``cost / (value + cost)``.

    Parameters
    ----------
    grid : Grid
    value : float, > 0
        Gain of a true positive.
    cost : float, >= 0
        Loss of a false positive, in the same unit.

    Returns
    -------
    ndarray of shape (K,), int64, bins from the top
        Fewest rows among equals.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """
    if not (np.isfinite(value) and value > 0):
        raise ConfigError(f"'value' is {value!r}; it must be a number above 0: the gain of a true positive.")
    if not (np.isfinite(cost) and cost >= 0):
        raise ConfigError(f"'cost' is {cost!r}; it must be a number from 0: the loss of a false positive.")
    positives, totals = grid.from_top()
    # Worth it where positives >= rate * rows; in integers, so that ties are ties.
    rate = Fraction(cost / (value + cost)).limit_denominator(10_000)
    return np.argmax(rate.denominator * positives - rate.numerator * totals, axis=1).astype(np.int64)


def utility(decision: Decision, *, value: float, cost: float) -> float:
    """Return ``value * true positives - cost * false positives`` of a decision."""
    return value * decision.true_positive - cost * decision.false_positive


def budget_rows(grid: Grid, *, rows: int | None = None, share: float | None = None) -> int:
    """Write a budget as a number of rows of a grid.

    Parameters
    ----------
    grid : Grid
    rows : int, >= 0, optional
    share : float, in [0, 1], optional
        Part of all rows, rounded down; give either this or `rows`.

    Returns
    -------
    int

    Raises
    ------
    ConfigError
        If none or both are given, or one is out of range.
    """
    if (rows is None) == (share is None):
        raise ConfigError("A budget is given either as 'rows' or as 'share'; give exactly one.")
    if rows is not None:
        if rows < 0:
            raise ConfigError(f"'rows' is {rows}; a budget must be at least 0.")
        return int(rows)
    if share is None or not 0 <= share <= 1:
        raise ConfigError(f"'share' is {share!r}; a budget must be a share from 0 to 1.")
    return int(Fraction(share).limit_denominator(1_000_000) * int(grid.totals.sum()))


def odds_factor(base_rate: float, new_base_rate: float) -> float:
    """Return kappa, the factor on the odds of a positive that turns one base rate into another.

    Parameters
    ----------
    base_rate, new_base_rate : float, in (0, 1)

    Returns
    -------
    float, > 0
        For rows whose negatives were kept at 1 / tau, the rows before that have kappa = 1 / tau.

    Raises
    ------
    ConfigError
        If a rate is not between 0 and 1.

    Examples
    --------
    >>> round(odds_factor(0.5, 0.2), 6)
    0.25
    """
    for name, rate in (("base_rate", base_rate), ("new_base_rate", new_base_rate)):
        if not 0 < rate < 1:
            raise ConfigError(f"'{name}' is {rate!r}; it must lie between 0 and 1.")
    return new_base_rate / (1 - new_base_rate) * (1 - base_rate) / base_rate


def under_shift(decision: Decision, kappa: float) -> dict[str, float]:
    """Say what a boundary would achieve if positives were kappa times as frequent beside negatives.

    Positives weigh kappa; inside each class rows stay as they are (prior shift), so recall stays.

    Parameters
    ----------
    decision : Decision
    kappa : float, > 0

    Returns
    -------
    dict
        ``precision, precision_low, precision_high, recall, coverage, base_rate``; NaN where
        nothing is selected.
    """
    _check_kappa(kappa)
    tp, positives = kappa * decision.true_positive, kappa * decision.positives
    rows = positives + decision.rows - decision.positives
    value, low, high = (kappa * p / (kappa * p + 1 - p) for p in decision.precision)
    found = {"precision": value, "precision_low": low, "precision_high": high, "recall": decision.recall[0]}
    return found | {"coverage": (tp + decision.false_positive) / rows, "base_rate": positives / rows}


def shifted_target(target: float, kappa: float) -> float:
    """Return the target on the present rows that means ``target`` after the shift.

    ``kappa tp / (kappa tp + fp) >= target`` is ``tp / (tp + fp) >= target / (target + kappa (1 - target))``,
    so every solver and the whole frontier serve the shifted question.

    Parameters
    ----------
    target : float, in (0, 1)
    kappa : float, > 0

    Returns
    -------
    float, in (0, 1)

    Examples
    --------
    >>> shifted_target(0.5, 1.0), round(shifted_target(0.5, 3.0), 6)
    (0.5, 0.25)
    """
    _check_kappa(kappa)
    if not 0 < target < 1:
        raise ConfigError(f"'target' is {target!r}; it must lie between 0 and 1.")
    return target / (target + kappa * (1 - target))


def _check_kappa(kappa: float) -> None:
    """Refuse a factor that is no odds ratio."""
    if not (np.isfinite(kappa) and kappa > 0):
        raise ConfigError(f"'kappa' is {kappa!r}; it must be a number above 0, 1 for no change.")
