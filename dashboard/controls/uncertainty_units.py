"""What n counts in the tables of an uncertainty run: rows, or the units that are resampled."""

from __future__ import annotations

from dashboard.cache import Run

UNITS = "n (units)"
ROWS = "n (rows)"


def counts_rows(run: Run) -> bool:
    """Tell whether n counts rows; an older run says so with its claims, if it has any."""
    for name in ("scorers", "claims"):
        table = run.curve(name)
        if "n_unit" in table.columns and len(table):
            return bool((table["n_unit"] == "rows").all())
    return False


def heading(run: Run) -> str:
    """Head the column of n."""
    return ROWS if counts_rows(run) else UNITS


def counted(run: Run) -> str:
    """Say what n counts, as a sentence."""
    if counts_rows(run):
        return "n counts rows."
    return "n counts the units that are resampled."
