"""The trail works as back and forward do in a browser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboard.controls.graph_trail import LENGTH, Trail


def walked(*names: str) -> Trail:
    trail = Trail()
    for name in names:
        trail = trail.visited(name)
    return trail


def test_a_fresh_trail_leads_nowhere() -> None:
    trail = Trail()
    assert (trail.here, trail.can_go_back, trail.can_go_forward) == (None, False, False)
    assert trail.stepped(-1).here is None and trail.within({"a"}) == trail


def test_back_and_forward_return_to_where_one_was() -> None:
    trail = walked("a", "b", "c")
    back = trail.stepped(-1).stepped(-1)
    assert (back.here, back.can_go_back, back.can_go_forward) == ("a", False, True)
    assert back.stepped(1).stepped(1) == trail and not trail.can_go_forward
    assert back.stepped(-9) == back and trail.stepped(9) == trail


def test_staying_is_no_step() -> None:
    assert walked("a", "a") == walked("a")
    back = walked("a", "b").stepped(-1)
    assert back.visited("a") == back


def test_a_new_node_after_going_back_forgets_what_lay_ahead() -> None:
    trail = walked("a", "b", "c").stepped(-1).stepped(-1).visited("d")
    assert trail == walked("a", "d") and not trail.can_go_forward


def test_nodes_of_other_runs_fall_away() -> None:
    trail = walked("a", "gone", "b", "gone")
    assert trail.within({"a", "b"}) == Trail(("a", "b"), 1)
    assert trail.stepped(-3).within({"a", "b"}).here == "a"
    assert trail.within(set()) == Trail()


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=120), st.integers(-200, 200), st.integers(1, 9))
def test_the_trail_stays_short_and_shows_the_reader(names: list[str], step: int, count: int) -> None:
    trail = walked(*names)
    assert trail.here == names[-1] and len(trail.names) <= LENGTH
    moved = trail.stepped(step)
    assert moved.names == trail.names and 0 <= moved.at < len(moved.names)
    shown = moved.around(count)
    assert moved.at in shown and len(shown) == min(count, len(moved.names)) and shown[-1] < len(moved.names)
