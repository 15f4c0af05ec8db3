"""What the directed-graph page shows of a run: the chosen node and everything around it."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls.graph_review_text import chance
from dashboard.state import GRAPH
from engine.errors import RunError
from engine.graph import readout
from engine.graph.config import shown_method
from engine.graph.described_scene import described_scene, is_described
from engine.graph.explore import PAIR_COLUMNS, Scene

EXPLORE = "Explore a node"
"""The tab on one node."""


def scene(run: Run) -> Scene:
    """Return the stored tables of a run, opened once per server."""
    opened: Scene = cache.derived(run, "scene", lambda: _open(run))
    return opened


def _open(run: Run) -> Scene:
    """Read the tables that the page draws from, or say why they are of no use."""
    if is_described(run):
        return described_scene(run)
    form = shown_method(str(run.manifest["config"]["form"]))
    shown = Scene(run.curve("nodes"), run.curve("edges"), run.predictions, form)
    lacking = [name for name in PAIR_COLUMNS if not (name in shown.edges and name in shown.lists)]
    if lacking:
        raise RunError(
            f"The tables of run '{run.id}' lack '{lacking[0]}' of its pairs, as those of earlier versions do; train it "
            "again, or choose another run."
        )
    return shown


def go_to(name: str) -> None:
    """Make a node the selected one."""
    st.session_state[GRAPH["node"]] = name


def clicked_name(event: Any, shown: Scene) -> str | None:
    """Return the name of the node that a click on the picture chose.

    Parameters
    ----------
    event : mapping
        Selection event of the chart: ``{"selection": {"points": [{"customdata": [name or position]}]}}``.
    shown : Scene

    Returns
    -------
    str or None
        None if the click chose nothing, or no node of this run.
    """
    points = ((event or {}).get("selection") or {}).get("points") or []
    for point in points:
        data = point.get("customdata")
        node = data[0] if isinstance(data, list | tuple) and data else data
        if isinstance(node, str) and node in shown.position:
            return node
        if isinstance(node, int | float) and node in range(len(shown.names)):
            return shown.names[int(node)]
    return None


def explore(name: str) -> None:
    """Make a node the selected one and open the tab that shows it."""
    go_to(name)
    st.session_state[GRAPH["tab"]] = EXPLORE


def follow_click(chart: str, shown: Scene) -> None:
    """Move to the node that was clicked in a chart."""
    name = clicked_name(st.session_state.get(chart), shown)
    if name is not None:
        go_to(name)


def ranked_list(run: Run, node: int, role: Literal["target", "source"]) -> pd.DataFrame:
    """Return one ranked list, written out for reading."""
    table = readout.ranked_list(scene(run), node, role)
    marked = table["node"].isin(st.session_state.get(GRAPH["lasso"], []))
    marks = zip(table["is_hit"], table["reverse"] != "none", marked, strict=True)
    return pd.DataFrame(
        {
            "#": table["place"],
            "Node": table["name"],
            "Score": table["score"],
            # A target's rank is its place.
            **({"Rank": table["rank"]} if role == "source" else {}),
            "P": [chance(value) for value in readout.direction_probability(table)],
            "Back": table["back_score"],
            "Back #": table["back_rank"],
            "Edge": [
                f"{'✓' if is_hit else ''}{'←' if has_reverse else ''}{'◎' if is_marked else ''}"
                for is_hit, has_reverse, is_marked in marks
            ],
        }
    )


def compared_lists(run: Run, node: int) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return what the shown form, the single embedding and popularity list after a node, by method.

    Parameters
    ----------
    run : Run
    node : int

    Returns
    -------
    dict of str to (str, DataFrame)
        A sentence on what the list finds, and the list written out.
    """
    shown = scene(run)
    found = {}
    for place, (method, listed) in enumerate(
        readout.compared_lists(shown, node, (shown.form, "single", "popularity")).items()
    ):
        rows = listed.rows
        marks = zip(rows["is_hit"], rows["is_shared"] & (place > 0), strict=True)
        table = pd.DataFrame(
            {
                "#": rows["place"],
                "Node": rows["name"],
                "Edge": [f"{'✓' if is_hit else ''}{'=' if is_shared else ''}" for is_hit, is_shared in marks],
            }
        )
        hits = f"{listed.hits} of {listed.held_out} held-out targets in the first {len(rows)}"
        if not listed.held_out:
            hits = "No held-out target at this node"
        shared = f" · {int(rows['is_shared'].sum())} of {len(rows)} shared with ours" if place else ""
        found[method] = (hits + shared, table)
    return found


def asymmetry(run: Run, node: int, part: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the known edges of one part of the split with both scores, and those of the selected node among them."""
    return readout.asymmetry(scene(run), node, part)
