"""Files open as they are: no row or name is guessed, and what is no number is none."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.backends import first_line, open_table
from engine.errors import ConfigError, DataError
from engine.uncertainty.relation import scored_rows_of


def test_a_header_that_does_not_fit_the_rows_is_not_passed_over(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4,5\n")
    table = open_table(tmp_path / "t.csv")
    assert table.columns == ("a", "b")
    with pytest.raises(Exception, match="Line: 3"):
        table.to_pyarrow()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_without_spark_the_sentence_is_about_spark_and_not_about_the_file(form, tmp_path, monkeypatch):
    """As in an environment of the product alone, where Ibis has no part for Spark either."""
    path = tmp_path / f"t.{form}"
    path.write_text("a\n1\n") if form == "csv" else pq.write_table(pa.table({"a": [1]}), path)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(vars(ibis), "pyspark", None)
    with pytest.raises(ConfigError, match=r"'--backend local\[2\]' needs Spark; install it with: "):
        open_table(path, backend="local[2]")


def test_text_separated_by_semicolons_is_read_as_such(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1,5;2\n")
    assert open_table(tmp_path / "t.csv").to_pyarrow().to_pylist() == [{"a": "1,5", "b": "2"}]


def test_names_that_differ_in_case_only_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("label,Label\n1,2\n")
    with pytest.raises(DataError, match="'label' and 'Label', alike but for case"):
        open_table(tmp_path / "t.csv")


def test_a_comparison_counts_a_nan_that_the_statistics_of_a_parquet_file_leave_out(tmp_path):
    pq.write_table(pa.table({"x": [0.5] * 99 + [float("nan")]}), tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet")
    # To DuckDB, NaN is the largest number; from the file's statistics it would conclude that nothing exceeds 1.
    assert (table.x > 1).sum().to_pyarrow().as_py() == 1


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_a_nan_that_the_statistics_of_a_parquet_file_leave_out_is_found(kind, tmp_path):
    values = pa.array([0.9, 0.5, float("nan"), 0.2], kind)
    pq.write_table(pa.table({"label": [0, 1, 1, 0], "score": values, "uncertainty": [0.1] * 4}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="Column 'score' of t has 'nan' in data row 3; a score is a number"):
        scored_rows_of(open_table(tmp_path / "t.parquet"), {}, source="t")


@pytest.mark.parametrize("weight", [float("inf"), -float("inf"), 2.5])
def test_a_weight_that_counts_no_rows_is_refused(weight, tmp_path):
    columns = {"label": [0, 1], "score": [0.1, 0.2], "uncertainty": [0.1, 0.2], "weight": [1.0, weight]}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=f"Column 'weight' of t has '{weight}' in data row 2"):
        scored_rows_of(open_table(tmp_path / "t.parquet"), {}, source="t")


def test_tables_of_other_schemas_go_by_schema_and_name(tmp_path):
    path = tmp_path / "many.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute("CREATE TABLE log AS SELECT 1 AS a")
        connection.execute("CREATE TABLE shop.log AS SELECT 2 AS a")
    for name, value in (("log", 1), ("shop.log", 2)):
        assert open_table(path, name=name).to_pyarrow().to_pylist() == [{"a": value}]
    with pytest.raises(DataError, match=r"has no table 'nothing'; it has 'log', 'shop.log'"):
        open_table(path, name="nothing")


@pytest.mark.parametrize(("backend", "name"), [("duckdb", "log"), ("local[2]", None), ("duckdb", None)])
def test_without_a_file_a_table_of_spark_has_to_be_named(backend, name):
    with pytest.raises(ConfigError, match="give the 'name' of a table that Spark knows"):
        open_table(None, backend=backend, name=name)


def test_an_unknown_backend_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="'--backend polars' is unknown"):
        open_table(Path(tmp_path / "t.csv"), backend="polars")


def test_of_a_chain_of_causes_the_last_is_told():
    error = RuntimeError(
        "An error occurred while calling o60.collectToPython.\n: org.x.SparkException: [FAILED] Reading failed.\n"
        "\tat org.x.Y\nCaused by: org.x.RuntimeException: [MALFORMED_CSV] Malformed CSV record: 3 SQLSTATE: KD000\n"
    )
    assert first_line(error) == "Malformed CSV record: 3"
    assert first_line(ValueError("Plain words.\nMore.")) == "Plain words"


def test_a_word_for_a_missing_value_is_a_name_in_a_column_of_names(tmp_path):
    (tmp_path / "t.csv").write_text('id,value\nNA,NA\nnan,1\n"",None\n"None",""\n')
    found = open_table(tmp_path / "t.csv", text=["id"]).to_pyarrow()
    assert found["id"].to_pylist() == ["NA", "nan", None, "None"]
    assert found["value"].to_pylist() == [None, "1", None, None]
