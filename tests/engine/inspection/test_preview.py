"""The first rows of any file, as written, at once."""

import gzip

import duckdb
import pandas as pd
import pytest

from engine.errors import DataError
from engine.inspection.preview import LOOKED_AT, preview
from engine.inspection.source import hash_of

TEXT = 'user id,name,when,paid\n007,"Müller, A",2026-01-02,1.50\n008,,2026-01-03,NA\n'


@pytest.fixture
def write(tmp_path):
    """Write bytes or text to a file and return its path."""

    def _write(content, name="t.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return _write


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_rows_are_shown_as_written_with_the_look_of_every_column(write, name):
    found = preview(write(gzip.compress(TEXT.encode()) if name.endswith("gz") else TEXT, name))
    assert found.rows.to_dict("list")["user id"] == ["007", "008"] and found.rows["name"].tolist() == ["Müller, A", ""]
    looks = {look.name: (look.type, look.missing_in_preview, look.example) for look in found.columns}
    assert looks == {
        "user id": ("integer", 0, "007"),
        "name": ("text", 1, "Müller, A"),
        "when": ("date", 0, "2026-01-02"),
        "paid": ("number", 1, "1.50"),
    }
    assert (found.total_rows, found.separator, found.encoding, found.warnings) == (2, ",", "UTF-8", ())


@pytest.mark.parametrize(("sign", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_separator_is_read_where_it_is_certain_and_said(write, sign, word):
    found = preview(write(f"a{sign}b\n1{sign}2,5\n3{sign}4\n"))
    assert found.rows.to_dict("list") == {"a": ["1", "3"], "b": ["2,5", "4"]}
    assert found.separator == sign and f"is separated by {word}, not commas" in found.warnings[0]


def test_a_separator_that_does_not_divide_every_row_alike_is_not_believed(write):
    found = preview(write("a;b\nx\ny;z;q\n"))
    assert found.rows.columns.tolist() == ["a;b"] and "one column only" in found.warnings[0]


def test_a_long_text_is_not_counted_and_a_parquet_file_is(write, tmp_path):
    assert preview(write("a\n" + "1\n" * (LOOKED_AT + 1)), rows=3).total_rows is None
    frame = pd.DataFrame({"a": range(5000), "b": ["x", None] * 2500})
    frame.to_parquet(tmp_path / "t.parquet")
    found = preview(tmp_path / "t.parquet", rows=2)
    assert (found.total_rows, found.separator) == (5000, None)
    assert found.rows.to_dict("list") == {"a": ["0", "1"], "b": ["x", ""]}


def test_a_folder_and_a_table_of_a_database_are_shown(tmp_path):
    (tmp_path / "parts").mkdir()
    for part in ("a", "b"):
        pd.DataFrame({"x": [1, 2]}).to_parquet(tmp_path / "parts" / f"{part}.parquet")
    assert preview(tmp_path / "parts").total_rows == 4
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute("CREATE TABLE one AS SELECT 1 AS a; CREATE TABLE two AS SELECT 2 AS b")
    assert preview(tmp_path / "t.duckdb", table="two").rows.to_dict("list") == {"b": ["2"]}
    with pytest.raises(DataError, match="has the tables 'one', 'two'; name one with --table"):
        preview(tmp_path / "t.duckdb")


def test_a_long_cell_is_cut_for_showing(write):
    assert preview(write("a\n" + "x" * 100_000 + "\n")).rows["a"].str.len().tolist() == [200]


def test_the_hash_is_that_of_the_bytes_and_of_a_folder_that_of_its_files(write, tmp_path):
    assert hash_of(write("a\n1\n")) == "309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc"
    (tmp_path / "parts").mkdir()
    for part in ("a", "b"):
        pd.DataFrame({"x": [part]}).to_parquet(tmp_path / "parts" / f"{part}.parquet")
    before = hash_of(tmp_path / "parts")
    (tmp_path / "parts" / "b.parquet").rename(tmp_path / "parts" / "c.parquet")
    assert hash_of(tmp_path / "parts") != before
