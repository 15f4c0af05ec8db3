"""How the map of both spaces was made and how far it can be trusted, in words and in a table."""

from __future__ import annotations

import json

import pandas as pd

from dashboard.cache import Run
from dashboard.layout import estimate, number

METHOD_NAME = {"pca": "Joint principal components", "tsne": "t-SNE of both spaces", "umap": "UMAP of both spaces"}
_AXIS = {"tsne": "t-SNE axis", "umap": "UMAP axis"}
_MEASURES = {
    "trustworthiness": "Trustworthiness",
    "neighbour_overlap": "Neighbours kept",
}
_ROLES = {"source": "among sources", "target": "among targets", "source_to_target": "targets around a source"}


def axis_titles(run: Run) -> tuple[str, str]:
    """Return the titles of the two axes, with the variance that each holds where the map is linear."""
    shares = run.curve("projection_axes")["explained_variance"]
    method = str(run.manifest["config"].get("projection", "pca"))
    if method in _AXIS:
        return f"{_AXIS[method]} 1", f"{_AXIS[method]} 2"
    return (
        f"Axis 1 · {number(100 * shares.iloc[0], 2)} % of the variance",
        f"Axis 2 · {number(100 * shares.iloc[1], 2)} %",
    )


def quality(run: Run) -> tuple[str, pd.DataFrame]:
    """Say how the map was made and how far its neighbourhoods can be trusted.

    Returns
    -------
    sentence : str
        Method, parameters, seed and what was fitted.
    table : DataFrame
        One row per measure and role, written out; empty for a run from before maps were judged.
    """
    if "projection_quality" not in run.manifest["curves"]:
        return (
            "This run was trained before maps were judged; train it again to see how far its map holds.",
            pd.DataFrame(),
        )
    rows, axes = run.curve("projection_quality"), run.curve("projection_axes")
    if rows.empty:
        return "The graph is too small to judge its map.", pd.DataFrame()
    first = rows.iloc[0]
    parts = [METHOD_NAME[first["method"]]]
    if first["method"] == "pca":
        held, gap = axes["explained_variance"].sum(), axes["between_roles"].iloc[0]
        parts.append(f"the two axes hold {number(100 * held, 3)} % of the variance")
        parts.append(f"{number(100 * gap, 2)} % of axis 1 is the gap between the two spaces")
    else:
        settings = ", ".join(f"{name} {value}" for name, value in json.loads(first["parameters"]).items())
        parts.append(f"{settings}, seed {int(first['seed'])}")
        if first["n_fitted"] < first["n_nodes"]:
            parts.append(
                f"fitted to {int(first['n_fitted']):,} of {int(first['n_nodes']):,} nodes, the others placed between "
                "their nearest fitted vectors"
            )
    table = pd.DataFrame(
        {
            "Measure": [f"{_MEASURES[row.measure]}, {_ROLES[row.role]}" for row in rows.itertuples()],
            "Value [95 % interval]": [
                f"{estimate(row.value, row.ci_low, row.ci_high, row.n)} nodes" for row in rows.itertuples()
            ],
            "Random map": [number(value) for value in rows["random"]],
        }
    )
    return " · ".join(parts), table
