"""Write tables with the same bytes on every run."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

DATE_FORMAT = "%Y-%m-%d"


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, gzipped if the name says so."""
    text = frame.to_csv(index=False, lineterminator="\n", date_format=DATE_FORMAT).encode()
    # A gzip header holds the time of writing; 0 keeps the checksum the same.
    path.write_bytes(gzip.compress(text, 9, mtime=0) if path.suffix == ".gz" else text)


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet without the pandas index."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd", compression_level=19)
