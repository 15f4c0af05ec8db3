"""The log as of any day: the player moves and stops, the cards follow, and a week opens from the triangle."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import delay_asof, delay_player
from dashboard.state import DELAY
from engine.metrics.calibration import wilson_interval
from engine.runs import Run


@pytest.fixture
def day_page(opened: Callable[..., AppTest]) -> Callable[..., AppTest]:
    return lambda **query: opened(delay_tab="Day by day", **query)


def shown_day(app: AppTest) -> str:
    return str(app.select_slider(key="delay-day").value)


def test_a_step_stays_within_the_stored_days() -> None:
    texts = ["a", "b", "c"]
    assert [delay_player.moved(texts, "b", step) for step in (-1, 0, 1, 5, -5)] == ["a", "b", "c", "c", "a"]
    assert delay_player.moved(texts, "unknown", 1) == "a"


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict:
    """Stand in for the session of a reader."""
    state: dict = {}
    fake = SimpleNamespace(session_state=state, query_params={})
    monkeypatch.setattr(delay_player, "st", fake)
    return state


def test_the_player_goes_on_by_the_clock_alone_and_stops_at_the_end(delay_run: Run, session: dict) -> None:
    texts = [day.text for day in delay_player.days(delay_run)]
    assert 2 < len(texts) <= 16 and not delay_player.tick(delay_run, now=0.0), "it does not run before it is started"
    session[DELAY["day"]] = texts[-1]
    delay_player.play(delay_run)
    assert session[DELAY["day"]] == texts[0], "from the end, it starts over"
    start = session[DELAY["ticked"]]
    assert delay_player.tick(delay_run, now=start + 0.1) and session[DELAY["day"]] == texts[0]
    seen = []
    for place in range(1, len(texts)):
        assert delay_player.tick(delay_run, now=start + place * delay_player.TICK_SECONDS)
        seen.append(session[DELAY["day"]])
    assert seen == texts[1:]
    assert not delay_player.tick(delay_run, now=start + 100) and not delay_player.is_playing()
    assert session[DELAY["day"]] == texts[-1]


def test_a_step_stops_the_player(delay_run: Run, session: dict) -> None:
    texts = [day.text for day in delay_player.days(delay_run)]
    session[DELAY["day"]] = texts[1]
    delay_player.play(delay_run)
    delay_player.step_by(delay_run, 1)
    assert not delay_player.is_playing() and session[DELAY["day"]] == texts[2]


def test_a_day_that_is_not_stored_leaves_the_address_and_a_stored_one_stays(delay_run: Run, session: dict) -> None:
    address = delay_player.st.query_params
    address |= {DELAY["day"]: "2099-01-01", "other": "x"}
    delay_player.forget_unknown_day(delay_run)
    assert address == {"other": "x"}
    first = delay_player.days(delay_run)[0].text
    address[DELAY["day"]] = first
    delay_player.forget_unknown_day(delay_run)
    assert address[DELAY["day"]] == first and delay_player.chosen_day(delay_run).text == first


def test_the_tab_opens_on_the_day_of_the_snapshot_with_its_figures(delay_run: Run, day_page) -> None:
    app = day_page()
    assert shown_day(app) == "2017-08-15"
    row = (
        delay_run.curve("asof")
        .query("segment == 'all'")
        .iloc[[day.text for day in delay_player.days(delay_run)].index("2017-08-15")]
    )
    values = [100 * row["rate_seen"], 100 * row["rate_estimated"], row["flips_expected"]]
    assert [metric.value for metric in app.metric] == [
        f"{delay_asof.number(values[0])} %",
        f"{delay_asof.number(values[1])} %",
        delay_asof.number(values[2]),
    ]
    low, high = wilson_interval(np.array([float(row["positives"])]), np.array([float(row["exposures"])]))
    assert f"[{delay_asof.number(100 * low[0])}, {delay_asof.number(100 * high[0])}]" in app.caption[2].value


def test_back_and_next_move_the_day_and_everything_with_it(delay_run: Run, figure, day_page) -> None:
    app = day_page()
    texts = [day.text for day in delay_player.days(delay_run)]
    here = texts.index("2017-08-15")
    before = [metric.value for metric in app.metric]
    triangle = figure(app, 2)
    app.button(key="delay-next").click().run()
    assert shown_day(app) == texts[here + 1] and [metric.value for metric in app.metric] != before
    assert figure(app, 0)["layout"]["shapes"][0]["x0"] == texts[here + 1]
    later = figure(app, 2)
    assert later["layout"]["height"] == triangle["layout"]["height"]
    assert len(later["data"][0]["y"]) != len(triangle["data"][0]["y"])
    assert later["data"][1]["y"] == triangle["data"][1]["y"], "what came in the end does not depend on the day"
    app.button(key="delay-back").click().run()
    assert shown_day(app) == "2017-08-15" and [metric.value for metric in app.metric] == before


def test_the_slider_and_the_segment_move_the_cards(delay_run: Run, day_page) -> None:
    app = day_page()
    first = delay_player.days(delay_run)[0].text
    app.select_slider(key="delay-day").set_value(first).run()
    assert app.button(key="delay-back").disabled and not app.button(key="delay-next").disabled
    app.selectbox(key="delay-day-segment").set_value("A").run()
    row = delay_run.curve("asof").query("segment == 'A'").sort_values("as_of").iloc[0]
    assert app.metric[0].value == f"{delay_asof.number(100 * row['rate_seen'])} %"


def test_play_and_pause_change_places(delay_run: Run, day_page) -> None:
    app = day_page()
    app.button(key="delay-play").click().run()
    assert app.button(key="delay-play").label == "Pause"
    app.button(key="delay-play").click().run()
    assert app.button(key="delay-play").label == "Play" and not app.exception


def test_the_address_restores_day_and_week_and_nonsense_opens_the_defaults(delay_run: Run, day_page) -> None:
    day = delay_player.days(delay_run)[2].text
    app = day_page(delay_day=day, delay_cohort="2017-05-04")
    assert shown_day(app) == day and app.selectbox(key="delay-cohort").value == "2017-05-04"
    assert app.query_params["delay-day"] == day
    app = day_page(delay_day="1999-01-01", delay_cohort="x")
    assert shown_day(app) == "2017-08-15" and not app.exception


def test_a_week_shows_its_own_cells(delay_run: Run, figure, day_page) -> None:
    app = day_page()
    app.selectbox(key="delay-cohort").set_value("2017-03-09").run()
    shown = delay_asof.triangle(delay_run, delay_player.own_day(delay_run))
    mine = shown.cells[(shown.cells["label"] == "2017-03-09") & (shown.cells["stage"] == "final")]
    drawn = {trace["name"]: trace for trace in figure(app, 3)["data"]}
    assert drawn["Final"]["y"] == pytest.approx(list(mine["rate"]))
    frames = [shape for shape in figure(app, 2)["layout"]["shapes"] if shape["type"] == "rect"]
    assert [frame["y0"] + 0.5 for frame in frames] == [shown.labels.index("2017-03-09")]


@pytest.mark.parametrize(
    ("event", "week"),
    [
        ({"selection": {"points": [{"customdata": ["2017-03-09", 7]}]}}, "2017-03-09"),
        ({"selection": {"points": [{"customdata": {"0": "2017-03-09", "1": 7}}]}}, "2017-03-09"),
        ({"selection": {"points": []}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_click_names_its_week(event: dict | None, week: str | None) -> None:
    assert delay_asof.clicked_week(event) == week


def test_the_triangle_knows_no_later_week_than_its_day(delay_run: Run) -> None:
    for day in delay_player.days(delay_run):
        cells = delay_asof.triangle(delay_run, day).cells
        known = cells[cells["stage"] != "final"]
        assert (known["cohort"] < day.value).all()
        seen = known[known["stage"] == "seen"]
        # A week is seen at an age that it has not reached only if no window is open any more: then that is its end.
        over = seen[seen["cohort"] + seen["age_days"] > day.value]
        final = cells[cells["stage"] == "final"].set_index(["cohort", "age_days"])["rate"]
        assert over["rate"].to_numpy() == pytest.approx(
            final.loc[over.set_index(["cohort", "age_days"]).index].to_numpy()
        )


def test_without_stored_days_the_triangle_of_the_snapshot_is_shown(short_run: Run, figure, day_page) -> None:
    app = day_page()
    assert "snapshot only" in app.info[0].value
    cohorts = short_run.curve("cohorts")
    assert len(figure(app, 0)["data"][0]["y"]) == int((cohorts["rate"].notna() & (cohorts["stage"] != "final")).sum())
