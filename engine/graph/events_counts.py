"""What follows and precedes what within a window, counted: three Ibis expressions, any engine.

Rows of an interaction table become *user-days*: one user, one item, one calendar day. The largest expression,
`pair_counts`, holds one row per pair of items; nothing that leaves this module grows with the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from ibis import _

HALVES = (0, 1)
"""A user with an even code belongs to half 0, one with an odd code to half 1."""
_ZERO, _ONE = ibis.literal(0.0), ibis.literal(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days that count as occasions, and how far one looks from each."""

    first_day: int
    """First day with a whole window before it."""
    last_day: int
    """Last day with a whole window after it."""
    window_days: int


def user_days(events: ir.Table) -> ir.Table:
    """Reduce interactions to distinct user, item and calendar day.

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
    whole = events.select(user=_.user.cast("int32"), item=_.item.cast("int32"), day=_.time.floor().cast("int32"))
    return whole.distinct()


def nearby(days: ir.Table, period: Period) -> ir.Table:
    """Express which items come after and before every user's days.

    Parameters
    ----------
    days : ibis table
        From `user_days`; an item with the code -1 is no node: its days are occasions, and it is near nothing.
    period : Period

    Returns
    -------
    ibis table
        ``user, day, near, after, before``: ``after`` is 1 if the user has the item ``near`` on a later day within the
        window, ``before`` likewise; the day itself counts for neither.
    """
    occasions = _inside(days, period).select("user", "day").distinct()
    others = days.filter(_.item >= 0).select(owner="user", at="day", near="item")
    window = period.window_days
    joined = occasions.join(
        others,
        [
            occasions.user == others.owner,
            others.at >= occasions.day - window,
            others.at <= occasions.day + window,
            others.at != occasions.day,
        ],
    )
    return joined.group_by(["user", "day", "near"]).aggregate(
        after=(_.at > _.day).cast("int8").max(), before=(_.at < _.day).cast("int8").max()
    )


def pair_counts(days: ir.Table, period: Period, *, n_items: int, minimum_users: int) -> ir.Table:
    """Count, for every pair of items and half of the users, occasions and users in both directions.

    An occasion is a user-day with one item of the pair; it is *followed* if the other item comes on a later day within
    the window, *preceded* if on an earlier one.

    Parameters
    ----------
    days : ibis table
        From `user_days`.
    period : Period
    n_items : int, >= 1
        Number of item codes.
    minimum_users : int, >= 1
        Pairs stay whose support, users with an occasion followed, reaches this in one direction at least.

    Returns
    -------
    ibis table
        ``pair`` (low · n_items + high, for item codes low < high), and per half h in (0, 1), all float64:
        ``low_followed_h, low_preceded_h`` (occasions of low near high), ``high_followed_h, high_preceded_h``,
        ``low_users_h, high_users_h``; the sums over users ``forward_square_h, backward_square_h, product_h`` of
        low-then-high occasions (low followed + high preceded) and high-then-low ones; ``low_square, high_square,
        low_high`` of low followed and high followed, over both halves.
    """
    items = supported_items(days, minimum_users)
    return supported_pairs(pair_sums(days.semi_join(items, "item"), period, n_items=n_items), minimum_users)


def supported_items(days: ir.Table, minimum_users: int) -> ir.Table:
    """List the items, nodes all of them, with enough users for a pair: ``item``."""
    users = days.filter(_.item >= 0).group_by("item").aggregate(users=_.user.nunique())
    return users.filter(_.users >= minimum_users).select("item")


def supported_pairs(sums: ir.Table, minimum_users: int) -> ir.Table:
    """Keep the pairs of `pair_sums` with enough users in one direction at least."""
    low, high = (sums[f"{side}_users_0"] + sums[f"{side}_users_1"] for side in ("low", "high"))
    return sums.filter(ibis.greatest(low, high) >= minimum_users)


def pair_sums(days: ir.Table, period: Period, *, n_items: int) -> ir.Table:
    """Count as `pair_counts` does, but every pair: sums over users, so that rows of different users can be added.

    Parameters
    ----------
    days : ibis table
        From `user_days`.
    period : Period
    n_items : int, >= 1

    Returns
    -------
    ibis table
        Columns of `pair_counts`.
    """
    sided = _sided(days, period, n_items=n_items)
    names = ("low_followed", "low_preceded", "high_followed", "high_preceded")
    # Sums of float64: sums of whole numbers become 128 bits wide in some engines.
    per_user = sided.group_by(["user", "pair"]).aggregate({name: sided[name].cast("float64").sum() for name in names})
    low, high = per_user.low_followed, per_user.high_followed
    forward, backward = low + per_user.high_preceded, high + per_user.low_preceded
    summed = {name: per_user[name] for name in names} | {
        "low_users": (low > 0).cast("float64"),
        "high_users": (high > 0).cast("float64"),
        "forward_square": forward * forward,
        "backward_square": backward * backward,
        "product": forward * backward,
    }
    half = per_user.user % 2
    return per_user.group_by("pair").aggregate(
        {f"{name}_{h}": ibis.ifelse(half == h, value, 0.0).sum() for name, value in summed.items() for h in HALVES}
        | {"low_square": (low * low).sum(), "high_square": (high * high).sum(), "low_high": (low * high).sum()}
    )


def support_counts(days: ir.Table, period: Period, *, n_items: int) -> ir.Table:
    """Count the ordered pairs of items with any support, and the users of the best supported.

    Parameters
    ----------
    days : ibis table
        From `user_days`.
    period : Period
    n_items : int, >= 1
        Number of item codes.

    Returns
    -------
    ibis table
        One row ``pairs, most_users``; zeros if there is no pair.
    """
    counts = pair_counts(days, period, n_items=n_items, minimum_users=1)
    low, high = counts.low_users_0 + counts.low_users_1, counts.high_users_0 + counts.high_users_1
    return counts.aggregate(
        pairs=((low > 0).cast("int64") + (high > 0).cast("int64")).sum().cast("float64").fill_null(0.0),
        most_users=ibis.greatest(low, high).max().fill_null(0.0),
    )


def _sided(days: ir.Table, period: Period, *, n_items: int) -> ir.Table:
    """Join every occasion with what is near it, and tell the two sides of each pair apart by the order of codes."""
    pairs = _inside(days, period).join(nearby(days, period), ["user", "day"]).filter(_.item != _.near)
    is_low = _.item < _.near
    return pairs.select(
        "user",
        pair=ibis.least(_.item, _.near).cast("int64") * n_items + ibis.greatest(_.item, _.near),
        low_followed=ibis.ifelse(is_low, _.after, 0),
        low_preceded=ibis.ifelse(is_low, _.before, 0),
        high_followed=ibis.ifelse(is_low, 0, _.after),
        high_preceded=ibis.ifelse(is_low, 0, _.before),
    )


def calendar_counts(days: ir.Table, period: Period) -> ir.Table:
    """Count, for every half, calendar day and item, the user-days with it and those that it follows and precedes.

    Parameters
    ----------
    days : ibis table
        From `user_days`.
    period : Period

    Returns
    -------
    ibis table
        ``half, day, item, own, followed, preceded``; counts are float64.
    """
    nodes = _inside(days, period).filter(_.item >= 0)
    own = nodes.select("user", "day", "item", own=_ONE, followed=_ZERO, preceded=_ZERO)
    near = nearby(days, period).select(
        "user", "day", item="near", own=_ZERO, followed=_.after.cast("float64"), preceded=_.before.cast("float64")
    )
    return (
        own.union(near)
        .group_by(half=_.user % 2, day="day", item="item")
        .aggregate(own=_.own.sum(), followed=_.followed.sum(), preceded=_.preceded.sum())
    )


def visit_counts(days: ir.Table, period: Period) -> ir.Table:
    """Count the user-days with any item of every half and calendar day.

    Parameters
    ----------
    days : ibis table
        From `user_days`.
    period : Period

    Returns
    -------
    ibis table
        ``half, day, visits``; visits are float64.
    """
    occasions = _inside(days, period).select("user", "day").distinct()
    return occasions.group_by(half=_.user % 2, day="day").aggregate(visits=_.count().cast("float64"))


def item_counts(days: ir.Table) -> ir.Table:
    """Count user-days and distinct users of every item over the whole table.

    Parameters
    ----------
    days : ibis table
        From `user_days`.

    Returns
    -------
    ibis table
        ``item, days, users``.
    """
    return days.group_by("item").aggregate(days=_.count(), users=_.user.nunique())


def _inside(days: ir.Table, period: Period) -> ir.Table:
    """Keep the days whose two windows are whole."""
    return days.filter(_.day.between(period.first_day, period.last_day))
