"""Whatever a file holds, the answer is data or a sentence: never a traceback, a hang or a full memory."""

import datetime
import decimal
import gzip
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.cli import main
from engine.datasets import load
from engine.delimited import MAX_COLUMNS
from engine.errors import DataError
from engine.inspection.preview import preview
from engine.inspection.report import inspect
from engine.raw_text import FREE_SIZE, MAX_LINE
from engine.tables import read_table

COUNT = 420
ROWS = "".join(f"{k % 2},0.{k % 9 + 1},0.{k % 7 + 1}\n" for k in range(COUNT))
HEAD = "label,score,uncertainty\n"


@pytest.fixture
def write(tmp_path):
    """Write bytes or text to a file and return its path."""

    def _write(content, name="t.csv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return _write


def sentence_of(call):
    """Return the sentence of a refusal."""
    with pytest.raises(DataError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".") and len(said) < 1_000
    return said


def everywhere(path):
    """Return the sentence with which a file is turned away, the same at every door."""
    said = {sentence_of(lambda: read_table(path)), sentence_of(lambda: preview(path))}
    said.add(sentence_of(lambda: load("uncertainty", str(path))))
    said.add(sentence_of(lambda: inspect(path, "uncertainty")))
    assert len(said) == 1, said
    return said.pop()


UNREADABLE = {
    "short": (HEAD + "1\n" + ROWS, "has 1 value in line 2, but its header names 3 columns"),
    "ragged": (HEAD + "1,0.5\n" + ROWS, "has 2 values in line 2, but its header names 3 columns"),
    "open quote": (HEAD + ROWS + '1,0.5,"0.1\n', f"the quote in line {COUNT + 2} is never closed"),
    "quote that swallows": (HEAD + '1,"0.5,0.1\n' + ROWS, f"has 2 values in lines 2 to {COUNT + 2}"),
    "NUL": (HEAD + "1,0.\x005,0.1\n" + ROWS, "has a NUL byte in line 2"),
    "two names": ("label,score,score\n" + ROWS, "names column 'score' more than once"),
    "no name": ("label,,uncertainty\n" + ROWS, "has no name for column 2"),
    "blank name": ("label,  ,uncertainty\n" + ROWS, "has no name for column 2"),
    "header": (HEAD, "has columns but no rows"),
    "empty": ("", "is empty; a header line and at least one row are needed"),
    "blank": ("\n\n\n", "has no header"),
    "Latin-1": (HEAD.encode() + b"1,0.5,\xe9\n", "is not UTF-8 text (byte 0xe9 in line 2)"),
    "UTF-16": ((HEAD + ROWS).encode("utf-16"), "looks like UTF-16; save it as UTF-8"),
    "Excel": (b"PK\x03\x04" + bytes(99), "is a ZIP archive or an Excel file, not text"),
    "Parquet": (b"PAR1" + bytes(99), "is a Parquet file, not text"),
    "a long line": (HEAD + "x" * (MAX_LINE + 9), f"has more than {MAX_LINE:,} characters in line 2"),
    "many columns": (",".join(f"c{k}" for k in range(10_000)) + "\n", "has 10,000 columns; at most 2,000 are read"),
    "a million columns": (
        ",".join("c" * 9 for _ in range(1_000_000)),
        f"has more than {MAX_LINE:,} characters in line 1",
    ),
    "a long cell": (HEAD + '1,0.5,"' + "x\n" * 100_000, "field larger than field limit"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_text_that_is_no_table_is_refused_with_the_place(write, name):
    content, said = UNREADABLE[name]
    assert said in everywhere(write(content))


def test_a_bomb_is_refused_before_it_fills_memory(write):
    bomb = gzip.compress(HEAD.encode() + b"1,0.5,0.1\n" * (FREE_SIZE // 5), 1)
    said = everywhere_but_preview(write(bomb, "t.csv.gz"))
    assert "read is at most 100 times its size, or 64 MiB" in said
    assert len(preview(write(bomb, "t.csv.gz")).columns) == 3, "a preview reads the first rows only"


def everywhere_but_preview(path):
    """Return the sentence of the doors that read a file to its end."""
    said = {sentence_of(lambda: read_table(path)), sentence_of(lambda: inspect(path, "uncertainty"))}
    assert len(said) == 1
    return said.pop()


@pytest.mark.parametrize(
    "content",
    [
        HEAD.replace(",", ";") + ROWS.replace(",", ";"),
        HEAD.replace(",", "\t") + ROWS.replace(",", "\t"),
        "\ufeff" + HEAD + ROWS,
        (HEAD + ROWS).replace("\n", "\r\n"),
        (HEAD + ROWS).replace("\n", "\r"),
        HEAD.replace("\n", "\r\n") + ROWS,
        "\n\n" + HEAD + "\n" + ROWS,
        HEAD.replace(",", " , ") + ROWS.replace(",", ", "),
        HEAD + ROWS.replace("0.1", '"0.1"'),
    ],
    ids=["semicolons", "tabs", "BOM", "CRLF", "CR", "mixed", "blank lines", "spaces", "quotes"],
)
def test_other_ways_to_write_a_table_are_read(write, content):
    found = inspect(write(content), "uncertainty")
    assert found.rows == COUNT and found.can_train and found.balance == {"0": 210, "1": 210}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2,0.5,0.1", "It holds '0' (210), '1' (210), '2' (1)"),
        ("maybe,0.5,0.1", "'maybe' in data row 421"),
        (",0.5,0.1", "has no value in data row 421"),
        ("1,high,0.1", "Column 'score' of t.csv has 'high' in data row 421"),
        ('1,"0,5",0.1', "has '0,5' in data row 421; allowed is a number with a decimal point"),
        ("1,55,0.1", "has '55' in data row 421; allowed is at most 1. Correct or drop the row."),
        ("1,-0.1,0.1", "has '-0.1' in data row 421; allowed is at least 0"),
        ("1,0.5,inf", "Column 'uncertainty' of t.csv has 'inf' in data row 421; allowed is a finite number"),
        ("1,NA,0.1", "in data row 421; allowed is a value in every row"),
    ],
)
def test_a_bad_cell_is_named_with_its_column_and_row(write, line, said):
    path = write(HEAD + ROWS + line + "\n")
    found = inspect(path, "uncertainty")
    assert said in found.findings.iloc[0]["sentence"] and found.findings.iloc[0]["first_row"] == COUNT + 1
    assert not found.can_train and not found.can_describe and found.offending.iloc[0]["row"] == COUNT + 1
    assert "in data row 421" in sentence_of(lambda: load("uncertainty", str(path)))


NAMES = [
    '"; DROP TABLE x; --',
    "a `b` \"c\" 'd'",
    "名前",
    "$x$ :smile: **b**",
    "a,b",
    "c\nd",
    "  é  ",
    "SELECT",
    "a" * 300,
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_column_is_read(write, name, tmp_path):
    rows = pd.read_csv(io.StringIO(HEAD + ROWS)).rename(columns={"label": name})
    for path in (tmp_path / "t.csv", tmp_path / "t.parquet"):
        rows.to_csv(path, index=False) if path.suffix == ".csv" else rows.to_parquet(path, index=False)
        given = name.strip() if path.suffix == ".csv" else name
        found = inspect(path, "uncertainty", roles={"label": given, "score": "score", "uncertainty": "uncertainty"})
        assert found.can_train and found.rows == COUNT and found.roles["label"] == given


def column(values, kind=None):
    """Make a Parquet column."""
    return pa.array(values, kind)


MOMENTS = [datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=k) for k in range(COUNT)]
PARQUET = {
    "lists": (column([[1, 2]] * COUNT), False),
    "records": (column([{"a": 1}] * COUNT), False),
    "maps": (column([[("a", 1)]] * COUNT, pa.map_(pa.string(), pa.int64())), False),
    "bytes": (column([b"\xff\x00"] * COUNT), False),
    "decimals": (column([decimal.Decimal("0.25")] * COUNT), True),
    "moments with a zone": (column(MOMENTS, pa.timestamp("us", "Europe/Berlin")), None),
    "dictionary": (column(["a", "b"] * 210).dictionary_encode(), True),
    "float16": (column(np.linspace(0.1, 0.9, COUNT).astype(np.float16)), True),
    "booleans with gaps": (column([True, None] * 210), True),
    "clock times": (column([datetime.time(1, 2)] * COUNT), True),
    "durations": (column([datetime.timedelta(1)] * COUNT), True),
    "nothing": (pa.nulls(COUNT), True),
    "large whole numbers": (column([2**64 - 1] * COUNT, pa.uint64()), True),
    "views of text": (column(["x"] * COUNT, pa.string_view()), True),
    "NaN": (column([0.5, float("nan")] * 210), True),
}


@pytest.mark.parametrize("name", PARQUET)
def test_every_type_of_parquet_is_read_or_refused_by_name(tmp_path, name):
    values, fits = PARQUET[name]
    base = pa.Table.from_pandas(pd.read_csv(io.StringIO(HEAD + ROWS)).drop(columns=["score", "uncertainty"]))
    table = base.append_column("extra", values).append_column("age", pa.array(range(COUNT)))
    pq.write_table(table, tmp_path / "t.parquet", use_deprecated_int96_timestamps=False)
    found = inspect(tmp_path / "t.parquet", "uncertainty")
    assert found.rows == COUNT and len(preview(tmp_path / "t.parquet").columns) == 3
    if fits:
        assert found.can_train, found.findings["sentence"].tolist()
    elif fits is None:
        assert "holds dates, which are no feature" in found.findings.iloc[0]["sentence"]
    else:
        said = f"Column 'extra' of 't.parquet' holds values of type {str(values.type)[:5]}"
        assert said in found.findings.iloc[0]["sentence"] and said in sentence_of(
            lambda: read_table(tmp_path / "t.parquet")
        )


def test_a_missing_label_in_parquet_is_seen_although_the_file_notes_no_nan(tmp_path):
    frame = pd.read_csv(io.StringIO(HEAD + ROWS)).astype({"label": float})
    frame.loc[4, "label"] = np.nan
    pq.write_table(pa.table({name: pa.array(frame[name].to_numpy()) for name in frame}), tmp_path / "t.parquet")
    found = inspect(tmp_path / "t.parquet", "uncertainty")
    assert found.findings.iloc[0]["first_row"] == 5 and "a value in every row" in found.findings.iloc[0]["sentence"]


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-40], lambda b: b"", lambda b: bytes(range(256)) * 9, lambda b: b[:30] + b[90:]]
)
def test_a_damaged_parquet_file_gets_a_sentence_at_every_door(write, tmp_path, damage, capsys):
    pd.read_csv(io.StringIO(HEAD + ROWS)).to_parquet(tmp_path / "whole.parquet")
    path = write(damage((tmp_path / "whole.parquet").read_bytes()), "t.parquet")
    for call in (read_table, preview, lambda p: inspect(p, "uncertainty"), lambda p: load("uncertainty", str(p))):
        assert "t.parquet" in sentence_of(lambda call=call: call(path))
    assert main(["describe", "uncertainty", "--data", str(path)]) == 2
    assert capsys.readouterr().err.startswith("Error: ")


