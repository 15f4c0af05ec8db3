"""The bundled data sets, and the one door through which any data comes in."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from engine.errors import DataError, NoEdgeError, NotEnoughDataError
from engine.graph import events_config
from engine.result import DatasetInfo, Kind, Origin
from engine.schema import Column
from engine.tables import apply_roles, content_hash, read_table

SAMPLE_DATA = Path(__file__).resolve().parent.parent / "sample_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """A data set that ships with the project."""

    name: str
    kind: Kind
    title: str
    file: str
    origin: Origin
    description: str
    nodes: str | None = None
    """File with the node table, for graphs."""


_EVIDENCE = re.compile(r"[kn]_\w+")
"""Further roles of uncertainty data: positives and rows seen in a window."""
_EVENTS = "Took U, then V on a later day within 30 days; top 10 V per U, from the events of this file."
_JOURNEY = "Complete Journey grocery panel (84.51), dates shifted; one of its two packages calls it simulated"
_ALL = (
    Bundled(
        name="debian-programs",
        kind="graph",
        title="Debian programs",
        file="debian_programs_edges.csv.gz",
        nodes="debian_programs_nodes.csv.gz",
        origin="real",
        description="If you install U you would want V: depends, recommends, suggests, enhances between programs, "
        "as recommended by Debian's maintainers.",
    ),
    Bundled(
        name="journey-categories",
        kind="graph",
        title="Grocery categories",
        file="journey_categories_edges.csv.gz",
        nodes="journey_categories_nodes.csv.gz",
        origin="derived",
        description=f"Bought U, then V on a later day within 30 days; top 10 V per U. {_JOURNEY}.",
    ),
    Bundled(
        name="journey-types",
        kind="graph",
        title="Grocery product types",
        file="journey_types_edges.csv.gz",
        nodes="journey_types_nodes.csv.gz",
        origin="derived",
        description=f"Bought U, then V on a later day within 30 days, by product type; top 10 V per U. {_JOURNEY}.",
    ),
    Bundled(
        name="airline-routes",
        kind="graph",
        title="US airline routes",
        file="airline_routes_edges.csv.gz",
        nodes="airline_routes_nodes.csv.gz",
        origin="real",
        description="A carrier flies from U to V: a control, directed in form and mutual in fact (99.8 % of the routes "
        "are flown both ways). Reported flights of July 2026, US Bureau of Transportation Statistics.",
    ),
    Bundled(
        name="journey-coupons",
        kind="delay",
        title="Coupon campaigns",
        file="journey_coupons.csv.gz",
        origin="real",
        description=f"Household × campaign exposures and their first coupon redemption. {_JOURNEY}.",
    ),
    Bundled(
        name="journey-purchases",
        kind="uncertainty",
        title="Weekly purchases",
        file="journey_purchases.parquet",
        origin="real",
        description=f"Is this category bought by this household this week? {_JOURNEY}.",
    ),
)
BUNDLED: dict[str, Bundled] = {entry.name: entry for entry in _ALL}
DEFAULT: dict[Kind, str] = {
    "graph": "debian-programs",
    "delay": "journey-coupons",
    "uncertainty": "journey-purchases",
}


def load(
    kind: Kind,
    data: str,
    *,
    roles: Mapping[str, str] | None = None,
    nodes: str | None = None,
    merge_repeats: bool = False,
) -> Any:
    """Load bundled data by name, or a file by path, as the data set of one of the three models.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    data : str
        Name in `BUNDLED`, or path of a CSV or Parquet file.
    roles : mapping of str to str, optional
        Role to column name for own files; the roles of a kind are the names in the ``SCHEMA`` of its ``data``, for
        graphs also those of `engine.graph.events`: a file with ``user, item, time`` and no ``target``
        becomes edges by `engine.graph.events.edges_from_events` with its defaults.
    nodes : str, optional
        Path of a node table; graphs only.
    merge_repeats : bool, default False
        Merge repeated edges rather than refuse them, see `engine.graph.data.load`; graphs only.

    Returns
    -------
    engine.graph.data.Dataset, engine.delay.data.Dataset or engine.uncertainty.data.Dataset

    Raises
    ------
    DataError
        If the name belongs to another model, a role is unknown, the file cannot be read, or its contents do not
        pass validation.
    """
    module = importlib.import_module(f"engine.{kind}.data")
    roles = roles or {}
    bundled = BUNDLED.get(data)
    if bundled is not None and bundled.kind != kind:
        names = ", ".join(name for name, entry in BUNDLED.items() if entry.kind == kind)
        raise DataError(f"'--data {data}' is {bundled.kind} data; for {kind} there is {names}, or a file of your own.")
    if bundled is not None and (roles or nodes):
        raise DataError(
            f"'--data {data}' is bundled and has its columns named already; leave out --column and --nodes."
        )
    if kind != "graph" and (nodes or merge_repeats):
        option = "--nodes" if nodes else "--merge-repeats"
        raise DataError(f"'{option}' belongs to graph data; leave it out for {kind}.")
    schema = module.SCHEMA + (events_config.SCHEMA if kind == "graph" else ())
    _check_roles(kind, roles, schema)
    path = SAMPLE_DATA / bundled.file if bundled else _own_file(kind, data)
    node_path = SAMPLE_DATA / bundled.nodes if bundled and bundled.nodes else Path(nodes) if nodes else None
    frame = apply_roles(read_table(path, text=_texts(schema, roles)), roles, source=path.name)
    given = set(frame.columns)
    # Events may name the source they came from, for example an app.
    is_events = kind == "graph" and "target" not in given and {"user", "item"} <= given
    if is_events:
        frame = _edges_of_events(frame, path.name)
    node_frame = read_table(node_path, text=_texts(module.NODE_SCHEMA, {})) if node_path else None
    info = DatasetInfo(
        name=data if bundled else path.name,
        origin=bundled.origin if bundled else _origin(frame.columns),
        data_id=content_hash(frame) if node_frame is None else content_hash(frame, node_frame),
        description=bundled.description if bundled else _EVENTS if is_events else "",
    )
    if kind == "graph":
        return module.load(frame, nodes=node_frame, info=info, merge_repeats=merge_repeats)
    return module.load(frame, info=info)


def _edges_of_events(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Turn events into edges by the defaults, and say why where none comes of them."""
    try:
        edges: pd.DataFrame = importlib.import_module("engine.graph.events").edges_from_events(frame)
    except NoEdgeError as error:
        raise NoEdgeError(
            f"The events of '{name}' make no edge by the defaults of the command 'edges', which takes other limits. "
            f"{error}"
        ) from error
    fewest = importlib.import_module("engine.graph.data").MINIMUM_EDGES
    if len(edges) < fewest:
        raise NotEnoughDataError(
            f"The events of '{name}' make {len(edges):,} edges by the defaults of the command 'edges', which takes "
            f"other limits; at least {fewest} are needed to train and test. Add events."
        )
    return edges


