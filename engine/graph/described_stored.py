"""The part of a graph that pages look around in: all of a small one, the best linked nodes of a larger one."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir


def stored_nodes(degrees: ir.Table, *, limit: int) -> ir.Table:
    """Return the nodes with most edges in both directions; ties by name."""
    ranked = degrees.mutate(order=degrees.out + degrees.into)
    return ranked.order_by([ibis.desc("order"), "node"]).limit(limit).drop("order")


def every_edge(pairs: ir.Table) -> ir.Table:
    """Return the edges of both directions.

    Parameters
    ----------
    pairs : ibis table
        From `pair_counts`.

    Returns
    -------
    ibis table
        ``source, target, seen, back`` (rows this way and the other) and, with a weight, ``weight, back_weight``.
    """
    names = ["there", "back", *(("there_weight", "back_weight") if "there_weight" in pairs.columns else ())]
    turned = [*(names[1::-1]), *(names[:1:-1])]
    parts = [
        pairs.filter(pairs[columns[0]] > 0).select(
            source=pairs[first],
            target=pairs[second],
            **{
                name: pairs[column]
                for name, column in zip(("seen", "back", "weight", "back_weight"), columns, strict=False)
            },
        )
        for first, second, columns in (("low", "high", names), ("high", "low", turned))
    ]
    return parts[0].union(parts[1])


def stored_edges(pairs: ir.Table, nodes: ir.Table, *, links: int) -> ir.Table:
    """Return the edges among some nodes, of each node those seen most.

    Parameters
    ----------
    pairs : ibis table
        From `pair_counts`.
    nodes : ibis table
        From `stored_nodes`.
    links : int
        Most edges out, and most edges in, by which a node keeps an edge; either end may keep it, and with an edge its
        answer is kept.

    Returns
    -------
    ibis table
        Rows of `every_edge`.
    """
    ends = nodes.select("node")
    inside = pairs.semi_join(ends, pairs.low == ends.node).semi_join(ends, [("high", "node")])
    edges = every_edge(inside)
    ranked = edges.mutate(
        **{
            name: ibis.row_number().over(group_by=near, order_by=[ibis.desc("seen"), ibis.desc("back"), far])
            for name, near, far in (("out_place", "source", "target"), ("in_place", "target", "source"))
        }
    )
    found = ranked.filter((ranked.out_place < links) | (ranked.in_place < links)).drop("out_place", "in_place")
    # An edge that is kept without its answer would pass for one-way.
    turns = {"source": "target", "target": "source", "seen": "back", "back": "seen"}
    turns |= {"weight": "back_weight", "back_weight": "weight"} if "weight" in edges.columns else {}
    answers = found.filter(found.back > 0).select(**{name: found[other] for name, other in turns.items()})
    return found.union(answers.select(*found.columns), distinct=True)