def test_more_values_than_memory_takes_are_refused_whatever_the_size_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.tables.MAX_VALUES", 100)
    pd.DataFrame({"a": [1] * 101}).to_parquet(tmp_path / "t.parquet")
    assert "has 101 rows of 1 columns, more than the 100 values" in sentence_of(
        lambda: read_table(tmp_path / "t.parquet")
    )


def test_too_many_columns_of_parquet_are_refused(tmp_path):
    pq.write_table(pa.table({f"c{k}": [1] for k in range(MAX_COLUMNS + 1)}), tmp_path / "t.parquet")
    assert f"has {MAX_COLUMNS + 1:,} columns" in sentence_of(lambda: read_table(tmp_path / "t.parquet"))
    assert f"has {MAX_COLUMNS + 1:,} columns" in sentence_of(lambda: preview(tmp_path / "t.parquet"))


QUICK = settings(max_examples=60, phases=(Phase.explicit, Phase.reuse, Phase.generate))
PIECES = [b",", b'"', b"\n", b"\r", b";", b"\t", b"1", b"0.5", b"label", b"score", b"uncertainty", b" ", b"\xff", b"\0"]
PIECES += [b"NA", b"\xc3\xa9", b"\xef\xbb\xbf", b"-", b"inf", b"2026-01-01", b"|", b"\\", b"\x85"]


@QUICK
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.booleans())
def test_any_bytes_are_data_or_a_sentence(tmp_path_factory, content, is_packed):
    path = tmp_path_factory.getbasetemp() / ("any.csv.gz" if is_packed else "any.csv")
    path.write_bytes(gzip.compress(content) if is_packed else content)
    for call in (read_table, preview, lambda p: load("uncertainty", str(p))):
        try:
            call(path)
        except DataError as error:
            assert "\n" not in str(error) and str(error).endswith(".")


@settings(max_examples=8, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join))
def test_any_bytes_are_inspected_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(HEAD.encode() + content)
    try:
        assert inspect(path, "uncertainty").rows > 0
    except DataError as error:
        assert "\n" not in str(error) and str(error).endswith(".")
