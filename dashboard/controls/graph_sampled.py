"""What the samplers draw for the selected node: sizes, and the chance of every neighbour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls import graph, graph_summary
from dashboard.layout import number

if TYPE_CHECKING:
    from engine.graph.sampled import Sampler

Role = Literal["target", "source"]
SHOWN = 18
"""Most neighbours in the picture; the table has all."""
_METHOD = {"adaptive": "adaptive", "uniform": "fixed"}
_LABEL = {"adaptive": "Degree-adaptive", "uniform": "Fixed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What is shown of one role."""

    sizes: pd.DataFrame
    """Both samplers, written out for reading."""
    picture: pd.DataFrame
    """The neighbours to draw, with their names; see `engine.graph.sampled.Sampled`."""
    table: pd.DataFrame
    """Every neighbour that could be drawn, written out for reading."""
    badge: str
    """How many of them are in the picture."""
    draws: int


def drawn(run: Run, node: int, role: Role) -> Drawn:
    """Return what both samplers draw for a node in one role.

    Parameters
    ----------
    run : Run
    node : int
    role : {"target", "source"}

    Returns
    -------
    Drawn
    """
    # SciPy is loaded when somebody opens this, not with the page.
    from engine.graph.sampled import sampled

    result = sampled(_sampler(run), node, role)
    names = graph.scene(run).names
    rows = result.neighbours.assign(name=[names[other] for other in result.neighbours["other"]])
    sizes = pd.DataFrame(
        {
            "Sampler": result.sizes["sampler"].map(_LABEL),
            "Size K": [_size(size) for size in result.sizes["size"]],
            "One step": [f"{_size(size)} of {result.available[0]:,}" for size in result.sizes["first"]],
            "Two steps": [f"{_size(size)} of {result.available[1]:,}" for size in result.sizes["second"]],
            "All nodes": result.sizes["total"],
        }
    )
    table = pd.DataFrame(
        {
            "Node": rows["name"],
            "Steps": rows["step"],
            "Weight": rows["weight"],
            **{_LABEL[name]: 100 * rows[name] for name in _LABEL},
            "Drawn in this run": [
                " ".join(_LABEL[name] for name in _LABEL if row[f"{name}_drawn"]) or "–"
                for row in rows.to_dict("records")
            ],
        }
    )
    ever = rows[(rows[list(_LABEL)] > 0).any(axis=1)]
    picture = ever[:SHOWN]
    badge = (
        f"Showing **{len(picture)} of {len(ever):,}** nodes that were ever drawn, of {len(rows):,} in reach, the most "
        f"likely first; chances from {result.draws} seeded draws."
    )
    return Drawn(sizes=sizes, picture=picture, table=table, badge=badge, draws=result.draws)


def _size(size: float) -> str:
    """Write a number of nodes, a mean with one digit behind the point."""
    return f"{size:,.1f}".removesuffix(".0")


def sentences(run: Run, node: int) -> tuple[str, str]:
    """Say what the samplers give this node, and whom that concerns in this run.

    Parameters
    ----------
    run : Run
    node : int

    Returns
    -------
    about_node, about_run : str
        Markdown.
    """
    sampler, config = _sampler(run), run.manifest["config"]
    degree, size = int(sampler.in_degree[node]), int(sampler.adaptive[node])
    settings = sampler.settings
    about_node = (
        f"In-degree **{degree:,}** and exponent **α = {number(sampler.exponent)}** give it a size of "
        f"**K = {size}**, between {settings['min_neighbours']:g} and {settings['max_neighbours']:g}; "
        f"neighbours are drawn by their degree to the power {settings['neighbour_bias']:g}."
    )
    trained = [_LABEL[name].lower() for name, method in _METHOD.items() if method in config["methods"]]
    used = {
        "full": "takes **all** neighbours and draws none",
        "none": "takes **no** neighbours",
        "uniform": "draws with the **fixed** size",
        "adaptive": "draws with the **degree-adaptive** size",
    }[config.get("sampling", "full")]
    compared = (
        f"The {' and the '.join(trained)} sampler {'were' if len(trained) > 1 else 'was'} trained beside it"
        if trained
        else "No sampler was trained beside it, so these are the draws it would have made"
    )
    form = graph_summary.form(run)
    shown = f"The form shown above {used}." if form == "dual" else "The paper's form draws with the adaptive size."
    return about_node, f"{shown} {compared}; under *How good is it?*, *By degree* compares the two over all test edges."


def _sampler(run: Run) -> Sampler:
    """Return both samplers of a run, set up once per server."""
    from engine.graph.sampled import opened

    sampler: Sampler = cache.derived(run, "sampler", lambda: opened(run))
    return sampler
