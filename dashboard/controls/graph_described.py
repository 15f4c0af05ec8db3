"""What the directed-graph page shows of a run that was described without a training."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls import graph
from dashboard.layout import escape_markdown
from engine.datasets import BUNDLED
from engine.graph import described_text
from engine.graph.described_scene import is_described

KEYS: Final = {
    "tab": "graph-described-tab",
    "degree": "graph-described-degree",
    "list": "graph-described-list",
    "chart": "graph-described-balance",
    "network": "graph-described-network",
}
"""Keys of the page of a described graph; those of the tab, the degree and the list stand in the address bar."""
EXPLORE = "Explore a node"
DEGREES = {"out_degree": "Out-degree of the source", "in_degree": "In-degree of the target"}
NEEDS_TRAINING = {
    "Ranked lists, other methods, neighbours drawn, what if": "what to recommend after a node, by every method",
    "Map": "both embeddings of every node side by side",
    "Review pairs": "pairs whose scores differ most between the directions",
    "How good is it?": "HitRate, MRR and direction AUC on held-out edges, against baselines",
}
"""Part of the page of a trained run to what it shows."""
_QUANTITY = {
    "lift_of_both_directions": "Who goes with whom (log lift of both directions)",
    "lift_difference": "Difference between the log lifts of the directions",
    "time_order": "Time order (U then V, beyond the calendar)",
    "popularity": "Popularity (P(V|U) against P(U|V))",
    "direction_replicates": "Edges whose time order holds in both halves",
    "same_direction": "Edges with an order in one half: the same in the other",
}
_LEAST_Z = 1.959963984540054
_LISTED_NODES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One share with what to compare it with."""

    label: str
    value: float
    low: float
    high: float
    n: int
    baseline: str


def facts(run: Run) -> pd.Series:
    """Return the one row of facts; see `engine.graph.described_tables.facts_of`."""
    found: pd.Series = run.curve("described").iloc[0]
    return found


def _curves(run: Run) -> dict[str, pd.DataFrame]:
    """Return the tables that sentences are made from."""
    return {name: run.curve(name) for name in ("described", "leaning", "replication") if name in run.manifest["curves"]}


def answer(run: Run) -> str:
    """Answer the page's question for this run in one sentence, safe for markdown."""
    return escape_markdown(described_text.answer(_curves(run)), limit=600)


def is_events(run: Run) -> bool:
    """Tell whether the edges were made from events."""
    return str(facts(run)["form"]) == "events"


def cards(run: Run) -> list[Card]:
    """Return the headline shares, in percent."""
    row = facts(run)
    found = []
    if is_events(run):
        half = run.curve("replication").set_index("quantity").loc["direction_replicates"]
        found.append(_card("Edges whose order replicates", half, half["n"], f"by chance {_percent(half['by_chance'])}"))
    ends = {"value": row["one_way_share"], "ci_low": row["one_way_low"], "ci_high": row["one_way_high"]}
    chance = f"by the degrees alone {_percent(row['chance_one_way'])}"
    found.append(
        _card("Edges that point one way", pd.Series(ends), row["source_nodes"], f"{chance}; n counts source nodes")
    )
    for what, label in (("pairs", "Pairs that lean one way"), ("nodes", "Nodes that lean out or in")):
        lean = described_text.leaning(run.curve("leaning"), what)
        if lean is not None:
            sides = f" · out {_percent(lean['to_first'])}, in {_percent(lean['to_second'])}" if what == "nodes" else ""
            found.append(_card(label, lean, lean["n"], f"by a fair coin {_percent(lean['expected'])}{sides}"))
    return found


def _card(label: str, row: pd.Series, n: float, baseline: str) -> Card:
    """Return a card in percent."""
    value, low, high = (100 * float(row[name]) for name in ("value", "ci_low", "ci_high"))
    return Card(label=label, value=value, low=low, high=high, n=int(n), baseline=baseline)


def _percent(share: float) -> str:
    """Write a share in percent."""
    return "–" if math.isnan(share) else described_text.percent(float(share))


def notes(run: Run) -> str:
    """Say what was merged, what was left out, and which part is stored."""
    row = facts(run)
    said = []
    if row["repeated"]:
        said.append(f"{int(row['repeated']):,} repeated rows were merged into their edges")
    if row["missing_rows"]:
        said.append(f"{int(row['missing_rows']):,} rows without an end were left out")
    if row["self_loops"]:
        said.append(f"{int(row['self_loops']):,} edges from a node to itself were left out")
    if is_events(run):
        top = int(run.manifest["config"]["top"])
        said.append(f"an edge is U, then V on a later day, more often than the calendar gives; at most {top} per item")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def default_degree(run: Run) -> str:
    """Return the degree to show first: an item of events keeps so many edges out at most."""
    return "in_degree" if is_events(run) else "out_degree"