def _check_roles(kind: Kind, roles: Mapping[str, str], schema: Sequence[Column]) -> None:
    """Refuse a role that nothing plays: a mistyped one would otherwise become a feature in silence."""
    known = list(dict.fromkeys(column.name for column in schema))
    for role in roles:
        if role not in known and not (kind == "uncertainty" and _EVIDENCE.fullmatch(role)):
            raise DataError(f"'--column {role}={roles[role]}' names no role of {kind} data; it has {', '.join(known)}.")


def texts_of(kind: Kind, roles: Mapping[str, str]) -> list[str]:
    """Return the columns of data of a kind, and of its node table, that are read as they are written.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    roles : mapping of str to str
        Role to column name.

    Returns
    -------
    list of str
    """
    module = importlib.import_module(f"engine.{kind}.data")
    schema = module.SCHEMA + (events_config.SCHEMA if kind == "graph" else ())
    return _texts(schema, roles) + (_texts(module.NODE_SCHEMA, {}) if kind == "graph" else [])


def _texts(schema: Sequence[Column], roles: Mapping[str, str]) -> list[str]:
    """Return the columns of a file that hold ids and categories, which are read as they are written."""
    return [roles.get(column.name, column.name) for column in schema if column.kind in ("id", "category")]


def _own_file(kind: Kind, data: str) -> Path:
    """Return the path of an own file, or say which bundled names exist."""
    path = Path(data)
    try:
        exists = path.exists()
    except OSError:
        exists = False
    if not exists:
        names = ", ".join(name for name, entry in BUNDLED.items() if entry.kind == kind)
        raise DataError(f"'--data {data}' is neither a file nor bundled {kind} data; bundled are {names}.")
    return path


def _origin(columns: Any) -> Origin:
    """Name a file with truth columns for what it is, simulated; of any other, all that is known is whose it is."""
    return "simulated" if any(str(name).startswith("true_") for name in columns) else "own"
