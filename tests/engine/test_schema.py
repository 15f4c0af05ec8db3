"""One door for tables: what comes in typed, and what is turned away with which sentence."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DataError
from engine.schema import Column, mixed_forms, validate


def check(values, kind, **settings):
    """Validate one column and return it."""
    column = Column(name="a", kind=kind, **settings)
    return validate(pd.DataFrame({"a": values}), [column], source="the table")["a"]


def refused(values, kind, **settings):
    """Return the sentence with which one column is turned away."""
    with pytest.raises(DataError) as caught:
        check(values, kind, **settings)
    return str(caught.value)


def test_a_table_without_rows_is_refused():
    assert refused([], "number") == "the table has no rows; at least one row is needed."


def test_a_missing_column_is_named_with_those_that_exist_and_the_option_that_helps():
    with pytest.raises(DataError) as caught:
        validate(pd.DataFrame({"x": [1], "y": [2]}), [Column(name="a", kind="id")], source="t.csv")
    assert str(caught.value) == (
        "Column 'a' is missing in t.csv; it has 'x', 'y'. Name the column that plays this role with --column a=NAME."
    )


def test_a_long_list_of_columns_is_shortened():
    frame = pd.DataFrame({f"c{i}": [1] for i in range(14)})
    with pytest.raises(DataError, match=r"'c11' and 2 more\."):
        validate(frame, [Column(name="a", kind="id")], source="t")


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(DataError, match="more than one column 'a'"):
        validate(frame, [Column(name="a", kind="number")], source="t")


def test_other_columns_stay_behind_the_described_ones_untouched():
    frame = pd.DataFrame({"z": ["x", None], "a": ["1", "2"]}, index=[5, 5])
    table = validate(frame, [Column(name="a", kind="number")], source="t")
    assert list(table.columns) == ["a", "z"] and list(table.index) == [0, 1]
    assert table["a"].tolist() == [1.0, 2.0] and table["z"].iloc[0] == "x" and pd.isna(table["z"].iloc[1])
    assert frame["a"].tolist() == ["1", "2"], "the input stays as it was"


def test_an_absent_optional_column_stays_absent():
    columns = [Column(name="a", kind="id"), Column(name="b", kind="number", required=False)]
    assert list(validate(pd.DataFrame({"a": ["x"]}), columns, source="t").columns) == ["a"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([" x ", "y"], ["x", "y"]),
        ([7, 12], ["7", "12"]),
        ([7.0, 12.0], ["7", "12"]),
        ([1.5, 2.0], ["1.5", "2.0"]),
        ([1e20, 2.0], ["1e+20", "2.0"]),
        ([True, False], ["True", "False"]),
        (["007", "7"], ["007", "7"]),
        (pd.Categorical(["b", "a"]), ["b", "a"]),
        (pd.array([1, 2], dtype="Int64"), ["1", "2"]),
    ],
)
def test_ids_are_text_and_whole_floats_lose_their_point(values, expected):
    found = check(values, "id")
    assert found.tolist() == expected and all(type(value) is str for value in found)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("hole", [None, np.nan, "", "  ", pd.NA])
def test_an_id_is_never_missing(hole, required):
    message = refused(["x", hole], "id", required=required)
    assert "Column 'a' of the table has no value in data row 2" in message


def test_an_id_of_floats_with_a_gap_is_refused_and_the_gap_named():
    assert "no value in data row 2" in refused([1.0, np.nan, 3.0], "id")


def test_an_infinite_id_is_refused():
    assert "'inf' in data row 1" in refused([np.inf, 1.0], "id")


def test_a_missing_optional_category_is_called_missing():
    assert check(["x", None, " "], "category", required=False).tolist() == ["x", "missing", "missing"]


def test_a_missing_required_category_is_refused():
    assert "no value in data row 2" in refused(["x", None], "category")


@pytest.mark.parametrize(
    "values",
    [
        [1, 0],
        [1.0, 0.0],
        [True, False],
        ["true", "false"],
        ["YES", "no"],
        [" 1 ", "0"],
        pd.array([True, False], dtype="boolean"),
    ],
)
def test_yes_and_no_come_in_many_words(values):
    found = check(values, "binary")
    assert found.tolist() == [1, 0] and found.dtype == np.int64


@pytest.mark.parametrize("bad", [2, -1, 0.5, "maybe", None])
def test_a_third_answer_is_refused(bad):
    assert "in data row 2" in refused([1, bad], "binary")


def test_numbers_are_read_from_text_and_become_floats():
    found = check(["1", " 2.5 ", "-3e2"], "number")
    assert found.tolist() == [1.0, 2.5, -300.0] and found.dtype == np.float64


@pytest.mark.parametrize("values", [[decimal.Decimal("1.5")], pd.array([1.5], dtype="Float64")])
def test_numbers_of_other_types_become_floats(values):
    assert check(values, "number").tolist() == [1.5]


def test_a_decimal_comma_is_recognised():
    assert refused(["1,5", "2,5"], "number") == (
        "Column 'a' of the table has '1,5' in data row 1 (2 rows in all); allowed is a number with a decimal point. "
        "It has a decimal comma: write the whole column with decimal points, 3.14 for 3,14."
    )


@pytest.mark.parametrize("bad", ["one", "1.2.3", "12 %"])
def test_text_is_no_number(bad):
    assert f"has '{bad}' in data row 2; allowed is a number." in refused([1, bad], "number")


@pytest.mark.parametrize("bad", [np.inf, -np.inf, "inf"])
def test_infinite_numbers_are_refused(bad):
    assert "allowed is a finite number" in refused([1.0, bad], "number")


@pytest.mark.parametrize("hole", [np.nan, None, "", " "])
def test_a_missing_number_is_refused_where_needed_and_nan_elsewhere(hole):
    assert "has no value in data row 2" in refused([1, hole], "number")
    assert np.isnan(check([1, hole], "number", required=False).iloc[1])


@pytest.mark.parametrize("values", [pd.to_datetime(["2020-01-01"]), pd.to_timedelta(["1 day"])])
def test_dates_and_durations_are_no_numbers(values):
    assert refused(values, "number") == "Column 'a' of the table holds dates or durations; allowed are numbers."


def test_limits_are_inclusive_and_name_the_unit():
    assert check([0, 1], "number", minimum=0, maximum=1).tolist() == [0.0, 1.0]
    assert "has '-0.1' in data row 2; allowed is at least 0, in days" in refused(
        [0.5, -0.1], "number", minimum=0, unit="days"
    )
    assert "has '1.1' in data row 1; allowed is at most 1." in refused([1.1, 0.5], "number", maximum=1)


def test_limits_let_missing_values_pass():
    assert np.isnan(check([np.nan, 1], "number", required=False, minimum=0).iloc[0])


def test_whole_numbers_become_integers():
    found = check(["1", "2.0"], "integer")
    assert found.tolist() == [1, 2] and found.dtype == np.int64
    assert "'1.5' in data row 2; allowed is a whole number" in refused([1, 1.5], "integer")


def test_whole_numbers_with_gaps_stay_floats():
    assert check([1, None], "integer", required=False).dtype == np.float64


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["1970-01-02", "1970-01-03T12:00"], [1.0, 2.5]),
        (["1970-01-02T00:00+02:00", "1970-01-02T00:00Z"], [1 - 2 / 24, 1.0]),
        (["1970-01-02T06:00:00.000", "1969-12-31"], [1.25, -1.0]),
        (pd.to_datetime(["1970-01-02", "1970-01-03"]), [1.0, 2.0]),
        (pd.to_datetime(["1970-01-02", "1970-01-03"]).tz_localize("America/New_York"), [1 + 5 / 24, 2 + 5 / 24]),
        ([datetime.date(1970, 1, 2), datetime.date(1970, 1, 3)], [1.0, 2.0]),
        (["1.5", "2"], [1.5, 2.0]),
        ([3, 4.25], [3.0, 4.25]),
    ],
)
def test_times_become_days_since_1970_and_numbers_are_days_already(values, days):
    assert check(values, "time").tolist() == pytest.approx(days, abs=1e-9)


@pytest.mark.parametrize("bad", ["yesterday", "1970-13-01", "1970-01-01 25:00", "02.01.1970"])
def test_other_ways_to_write_a_date_are_refused(bad):
    assert f"has '{bad}' in data row 2; allowed is an ISO 8601 date" in refused(["1970-01-01", bad], "time")


@pytest.mark.parametrize(
    "bad", [20200131, "20200131", 1_580_428_800, 1_580_428_800_000.0, "9999-12-31", pd.Timestamp("9999-12-31")]
)
def test_compact_dates_seconds_and_dates_for_never_are_no_days(bad):
    assert "allowed is an ISO 8601 date (2020-01-31) or a number of days up to 1,000,000" in refused([bad], "time")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1_767_225_600, "It looks like seconds since 1970: divide the column by 86,400, or write dates."),
        ("1767225600000", "It looks like milliseconds since 1970: divide the column by 86,400,000, or write dates."),
        (20260131, "It looks like a compact date: write 2020-01-31 for 20200131."),
        ("31.01.2020", "in another order: write 2020-01-31 for 31.01.2020 and for 1/31/2020."),
        ("1/31/2020 08:00", "in another order: write 2020-01-31 for 31.01.2020 and for 1/31/2020."),
        ("1.5.2 beta", "Correct or drop the row."),
        (2_904_781.5, "If the column holds seconds, divide it by 86,400."),
        (5e18, "Correct or drop the row."),
        ("9999-12-31", "Correct or drop the row."),
    ],
)
def test_a_time_in_another_unit_is_told_what_it_looks_like(value, said):
    assert refused([value], "time").endswith(said)


def test_dates_beside_numbers_are_told_by_column():
    assert mixed_forms("t.csv", {"a": True, "b": True}) == mixed_forms("t.csv", {"a": False}) == ""
    assert mixed_forms("t.csv", {"a": False, "b": True, "c": False}) == (
        "Times of t.csv are dates in 'b' but numbers in 'a' and 'c'; give them one form: dates in all columns, or "
        "numbers of days in all."
    )


def test_percent_are_told_from_other_numbers_beyond_1():
    assert refused([55, 20.5], "number", minimum=0, maximum=1).endswith(
        "Its largest is 55, so that it looks like percent: divide the column by 100."
    )
    assert refused([0.2] * 199 + [1.7], "number", minimum=0, maximum=1).endswith("Correct or drop the row.")
    assert refused([0.2, 1.2], "number", minimum=0, maximum=1).endswith("Correct or drop the row.")
    assert refused([0.2, 120], "number", minimum=0, maximum=1).endswith("Correct or drop the row.")


def test_the_values_of_a_label_are_counted_where_they_are_not_two_known_ones():
    assert refused(["a", "b", "a"], "binary").endswith(
        "It holds 'a' (2), 'b' (1): write 1 for the one that counts as positive and 0 for the other."
    )
    assert refused([0, 1, 2], "binary").endswith("It holds '0' (1), '1' (1), '2' (1): name a column of two values.")
    assert "'f' (1), and more: name a column" in refused(list("abcdefgh"), "binary")


def test_a_missing_time_is_nan_where_allowed():
    assert np.isnan(check(["1970-01-01", None], "time", required=False).iloc[1])
    assert "has no value in data row 2" in refused(["1970-01-01", ""], "time")


def test_a_long_value_is_shortened_in_the_message():
    assert f"'{'x' * 40}…'" in refused(["x" * 60], "number")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_a_valid_table_passes_a_second_time_unchanged(values):
    columns = [Column(name="a", kind="number"), Column(name="b", kind="id"), Column(name="c", kind="time")]
    frame = pd.DataFrame({"a": values, "b": [f"n{i}" for i in range(len(values))], "c": values})
    once = validate(frame, columns, source="t")
    pd.testing.assert_frame_equal(validate(once, columns, source="t"), once)


@given(st.lists(st.integers(0, 2**53), min_size=1))
def test_ids_read_as_floats_or_integers_or_text_are_the_same_ids(values):
    as_text = check([str(value) for value in values], "id").tolist()
    assert check(values, "id").tolist() == as_text == check([float(value) for value in values], "id").tolist()
