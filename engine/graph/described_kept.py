"""Keep an aggregate on its backend while several others are computed from it."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import ibis.expr.types as ir
import pandas as pd


@contextmanager
def kept(expression: ir.Table) -> Iterator[ir.Table]:
    """Compute a table once and let go of it at the end.

    Parameters
    ----------
    expression : ibis table

    Yields
    ------
    ibis table
        A temporary table of DuckDB, which goes to disk where memory ends; elsewhere what Ibis caches.
    """
    backend = expression.get_backend()
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


def collect(expression: ir.Table) -> pd.DataFrame:
    """Run an aggregate and return its rows."""
    return expression.to_pyarrow().to_pandas()
