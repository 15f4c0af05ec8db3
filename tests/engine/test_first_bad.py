"""The first bad row is that of the file, on the engine that reads most of them."""

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from engine.backends import open_table
from engine.first_bad import FirstBad, first_bad, frequent_values


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_first_of_several_is_found_with_its_place(ending, tmp_path):
    """Far apart, in a file of many blocks: the first to be read need not be the first of the file."""
    value = pd.Series(range(400_000)).astype(str)
    frame = pd.DataFrame({"value": value.where(~value.index.isin([317_008, 399_999]), "x" * 50)})
    path = tmp_path / f"t.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path, row_group_size=5000)
    table = open_table(path)
    found = first_bad(table, table["value"], table["value"].startswith("x"))
    assert found == FirstBad("x" * 50, 317_009) and found.shown == f"'{'x' * 40}'"


def test_no_value_is_shown_as_none_and_null_is_not_bad():
    table = ibis.memtable(pa.table({"value": [None, "a", None], "bad": [None, False, True]}))
    found = first_bad(table, table.value, table.bad)
    assert found == FirstBad(None, 3) and found.shown == "no value"


def test_values_are_counted_without_spaces_most_frequent_first_then_by_name():
    words = [" b", "b", "a", "c ", "c", "", None, "d"]
    table = ibis.memtable(pa.table({"word": words}))
    assert list(frequent_values(table, table.word).items()) == [("b", 2), ("c", 2), ("a", 1), ("d", 1)]
    assert list(frequent_values(table, table.word, 1)) == ["b"]
    numbers = ibis.memtable(pa.table({"word": [3, 3, 2]}))
    assert frequent_values(numbers, numbers.word) == {"3": 2, "2": 1}
