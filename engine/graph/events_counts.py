"""What follows and precedes what within a window, counted: Ibis expressions, any engine.

What is counted are *user-days*, see `engine.graph.events_days`: one user, one item, one calendar day. Nothing that
leaves this module grows with the rows.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _

from engine.graph.events_days import NO_NODE, Period, is_occasion

HALVES = (0, 1)
"""A user with an even code belongs to half 0, one with an odd code to half 1."""
KEYS = {
    "once": ("half", "earlier", "later"),
    "several": ("pair", "half"),
    "pairs": ("pair", "half"),
    "calendar": ("half", "day", "item"),
    "visits": ("half", "day"),
}
"""Of each table of counts: the columns whose values have one row; all others are sums over users."""
_SIDES = ("low_followed", "low_preceded", "high_followed", "high_preceded")
_HALVED = (*_SIDES, "low_users", "high_users", "forward_square", "backward_square", "product")
_SQUARES = ("low_square", "high_square", "low_high")
_ZERO, _ONE = ibis.literal(0.0), ibis.literal(1.0)


def pair_counts(found: ir.Table, *, n_items: int) -> dict[str, ir.Table]:
    """Count, for every pair of items and half of the users, occasions and users in both directions.

    An occasion is a user-day with one item of the pair; it is *followed* if the other item comes on a later day within
    the window, *preceded* if on an earlier one.

    Parameters
    ----------
    found : ibis table
        From `engine.graph.events_days.successions`.
    n_items : int, >= 1
        Number of item codes.

    Returns
    -------
    dict of str to ibis table
        What `pair_sums` adds up; sums over users, float64. ``once``, of the users who have both items on one day only:
        ``half, earlier, later`` (items), ``followed, preceded``, ``both`` at once. ``several``, of all others: the
        columns of `pair_sums`.

    Notes
    -----
    Most users have most items on one day only. They need only be counted, three numbers in place of twelve.
    """
    nodes = found.filter((_.earlier != _.later) & (_.earlier > NO_NODE) & (_.later > NO_NODE))
    return {"once": _once(nodes.filter(_.is_only)), "several": _several(nodes.filter(~_.is_only), n_items)}


def pair_sums(once: ir.Table, several: ir.Table, *, n_items: int) -> ir.Table:
    """Add up both tables of `pair_counts`.

    Parameters
    ----------
    once, several : ibis table
    n_items : int, >= 1
        As in `pair_counts`.

    Returns
    -------
    ibis table
        ``pair`` (low · n_items + high, for item codes low < high), ``half``, and sums over users, float64:
        ``low_followed, low_preceded`` (occasions of low near high), ``high_followed, high_preceded``; ``low_users,
        high_users`` (with an occasion followed); ``forward_square, backward_square, product`` of low-then-high
        occasions (low followed + high preceded) and high-then-low ones; ``low_square, high_square, low_high`` of low
        followed and high followed.
    """
    is_up = once.earlier < once.later
    # A user has f, p in {0, 1} occasions followed and preceded: the sum of (f + p)^2 is that of f + p + 2 f p.
    square = once.followed + once.preceded + 2.0 * once.both
    low = {"low_followed": once.followed, "low_users": once.followed, "low_square": once.followed}
    low |= {"high_preceded": once.preceded, "forward_square": square}
    high = {"high_followed": once.followed, "high_users": once.followed, "high_square": once.followed}
    high |= {"low_preceded": once.preceded, "backward_square": square}
    sums = {name: ibis.ifelse(is_up, value, 0.0) for name, value in low.items()}
    sums |= {name: ibis.ifelse(is_up, 0.0, value) for name, value in high.items()}
    sums |= {"product": _ZERO, "low_high": _ZERO}
    sided = once.select("half", pair=_pair(once, n_items), **sums)
    columns = (*KEYS["pairs"], *_HALVED, *_SQUARES)
    parts = sided.select(*columns).union(several.select(*columns))
    return parts.group_by(KEYS["pairs"]).aggregate({name: parts[name].sum() for name in (*_HALVED, *_SQUARES)})


def _once(nodes: ir.Table) -> ir.Table:
    """Count what users have who have both items on one day only."""
    return nodes.group_by(half=nodes.user % 2, earlier=nodes.earlier, later=nodes.later).aggregate(
        followed=nodes.count(where=nodes.is_followed).cast("float64"),
        preceded=nodes.count(where=nodes.is_preceded).cast("float64"),
        both=nodes.count(where=nodes.is_followed & nodes.is_preceded).cast("float64"),
    )


def _several(nodes: ir.Table, n_items: int) -> ir.Table:
    """Sum over the users who have one of the items on several days: first what each of them has, then its squares."""
    is_up = nodes.earlier < nodes.later
    # Sums of float64: sums of whole numbers become 128 bits wide in some engines.
    followed, preceded = nodes.is_followed.cast("float64"), nodes.is_preceded.cast("float64")
    per_user = nodes.group_by(user=nodes.user, pair=_pair(nodes, n_items)).aggregate(
        low_followed=ibis.ifelse(is_up, followed, 0.0).sum(),
        low_preceded=ibis.ifelse(is_up, 0.0, preceded).sum(),
        high_followed=ibis.ifelse(is_up, 0.0, followed).sum(),
        high_preceded=ibis.ifelse(is_up, preceded, 0.0).sum(),
    )
    low, high = per_user.low_followed, per_user.high_followed
    forward, backward = low + per_user.high_preceded, high + per_user.low_preceded
    summed = {name: per_user[name] for name in _SIDES} | {
        "low_users": (low > 0).cast("float64"),
        "high_users": (high > 0).cast("float64"),
        "forward_square": forward * forward,
        "backward_square": backward * backward,
        "product": forward * backward,
        "low_square": low * low,
        "high_square": high * high,
        "low_high": low * high,
    }
    halved = per_user.group_by(pair=per_user.pair, half=per_user.user % 2)
    return halved.aggregate({name: value.sum() for name, value in summed.items()})


def _pair(nodes: ir.Table, n_items: int) -> ir.Value:
    """Return the number of the unordered pair."""
    return ibis.least(nodes.earlier, nodes.later).cast("int64") * n_items + ibis.greatest(nodes.earlier, nodes.later)


def supported_pairs(sums: ir.Table, minimum_users: int) -> ir.Table:
    """Lay the halves of `pair_sums` side by side, and keep the pairs with enough users in one direction at least.

    Parameters
    ----------
    sums : ibis table
        From `pair_sums`.
    minimum_users : int, >= 1
        Users with an occasion followed, of both halves.

    Returns
    -------
    ibis table
        ``pair``, and per half h in (0, 1) the columns of `pair_sums` with ``_h`` behind their names, but for
        ``low_square, high_square, low_high``, which are over both halves.
    """
    sides = {f"{name}_{h}": ibis.ifelse(sums.half == h, sums[name], 0.0).sum() for name in _HALVED for h in HALVES}
    wide = sums.group_by("pair").aggregate(sides | {name: sums[name].sum() for name in _SQUARES})
    low, high = _users(wide)
    return wide.filter(ibis.greatest(low, high) >= minimum_users)


def support_counts(sums: ir.Table) -> ir.Table:
    """Count the ordered pairs of items with any support, and the users of the best supported.

    Parameters
    ----------
    sums : ibis table
        From `pair_sums`.

    Returns
    -------
    ibis table
        One row ``pairs, most_users``; zeros if there is no pair.
    """
    counts = supported_pairs(sums, 1)
    low, high = _users(counts)
    return counts.aggregate(
        pairs=((low > 0).cast("int64") + (high > 0).cast("int64")).sum().cast("float64").fill_null(0.0),
        most_users=ibis.greatest(low, high).max().fill_null(0.0),
    )


def _users(pairs: ir.Table) -> list[ir.Value]:
    """Return the users with low followed, and with high followed, over both halves."""
    return [pairs[f"{side}_users_0"] + pairs[f"{side}_users_1"] for side in ("low", "high")]


def calendar_counts(days: ir.Table, found: ir.Table, period: Period) -> ir.Table:
    """Count, for every half, calendar day and item, the user-days with it and those that it follows and precedes.

    Parameters
    ----------
    days : ibis table
        From `engine.graph.events_days.visits`.
    found : ibis table
        From `engine.graph.events_days.successions` of these.
    period : Period

    Returns
    -------
    ibis table
        ``half, day, item, own, followed, preceded``; counts are float64.
    """
    inside = days.filter(is_occasion(_.day, period) & (_.item > NO_NODE))
    own = inside.select("user", "day", "item", own=_ONE, followed=_ZERO, preceded=_ZERO)
    after = found.filter(_.is_followed & _.opens & (_.later > NO_NODE))
    before = found.filter(_.is_preceded & _.closes & (_.earlier > NO_NODE))
    parts = own.union(
        after.select("user", day="start", item="later", own=_ZERO, followed=_ONE, preceded=_ZERO),
        before.select("user", day="end", item="earlier", own=_ZERO, followed=_ZERO, preceded=_ONE),
    )
    return parts.group_by(half=_.user % 2, day="day", item="item").aggregate(
        own=_.own.sum(), followed=_.followed.sum(), preceded=_.preceded.sum()
    )


def visit_counts(days: ir.Table, period: Period) -> ir.Table:
    """Count the days with any item of every half and calendar day.

    Parameters
    ----------
    days : ibis table
        From `engine.graph.events_days.visits`.
    period : Period

    Returns
    -------
    ibis table
        ``half, day, visits``; visits are float64.
    """
    occasions = days.filter(is_occasion(_.day, period) & _.leads)
    return occasions.group_by(half=_.user % 2, day="day").aggregate(visits=_.count().cast("float64"))


def item_counts(days: ir.Table) -> ir.Table:
    """Count user-days and distinct users of every item over the whole table.

    Parameters
    ----------
    days : ibis table
        From `engine.graph.events_days.user_days`.

    Returns
    -------
    ibis table
        ``item, days, users``.
    """
    return days.group_by("item").aggregate(days=_.count(), users=_.count(where=_.previous.isnull()))
