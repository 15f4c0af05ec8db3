"""Tables with bytes that repeat."""

from __future__ import annotations

import gzip

import pandas as pd
import pyarrow.parquet as pq


def test_gzipped_tables_have_the_same_bytes_on_every_run(script, tmp_path):
    frame = pd.DataFrame({"day": pd.to_datetime(["2017-02-08", None]), "n": [1, 2]})
    write = script("writing").write_csv
    write(frame, tmp_path / "a.csv.gz")
    write(frame, tmp_path / "b.csv.gz")
    content = (tmp_path / "a.csv.gz").read_bytes()
    assert content == (tmp_path / "b.csv.gz").read_bytes()
    # Bytes 4 to 7 of a gzip header are the time of writing.
    assert content[4:8] == bytes(4)
    assert gzip.decompress(content) == b"day,n\n2017-02-08,1\n,2\n"


def test_plain_tables_are_plain(script, tmp_path):
    script("writing").write_csv(pd.DataFrame({"a": [1]}), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"a\n1\n"


def test_parquet_has_the_columns_and_nothing_of_pandas(script, tmp_path):
    frame = pd.DataFrame({"category": ["Tea", "Milk"], "k_4": [0, 3]}, index=[5, 9]).astype({"k_4": "int16"})
    script("writing").write_parquet(frame, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.metadata is None
    assert table.to_pydict() == {"category": ["Tea", "Milk"], "k_4": [0, 3]}
