"""A graph of any size, counted: every table that grows with its edges is one Ibis expression, on any engine."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
from ibis import _

EXACT_DEGREES = 32
"""Up to here every degree is a class of its own."""
CLASS_STARTS = tuple(
    sorted(
        {*range(EXACT_DEGREES + 2), *(round(EXACT_DEGREES * 2 ** (k / 8)) for k in range(1, 27 * 8))}
        | {factor * 10**power for power in range(1, 10) for factor in (1, 2, 5)}
    )
)
"""Least degree of every class; above `EXACT_DEGREES` a class is at most 9 % wide."""
MOST_TRIALS = 1_000
"""What was seen more often than this is counted as one group."""
LEAN = 1.959963984540054
"""A pair leans if its two counts differ by more than this many standard deviations of a fair coin."""


def pair_counts(edges: ir.Table) -> ir.Table:
    """Merge edges into unordered pairs of nodes with what points either way.

    Parameters
    ----------
    edges : ibis table
        Columns ``source, target`` of one type, present and different, and optionally ``weight``; edges may repeat.

    Returns
    -------
    ibis table
        ``low, high`` (low < high), ``there, back`` (rows low -> high and high -> low, int64), and with a weight the
        sums ``there_weight, back_weight``.
    """
    is_up = edges.source < edges.target
    # Counts, not sums: sums of whole numbers are 128 bits wide in some engines, and there is a row for every pair.
    measures: dict[str, ir.Value] = {"there": _.count(where=_.is_up), "back": _.count(where=~_.is_up)}
    columns: dict[str, ir.Value] = {
        "low": ibis.ifelse(is_up, edges.source, edges.target),
        "high": ibis.ifelse(is_up, edges.target, edges.source),
        "is_up": is_up,
    }
    if "weight" in edges.columns:
        columns["weight"] = edges.weight
        measures["there_weight"] = ibis.ifelse(_.is_up, _.weight, 0.0).sum()
        measures["back_weight"] = ibis.ifelse(_.is_up, 0.0, _.weight).sum()
    return edges.select(**columns).group_by(["low", "high"]).aggregate(**measures)


def totals(pairs: ir.Table) -> ir.Table:
    """Count rows, edges and pairs.

    Parameters
    ----------
    pairs : ibis table
        From `pair_counts`.

    Returns
    -------
    ibis table
        One row: ``rows, pairs, edges`` (different ordered pairs), ``mutual_pairs``, ``most_seen``.
    """
    forth, back = (pairs.there > 0).cast("int64"), (pairs.back > 0).cast("int64")
    return pairs.aggregate(
        rows=(pairs.there + pairs.back).sum().cast("int64"),
        pairs=pairs.count(),
        edges=(forth + back).sum().cast("int64"),
        mutual_pairs=(forth * back).sum().cast("int64"),
        most_seen=ibis.greatest(pairs.there, pairs.back).max(),
    )


def node_degrees(pairs: ir.Table) -> ir.Table:
    """Count the edges of every node; repeated edges count once.

    Parameters
    ----------
    pairs : ibis table
        From `pair_counts`.

    Returns
    -------
    ibis table
        ``node, out, into, mutual``: edges out, edges in, and neighbours with both; int64.
    """
    forth, back = pairs.there > 0, pairs.back > 0
    low = pairs.select(node=pairs.low, out=forth, into=back)
    both = low.union(pairs.select(node=pairs.high, out=back, into=forth))
    return both.group_by("node").aggregate(
        out=_.count(where=_.out), into=_.count(where=_.into), mutual=_.count(where=_.out & _.into)
    )


def degree_counts(degrees: ir.Table, degree: str) -> ir.Table:
    """Count nodes by degree.

    Parameters
    ----------
    degrees : ibis table
        From `node_degrees`.
    degree : {"out", "into"}

    Returns
    -------
    ibis table
        ``degree, nodes``; there are at most about sqrt(2 · edges) different degrees.
    """
    return degrees.group_by(degree=degrees[degree]).aggregate(nodes=_.count())


def class_sums(degrees: ir.Table) -> ir.Table:
    """Sum degrees and their squares by class of out-degree and class of in-degree.

    Parameters
    ----------
    degrees : ibis table
        From `node_degrees`.

    Returns
    -------
    ibis table
        ``out_class, in_class`` (positions in `CLASS_STARTS`), ``nodes``, and the sums ``out, into, mutual, out_square,
        in_square, mutual_square, out_mutual, in_mutual``, float64.
    """
    number = {name: degrees[name].cast("float64") for name in ("out", "into", "mutual")}
    out, into, mutual = number.values()
    summed = number | {
        "out_square": out * out,
        "in_square": into * into,
        "mutual_square": mutual * mutual,
        "out_mutual": out * mutual,
        "in_mutual": into * mutual,
    }
    named = degrees.select(out_class=_class(degrees.out), in_class=_class(degrees.into), **summed)
    return named.group_by(["out_class", "in_class"]).aggregate(
        nodes=named.count(), **{name: named[name].sum() for name in summed}
    )


def _class(degree: ir.Value) -> ir.Value:
    """Return the position in `CLASS_STARTS`, found by halving: a list of all classes would be gone through per row."""

    def found(first: int, end: int) -> ir.Value:
        if end - first == 1:
            return ibis.literal(first, type="int16")
        middle = (first + end) // 2
        return ibis.ifelse(degree < CLASS_STARTS[middle], found(first, middle), found(middle, end))

    start = EXACT_DEGREES + 1
    return ibis.ifelse(degree < start, degree.cast("int16"), found(start, len(CLASS_STARTS)))


def lean_counts(counted: ir.Table, first: str, second: str) -> ir.Table:
    """Count what leans to one of two sides, by the number of trials.

    Parameters
    ----------
    counted : ibis table
    first, second : str
        Columns with the counts of the two sides.

    Returns
    -------
    ibis table
        ``trials`` (first + second, at most `MOST_TRIALS` + 1, which stands for all above), ``n``, ``to_first,
        to_second`` (how many lean to that side by more than `LEAN` standard deviations of a fair coin), ``total``
        (trials summed) and ``larger`` (the larger counts summed).
    """
    one, two = counted[first], counted[second]
    total = one + two
    is_leaning = ((one - two) * (one - two)).cast("float64") > LEAN**2 * total.cast("float64")
    rows = counted.select(
        trials=ibis.least(total, ibis.literal(MOST_TRIALS + 1, type="int64")),
        total=total,
        to_first=(is_leaning & (one > two)).cast("int64"),
        to_second=(is_leaning & (two > one)).cast("int64"),
        larger=ibis.greatest(one, two),
    )
    names = ("to_first", "to_second", "total", "larger")
    return (
        rows.filter(rows.total > 0)
        .group_by("trials")
        .aggregate(n=_.count(), **{name: rows[name].sum().cast("int64") for name in names})
    )


def listed_pairs(pairs: ir.Table, *, by: str, limit: int) -> ir.Table:
    """Return the pairs that were seen most, or that lean most.

    Parameters
    ----------
    pairs : ibis table
        From `pair_counts`.
    by : {"seen", "weight", "lean"}
        Rows both ways; weight both ways; or by how many standard deviations of a fair coin the rows differ.
    limit : int

    Returns
    -------
    ibis table
        Rows of `pairs` with ``order``, the largest first; ties by name.
    """
    total = pairs.there + pairs.back
    gap = (pairs.there - pairs.back).cast("float64")
    order = {"seen": total.cast("float64"), "lean": gap * gap / total.cast("float64")}
    if "there_weight" in pairs.columns:
        order["weight"] = pairs.there_weight + pairs.back_weight
    ranked = pairs.mutate(order=order[by])
    return ranked.order_by([ibis.desc("order"), "low", "high"]).limit(limit)


def listed_nodes(degrees: ir.Table, *, outward: bool, limit: int) -> ir.Table:
    """Return the nodes whose one-way edges lead out most surely, or in.

    Parameters
    ----------
    degrees : ibis table
        From `node_degrees`.
    outward : bool
    limit : int

    Returns
    -------
    ibis table
        Rows of `degrees` with ``order``: (out - in) / sqrt(out + in) of the one-way edges, or its negative.
    """
    out, into = degrees.out - degrees.mutual, degrees.into - degrees.mutual
    rows = degrees.filter(out + into > 0)
    sign = 1.0 if outward else -1.0
    order = sign * (out - into).cast("float64") / (out + into).cast("float64").sqrt()
    ranked = rows.mutate(order=order)
    return ranked.filter(ranked.order > 0).order_by([ibis.desc("order"), "node"]).limit(limit)


def least_of_class(place: np.ndarray) -> np.ndarray:
    """Return the least degree of classes."""
    return np.asarray(CLASS_STARTS, dtype=np.int64)[place]
