"""Results of finished studies, found by the contents of the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent / "benchmark" / "results"
"""Results that ship with the engine."""
FILE = "neighbourhoods.csv"
MINIMUM_NODES = 30
"""A group of test edges with fewer query nodes is too small to be shown by itself."""


def neighbourhood_study(data_id: str, folders: Sequence[Path]) -> pd.DataFrame:
    """Return the neighbourhood study of a data set, if one was done.

    Parameters
    ----------
    data_id : str
        Content hash; a data set with other contents has no study, whatever its name.
    folders : sequence of Path
        Where results are looked for; the first that knows the data counts.

    Returns
    -------
    DataFrame
        Columns `engine.benchmark.neighbourhood_table.STUDY_COLUMNS`; no rows without a study.
    """
    for folder in folders:
        if (folder / FILE).is_file():
            table = pd.read_csv(folder / FILE, dtype={"data_id": str})
            rows = table[table["data_id"] == data_id]
            if len(rows):
                texts = {name: rows[name].fillna("") for name in ("known", "baseline", "verdict")}
                return rows.assign(**texts).reset_index(drop=True)
    return pd.DataFrame(columns=["data_id", "setting", "baseline", "segment", "value", "margin"])
