"""The main script: bytes that repeat, facts that add up, a name that is checked."""

from __future__ import annotations

import gzip

import pandas as pd
import pyarrow.parquet as pq
import pytest


def test_gzipped_tables_have_the_same_bytes_on_every_run(script, tmp_path):
    frame = pd.DataFrame({"day": pd.to_datetime(["2017-02-08", None]), "n": [1, 2]})
    write = script("journey").write_csv
    write(frame, tmp_path / "a.csv.gz")
    write(frame, tmp_path / "b.csv.gz")
    content = (tmp_path / "a.csv.gz").read_bytes()
    assert content == (tmp_path / "b.csv.gz").read_bytes()
    # Bytes 4 to 7 of a gzip header are the time of writing.
    assert content[4:8] == bytes(4)
    assert gzip.decompress(content) == b"day,n\n2017-02-08,1\n,2\n"


def test_plain_tables_are_plain(script, tmp_path):
    script("journey").write_csv(pd.DataFrame({"a": [1]}), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"a\n1\n"


def test_parquet_has_the_columns_and_nothing_of_pandas(script, tmp_path):
    frame = pd.DataFrame({"category": ["Tea", "Milk"], "k_4": [0, 3]}, index=[5, 9]).astype({"k_4": "int16"})
    script("journey").write_parquet(frame, tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.schema.metadata is None
    assert table.to_pydict() == {"category": ["Tea", "Milk"], "k_4": [0, 3]}


def test_a_type_belongs_to_the_category_it_is_bought_from_most(script):
    lines = pd.DataFrame(
        {"product_type": ["RED"] * 3 + ["EGGS"], "product_category": ["GRAPES", "BEEF", "GRAPES", "EGGS"]}
    )
    assert script("journey").main_category(lines, ["RED", "EGGS"]) == {"RED": "Grapes", "EGGS": "Eggs"}


def test_coupon_facts_are_counted(script):
    table = pd.DataFrame(
        {
            "unit": [1, 1, 2],
            "campaign": [1, 2, 1],
            "exposure_time": pd.to_datetime(["2017-03-01"] * 3),
            "conversion_time": pd.to_datetime(["2017-03-05", None, "2017-03-15"]),
            "engagement_time": pd.to_datetime(["2017-03-05", None, None]),
            "visit_time": pd.to_datetime(["2017-03-02", "2017-03-02", None]),
            "window_days": [30, 30, 10],
            "age": ["unknown", "65+", "65+"],
        }
    )
    facts = script("journey").coupon_facts(table)
    assert facts["positive"] == 2
    assert facts["positive_share"] == 0.6667
    assert facts["delay_days_q25_q50_q75_max"] == [6.5, 9.0, 11.5, 14.0]
    assert facts["negative_delays"] == 0
    assert facts["conversions_after_window"] == 1


def test_an_unknown_table_is_refused(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["journey.py", "coupon"])
    with pytest.raises(SystemExit) as refused:
        script("journey").main()
    assert refused.value.code == 2
    assert "unknown table 'coupon'; choose from categories, types, coupons, purchases" in capsys.readouterr().err


def test_the_chosen_tables_alone_are_built_into_the_folder(script, monkeypatch, tmp_path):
    journey = script("journey")
    built = []
    for name in journey.TABLES:
        monkeypatch.setitem(journey.TABLES, name, lambda out, name=name: built.append((name, out)))
    monkeypatch.setattr("sys.argv", ["journey.py", "coupons", "--out", str(tmp_path)])
    journey.main()
    assert built == [("coupons", tmp_path)]
