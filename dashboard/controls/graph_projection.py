"""What the map of both spaces shows of a run: its points, what is marked in it, and files for other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls import graph
from dashboard.state import GRAPH, PROJECTION
from engine.figures.graph_projection import Arrangement, Palette
from engine.graph import projection_view, readout
from engine.graph.explore import Scene

VIEWS: dict[str, str] = {"side": "Side by side", "overlaid": "Overlaid"}
COLORS: dict[str, str] = {
    "role": "Role",
    "category": "Category",
    "in_degree": "In-degree",
    "out_degree": "Out-degree",
}
LIMITS = (10_000, 30_000, 100_000)
"""Most nodes to draw; in one frame, where each is two points, half of the largest."""
LASSO_LIMIT = 100_000
"""Most nodes that a lasso keeps: the browser sends each one back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How the reader wants to see the map."""

    view: Arrangement
    color: str
    """Key of `COLORS`."""
    limit: int
    is_centred: bool = False
    """Whether the mean of each space is moved to the origin."""

    @property
    def palette(self) -> Palette:
        """What colours tell apart."""
        return "role" if self.color == "role" else "category" if self.color == "category" else "degree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The tables that the figure is drawn from."""

    points: pd.DataFrame
    marked: pd.DataFrame
    lassoed: pd.DataFrame
    legend: pd.DataFrame
    badge: str
    """How many nodes are drawn, and which."""


def choices(run: Run) -> Choice:
    """Let the reader choose arrangement, colours and, on a large graph, how many nodes are drawn."""
    count = len(run.curve("nodes"))
    limit, is_centred = LIMITS[1], False
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view: Any = st.segmented_control(
            "View",
            list(VIEWS),
            format_func=VIEWS.__getitem__,
            default="side",
            required=True,
            key=PROJECTION["view"],
            bind="query-params",
            width="content",
        )
        color = st.segmented_control(
            "Colour by",
            list(COLORS),
            format_func=COLORS.__getitem__,
            default="role",
            required=True,
            key=PROJECTION["color"],
            bind="query-params",
            help="Degrees count all known edges.",
            width="content",
        )
        if count > LIMITS[0]:
            limit = st.selectbox(
                "Nodes drawn, at most",
                LIMITS,
                index=1,
                format_func=lambda most: f"{most:,}",
                key=PROJECTION["limit"],
                bind="query-params",
                help="More take longer to draw; half of the largest number in one frame.",
                width=170,
            )
        if is_linear(run):
            is_centred = st.toggle(
                "Centre each space",
                key=PROJECTION["centre"],
                bind="query-params",
                help="Takes the gap between the two spaces out of the picture: the way of a node is then what it "
                "differs by from the mean way of all nodes.",
            )
    most = LIMITS[-1] // 2 if view == "overlaid" else LIMITS[-1]
    return Choice(view=view, color=str(color), limit=min(int(limit), most), is_centred=is_centred)


def is_linear(run: Run) -> bool:
    """Tell whether the map is linear, so that differences of positions are differences of vectors."""
    return str(run.manifest["config"].get("projection", "pca")) == "pca"


def drawn_map(run: Run, node: int, links: pd.DataFrame, choice: Choice) -> Map:
    """Return the drawn nodes with their groups, the selection with its neighbours, and the lassoed nodes.

    Parameters
    ----------
    run : Run
    node : int
    links : DataFrame
        Links drawn around the node, see `explore.neighbourhood`.
    choice : Choice

    Returns
    -------
    Map
    """
    points = placed(run)
    if choice.is_centred:
        points = cache.derived(run, "centred projection", lambda: projection_view.centred(placed(run)))
    group, legend = cache.derived(
        run, f"groups by {choice.color}", lambda: projection_view.grouped(run.curve("nodes"), _grouping(choice.color))
    )
    marked = readout.marked_points(points, node, links)
    chosen = lassoed(run)
    # The sample is kept for the limit alone; what must be drawn in any case is added to it.
    base = cache.derived(
        run,
        f"drawn {choice.limit}",
        lambda: projection_view.sampled(placed(run), limit=choice.limit, seed=int(run.manifest["seed"])),
    )
    sample = projection_view.with_nodes(base, [*marked["node"], *chosen])
    return Map(
        points=points.assign(group=group).iloc[sample.nodes],
        marked=marked,
        lassoed=points.iloc[chosen],
        legend=legend,
        badge=projection_view.sampling_sentence(sample),
    )


