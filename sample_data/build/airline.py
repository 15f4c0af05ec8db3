"""Build the graph of US airline routes, the control that points both ways, from ``bokeh-sampledata``.

Run ``python sample_data/build/airline.py [--out DIR]`` with the packages of
``sample_data/build/requirements.txt``. An edge joins two airports between which some carrier
flies; the measured facts go to standard error.
"""

from __future__ import annotations

import argparse
from importlib.metadata import distribution
from pathlib import Path

import pandas as pd
from checks import edge_facts, report
from writing import write_csv

Frame = pd.DataFrame


def raw_table(name: str) -> Frame:
    """Return one table as the package ships it; its import would ask for packages that we do not need."""
    return pd.read_csv(Path(str(distribution("bokeh-sampledata").locate_file(f"bokeh_sampledata/_data/{name}"))))


def route_edges(routes: Frame) -> Frame:
    """Return one row per pair of airports with a direct flight, and how many carriers fly it."""
    pairs = routes[routes["Source"] != routes["Destination"]].groupby(["Source", "Destination"])
    edges = pairs["Airline"].nunique().rename("carriers").reset_index()
    return edges.rename(columns={"Source": "source", "Destination": "target"})


def airport_nodes(airports: Frame, used: list[str]) -> Frame:
    """Return name and size of the airports that have a route, by their IATA code."""
    known = airports.drop_duplicates("IATA").set_index("IATA").reindex(used)
    size = known["Type"].str.replace("_", " ").str.capitalize()
    return pd.DataFrame({"node": used, "label": known["Name"].to_numpy(), "category": size.to_numpy()})


def main() -> None:
    """Build both tables and report what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1])
    options = parser.parse_args()
    edges = route_edges(raw_table("routes.csv.gz"))
    nodes = airport_nodes(raw_table("airports.csv"), sorted(set(edges["source"]) | set(edges["target"])))
    write_csv(edges, options.out / "airline_routes_edges.csv.gz")
    write_csv(nodes, options.out / "airline_routes_nodes.csv.gz")
    report("US airline routes", edge_facts(list(zip(edges["source"], edges["target"], strict=True))))


if __name__ == "__main__":
    main()
