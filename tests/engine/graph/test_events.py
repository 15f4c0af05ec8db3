"""Edges from events: counts and evidence by hand, and what is refused at the door."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from engine.errors import ConfigError, DataError, NotEnoughDataError
from engine.graph.events import EDGE_COLUMNS, edges_from_events, event_graph
from engine.graph.events_config import EventSettings

EVERYTHING = {"minimum_users": 1, "minimum_score": 0.0}
ANCHOR = [("anchor", "z", 0), ("anchor", "z", 364)]
"""One user whose days open and close the year, so that days 30 to 334 have two whole windows."""


def events(rows) -> pd.DataFrame:
    """Return an event table that spans a year."""
    return pd.DataFrame([*rows, *ANCHOR], columns=["user", "item", "time"])


def edge(edges: pd.DataFrame, source: str, target: str) -> pd.Series:
    """Return the row of one edge."""
    found = edges[(edges["source"] == source) & (edges["target"] == target)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.fixture(scope="module")
def two_users() -> pd.DataFrame:
    """User 1 takes U on day 40 and 100, V on 40 and 70; user 2 U on day 10 and 333, V on day 15 and 364."""
    rows = [(1, "U", 40), (1, "V", 40), (1, "V", 70), (1, "U", 100), (1, "W", 335)]
    rows += [(2, "U", 10), (2, "V", 15), (2, "U", 333), (2, "V", 364)]
    return edges_from_events(events(rows), **EVERYTHING)


def test_a_followed_day_needs_a_later_day_within_the_window_and_two_whole_windows(two_users):
    # Day 40: V again on day 70, exactly 30 days later; the V of day 40 itself is not later. Day 100: nothing after it.
    # Day 10 has no whole window before it; from day 333 to V on day 364 are 31 days.
    found = edge(two_users, "U", "V")
    assert (found["users"], found["days_followed"]) == (1, 1)
    # U on day 100 has V on day 70 before it; V on day 70 has U on day 40 before and on day 100 after it.
    assert (found["days_preceded"], found["reverse_days_followed"], found["reverse_days_preceded"]) == (1, 1, 1)
    # U counts on days 40, 100 and 333, V on days 40 and 70.
    assert (found["source_days"], found["target_days"]) == (3, 2)


def test_both_edges_of_a_pair_tell_the_same_story_from_either_side(two_users):
    there, back = edge(two_users, "U", "V"), edge(two_users, "V", "U")
    for name, other in (
        ("days_followed", "reverse_days_followed"),
        ("days_preceded", "reverse_days_preceded"),
        ("source_days", "target_days"),
        ("lift", "reverse_lift"),
        ("users", "reverse_users"),
        ("season_share", "reverse_season_share"),
    ):
        assert (there[name], there[other]) == (back[other], back[name])
    for name in ("popularity", "season", "time_order", "time_order_first", "time_order_second"):
        assert there[name] == pytest.approx(-back[name], abs=1e-9)
    assert there["time_order_se"] == back["time_order_se"]


def test_no_item_follows_itself_and_days_outside_the_whole_windows_make_no_edge(two_users):
    assert (two_users["source"] != two_users["target"]).all()
    assert set(two_users["source"]) | set(two_users["target"]) == {"U", "V"}
    assert list(two_users.columns) == list(EDGE_COLUMNS)


@pytest.fixture(scope="module")
def close_days() -> pd.DataFrame:
    """Days 50 and 53 are within 3 days of each other, day 54 sees day 53 only."""
    rows = [(1, "U", 50), (1, "V", 60), (2, "U", 50), (3, "W", 53), (3, "V", 60), (4, "W", 54)]
    return edges_from_events(events(rows), **EVERYTHING)


def test_the_lift_compares_with_the_days_close_by(close_days):
    # Within 3 days of day 50 lie the days of users 1, 2 and 3; V follows two of the three. U occurs twice there.
    assert edge(close_days, "U", "V")["lift"] == pytest.approx(1 / (2 * 2 / 3))
    # Day 53 sees all four users, day 54 users 3 and 4: V follows half of them both times.
    assert edge(close_days, "W", "V")["lift"] == pytest.approx(1 / (1 / 2 + 1 / 2))


def test_the_terms_of_the_asymmetry_follow_from_counts_and_calendar(close_days):
    found = edge(close_days, "U", "V")
    # V follows 2 of the 6 days on which anybody takes anything, U follows none; both occur on 2 days.
    assert found["popularity"] == pytest.approx(math.log((2 * 2 / 6 + 0.5) / 0.5), abs=5e-4)
    # The calendar expects 4/3 days of U to be followed by V instead of 2/3, and none of V by U.
    assert found["season"] == pytest.approx(math.log((4 / 3 + 0.5) / (2 / 3 + 0.5)), abs=5e-4)


def test_the_time_order_counts_occasions_of_both_items_against_the_calendar(close_days):
    found = edge(close_days, "U", "V")
    # U then V: a day of U followed, a day of V preceded. The calendar: 4/3 of U followed, and half of V's 2 preceded.
    assert found["time_order"] == pytest.approx(math.log((2 + 0.5) / 0.5) - math.log((4 / 3 + 1 + 0.5) / 0.5), abs=5e-4)
    # Both occasions are of one user, so 2 squared over 2.5 squared; the half occasions are one more user.
    assert found["time_order_se"] == pytest.approx(math.sqrt(4 / 2.5**2 + (0.5 / 2.5 - 1) ** 2), abs=5e-4)
    assert found["asymmetry_se"] == pytest.approx(math.sqrt(1 / 1.5**2 + (0.5 / 1.5 - 1) ** 2), abs=5e-4)


def test_the_season_share_is_the_part_of_the_excess_that_the_calendar_explains():
    # User 1 has U and then V, users 2 and 3 W on day 50; users 4 and 5 take W far from any V, on day 200.
    rows = [(1, "U", 50), (1, "V", 60), (2, "W", 50), (3, "W", 50), (4, "W", 200), (5, "W", 200)]
    found = edge(edges_from_events(events(rows), **EVERYTHING), "U", "V")
    # Followed 1; a third of the user-days close by; 1 of the 6 user-days of the year.
    assert found["season_share"] == pytest.approx((1 / 3 - 1 / 6) / (1 - 1 / 6), abs=5e-4)


@pytest.mark.parametrize(("day", "occasions"), [(29, 0), (30, 1), (334, 1), (335, 0)])
def test_the_first_and_the_last_day_with_two_whole_windows_count(day, occasions):
    # The pair also stands in the middle of the year, so that it is an edge in any case.
    rows = [(1, "U", 100), (1, "V", 101), (2, "U", day), (2, "V", day + 1)]
    found = edge(edges_from_events(events(rows), **EVERYTHING), "U", "V")
    assert (found["source_days"], found["days_followed"]) == (1 + occasions, 1 + occasions)


def test_users_count_once_and_so_do_repeated_rows():
    rows = [(7, "U", 40), (7, "U", 45), (7, "V", 50), (8, "U", 60), (8, "V", 61)]
    found = edge(edges_from_events(events([*rows, *rows]), **EVERYTHING), "U", "V")
    assert (found["users"], found["days_followed"]) == (2, 3)


def test_times_count_by_their_calendar_day():
    # 40.9 and 40.1 are one day; V at 70.0 is 30 days later, V at 71.0 would be 31.
    rows = [(1, "U", 40.9), (1, "U", 40.1), (1, "V", 70.0), (2, "U", 40.9), (2, "V", 71.0)]
    found = edge(edges_from_events(events(rows), **EVERYTHING), "U", "V")
    assert (found["source_days"], found["days_followed"]) == (2, 1)


@pytest.mark.parametrize("zone", ["-08:00", "+0900", "-08", "Z", " +05:30"])
def test_a_day_is_the_one_on_the_clock_of_the_event(zone):
    # U and V late and early on one day: on no clock does either follow the other, in UTC one would.
    table = events([(1, "U", 40), (1, "V", 40), (1, "V", 60), (2, "V", 40), (2, "U", 40), (2, "W", 41)])
    days = pd.to_datetime(table["time"], unit="D")
    text = days.dt.strftime("%Y-%m-%d") + np.where(np.arange(len(table)) % 2, "T23:30:00.5", "T00:10") + zone
    expected = edges_from_events(table, **EVERYTHING)
    assert edge(expected, "U", "V")["days_followed"] == 1
    assert edges_from_events(table.assign(time=text), **EVERYTHING).equals(expected)
    stamps = (days + pd.Timedelta(hours=23)).dt.tz_localize("America/New_York")
    assert edges_from_events(table.assign(time=stamps), **EVERYTHING).equals(expected)


def test_dates_and_day_numbers_give_the_same_edges():
    table = events([(1, "U", 40), (1, "V", 50), (2, "V", 60), (2, "U", 75)])
    dated = table.assign(time=pd.Timestamp("2024-01-01") + pd.to_timedelta(table["time"], unit="D"))
    pd.testing.assert_frame_equal(edges_from_events(table, **EVERYTHING), edges_from_events(dated, **EVERYTHING))


def planted(users: int) -> pd.DataFrame:
    """U is followed by V for each user; three times as many take W and nothing but W after it."""
    rows = [(h, item, day) for h in range(users) for item, day in (("u", 100), ("v", 110))]
    return events(rows + [(1000 + h, "w", day) for h in range(3 * users) for day in (100, 111)])


def test_a_planted_relation_is_an_edge_and_its_reverse_is_not():
    edges = edges_from_events(planted(20))
    assert edges[["source", "target"]].to_numpy().tolist() == [["u", "v"]]
    found = edges.iloc[0]
    assert (found["users"], found["days_followed"], found["days_preceded"]) == (20, 20, 0)
    # 20 of the 80 users on day 100 take V later.
    assert found["lift"] == pytest.approx(20 / (20 * 20 / 80))
    assert found["reverse_lift"] == 0


def test_an_edge_needs_fifteen_users():
    graph = event_graph(planted(15), EventSettings())
    assert len(graph.edges) == 1 and list(graph.edges.columns) == list(EDGE_COLUMNS)
    assert graph.nodes["node"].tolist() == ["u", "v"]
    with pytest.raises(NotEnoughDataError, match=r"U followed by V: 1; users of the best supported one: 14; .* is 15"):
        event_graph(planted(14), EventSettings())


def test_each_source_keeps_its_best_targets():
    # Targets a to d follow u for fewer and fewer users.
    rows = [(h, "u", 100) for h in range(80)]
    rows += [(h, item, 105) for place, item in enumerate("abcd", 1) for h in range(80 - 10 * place)]
    rows += [(500 + h, "x", day) for h in range(300) for day in (100, 200)]
    edges = edges_from_events(events(rows), top=2)
    assert edges.query("source == 'u'")["target"].tolist() == ["a", "b"]


def test_nodes_count_days_and_users_of_the_whole_table():
    graph = event_graph(planted(20).replace({"u": "U"}), EventSettings())
    assert graph.nodes.to_numpy().tolist() == [["U", 20, 20], ["v", 20, 20]]


@pytest.mark.parametrize(("column", "word"), [("user", "user"), ("item", "item"), ("time", "time")])
def test_a_missing_column_is_named(column, word):
    with pytest.raises(DataError, match=f"Column '{word}' is missing in the event table"):
        edges_from_events(planted(15).drop(columns=column))


def test_a_missing_user_is_refused_with_its_row():
    table = events([("a", "U", 1), (None, "U", 2)])
    with pytest.raises(DataError, match=r"Column 'user' of the event table has no value in data row 2"):
        edges_from_events(table)


def test_a_table_shorter_than_two_windows_is_refused():
    table = pd.DataFrame({"user": [1, 2], "item": ["a", "b"], "time": [0, 59]})
    with pytest.raises(NotEnoughDataError, match=r"spans 60 days; a window of 30 days .* at least 61"):
        edges_from_events(table)


@pytest.mark.parametrize("column", ["user", "item"])
def test_one_user_or_one_item_is_not_enough(column):
    with pytest.raises(NotEnoughDataError, match=f"Column '{column}' of the event table has one value only"):
        edges_from_events(planted(15).assign(**{column: "same"}))


@pytest.mark.parametrize(
    ("setting", "value"),
    [("window_days", 0), ("baseline_days", -1), ("minimum_users", 0), ("top", 1.5), ("minimum_score", float("nan"))],
)
def test_a_setting_out_of_range_is_named(setting, value):
    with pytest.raises(ConfigError, match=f"'{setting}' is"):
        EventSettings(**{setting: value})


def test_the_halves_come_from_the_seed():
    rows = [(u, item, 60 + u + 5 * place) for u in range(40) for place, item in enumerate("ab" if u % 3 else "ba")]
    first, again, other = (edges_from_events(events(rows), **EVERYTHING, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert (first["time_order_first"] != other["time_order_first"]).any()
    pooled = [name for name in EDGE_COLUMNS if not name.endswith(("_first", "_second"))]
    pd.testing.assert_frame_equal(first[pooled], other[pooled])


def test_an_edge_without_occasions_in_a_half_has_no_lift_there():
    edges = edges_from_events(events([(1, "U", 40), (1, "V", 50)]), **EVERYTHING)
    halves = edge(edges, "U", "V")[["lift_first", "lift_second"]].to_numpy(dtype=float)
    assert np.isnan(halves).sum() == 1
