"""Thresholds whose precision is guaranteed with a stated confidence: Learn-then-Test in a fixed sequence.

One half of the tuning units fixes everything that could be chosen: bucket and score edges, the MIST
path and the order in which its boundaries are tested. The other half tests, boundary by boundary, the
hypothesis that the precision is at most the target. The first failure ends the sequence; the last
boundary that passed selects most and is the answer. No correction for many tests is needed, because
to select a boundary that breaks the target a true hypothesis has to be rejected, the first of them at
the latest, which happens with probability at most 1 - confidence.

The guarantee: over the draw of the testing half, the precision of the answer on new rows of the same
population is above the target with at least the stated confidence, for a target fixed beforehand.
Rows are assumed independent. Where units hold several rows, a second test treats unit totals as
independent instead, and both must pass: careful, but the second is exact only for many units.

References
----------
Angelopoulos, Bates, Candes, Jordan and Lei (2021), Learn then Test, arXiv 2110.01052 (fixed sequence
testing, section 2.3); Clopper and Pearson (1934) for the exact binomial test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from engine.errors import ConfigError
from engine.seeding import generator
from engine.uncertainty.boundaries import Bools, Path, precision_fraction, score_only_threshold
from engine.uncertainty.bucket_cut import EQUAL_COUNTS, BucketCut
from engine.uncertainty.draws import unit_index
from engine.uncertainty.grid import Floats, Ints, Layout, assign_buckets, score_edges
from engine.uncertainty.isotonic import mist_path
from engine.uncertainty.planes import Plane
from engine.uncertainty.rows import Rows

CountBy = Literal["rows", "units"]
FEWEST_TESTS = 2
"""Units that must be selected for a test of unit totals."""


@dataclass(frozen=True, slots=True)
class Guarantee:
    """Hold what the testing half said at one target."""

    cuts: Ints
    """Shape (K,); all 0 if no boundary passed."""
    passed: int
    """Boundaries that passed before the first failure."""
    p_value: float
    """Of the answer, at most 1 - confidence; NaN if nothing passed."""


def guaranteed_plane(
    rows: Rows,
    targets: Sequence[float],
    *,
    buckets: int,
    cut: BucketCut = EQUAL_COUNTS,
    confidence: float = 0.9,
    seed: int = 0,
    count_by: CountBy = "units",
) -> Plane:
    """Find guaranteed boundaries for several targets, each with its own guarantee.

    Parameters
    ----------
    rows : Rows
        Tuning rows; units are split in halves at random.
    targets : sequence of float
    buckets : int
        Uncertainty buckets at most; to be chosen without the labels of the testing half.
    cut : BucketCut
        How they are cut; no way reads a label.
    confidence : float, in (0.5, 1)
    seed : int
    count_by : {"units", "rows"}
        ``units`` demands the test of unit totals too where a unit holds several rows.

    Returns
    -------
    Plane
        With edges of its own and one method, ``guaranteed``.

    Raises
    ------
    ConfigError
        If the confidence is not above one half and below one.
    """
    if not 0.5 < confidence < 1:
        raise ConfigError(f"'confidence' is {confidence!r}; it must lie between 0.5 and 1, for example 0.9.")
    half = rows.split_units(2, generator(seed, "uncertainty", "guaranteed"))
    learning, testing = rows.take(half == 0), rows.take(half == 1)
    edges = cut.edges(learning.uncertainty, buckets, learning.weight)
    bucket = assign_buckets(learning.uncertainty, edges)
    extra = [score_only_threshold(learning.score, learning.label, learning.weight, target) for target in targets]
    layout = Layout(edges, score_edges(learning.score, bucket, learning.weight, extra=extra))
    plane = Plane(layout=layout)
    path = mist_path(plane.grid(learning))
    found = [guarantee(plane, path, testing, target, confidence=confidence, count_by=count_by) for target in targets]
    return Plane(layout=layout, paths={"guaranteed": path}, cuts={"guaranteed": np.stack([g.cuts for g in found])})


def guarantee(
    plane: Plane, path: Path, testing: Rows, target: float, *, confidence: float, count_by: CountBy
) -> Guarantee:
    """Test a path in a fixed sequence, from the boundary that looked safest to ever larger ones.

    Parameters
    ----------
    plane : Plane
    path : Path
        Growing boundaries with the counts of the learning half.
    testing : Rows
        Rows of other units.
    target : float, in (0, 1)
    confidence : float
    count_by : {"units", "rows"}

    Returns
    -------
    Guarantee
    """
    start = safest(path, target)
    if start is None:
        return Guarantee(cuts=np.zeros_like(path.cuts[0]), passed=0, p_value=float("nan"))
    p_values = binomial_p_values(plane, path, testing, target)[start:]
    passed = _before_first_failure(p_values <= 1 - confidence)
    if passed and count_by == "units" and unit_index(testing.unit)[1] < testing.label.size:
        by_unit = unit_p_values(plane, path, testing, target, places=range(start, start + passed))
        passed = _before_first_failure(by_unit <= 1 - confidence)
    if passed == 0:
        return Guarantee(cuts=np.zeros_like(path.cuts[0]), passed=0, p_value=float("nan"))
    place = passed - 1
    return Guarantee(cuts=path.cuts[start + place], passed=passed, p_value=float(p_values[place]))


def _before_first_failure(passing: Bools) -> int:
    """Count the tests that pass before the first one that does not."""
    return passing.size if passing.all() else int(np.argmin(passing))


def safest(path: Path, target: float) -> int | None:
    """Return the place of the boundary furthest above the target in standard errors, or None.

    Judged by the counts the path was made on.
    """
    sigma = float(precision_fraction(target))
    excess = path.positives - sigma * path.selected
    z = excess / np.sqrt(np.maximum(path.selected, 1) * sigma * (1 - sigma))
    return int(np.argmax(z)) if z.max() > 0 else None


def binomial_p_values(plane: Plane, path: Path, testing: Rows, target: float) -> Floats:
    """Test ``precision <= target`` for every boundary of a path by the exact binomial tail, rows independent.

    Returns
    -------
    ndarray of shape (S,), float64
        Probability of at least as many positives among as many rows at the target; 1 where nothing
        is selected.
    """
    positives, totals = plane.grid(testing).from_top()
    bucket = np.arange(totals.shape[0])
    won, taken = (counts[bucket, path.cuts].sum(axis=1) for counts in (positives, totals))
    found: Floats = stats.binom.sf(won - 1, taken, float(precision_fraction(target)))
    return found


def unit_p_values(plane: Plane, path: Path, testing: Rows, target: float, *, places: range) -> Floats:
    """Test ``precision <= target`` for some boundaries of a path by a one-sided t test on unit totals.

    A unit's total is its selected positives minus target times its selected rows, whose mean is at most
    0 under the hypothesis; units are independent.

    Returns
    -------
    ndarray of shape (len(places),), float64
        1 where fewer than two units are selected.
    """
    n_buckets, n_bins = plane.layout.shape
    # The step at which a row enters: the first boundary whose cut reaches its bin.
    needed = n_bins - np.arange(n_bins)
    entered = np.concatenate([np.searchsorted(path.cuts[:, bucket], needed) for bucket in range(n_buckets)])
    step = entered[plane.cell(testing)]
    order = np.argsort(step, kind="stable")
    ends = np.searchsorted(step[order], np.asarray(places), side="right")
    unit, n_units = unit_index(testing.unit)
    surplus = testing.weight * (testing.label - float(precision_fraction(target)))
    sums, present = np.zeros(n_units), np.zeros(n_units, dtype=bool)
    found, start = np.ones(len(places)), 0
    for place, end in enumerate(ends):
        new = order[start:end]
        np.add.at(sums, unit[new], surplus[new])
        present[unit[new]] = True
        start = end
        if np.count_nonzero(present) >= FEWEST_TESTS:
            found[place] = _t_tail(sums[present])
    return found


def _t_tail(values: Floats) -> float:
    """One-sided p-value of a mean above 0."""
    error = float(values.std(ddof=1)) / np.sqrt(values.size)
    if error == 0:
        return 0.0 if values.mean() > 0 else 1.0
    return float(stats.t.sf(values.mean() / error, values.size - 1))
