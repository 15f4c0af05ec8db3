"""Count what a boundary gets right and wrong, and say what to beware of."""

from __future__ import annotations

from dataclasses import dataclass

from engine.metrics.calibration import wilson_interval
from engine.uncertainty.boundaries import count_selected
from engine.uncertainty.grid import Grid, Ints

FEW_ROWS = 30
"""Below this many selected rows an interval says more about luck than about the boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Hold the outcome of a boundary on one split: counts of rows, and shares with Wilson intervals."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int
    precision: tuple[float, float, float]
    """Value and 95 % interval; NaN if nothing is selected."""
    recall: tuple[float, float, float]

    @property
    def selected(self) -> int:
        """Rows selected."""
        return self.true_positive + self.false_positive

    @property
    def positives(self) -> int:
        """Positive rows, selected or not."""
        return self.true_positive + self.false_negative

    @property
    def rows(self) -> int:
        """Rows in all."""
        return self.selected + self.false_negative + self.true_negative

    @property
    def coverage(self) -> float:
        """Share of all rows selected."""
        return self.selected / self.rows if self.rows else float("nan")

    def f_score(self, beta: float = 1.0) -> float:
        """Return F-beta, in [0, 1]: recall counts beta times as much as precision; 0 without a hit."""
        weight = beta**2
        below = (1 + weight) * self.true_positive + weight * self.false_negative + self.false_positive
        return (1 + weight) * self.true_positive / below if below else float("nan")

    def queue_rate(self, rows_per_day: float) -> float:
        """Return the selected rows per day when ``rows_per_day`` rows like these come in."""
        return self.coverage * rows_per_day

    def net_benefit(self, threshold_probability: float) -> float:
        """Return true positives per row, less false ones at the odds of a probability.

        Parameters
        ----------
        threshold_probability : float, in [0, 1)
            Probability from which on selecting is worth it: cost / (value + cost).

        Returns
        -------
        float, per row, at most the base rate

        References
        ----------
        Vickers and Elkin (2006), Decision curve analysis: TP / n - FP / n * p / (1 - p).
        """
        odds = threshold_probability / (1 - threshold_probability)
        return (self.true_positive - odds * self.false_positive) / self.rows if self.rows else float("nan")


def decide(grid: Grid, cuts: Ints) -> Decision:
    """Count the outcome of one boundary of shape (K,) on a grid of counts."""
    tp, n = (int(value) for value in count_selected(grid, cuts))
    positives, total = int(grid.positives.sum()), int(grid.totals.sum())
    return Decision(
        true_positive=tp,
        false_positive=n - tp,
        false_negative=positives - tp,
        true_negative=total - n - positives + tp,
        precision=_with_interval(tp, n),
        recall=_with_interval(tp, positives),
    )


def target_check(decision: Decision, target: float) -> str:
    """Judge a precision target on rows the boundary was not tuned on.

    Parameters
    ----------
    decision : Decision
        Outcome on the test rows.
    target : float, in (0, 1)

    Returns
    -------
    str
        ``nothing`` if no row is selected, ``few`` if fewer than 30 are, ``missed`` if the whole
        interval of the precision lies below the target, ``exceeded`` if above, else ``met``.
    """
    if decision.selected == 0:
        return "nothing"
    if decision.selected < FEW_ROWS:
        return "few"
    _, low, high = decision.precision
    if high < target:
        return "missed"
    return "exceeded" if low > target else "met"


def outcome_row(name: str, split: str, decision: Decision) -> dict[str, object]:
    """Write one decision as a row.

    Returns
    -------
    dict
        ``boundary, split, true_positive, false_positive, false_negative, true_negative``, then
        ``precision`` and ``recall``, each with ``_low`` and ``_high``, and ``coverage``.
    """
    row: dict[str, object] = {"boundary": name, "split": split}
    row |= {
        "true_positive": decision.true_positive,
        "false_positive": decision.false_positive,
        "false_negative": decision.false_negative,
        "true_negative": decision.true_negative,
    }
    for metric, found in (("precision", decision.precision), ("recall", decision.recall)):
        row |= {metric: found[0], f"{metric}_low": found[1], f"{metric}_high": found[2]}
    return row | {"coverage": decision.coverage}


def _with_interval(part: int, whole: int) -> tuple[float, float, float]:
    """Return a share with its Wilson interval; NaN for an empty whole."""
    low, high = wilson_interval(part, whole)
    return (part / whole if whole else float("nan"), float(low), float(high))
