"""What the kinds of `describe` share: data that cannot be opened, and tables of a DuckDB file."""

from __future__ import annotations

import json

import duckdb
import pytest

from engine.backends import open_table
from engine.cli import main
from engine.errors import ConfigError


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run the command and return its one sentence of complaint."""
    assert main(["describe", "delay", *words]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.startswith("Error: ") and output.err.count("\n") == 1
    return output.err


def test_data_that_cannot_be_opened_is_named(capsys, tmp_path):
    (tmp_path / "broken.parquet").write_text("no parquet")
    (tmp_path / "notes.txt").write_text("a,b\n")
    (tmp_path / "none").mkdir()
    for data, sentence in {
        "nowhere": "neither a file, a folder nor bundled delay data",
        "debian-programs": "is graph data",
        str(tmp_path / "broken.parquet"): "; it is cut off or no Parquet; write it again.",
        str(tmp_path / "notes.txt"): "has the ending '.txt'",
        str(tmp_path / "none"): "holds no .parquet file",
    }.items():
        assert sentence in refused(capsys, "--data", data)
    assert "leave out --column" in refused(capsys, "--data", "journey-coupons", "--column", "unit=unit")


def test_a_row_of_another_length_is_named_with_its_line(capsys, tmp_path):
    (tmp_path / "ragged.csv").write_text("exposure_time,conversion_time\n1,2\n3,4,5\n")
    found = refused(capsys, "--data", str(tmp_path / "ragged.csv"))
    assert "ragged.csv has the wrong number of values in line 3; give every row one value per column." in found


def test_a_table_of_several_is_named(tmp_path, capsys):
    path = tmp_path / "log.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE log AS SELECT x AS exposure_time, x + 1 AS conversion_time FROM range(9) t(x)")
        connection.execute("CREATE TABLE other AS SELECT 1 AS x")
    assert "has the tables 'log', 'other'" in refused(capsys, "--data", str(path))
    assert "has no table 'third'" in refused(capsys, "--data", str(path), "--table", "third")
    assert main(["describe", "delay", "--data", str(path), "--table", "log", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exposures"] == 9
    with pytest.raises(ConfigError, match="cannot read the DuckDB file"):
        open_table(path, backend="local[1]")
