"""Sums over exposures, by groups of units, that everything about the waiting window follows from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared

MAX_ROWS = 12_000
"""Exposures looked at; of more, whole units are left out evenly and the variance is scaled down."""
_GROUPS = 200
NETWORKS = ("exact_joint", "dress_style")
"""Estimators that take the flip rate from a network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums of a segment; the first axis is the group of units, or the draw after `under`."""

    bins: np.ndarray
    """Bin of every waiting window."""
    n: np.ndarray
    """Exposures of the cohort read at each window, shape (groups, windows)."""
    seen: np.ndarray
    open: np.ndarray
    due: np.ndarray
    """Days until each label was read."""
    flips: Mapping[str, np.ndarray]
    """Method to the flip probabilities of the open labels, shape (groups, members, windows)."""
    leaving: np.ndarray
    """Exposures by the bin in which they left the risk set, shape (groups, horizon_bin + 1)."""
    events: np.ndarray
    aged: np.ndarray
    """Their ages."""
    line: np.ndarray
    """Matured labels y at t = −age: number, Σt, Σy, Σt², Σty; shape (groups, 5)."""

    @property
    def groups(self) -> int:
        """Number of groups."""
        return self.n.shape[0]

    @property
    def members(self) -> int:
        """Number of networks; 0 without."""
        return next(iter(self.flips.values())).shape[1] if self.flips else 0

    def under(self, taken: np.ndarray) -> Sums:
        """Add up the groups under weights, shape (draws, groups)."""
        values = {name: taken @ getattr(self, name) for name in _LINEAR}
        flips = {method: np.tensordot(taken, table, axes=1) for method, table in self.flips.items()}
        return Sums(bins=self.bins, flips=flips, **values)

    @classmethod
    def added(cls, parts: Sequence[Sums]) -> Sums:
        """Add segments up; flips are left out."""
        values = {name: np.sum([getattr(part, name) for part in parts], axis=0) for name in _LINEAR}
        return cls(bins=parts[0].bins, flips={}, **values)

    def survival(self) -> np.ndarray:
        """Return the Kaplan-Meier curve after every bin, shape (draws, horizon_bin + 1)."""
        at_risk = _from_here_on(self.leaving)
        return np.cumprod(1.0 - np.divide(self.events, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0), axis=1)

    def curve_age(self) -> np.ndarray:
        """Return the mean age of the risk sets of the events from each bin on; 0 after the last event."""
        at_risk = _from_here_on(self.leaving)
        mean = np.divide(_from_here_on(self.aged), at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
        later = _from_here_on(self.events)
        ages = np.divide(_from_here_on(self.events * mean), later, out=np.zeros_like(later), where=later > 0)
        return np.pad(ages, ((0, 0), (0, 1)))  # entry k + 1: events after bin k

    def slope(self) -> np.ndarray:
        """Return the least-squares slope of matured labels on time, per day; 0 where there is no line."""
        n, t, y, tt, ty = self.line.T
        spread = n * tt - t**2
        return np.divide(n * ty - t * y, spread, out=np.zeros_like(spread), where=spread > 1e-9 * n * np.abs(tt))

    def matured_age(self) -> np.ndarray:
        """Return the mean age of matured exposures; 0 where there is none."""
        n, t = self.line[:, 0], self.line[:, 1]
        return np.divide(-t, n, out=np.zeros_like(n), where=n > 0)


_LINEAR = tuple(field.name for field in fields(Sums) if field.name not in ("bins", "flips"))


def kept_rows(prepared: Prepared) -> tuple[np.ndarray, float]:
    """Return the exposures before the snapshot that are looked at, and their share."""
    rows = np.flatnonzero(~prepared.test)
    every = -(-rows.size // MAX_ROWS)
    kept = rows[prepared.unit[rows] % every == 0]
    return kept, kept.size / rows.size


def segment_sums(
    prepared: Prepared,
    rows: np.ndarray,
    config: DelayConfig,
    waiting: np.ndarray,
    period: float,
    horizon_bin: int,
    flip_of: Callable[[np.ndarray, np.ndarray], Mapping[str, np.ndarray]] | None,
) -> Sums:
    """Add up one segment by groups of units.

    Parameters
    ----------
    prepared : Prepared
    rows : ndarray of shape (n,), int
        Its exposures before the snapshot.
    config : DelayConfig
    waiting : ndarray of shape (windows,), days
    period : float, days
        Length L of the cohort.
    horizon_bin : int
    flip_of : callable or None
        See `engine.delay.tradeoff.FlipOf`.

    Returns
    -------
    Sums
    """
    step = config.step_days
    age = prepared.age[rows]
    due = np.minimum(waiting, prepared.window[rows, np.newaxis])  # (n, windows)
    inside = ((age[:, np.newaxis] >= due) & (age[:, np.newaxis] < due + period)).astype(np.float64)
    seen = (prepared.delay[rows, np.newaxis] <= due) * inside
    exit_bin, converted = exit_bins(prepared, rows, step, horizon_bin)
    matured = prepared.matured[rows].astype(np.float64)
    time, label = -age, prepared.label[rows]
    line = np.column_stack((np.ones(rows.size), time, label, time**2, time * label)) * matured[:, np.newaxis]
    at = np.arange(horizon_bin + 1) == exit_bin[:, np.newaxis]
    # Units are numbered in the order of their first exposure, so neighbours go to different groups.
    group = prepared.unit[rows] % _GROUPS

    def add(values: np.ndarray) -> np.ndarray:
        total = np.zeros((_GROUPS, *values.shape[1:]))
        np.add.at(total, group, values)
        return total

    flips = {}
    if flip_of is not None:
        # A description has no networks, and must not wait for torch.
        from engine.delay.flips import FLIP_GROUPS

        said = flip_of(np.repeat(rows, waiting.size), due.ravel())
        for method, name in zip(NETWORKS, FLIP_GROUPS, strict=True):
            table = said[name].reshape(-1, rows.size, waiting.size).transpose(1, 0, 2)
            flips[method] = add(table * (inside - seen)[:, np.newaxis])
    return Sums(
        bins=np.minimum((waiting / step + 1e-9).astype(int), horizon_bin),
        n=add(inside),
        seen=add(seen),
        open=add(inside - seen),
        due=add(due * inside),
        flips=flips,
        leaving=add(at.astype(np.float64)),
        events=add((at & converted[:, np.newaxis]).astype(np.float64)),
        aged=add(at * age[:, np.newaxis]),
        line=add(line),
    )


def exit_bins(
    prepared: Prepared, rows: np.ndarray, step_days: float, horizon_bin: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bin in which each exposure left the risk set by the snapshot day, and whether it converted.

    The same rule as the aggregate of `engine.delay.counts.exit_counts`.
    """
    age, window, delay = prepared.age[rows], prepared.window[rows], prepared.delay[rows]
    lived = np.floor(np.minimum(age, window) / step_days + 1e-9)
    event = np.ceil(np.where(np.isfinite(delay), delay, 0.0) / step_days - 1e-9)
    complete = age >= window
    converted = (delay <= age) & (complete | (event <= lived))
    left = np.where(converted, event, np.where(complete, horizon_bin, lived))
    return np.minimum(left, horizon_bin).astype(int), converted


def _from_here_on(values: np.ndarray) -> np.ndarray:
    """Add up from each bin to the last."""
    return np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
