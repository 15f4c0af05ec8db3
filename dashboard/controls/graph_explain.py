"""What carries the asymmetries of a graph: shares of its edges, and the sentence that says so."""

from __future__ import annotations

import pandas as pd

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls import graph
from engine.figures.common import estimate
from engine.graph.explain import explain_edges, explanation_summary

LABELS = {
    "popularity": "Popularity",
    "season": "Season",
    "time_order": "Time order",
    "rest": "Rest",
    "none": "No asymmetry",
}
HELP = (
    "**Popularity**: one of the two is simply more common. **Season**: one has its time of the year later. **Time "
    "order**: the second follows the first more often than the other way, beyond the calendar, in both halves of "
    "the users. **Rest**: the same when time runs backwards. **No asymmetry**: the interval includes equal chances "
    "both ways. An edge counts for the largest of its four terms.  \n*ln P(V|U) ÷ P(U|V) = popularity + season + "
    "time order + rest*. Bars: 95 % intervals, sources resampled."
)
HALF = 0.5
"""Share of the edges from which on they are most of them."""
_BY_DEGREE = (
    "These edges carry no counts of events, so only degrees can be compared: season and time order cannot be told."
)


def shares(run: Run) -> pd.DataFrame:
    """Return how many edges each explanation carries; see `engine.graph.explain.explanation_summary`."""
    found: pd.DataFrame = cache.derived(run, "explanations", lambda: _summary(run))
    return found


def _summary(run: Run) -> pd.DataFrame:
    """Explain every known edge; where no edge has events, explanations that need them are left out."""
    explained = explain_edges(graph.scene(run).edges)
    table = explanation_summary(explained, seed=int(run.manifest["seed"]))
    if (explained["evidence"] == "degree").all():
        table = table[table["explanation"].isin(["popularity", "none"])]
    return table.reset_index(drop=True)


def sentence(run: Run) -> str:
    """Say which explanation carries most asymmetries, if most edges have one, and how many are an order in time."""
    table = shares(run).set_index("explanation")
    text = f"{_largest(table)} "
    if "time_order" not in table.index:
        return text + _BY_DEGREE
    order = table.loc["time_order"]
    return text + f"An order in time carries {int(order['edges']):,} of {int(order['n']):,} edges."


def _largest(table: pd.DataFrame) -> str:
    """Name the share that says most: of the edges without an asymmetry, where those are most edges."""
    first = str(table["share"].drop(index="none").idxmax())
    if table.loc["none", "share"] >= HALF:
        rest = f"; {LABELS[first].lower()} carries {int(table.loc[first, 'edges']):,} of the others"
        return f"**Most edges have no asymmetry to explain**: {_share(table.loc['none'])} edges{rest}."
    most = "most edges" if table.loc[first, "share"] >= HALF else "more edges than any other explanation"
    return f"**{LABELS[first]}** carries the asymmetry of {most}: {_share(table.loc[first])} edges."


def _share(row: pd.Series) -> str:
    """Write a share of the edges with its interval and n."""
    return estimate(row["share"], row["ci_low"], row["ci_high"], int(row["n"]))