def by_degree(run: Run, degree: str) -> pd.DataFrame:
    """Return the share of one-way edges by one degree."""
    table = run.curve("one_way_by_degree")
    return table[table["degree"] == degree].reset_index(drop=True)


def hero(run: Run) -> Literal["time_order", "pairs", "nodes"]:
    """Say what stands beside the shares: the pairs, where something was seen often enough, or the nodes."""
    if is_events(run):
        return "time_order"
    lists = set(run.curve("listed_pairs")["list"])
    has_counts = described_text.leaning(run.curve("leaning"), "pairs") is not None
    return "pairs" if "weight" in lists or (has_counts and lists) else "nodes"


def leaning(run: Run, what: str) -> pd.DataFrame:
    """Return how many lean beyond a fair coin, by the number of trials."""
    table = run.curve("leaning")
    return table[(table["what"] == what) & (table["least"] > 0) & (table["bucket"] != "all")].reset_index(drop=True)


def balance(run: Run) -> pd.DataFrame:
    """Return edges out and in of the best linked stored nodes, with the side that each leans to."""
    found: pd.DataFrame = cache.derived(run, "balance", lambda: _balance(run))
    return found


def _balance(run: Run) -> pd.DataFrame:
    """Tell for every node which way its one-way edges lean."""
    nodes = graph.scene(run).nodes.assign(name=graph.scene(run).names)
    nodes = nodes.assign(linked=nodes["in_degree"] + nodes["out_degree"]).nlargest(2_000, "linked")
    out, into = (nodes[name] - nodes["mutual_degree"] for name in ("out_degree", "in_degree"))
    z = (out - into) / np.sqrt((out + into).clip(lower=1))
    return nodes.assign(side=np.where(z > _LEAST_Z, "out", np.where(z < -_LEAST_Z, "in", "none")))


def nodes_table(run: Run, side: str) -> pd.DataFrame:
    """Write the nodes that lean to one side out for reading."""
    rows = run.curve("listed_nodes")
    rows = rows[rows["list"] == side].head(_LISTED_NODES)
    shares = zip(rows["share"], rows["ci_low"], rows["ci_high"], strict=True)
    return pd.DataFrame(
        {
            "#": rows["place"],
            "Node": rows["label"],
            "Out": rows["out_degree"],
            "In": rows["in_degree"],
            "Both": rows["mutual_degree"],
            "Share [95 %]": [f"{100 * share:.3g} % [{100 * low:.3g}, {100 * high:.3g}]" for share, low, high in shares],
        }
    )


def quantiles(run: Run) -> pd.DataFrame:
    """Write the quantiles of both degrees out for reading."""
    table = run.curve("degree_quantiles").pivot_table(index="quantile", columns="kind", values="degree")
    names = {0.0: "least", 0.5: "median", 1.0: "most"}
    return pd.DataFrame(
        {
            "Nodes up to": [names.get(float(q), f"{100 * float(q):g} %") for q in table.index],
            "Edges out": table["out_degree"].to_numpy(),
            "Edges in": table["in_degree"].to_numpy(),
        }
    )


def replication(run: Run) -> pd.DataFrame:
    """Return what two halves of the users agree on, with readable names."""
    table = run.curve("replication")
    return table.assign(label=table["quantity"].map(_QUANTITY))


def is_cut(run: Run) -> bool:
    """Tell whether a part of the graph is stored only."""
    row = facts(run)
    return bool(row["stored_edges"] < row["edges"])


def training_command(run: Run) -> str:
    """Return the command that trains on the same data."""
    words, kept, is_kept = list(run.manifest["command"]), [], False
    for word in words:
        if word.startswith("--"):
            is_kept = word.partition("=")[0] in ("--data", "--nodes", "--column")
        if is_kept:
            kept.append(word)
    return shlex.join(["python", "-m", "engine", "train", "graph", *kept])


def training_hint(run: Run) -> str:
    """Say what a training of the same data needs besides the command."""
    row = facts(run)
    if is_events(run):
        return "A training makes the same kind of edges from the events, all in memory."
    hint = "A training reads all edges into memory."
    if row["repeated"] or row["self_loops"] or row["missing_rows"]:
        hint += " It takes every edge once: merge repeated rows, and drop rows without an end and self-loops first."
    return hint


def is_bundled(run: Run) -> bool:
    """Tell whether the page Train has these data."""
    return str(run.manifest["dataset"]["name"]) in BUNDLED


__all__ = ["Run", "is_described"]
