"""The door for described graphs: what is read, what is left out, and one sentence for what is refused."""

from __future__ import annotations

import datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest

from engine.errors import DataError, NotEnoughDataError
from engine.graph.described_kept import collect
from engine.graph.described_relation import Relation, relation_of


def opened(columns: dict[str, list[Any]] | pa.Table, **roles: str) -> Relation:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    return relation_of(ibis.memtable(table), roles, source="made.csv")


def rows(relation: Relation, *names: str) -> list[tuple[Any, ...]]:
    return sorted(collect(relation.rows)[list(names)].itertuples(index=False, name=None))


def test_missing_ends_and_self_loops_are_counted_and_left_out():
    found = opened({"source": ["a ", "b", None, "c", " "], "target": [" b", "c", "d", "c", "x"]})
    assert rows(found, "source", "target") == [("a", "b"), ("b", "c")]
    assert (found.total, found.missing, found.self_loops, found.is_events) == (5, 2, 1, False)


def test_whole_numbers_stay_numbers_and_mixed_ends_become_text():
    assert rows(opened({"source": [1, 2], "target": [2, 30]}), "source", "target") == [(1, 2), (2, 30)]
    mixed = opened({"source": [1.0, 2.0, float("nan")], "target": ["2", "x", "y"]})
    assert rows(mixed, "source", "target") == [("1", "2"), ("2", "x")] and mixed.missing == 1


def test_ids_written_as_bytes_lose_the_spaces_around_them_too():
    ends = {"source": pa.array([b" a", b"a", b"  "]), "target": pa.array([b"b ", b"b", b"c"])}
    found = opened(pa.table(ends))
    assert rows(found, "source", "target") == [("a", "b"), ("a", "b")] and found.missing == 1


def test_floats_beyond_whole_numbers_are_names_as_well():
    ends = opened({"source": [1e20, 2.5, -3.0], "target": [float("inf"), 2.0**53, 4.0]})
    assert rows(ends, "source", "target") == [("-3", "4"), ("1e+20", "inf"), ("2.5", "9007199254740992.0")]


def test_columns_are_named_by_role_and_weights_are_read_from_text():
    found = opened({"from": ["a"], "to": ["b"], "w": ["2.5"]}, source="from", target="to", weight="w")
    assert rows(found, "source", "target", "weight") == [("a", "b", 2.5)]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"source": ["a"], "goal": ["b"]}, "Column 'target' is missing in made.csv; it has 'source', 'goal'"),
        ({"user": ["a"], "item": ["b"]}, "Column 'time' is missing"),
        (
            {"source": ["a", "b"], "target": ["b", "c"], "weight": ["1", "-2"]},
            "'weight' of made.csv has '-2' in data row 2;",
        ),
        (
            {"source": ["a", "b"], "target": ["b", "c"], "weight": [None, "x"]},
            "has no value in data row 1 (2 such rows)",
        ),
        ({"user": [1, 2], "item": [1, 2], "time": [3.0, 2e9]}, "'time' of made.csv has '2000000000.0' in data row 2;"),
        ({"user": [1, 2], "item": [1, 2], "time": [3.0, 1e20]}, "'time' of made.csv has '1e+20' in data row 2;"),
        (
            {"user": [1, 2], "item": [1, 2], "time": [float("-inf"), 3.0]},
            "'time' of made.csv has '-inf' in data row 1;",
        ),
        ({"user": [1, 2], "item": [1, 2], "time": ["3", "2020-01-01"]}, "has '2020-01-01' in data row 2;"),
        ({"user": [1, 2], "item": [1, 2], "time": ["2020-01-01", None]}, "has no value in data row 2;"),
        ({"source": ["a"], "target": ["b"], "time": ["soon"]}, "has 'soon' in data row 1;"),
        (
            {"user": [1, 2], "item": [1, 2], "time": [1.7e9, 1.7e9]},
            "one form in all rows. It looks like seconds since 1970: divide the column by 86,400, or write dates.",
        ),
        ({"source": ["a"], "target": ["b"], "weight": ["1,5"]}, "It has a decimal comma: write the whole column"),
    ],
)
def test_bad_input_is_refused_with_column_value_and_row(columns, words):
    with pytest.raises(DataError) as caught:
        opened(columns)
    assert words in str(caught.value)


def test_an_own_column_name_stands_in_the_complaint():
    with pytest.raises(DataError, match=r"Column 'strength' of made\.csv has '-1\.0'"):
        opened({"source": [1], "target": [2], "strength": [-1.0]}, weight="strength")


def test_unknown_roles_and_columns_are_refused():
    with pytest.raises(DataError, match="names no role of graph data"):
        opened({"source": ["a"], "target": ["b"]}, sink="target")
    with pytest.raises(DataError, match=r"Column 'to' \(for role 'target'\) is not in made.csv"):
        opened({"source": ["a"], "target": ["b"]}, target="to")


def test_a_table_without_an_edge_is_refused():
    with pytest.raises(NotEnoughDataError, match="no row with a value in both"):
        opened({"source": ["a", None], "target": ["a", "b"]})


def test_events_keep_the_day_on_the_clock_of_the_text():
    times = ["2020-01-01T23:30:00+05:00", "2020-01-02 00:10", "2020-01-02"]
    found = opened({"user": [1, 1, 2], "item": ["x", "y", "x"], "time": times})
    assert found.is_events and found.has_dates and (found.first_day, found.last_day) == (18262.0, 18263.0)
    assert [row[2] for row in rows(found, "user", "item", "time")] == [18262.0, 18263.0, 18263.0]


def test_days_as_numbers_text_or_moments_are_read_alike():
    moments = [datetime.datetime(1970, 1, 4, 18), datetime.datetime(1970, 1, 6)]
    answers = [
        rows(opened({"user": ["u", "v"], "item": ["x", "y"], "time": time}), "user", "time")
        for time in ([3.75, 5.0], ["3.75", "5"], moments, [moment.date() for moment in moments])
    ]
    assert all(answer == [("u", 3.0), ("v", 5.0)] for answer in answers)


def test_a_missing_time_of_an_edge_is_no_fault():
    found = opened({"source": ["a", "b"], "target": ["b", "c"], "time": ["2020-01-05", None]})
    assert (found.first_day, found.last_day) == (18266.0, 18266.0)
