"""The command `describe`, and what its kinds share: where data come from, and how they are opened."""

from __future__ import annotations

import argparse
import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.data_name import add_name
from engine.datasets import BUNDLED, SAMPLE_DATA, texts_of
from engine.errors import ConfigError, DataError
from engine.options import parse_pairs
from engine.result import Kind


def add_describe(commands: Any) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : argparse subparsers
    """
    describe = commands.add_parser("describe", help="statistics of data of any size, without a training")
    kinds = describe.add_subparsers(dest="kind", required=True, metavar="KIND", parser_class=type(describe))
    importlib.import_module("engine.describe_graph").add_graph(kinds)
    importlib.import_module("engine.describe_delay").add_delay(kinds)
    importlib.import_module("engine.describe_uncertainty").add_uncertainty(kinds)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Describe the options that say where data come from, the same for all kinds."""
    parser.add_argument(
        "--data",
        metavar="NAME|PATH",
        help="bundled name, CSV, Parquet file, folder or pattern, or DuckDB file",
    )
    parser.add_argument("--table", metavar="NAME", help="table of a DuckDB file; without --data, one that Spark knows")
    parser.add_argument("--column", nargs="+", action="extend", default=[], metavar="ROLE=NAME")
    add_name(parser)
    parser.add_argument("--backend", default="duckdb", help="duckdb, or a Spark master: spark://…, local[2]")


@contextlib.contextmanager
def opened(arguments: argparse.Namespace, path: Path | None, source: str) -> Iterator[Any]:
    """Open the data; a file that turns out to be broken fails in the backend, in its own words.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_source`.
    path : Path or None
        None for a table that the backend knows by its name.
    source : str
        What the message calls the data.

    Yields
    ------
    ibis.Table

    Raises
    ------
    DataError
        If the data cannot be opened or read.
    """
    backends = importlib.import_module("engine.backends")
    try:
        text = texts_of(arguments.kind, parse_pairs(arguments.column, option="--column"))
        table = backends.open_table(path, backend=arguments.backend, name=arguments.table, text=text)
        with backends.bounded(table):
            yield table
    except (ConfigError, DataError):
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb", "pyspark", "py4j"):
            raise
        raise backends.unreadable(source, error) from error


def located(arguments: argparse.Namespace, roles: dict[str, str], kind: Kind) -> tuple[Path | None, str]:
    """Return the path of the data, None for a table that Spark knows by its name, and what the messages call it.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_source`.
    roles : dict of str to str
    kind : {"graph", "delay", "uncertainty"}

    Raises
    ------
    ConfigError
        If neither data nor a table of Spark are named.
    DataError
        See `source_of`.
    """
    if arguments.data is not None:
        return source_of(arguments.data, roles, kind)
    if arguments.table is None:
        raise ConfigError("Nothing to describe; name the data with --data, or a table of Spark with --table.")
    if arguments.backend == "duckdb":
        raise ConfigError(
            f"'--table {arguments.table}' without --data is a table that Spark knows; name its master with --backend, "
            "or the DuckDB file that holds it with --data."
        )
    return None, arguments.table


def source_of(data: str, roles: dict[str, str], kind: Kind) -> tuple[Path, str]:
    """Return the path of the data and what the messages call it.

    Raises
    ------
    DataError
        If nothing is there, it is bundled data of another kind, or bundled data are given roles.
    """
    bundled = BUNDLED.get(data)
    if bundled is None:
        path = Path(data)
        if not path.exists() and not importlib.import_module("engine.backends").matches(path):
            names = ", ".join(name for name, entry in BUNDLED.items() if entry.kind == kind)
            raise DataError(f"'--data {data}' is neither a file, a folder nor bundled {kind} data; bundled is {names}.")
        return path, path.name
    if bundled.kind != kind:
        raise DataError(f"'--data {data}' is {bundled.kind} data; name {kind} data.")
    if roles:
        raise DataError(f"'--data {data}' is bundled and has its columns named already; leave out --column.")
    return SAMPLE_DATA / bundled.file, data
