"""From counts of pairs to lift, season and time order, with the users as units of every error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from engine.graph.events_counts import HALVES
from engine.graph.events_days import Period

Floats = NDArray[np.float64]
POOLED = len(HALVES)
"""Position of both halves together on the first axis of every array here; 0 and 1 are the halves."""
_Z = 1.959963984540054
"""Half-width of a 95 % interval in standard errors."""
_CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class Calendar:
    """What happens on each calendar day, whoever does it; day 0 is the first that counts."""

    own: Floats
    """User-days with the item, shape (3, n_days, n_items)."""
    followed_share: Floats
    """Share of the user-days close by that the item follows, same shape."""
    preceded_share: Floats
    """Share of the user-days close by that the item precedes, same shape."""
    followed_rate: Floats
    """Share of all user-days that the item follows, shape (3, n_items)."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Ordered pairs of items U, V; the second half of the rows is the first with U and V exchanged."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    users: Floats
    """Users with an occasion of U followed by V, shape (3, n_pairs), as all arrays below."""
    followed: Floats
    """Occasions of U followed by V."""
    preceded: Floats
    """Occasions of U preceded by V."""
    expected: Floats
    """Occasions followed, were V as usual on the calendar days of U."""
    expected_preceded: Floats
    expected_all_year: Floats
    """Occasions followed, were V as usual over the whole period."""
    source_days: Floats
    """Occasions of U."""
    order_variance: Floats
    """Variance of ln (U-then-V occasions / V-then-U occasions) over users."""
    asymmetry_variance: Floats
    """Variance of ln (followed / reverse followed) over users; shape (n_pairs,), both halves together."""

    def reverse(self, values: Floats) -> Floats:
        """Return the values of the exchanged pairs, along the last axis."""
        return np.roll(values, len(self.source) // 2, axis=-1)

    @property
    def lift(self) -> Floats:
        """Occasions followed over those the calendar alone would give; 0 where it gives none."""
        return np.divide(self.followed, self.expected, out=np.zeros_like(self.followed), where=self.expected > 0)

    @property
    def season_share(self) -> Floats:
        """Part of the excess over the year-round rate that the calendar explains, in [0, 1]; 0 without an excess."""
        excess = self.followed - self.expected_all_year
        explained = np.where(excess > 0, self.expected - self.expected_all_year, 0.0)
        return np.clip(explained / np.where(excess > 0, excess, 1.0), 0.0, 1.0)

    @property
    def score(self) -> Floats:
        """Lift times the 5 % lower Poisson bound of the users over the users."""
        return self.lift * _poisson_lower_share(self.users)

    @property
    def asymmetry(self) -> Floats:
        """Log ratio of P(V|U), the share of the occasions of U that V follows, to P(U|V)."""
        return _contrast(self, self.followed) - _contrast(self, self.source_days)

    @property
    def popularity(self) -> Floats:
        """Log ratio of P(V|U) to P(U|V), were both as usual over the whole period."""
        return _contrast(self, self.expected_all_year) - _contrast(self, self.source_days)

    @property
    def season(self) -> Floats:
        """What the calendar adds to `popularity`."""
        return _contrast(self, self.expected) - _contrast(self, self.expected_all_year)

    @property
    def lift_difference(self) -> Floats:
        """What is left of the asymmetry after popularity and calendar."""
        return _contrast(self, self.followed) - _contrast(self, self.expected)

    @property
    def time_order(self) -> Floats:
        """Log ratio of U-then-V to V-then-U occasions, against the same ratio expected from the calendar."""
        found = _contrast(self, self.followed + self.reverse(self.preceded))
        return found - _contrast(self, self.expected + self.reverse(self.expected_preceded))

    @property
    def direction_replicates(self) -> NDArray[np.bool_]:
        """Whether the 95 % interval of `time_order` excludes 0 on the same side in both halves; shape (n_pairs,)."""
        signs = np.sign(self.time_order) * self.order_is_beyond_noise
        return (signs[0] == signs[1]) & (signs[0] != 0)

    @property
    def order_is_beyond_noise(self) -> NDArray[np.bool_]:
        """Whether the 95 % interval of `time_order` excludes 0."""
        return np.abs(self.time_order) > _Z * np.sqrt(self.order_variance)


def calendar_of(counts: pd.DataFrame, visits: pd.DataFrame, period: Period, *, reach: int, n_items: int) -> Calendar:
    """Arrange the counts by day and smooth them over the days close by.

    Parameters
    ----------
    counts : DataFrame
        ``half, day, item, own, followed, preceded``, as from `engine.graph.events_counts.calendar_counts`.
    visits : DataFrame
        ``half, day, visits``, as from `engine.graph.events_counts.visit_counts`.
    period : Period
    reach : int, >= 0, days
        Days close by are those at most this far away.
    n_items : int

    Returns
    -------
    Calendar
    """
    n_days = period.last_day - period.first_day + 1
    half, day = counts["half"].to_numpy(), counts["day"].to_numpy() - period.first_day
    columns = {}
    for name in ("own", "followed", "preceded"):
        values = np.zeros((3, n_days, n_items))
        values[half, day, counts["item"].to_numpy()] = counts[name].to_numpy()
        values[POOLED] = values[0] + values[1]
        columns[name] = values
    shopping = np.zeros((3, n_days, 1))
    shopping[visits["half"].to_numpy(), visits["day"].to_numpy() - period.first_day, 0] = visits["visits"].to_numpy()
    shopping[POOLED] = shopping[0] + shopping[1]
    close_by = np.maximum(_within_reach(shopping, reach), 1.0)
    return Calendar(
        own=columns["own"],
        followed_share=_within_reach(columns["followed"], reach) / close_by,
        preceded_share=_within_reach(columns["preceded"], reach) / close_by,
        followed_rate=columns["followed"].sum(axis=1) / np.maximum(shopping.sum(axis=1), 1.0),
    )


def pairs_of(counts: pd.DataFrame, calendar: Calendar) -> Pairs:
    """Turn counts per unordered pair into both ordered pairs, with what the calendar would give.

    Parameters
    ----------
    counts : DataFrame
        As from `engine.graph.events_counts.supported_pairs`.
    calendar : Calendar

    Returns
    -------
    Pairs
        Of shape (2 · number of rows).
    """
    n_items = calendar.own.shape[2]
    low, high = np.divmod(counts["pair"].to_numpy(dtype=np.int64), n_items)
    source, target = np.concatenate([low, high]), np.concatenate([high, low])
    followed, preceded = (_both_ways(counts, f"low_{name}", f"high_{name}") for name in ("followed", "preceded"))
    reversed_preceded = np.roll(preceded, len(low), axis=1)
    order_variance = _log_ratio_variance(
        _both_ways(counts, "forward_square", "backward_square"),
        _both_ways(counts, "product", "product"),
        followed + reversed_preceded,
    )
    square = np.concatenate([counts["low_square"], counts["high_square"]])
    product = np.tile(counts["low_high"].to_numpy(), 2)
    source_days = calendar.own.sum(axis=1)[:, source]
    return Pairs(
        source=source,
        target=target,
        users=_both_ways(counts, "low_users", "high_users"),
        followed=followed,
        preceded=preceded,
        expected=_expected(calendar.own, calendar.followed_share, source, target),
        expected_preceded=_expected(calendar.own, calendar.preceded_share, source, target),
        expected_all_year=source_days * calendar.followed_rate[:, target],
        source_days=source_days,
        order_variance=order_variance,
        asymmetry_variance=_log_ratio_variance(square, product, followed[POOLED]),
    )


def _both_ways(counts: pd.DataFrame, there: str, back: str) -> Floats:
    """Stack a column of the ordered pairs low, high on that of high, low; per half and for both together."""
    halves = np.stack([np.concatenate([counts[f"{there}_{h}"], counts[f"{back}_{h}"]]) for h in HALVES])
    return np.concatenate([halves, halves.sum(axis=0, keepdims=True)])


def _expected(own: Floats, share: Floats, source: NDArray[np.int64], target: NDArray[np.int64]) -> Floats:
    """Sum the share of V over the calendar days of U, a chunk of pairs at a time."""
    found = np.empty((len(own), len(source)))
    for part in range(len(own)):
        days, shares = np.ascontiguousarray(own[part].T), np.ascontiguousarray(share[part].T)
        for start in range(0, len(source), _CHUNK):
            rows = slice(start, start + _CHUNK)
            found[part, rows] = np.einsum("pd,pd->p", days[source[rows]], shares[target[rows]])
    return found


def _within_reach(values: Floats, reach: int) -> Floats:
    """Sum values over the days at most `reach` away; axis 1 is the day."""
    total = np.cumsum(values, axis=1)
    total = np.concatenate([np.zeros_like(total[:, :1]), total], axis=1)
    days = np.arange(values.shape[1])
    upper, lower = np.minimum(days + reach + 1, len(days)), np.maximum(days - reach, 0)
    return total[:, upper] - total[:, lower]


def _contrast(pairs: Pairs, values: Floats) -> Floats:
    """Return ln (value / value of the exchanged pair), half an occasion added to both: none is not never."""
    smooth = values + 0.5
    return np.log(smooth / pairs.reverse(smooth))


def _log_ratio_variance(square: Floats, product: Floats, forward: Floats) -> Floats:
    """Linearised variance of ln (forward / backward), summed over users; the half occasions count as one more user."""
    width = forward.shape[-1] // 2
    there = forward + 0.5
    back = np.roll(there, width, axis=-1)
    back_square = np.roll(square, width, axis=-1)
    variance = (
        square / there**2 + back_square / back**2 - 2 * product / (there * back) + (0.5 / there - 0.5 / back) ** 2
    )
    return np.maximum(variance, 0.0)


def _poisson_lower_share(count: Floats) -> Floats:
    """Return the 5 % lower Poisson bound of a count as a share of the count."""
    safe = np.maximum(count, 1.0)
    return np.where(count > 0, chi2.ppf(0.05, 2 * safe) / 2 / safe, 0.0)
