"""Pairs of nodes of a described graph: the lists, and the arrows around one node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.cache import Run
from dashboard.controls import graph
from dashboard.controls import graph_described as described
from dashboard.layout import number
from engine.figures.graph_network import plain
from engine.graph import described_text
from engine.graph.described_scene import seen_both_ways
from engine.graph.neighbourhood import MOST_NODES, neighbourhood

LISTS = {
    "seen": "Seen most",
    "weight": "Most weight",
    "lean": "Lean most",
    "time_order": "Clearest time order",
}
"""What a list of pairs is ordered by to what it is called."""
SHOWN_PAIRS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What is drawn around a node, with what every arrow says."""

    nodes: pd.DataFrame
    links: pd.DataFrame
    texts: list[str]
    badge: str
    empty: str


def pair_lists(run: Run) -> list[str]:
    """Return the lists of pairs that this run has; none where every pair was seen once."""
    if described.hero(run) == "nodes":
        return []
    found = [name for name in LISTS if name in set(run.curve("listed_pairs")["list"])]
    has_counts = described_text.leaning(run.curve("leaning"), "pairs") is not None
    return [name for name in found if name != "lean" or has_counts]


def pairs(run: Run, name: str) -> pd.DataFrame:
    """Return one list of pairs as it is drawn.

    Parameters
    ----------
    run : Run
    name : str
        A key of `LISTS`.

    Returns
    -------
    DataFrame
        ``source, target`` (labels), ``value, ci_low, ci_high, text`` and all columns of the list.
    """
    rows = run.curve("listed_pairs")
    rows = rows[rows["list"] == name].reset_index(drop=True)
    if name == "time_order":
        value, low, high = rows["ratio"], rows["ratio_low"], rows["ratio_high"]
    elif name == "weight" and described_text.leaning(run.curve("leaning"), "pairs") is None:
        total = rows["weight"] + rows["back_weight"]
        value = rows["weight"] / total.where(total > 0)
        low = high = pd.Series(np.nan, index=rows.index)
    else:
        value, low, high = rows["share"], rows["ci_low"], rows["ci_high"]
    table = rows.assign(value=value, ci_low=low, ci_high=high, source=rows["source_label"], target=rows["target_label"])
    return table.assign(text=[_pair_text(row) for row in table.to_dict("records")])


def _pair_text(row: dict[str, object]) -> str:
    """Say what was seen of a pair, both ways."""
    lines = [f"<b>{plain(row['source'])} → {plain(row['target'])}</b>"]
    what = "occasions" if row["list"] == "time_order" else "rows"
    lines.append(f"{what} this way {row['seen']:,}, the other way {row['back_seen']:,}")
    if "back_weight" in row:
        lines.append(f"weight this way {_number(row['weight'])}, the other way {_number(row['back_weight'])}")
    lines.append(f"ratio {_ratio(row)}")
    if row["list"] == "time_order":
        lines.append(f"by the calendar {_number(row['expected_ratio'])}; {row['users']:,} users this way")
        lines.append("holds in both halves" if row["direction_replicates"] else "does not hold in both halves")
    return "<br>".join(lines)


def _ratio(row: dict[str, object]) -> str:
    """Write a ratio with its interval."""
    return f"{_number(row['ratio'])} [{_number(row['ratio_low'])}, {_number(row['ratio_high'])}]"


def _number(value: object) -> str:
    """Write a number of a table."""
    return number(float(str(value)))


def _count(value: object) -> str:
    """Write a count of a table."""
    return f"{int(float(str(value))):,}"


def pairs_table(run: Run, name: str) -> pd.DataFrame:
    """Write one list of pairs out for reading."""
    rows = pairs(run, name)
    is_order = name == "time_order"
    table = pd.DataFrame(
        {
            "#": rows["place"],
            "From": rows["source"],
            "To": rows["target"],
            "This way": rows["seen"],
            "Other way": rows["back_seen"],
            "Ratio [95 %]": [_ratio(row) for row in rows.to_dict("records")],
        }
    )
    if is_order:
        return table.assign(
            Users=rows["users"],
            Calendar=rows["expected_ratio"].round(2),
            Season=rows["season_share"].round(2),
            Halves=np.where(rows["direction_replicates"] == 1, "both", "–"),
        )
    if "weight" in rows:
        table = table.assign(**{"Weight": rows["weight"], "Weight back": rows["back_weight"]})
    return table


def around(run: Run, node: int, *, k: int, hops: int) -> Around:
    """Return the placed neighbours of a node and the arrows between them.

    Parameters
    ----------
    run : Run
    node : int
    k : int
        Most links per side.
    hops : {1, 2}

    Returns
    -------
    Around
    """
    shown = graph.scene(run)
    found = neighbourhood(shown, node, k=k, hops=hops)
    links = seen_both_ways(found.links, shown.edges) if len(found.links) else found.links
    names = shown.names
    nodes = found.nodes.assign(is_marked=False, text=found.nodes["name"])
    (first, second), (all_first, all_second) = found.drawn, found.found
    badge = f"Showing **{first} of {all_first}** stored neighbours"
    badge += f" and **{second} of {all_second}** behind them, {MOST_NODES} nodes at most" if hops == 2 else ""
    about = shown.nodes.iloc[node]
    whole = (
        f" The whole graph has {int(about['out_degree']):,} edges out and {int(about['in_degree']):,} in at this node."
    )
    return Around(
        nodes=nodes,
        links=links,
        texts=[_link_text(row, names) for row in links.to_dict("records")],
        badge=f"{badge}.{whole if described.is_cut(run) else ''}",
        empty="None of the edges of this node is stored; choose another one." if links.empty else "",
    )


def _link_text(row: dict[str, object], names: list[str]) -> str:
    """Say what was seen of a link."""
    near, far = names[int(str(row["node"]))], names[int(str(row["other"]))]
    start, end = (far, near) if row["role"] == "source" else (near, far)
    text = f"<b>{plain(start)} → {plain(end)}</b><br>seen {_count(row['seen'])} times, back {_count(row['back_seen'])}"
    if "weight" in row:
        text += f"<br>weight {_number(row['weight'])}, back {_number(row['back_weight'])}"
    return text


def stored_sentence(run: Run) -> str:
    """Say which part of the graph the picture shows."""
    row, config = described.facts(run), run.manifest["config"]
    if not described.is_cut(run):
        return "The picture holds every edge of the graph."
    return (
        f"The picture holds {int(row['stored_edges']):,} of {int(row['edges']):,} edges: those among the "
        f"{int(row['stored_nodes']):,} nodes with most edges, of each the {int(config['stored_links'])} seen most "
        "out and in. All figures above count the whole graph."
    )
