"""What the tables of a described graph say, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from engine.graph.described_config import ALL, LEAST_TRIALS

MINIMUM = 20
"""With fewer nodes, edges or pairs a share says too little for a sentence."""


def answer(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say in one sentence how far the edges of a graph point one way.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Curves of `engine.graph.described.describe`.

    Returns
    -------
    str
    """
    facts = tables["described"].iloc[0]
    if "replication" in tables:
        return f"{_replicated(tables['replication'])}; {_lower(_one_way(facts))}."
    return f"{_one_way(facts)}; {_against_chance(facts)}."


def sentences(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Say what was found, the answer first.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Curves of `engine.graph.described.describe`.

    Returns
    -------
    list of str
    """
    found = [answer(tables)]
    if "replication" in tables:
        facts = tables["described"].iloc[0]
        found.append(f"Of the edges, {_lower(_against_chance(facts))}.")
    for what in ("pairs", "nodes"):
        row = leaning(tables["leaning"], what)
        if row is not None:
            found.append(f"{_leaning_words(row, what)}.")
    return found


def leaning(table: pd.DataFrame, what: str) -> pd.Series | None:
    """Return the row of all pairs or nodes with enough trials to lean; None if there are too few of them.

    Parameters
    ----------
    table : DataFrame
        From `engine.graph.described_lean.lean_table`.
    what : {"pairs", "nodes"}

    Returns
    -------
    Series or None
    """
    rows = table[(table["what"] == what) & (table["bucket"] == ALL)]
    return rows.iloc[0] if len(rows) and int(rows["n"].iloc[0]) >= MINIMUM else None


def percent(share: float) -> str:
    """Write a share in percent with three digits; what is not all is never written as all, nor something as none.

    Examples
    --------
    >>> percent(0.123456), percent(0.85), percent(1.0), percent(0.9999), percent(0.99999), percent(0.00125)
    ('12.3 %', '85.0 %', '100 %', '99.99 %', '>99.99 %', '0.125 %')
    """
    return f"{_in_percent(share)} %"


def _in_percent(share: float) -> str:
    """Write a share in percent without the sign."""
    if share in (0, 1):
        return f"{100 * share:.0f}"
    if share > 0.9995:
        return f"{100 * share:.2f}" if share < 0.99995 else ">99.99"
    return f"{100 * share:#.3g}" if share >= 1e-6 else "<0.0001"


def _interval(low: float, high: float) -> str:
    """Write the ends of an interval of a share; empty without one."""
    return "" if pd.isna(low) or pd.isna(high) else f" [{_in_percent(low)}, {_in_percent(high)}]"


def _many(count: float, what: str) -> str:
    """Write a number with what it counts."""
    return f"{int(count):,} {what}{'' if count == 1 else 's'}"


def _one_way(facts: pd.Series) -> str:
    """Say how many edges have no edge back."""
    edges = _many(facts["edges"], "edge")
    if facts["one_way"] == 0:
        return f"No edge points one way: each of {edges} has an edge back"
    interval = _interval(facts["one_way_low"], facts["one_way_high"])
    return f"{percent(facts['one_way_share'])}{interval} of {edges} point one way"


def _against_chance(facts: pd.Series) -> str:
    """Compare with a graph of the same degrees and no other rule."""
    expected = f"{percent(facts['chance_one_way'])}{_interval(facts['chance_low'], facts['chance_high'])}"
    told = f"with the same numbers of edges in and out at every node, chance alone gives {expected}"
    if facts["source_nodes"] < MINIMUM:
        return f"{told} (n {_many(facts['source_nodes'], 'node')}, too few to compare)"
    low, high = facts["one_way_low"], facts["one_way_high"]
    if low > facts["chance_high"]:
        return f"{told}, so fewer edges have an edge back than by chance"
    if high < facts["chance_low"]:
        return f"{told}, so more edges have an edge back than by chance"
    return f"{told}, so about as many edges have an edge back as by chance"


def _replicated(replication: pd.DataFrame) -> str:
    """Say whether the time order of edges returns in the other half of the users."""
    row = replication.set_index("quantity").loc["direction_replicates"]
    if row["n"] < MINIMUM:
        return f"Only {_many(row['n'], 'edge')}, too few to say whether time orders hold in both halves of the users"
    share = f"{percent(row['value'])}{_interval(row['ci_low'], row['ci_high'])}"
    return (
        f"The time order of {share} of {int(row['n']):,} edges "
        f"holds in both halves of the users (by chance {percent(row['by_chance'])})"
    )


def _leaning_words(row: pd.Series, what: str) -> str:
    """Say how many lean to one side beyond a fair coin."""
    named = {
        "pairs": f"pairs seen {LEAST_TRIALS} times or more",
        "nodes": f"nodes with {LEAST_TRIALS} one-way edges or more",
    }
    sides = {"pairs": "to one of the two directions", "nodes": "out or in"}
    words = f"Of {int(row['n']):,} {named[what]}, {percent(row['value'])}{_interval(row['ci_low'], row['ci_high'])}"
    split = ""
    if what == "nodes":
        split = f": {percent(row['to_first'])} mostly point out, {percent(row['to_second'])} mostly are pointed at"
    return f"{words} lean {sides[what]} beyond chance (a fair coin: {percent(row['expected'])}){split}"


def _lower(text: str) -> str:
    """Begin with a small letter."""
    return text[:1].lower() + text[1:]
