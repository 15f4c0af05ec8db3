"""Keep an aggregate on its backend while several others are computed from it."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends import BaseBackend


@contextmanager
def kept(expression: ir.Table, backend: BaseBackend | None = None) -> Iterator[ir.Table]:
    """Compute a table once and let go of it at the end.

    Parameters
    ----------
    expression : ibis table
    backend : BaseBackend, optional
        The DuckDB that keeps a table of memory; without it, and elsewhere, where the expression is.

    Yields
    ------
    ibis table
        A temporary table of DuckDB, which goes to disk where memory ends; elsewhere what Ibis caches.
    """
    backend = backend or expression.get_backend()
    if backend.name != "duckdb":
        with expression.cache() as table:
            yield table
        return
    # Not by Ibis's own cache: its statement that drops a table lacks the name under recent releases of SQLGlot.
    name = f"kept_{secrets.token_hex(8)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        table = backend.create_table(name, expression, temp=True)
    try:
        yield table
    finally:
        backend.raw_sql(f'DROP TABLE "{name}"')


def append(table: ir.Table, expression: ir.Table) -> None:
    """Compute rows and put them into a table that `kept` holds in DuckDB.

    Parameters
    ----------
    table : ibis table
    expression : ibis table
        Of the same columns in the same order, from tables of the same backend only.
    """
    # Not by Ibis's own `insert`, which does not find temporary tables.
    words = ibis.to_sql(expression, dialect="duckdb")
    table.get_backend().raw_sql(f"INSERT INTO {table.get_name()} {words}")


@contextmanager
def lent(rows: pa.Table, backend: BaseBackend) -> Iterator[ir.Table]:
    """Put a table of memory where others are.

    Parameters
    ----------
    rows : pyarrow table
    backend : BaseBackend

    Yields
    ------
    ibis table
    """
    table = ibis.memtable(rows)
    if backend.name == "duckdb":
        with kept(table, backend) as found:
            yield found
        return
    # Ibis hands a table of memory over with the first query that it runs, but not with what it is to cache.
    backend.to_pyarrow(table.count())
    yield table


def collect(expression: ir.Table) -> pd.DataFrame:
    """Run an aggregate and return its rows."""
    return expression.to_pyarrow().to_pandas()
