"""Interactions as user-days, and which of a user's days comes within a window after which: Ibis, on any engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import _

NO_NODE = -1
"""Code of an item that becomes no node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days that count as occasions, and how far one looks from each."""

    first_day: int
    """First day with a whole window before it."""
    last_day: int
    """Last day with a whole window after it."""
    window_days: int


def whole_days(events: ir.Table) -> ir.Table:
    """Reduce the times of interactions to calendar days.

    Parameters
    ----------
    events : ibis table
        Columns ``user, item`` (codes; the users with an even code are the first half, the others the second) and
        ``time`` (days).

    Returns
    -------
    ibis table
        ``user, item, day``, all int32.
    """
    # Narrow numbers: the joins below carry them hundreds of times.
    return events.select(user=_.user.cast("int32"), item=_.item.cast("int32"), day=_.time.floor().cast("int32"))


def user_days(events: ir.Table) -> ir.Table:
    """Reduce interactions to distinct user, item and calendar day, beside the user's days with the item around it.

    Parameters
    ----------
    events : ibis table
        From `whole_days`.

    Returns
    -------
    ibis table
        ``user, item, day, previous, following``: NULL for the first and the last day of user and item.
    """
    days = events.distinct()
    own = ibis.window(group_by=["user", "item"], order_by="day")
    return days.mutate(previous=days.day.lag().over(own), following=days.day.lead().over(own))


def visits(days: ir.Table) -> ir.Table:
    """Let one row lead every user and day, and drop what is neither a node nor leads.

    Parameters
    ----------
    days : ibis table
        From `user_days`; an item with the code -1 is no node.

    Returns
    -------
    ibis table
        The same with ``leads``: the row stands for all of its user and day.
    """
    leads = ibis.row_number().over(group_by=["user", "day"], order_by=ibis.desc("item")) == 0
    led = days.mutate(leads=leads)
    return led.filter((led.item > NO_NODE) | led.leads)


def successions(days: ir.Table, period: Period) -> ir.Table:
    """Express which user-day comes within the window after which.

    Parameters
    ----------
    days : ibis table
        From `user_days`, for the calendar from `visits`.
    period : Period

    Returns
    -------
    ibis table
        ``user, earlier, later`` (items), ``start, end`` (their days, start < end <= start + window); ``is_followed``:
        whether `start` is an occasion and `later` comes for the first time after it, so that every occasion counts an
        item once; ``is_preceded``: whether `end` is an occasion and `earlier` comes for the last time before it;
        ``is_only``: whether the user has either item on this day only, and so the two in this row only; of `visits`
        also ``opens, closes``: whether the earlier, the later row leads its day. At least one of ``is_followed,
        is_preceded`` holds.

    Notes
    -----
    To tell by the days around that an item comes for the first time spares the largest of the group-bys: the one that
    would drop repetitions from what was joined.
    """
    leads = ("opens", "closes") if "leads" in days.columns else ()
    early, late = _sides(days, period.window_days, leads)
    # What comes within the window lies in the same stretch of days or in the next: no user is joined with a whole life.
    probes = early.union(early.mutate(stretch=(_.stretch + 1).cast("int32")))
    joined = probes.join(
        late,
        [
            probes.user == late.owner,
            probes.stretch == late.part,
            late.end > probes.start,
            late.end <= probes.start + period.window_days,
        ],
    )
    told = joined.select(
        *("user", "earlier", "later", "start", "end", *leads),
        is_followed=is_occasion(joined.start, period) & (joined.since.isnull() | (joined.since <= joined.start)),
        is_preceded=is_occasion(joined.end, period) & (joined.until.isnull() | (joined.until >= joined.end)),
        is_only=joined.is_one & joined.is_other,
    )
    return told.filter(told.is_followed | told.is_preceded)


def _sides(days: ir.Table, window: int, leads: Sequence[str]) -> tuple[ir.Table, ir.Table]:
    """Name user-days as the earlier and as the later of two, each in its stretch of days as long as the window."""
    # Whether fractions are cut off or down does not matter: neighbouring stretches stay neighbours.
    stretch = (days.day // window).cast("int32")
    is_only = days.previous.isnull() & days.following.isnull()
    opens, closes = ({name: days.leads} for name in leads) if leads else ({}, {})
    early = days.select(
        "user", stretch=stretch, start=days.day, earlier=days.item, until=days.following, is_one=is_only, **opens
    )
    late = days.select(
        owner=days.user, part=stretch, end=days.day, later=days.item, since=days.previous, is_other=is_only, **closes
    )
    return early, late


def is_occasion(day: ir.Value, period: Period) -> ir.Value:
    """Tell which days have two whole windows."""
    return day.between(period.first_day, period.last_day)
