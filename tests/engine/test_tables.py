"""Files in, frames out; every unreadable file gets a sentence of its own."""

import datetime
import decimal
import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.tables import apply_roles, content_hash, read_table


@pytest.fixture
def write(tmp_path):
    """Write bytes or text to a file and return its path."""

    def _write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


def refused(path):
    """Return the sentence with which a file is turned away; it is one sentence or two, on one line."""
    with pytest.raises(DataError) as caught:
        read_table(path)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


@pytest.mark.parametrize(("name", "separator"), [("t.csv", ","), ("t.tsv", "\t"), ("T.CSV", ",")])
def test_delimited_text_is_read_by_its_ending(write, name, separator):
    frame = read_table(write(f"a{separator}b\n1{separator}x\n2{separator}y\n", name))
    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_gzipped_text_is_read(write):
    assert read_table(write(gzip.compress(b"a,b\n1,2\n"), "t.csv.gz")).to_dict("list") == {"a": [1], "b": [2]}


def test_a_parquet_file_is_read_with_its_types(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "t": pd.to_datetime(["2020-01-01", "2020-01-02"])})
    frame.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), frame)


def test_a_stored_index_becomes_a_column_and_a_nameless_one_goes(tmp_path):
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 5], name="unit"))
    frame.to_parquet(tmp_path / "named.parquet")
    frame.rename_axis(None).to_parquet(tmp_path / "nameless.parquet")
    assert read_table(tmp_path / "named.parquet").to_dict("list") == {"a": [1, 2], "unit": [5, 5]}
    assert read_table(tmp_path / "nameless.parquet").to_dict("list") == {"a": [1, 2]}


def test_byte_order_mark_spaces_blank_lines_and_quotes_are_understood(write):
    text = '\ufeffa , b\n\n1, "x, y"\n\n2,"line\nbreak"\n'
    assert read_table(write(text)).to_dict("list") == {"a": [1, 2], "b": ["x, y", "line\nbreak"]}


def test_windows_line_ends_are_understood(write):
    assert read_table(write("a,b\r\n1,2\r\n")).to_dict("list") == {"a": [1], "b": [2]}


@pytest.mark.parametrize("word", ["", "NA", "nan", "NULL", "None", "N/A"])
def test_words_for_missing_are_missing(write, word):
    assert read_table(write(f"a,b\n{word},1\n2,2\n"))["a"].isna().tolist() == [True, False]


def test_text_columns_keep_zeros_and_names_that_look_missing(write):
    frame = read_table(write("id,x\n007,1\nNA,NA\nnull,2\n"), text=["id", "unknown"])
    assert frame["id"].tolist() == ["007", "NA", "null"] and frame["x"].isna().tolist() == [False, True, False]


def test_an_empty_text_is_missing(write):
    assert read_table(write("id,x\n,1\nb,2\n"), text=["id"])["id"].isna().tolist() == [True, False]


def test_a_column_of_numbers_and_words_is_read_whole(write):
    """A long file is typed as one, not block by block."""
    frame = read_table(write("a\n" + "1\n" * 300_000 + "x\n"))
    assert set(frame["a"].map(type)) == {str} and len(frame) == 300_001


def test_a_missing_file_is_named(tmp_path):
    assert refused(tmp_path / "no.csv") == (
        f"File '{tmp_path / 'no.csv'}' does not exist; check the spelling, or list bundled data with `datasets`."
    )


def test_a_folder_is_no_file(tmp_path):
    assert "is a folder; name one CSV or Parquet file." in refused(tmp_path)


def test_a_path_that_no_system_takes_is_refused():
    assert "cannot be read (File name too long)" in refused("x" * 300 + ".csv")


def test_a_path_below_a_file_is_refused(write):
    assert "cannot be read (Not a directory)" in refused(write("a\n1\n") / "t.csv")


def test_an_empty_file_is_refused(write):
    assert refused(write("")) == "File 't.csv' is empty; a header line and at least one row are needed."


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "a,b\n\n\n"])
def test_a_header_alone_is_refused(write, text):
    assert refused(write(text)) == "File 't.csv' has columns but no rows; at least one row is needed."


@pytest.mark.parametrize("text", ["\n", "\n\n"])
def test_blank_lines_alone_are_refused(write, text):
    assert "t.csv" in refused(write(text))


def test_a_parquet_file_without_rows_is_refused(tmp_path):
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "t.parquet")
    assert "has columns but no rows" in refused(tmp_path / "t.parquet")


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.json", "t.gz", "t.parquet.gz"])
def test_other_endings_are_refused(write, name):
    assert "allowed are .csv, .tsv (also .gz) and .parquet." in refused(write("a\n1\n", name))


@pytest.mark.parametrize("header", ["a,b,a", "a, a,b", '"a",b,a'])
def test_duplicate_names_are_refused(write, header):
    assert refused(write(f"{header}\n1,2,3\n")) == (
        "File 't.csv' names column 'a' more than once; make the names unique."
    )


def test_duplicate_names_in_parquet_are_refused(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "t.parquet")
    assert "names column 'a' more than once" in refused(tmp_path / "t.parquet")


@pytest.mark.parametrize(("header", "place"), [(",b", 1), ("a,", 2), ("a, ", 2)])
def test_a_column_without_a_name_is_refused(write, header, place):
    assert f"has no name for column {place};" in refused(write(f"{header}\n1,2\n"))


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [("a,b\n1,2\n3\n", 3, 1), ("a,b\n1,2,3\n4,5,6\n", 2, 3), ("a,b\n1,2\n\n3,4,\n", 4, 3), ('a,b\n1,2\n"x,3\n', 3, 1)],
)
def test_ragged_rows_are_refused_with_their_line(write, text, line, found):
    assert refused(write(text)) == (
        f"File 't.csv' has {found} value{'s' * (found != 1)} in line {line}, but its header names 2 columns; "
        "give every row one value per column."
    )