def placed(run: Run) -> pd.DataFrame:
    """Return all nodes with their names and both positions."""
    table: pd.DataFrame = cache.derived(run, "projection", lambda: _placed(run))
    return table


def _placed(run: Run) -> pd.DataFrame:
    """Read the stored positions."""
    coordinates = run.curve("projection")
    return coordinates.assign(name=graph.scene(run).names, node=range(len(coordinates)))


def _grouping(color: str) -> projection_view.Grouping:
    """Return what nodes are grouped by; an unknown word from the address groups by nothing."""
    return color if color in ("category", "in_degree", "out_degree") else "role"  # type: ignore[return-value]


def lassoed(run: Run) -> list[int]:
    """Return the nodes that the reader circled; those of another run are forgotten."""
    if st.session_state.get(PROJECTION["run"], run.id) != run.id:
        forget_lasso()
    return list(st.session_state.get(GRAPH["lasso"], []))


def forget_lasso() -> None:
    """Circle nothing."""
    st.session_state[GRAPH["lasso"]] = []


def circled(event: Any, count: int) -> list[int] | None:
    """Return the nodes that a lasso or a box holds.

    Parameters
    ----------
    event : mapping
        Selection event of the chart.
    count : int
        Nodes of the run.

    Returns
    -------
    list of int or None
        Sorted positions, `LASSO_LIMIT` at most; None if the event is no lasso and no box, such as a click, or the
        reset that follows when the figure changes.
    """
    selection = (event or {}).get("selection") or {}
    if not (selection.get("lasso") or selection.get("box")):
        return None
    found = set()
    for point in selection.get("points") or []:
        data = point.get("customdata")
        node = data[0] if isinstance(data, list | tuple) and data else data
        if isinstance(node, int | float) and not isinstance(node, bool) and node in range(count):
            found.add(int(node))
    return sorted(found)[:LASSO_LIMIT]


def follow_selection(run: Run, shown: Scene) -> None:
    """Keep what was circled, or move to the node that was clicked."""
    nodes = circled(st.session_state.get(PROJECTION["chart"]), len(shown.names))
    if nodes is None:
        graph.follow_click(PROJECTION["chart"], shown)
        return
    # The chart forgets its selection as soon as the figure changes, so the positions are kept here.
    st.session_state[GRAPH["lasso"]] = nodes
    st.session_state[PROJECTION["run"]] = run.id


def lasso_table(run: Run, nodes: Sequence[int]) -> pd.DataFrame:
    """Write the circled nodes out for reading, the best linked first."""
    rows = placed(run).iloc[list(nodes)]
    about = run.curve("nodes").iloc[list(nodes)]
    table = pd.DataFrame(
        {
            "Node": rows["name"].to_numpy(),
            "Category": about["category"].astype(str).to_numpy(),
            "Edges in": about["in_degree"].to_numpy(),
            "Edges out": about["out_degree"].to_numpy(),
            "Source x": rows["source_x"].to_numpy(),
            "Source y": rows["source_y"].to_numpy(),
            "Target x": rows["target_x"].to_numpy(),
            "Target y": rows["target_y"].to_numpy(),
        }
    )
    order = (table["Edges in"] + table["Edges out"]).sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def embeddings_file(run: Run) -> bytes:
    """Return the embeddings with map and neighbours as Parquet."""
    from engine.graph import export

    return export.parquet_bytes(export.embedding_table(run))


def neighbourhood_file(run: Run, node: int, kind: str) -> bytes:
    """Return the neighbourhood of a node as GraphML or GEXF."""
    from engine.graph import export

    return export.graph_bytes(export.neighbourhood_graph(run, node), "gexf" if kind == "gexf" else "graphml")
