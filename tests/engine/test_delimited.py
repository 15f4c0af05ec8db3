"""How text is separated, found out from its first lines, and what stops a reader of rows."""

import pytest

from engine.delimited import delimited, rows_of
from engine.errors import DataError
from engine.raw_text import check_bytes, reading
from engine.tables import read_table


@pytest.fixture
def write(tmp_path):
    """Write text to a file and return its path."""

    def _write(content, name="t.csv"):
        (tmp_path / name).write_bytes(content.encode())
        return tmp_path / name

    return _write


@pytest.mark.parametrize(
    ("sign", "name"), [(";", "t.csv"), ("\t", "t.csv"), ("|", "t.csv"), (",", "t.tsv"), (";", "t.tsv")]
)
def test_another_separator_is_read_where_it_is_certain(write, sign, name):
    frame = read_table(write(f'a{sign}b\n1{sign}"x{sign}y"\n2{sign}z\n', name))
    assert frame.to_dict("list") == {"a": [1, 2], "b": [f"x{sign}y", "z"]}


@pytest.mark.parametrize("text", ["a;b,c\n1;2,3\n", "a;b\n1;2;3\n", "a\n1;2\n"])
def test_another_separator_is_not_believed_where_it_is_not_certain(write, text):
    assert read_table(write(text)).columns.tolist() == text.split("\n")[0].split(",")


@pytest.mark.parametrize(
    ("above", "sign", "word"),
    [("# made, by, hand\n# twice\n", ",", "remark"), ("# model 3\n", ";", "remark"), ("My links\n\n", ",", "title")],
)
def test_a_remark_or_a_title_above_the_names_is_called_what_it_is(write, above, sign, word):
    path = write(f"{above}a{sign}b\n1{sign}2\n3{sign}4\n")
    with pytest.raises(DataError, match=f"begins with a {word} .* and has 2 values in every line below"):
        delimited(path)


def test_a_name_may_begin_with_a_number_sign(write):
    assert delimited(write("#a,b\n1,2\n3,4\n")).names == ("#a", "b")
    assert delimited(write("#a\n1\n2\n")).names == ("#a",)


def test_rows_come_with_the_line_in_which_they_end(write):
    path = write('a,b\n1,2\n\n3,"x\ny"\n4,5\n')
    with reading(path) as handle:
        found = list(rows_of(handle, path, delimited(path)))
    assert found == [(2, ["1", "2"]), (5, ["3", "x\ny"]), (6, ["4", "5"])]


def test_a_value_may_end_in_a_line_break_and_hold_an_odd_quote(write):
    path = write('a,b\n1,"x\n"\n2,5" disk\n')
    assert read_table(path)["b"].tolist() == ["x\n", '5" disk']


def test_a_quote_that_is_never_closed_is_named_with_its_first_line(write):
    path = write('a,b\n1,2\n3,"x\ny\n')
    with pytest.raises(DataError, match="the quote in line 3 is never closed"):
        read_table(path)


def test_the_bytes_of_a_file_are_counted_unpacked(write):
    assert check_bytes(write("a,b\n1,é\n")) == len("a,b\n1,é\n".encode())