def test_an_open_quote_is_refused(write):
    assert "is not a table of separated values" in refused(write('a\n1\n"x\n'))


def test_latin_1_is_refused(write):
    assert "is not UTF-8 text" in refused(write("name,x\nMüller,1\n".encode("latin-1")))


def test_utf_16_is_refused(write):
    assert "is not UTF-8 text" in refused(write("name,x\nMüller,1\n".encode("utf-16")))


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: data[:12] + b"\x00\xff" * 9, lambda _: b"a,b\n"]
)
def test_a_damaged_gzip_file_is_refused(write, damage):
    data = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    assert "is not a complete gzip file" in refused(write(damage(data), "t.csv.gz"))


@pytest.mark.parametrize("kept", [4, 60, 0.9])
def test_a_truncated_parquet_file_is_refused(tmp_path, kept):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": np.arange(1000)}).to_parquet(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if kept < 1 else kept])
    assert "is not a readable Parquet file" in refused(path)


def test_decimals_categories_and_clock_times_of_parquet_become_plain_columns(tmp_path):
    table = pa.table(
        {
            "price": pa.array([decimal.Decimal("1.50"), None]),
            "id": pa.array([decimal.Decimal("12345678901234567890"), decimal.Decimal("7")]),
            "kind": pa.array(["x", "y"]).dictionary_encode(),
            "clock": pa.array([datetime.time(9, 30), None]),
            "half": pa.array(np.array([0.5, 0.25], dtype=np.float16)),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet", text=["id"])
    assert found["price"].dtype == np.float64 and found["price"].iloc[0] == 1.5 and found["half"].dtype == np.float32
    assert found["id"].tolist() == ["12345678901234567890", "7"] and found["kind"].tolist() == ["x", "y"]
    assert found["clock"].iloc[0] == "09:30:00.000000"


def test_a_folder_above_a_parquet_file_is_no_column(tmp_path):
    (tmp_path / "a=1").mkdir()
    pd.DataFrame({"b": [2]}).to_parquet(tmp_path / "a=1" / "t.parquet")
    assert read_table(tmp_path / "a=1" / "t.parquet").to_dict("list") == {"b": [2]}


def test_text_called_parquet_is_refused(write):
    assert "is not a readable Parquet file" in refused(write("a,b\n1,2\n", "t.parquet"))


def test_roles_rename_columns_and_leave_the_others():
    frame = pd.DataFrame({"from": [1], "to": [2], "n": [3]})
    assert list(apply_roles(frame, {"source": "from", "target": "to"}, source="t").columns) == ["source", "target", "n"]


def test_two_columns_may_swap_their_roles():
    frame = pd.DataFrame({"source": [1], "target": [2]})
    swapped = apply_roles(frame, {"source": "target", "target": "source"}, source="t")
    assert swapped.to_dict("list") == {"target": [1], "source": [2]}


def test_a_column_may_be_named_for_the_role_it_plays():
    frame = pd.DataFrame({"source": [1]})
    assert list(apply_roles(frame, {"source": "source"}, source="t").columns) == ["source"]


def test_an_unknown_column_is_named_with_those_that_exist():
    with pytest.raises(DataError) as caught:
        apply_roles(pd.DataFrame({"a": [1], "b": [2]}), {"source": "c"}, source="t.csv")
    assert str(caught.value) == "Column 'c' (for role 'source') is not in t.csv; it has 'a', 'b'."


def test_one_column_cannot_play_two_roles():
    with pytest.raises(DataError, match="'a' is given two roles"):
        apply_roles(pd.DataFrame({"a": [1]}), {"source": "a", "target": "a"}, source="t")


def test_a_role_cannot_be_taken_from_the_column_that_has_its_name():
    with pytest.raises(DataError, match="has a column 'source' and 'a' is to play this role too"):
        apply_roles(pd.DataFrame({"a": [1], "source": [2]}), {"source": "a"}, source="t")


FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def test_equal_contents_have_equal_hashes_whatever_the_index():
    assert content_hash(FRAME) == content_hash(FRAME.copy().set_axis([7, 9]))
    assert len(content_hash(FRAME)) == 16


def test_the_hash_of_a_table_is_the_same_on_every_machine_and_day():
    assert content_hash(FRAME) == "a54c5e240c9f9bfc"


@pytest.mark.parametrize(
    "other",
    [
        FRAME.assign(a=[1, 3]),
        FRAME.rename(columns={"a": "c"}),
        FRAME[["b", "a"]],
        FRAME.iloc[::-1],
        FRAME.astype({"a": "float64"}),
        FRAME.iloc[:1],
        FRAME.assign(b=["x", None]),
    ],
)
def test_any_other_content_has_another_hash(other):
    assert content_hash(other) != content_hash(FRAME)


def test_the_order_of_tables_counts():
    other = FRAME.assign(a=0)
    assert content_hash(FRAME, other) != content_hash(other, FRAME) != content_hash(FRAME)


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), st.integers(-(2**62), 2**62)),
        min_size=1,
    )
)
def test_what_is_written_comes_back(tmp_path_factory, rows):
    frame = pd.DataFrame(rows, columns=["name", "count"])
    path = tmp_path_factory.getbasetemp() / "round.csv"
    frame.to_csv(path, index=False)
    found = read_table(path, text=["name"])
    assert found["name"].tolist() == frame["name"].tolist() and found["count"].tolist() == frame["count"].tolist()
