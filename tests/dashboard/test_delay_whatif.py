"""The what-if answers from closed forms on the law of the run, follows its sliders and takes everything back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashboard import cache
from dashboard.controls import delay_whatif
from engine.delay.whatif import Change, Law, what_if
from engine.runs import Run, read_run

LAW = Law(
    share=np.array([0.7, 0.3]),
    conversion=np.array([0.05, 0.4]),
    elapsed=np.array([0.0, 7.0, 30.0]),
    seen=np.array([[0.0, 0.05, 1.0], [0.0, 0.5, 1.0]]),
)
"""The engagement rate is 0.3; conversions are 0.05 and 0.4, and 0.95 and 0.5 of them come after a week."""


def world(engagement: float | None) -> delay_whatif.World:
    return delay_whatif.World(
        law=LAW,
        change=Change(engagement=engagement),
        engagement=0.3 if engagement is None else engagement,
        waiting_days=7.0,
        auxiliary="stale",
    )


def test_signals_hold_under_a_drift_of_engagement_and_weights_without_them_go_stale() -> None:
    rows = delay_whatif.learned(world(0.6)).set_index("method")
    assert rows.loc["dress_style", "truth"] == pytest.approx(0.26)
    assert rows.loc["dress_style", "learned"] == pytest.approx(0.26)
    assert rows.loc["exact_joint", "learned"] == pytest.approx(0.247, abs=5e-4), "the value worked out in the notes"
    said = delay_whatif.sentence(delay_whatif.learned(world(0.6)))
    assert said.startswith("The truth is 26.0 %.") and "ours nothing" in said and "without signals -1.28" in said


def test_the_sweep_passes_through_the_chosen_rate_and_keeps_its_order() -> None:
    table = delay_whatif.sweep(world(0.6))
    assert tuple(dict.fromkeys(table["method"])) == delay_whatif.SWEPT
    ours = table[table["method"] == "dress_style"]
    assert ours["engagement"].is_monotonic_increasing and ours["bias"].abs().max() < 1e-9
    at = table[(table["method"] == "exact_joint") & np.isclose(table["engagement"], 0.6)]
    want = delay_whatif.learned(world(0.6)).set_index("method").loc["exact_joint", "bias"]
    assert at["bias"].iloc[0] == pytest.approx(want)


@pytest.fixture
def one_state_run(delay_run: Run) -> Callable[[str], Run]:
    """Return a function that empties one engagement state of the stored law."""

    def emptied(empty: str) -> Run:
        table = delay_run.curve("law")
        gone = table["state"] == empty
        share = table["share"].where(gone, 1.0).mask(gone, 0.0)
        table.assign(
            share=share, n=table["n"].mask(gone, 0), conversion=table["conversion"].mask(gone, 0.0)
        ).to_parquet(delay_run.folder / "curves" / "law.parquet")
        cache.forget_list()
        return read_run(delay_run.folder)

    return emptied


@pytest.mark.parametrize(
    ("empty", "words", "held"),
    [
        ("engaged", "no engagement in these data", 0),
        ("not engaged", "no exposure without engagement in these data", 100),
    ],
)
def test_a_state_that_nobody_was_in_is_not_made_up(one_state_run, opened, figure, empty: str, words: str, held: int):
    run = one_state_run(empty)
    app = opened(delay_tab="What if", delay_if_engagement="40", delay_if_delay="2")
    assert not app.exception
    slider = app.slider(key="delay-if-engagement")
    assert slider.disabled and words in slider.help
    base = delay_whatif.law(run)
    rows = what_if(base, Change(delay_factor=2.0), waiting_days=7.0)
    assert sorted(figure(app, 0)["data"][0]["x"]) == pytest.approx(sorted(rows["learned"])), "the address adds nothing"
    assert float(base.share[1]) == held / 100
    assert figure(app, 1)["layout"]["xaxis"]["type"] == "log"
    assert [shape["x0"] for shape in figure(app, 1)["layout"]["shapes"]] == [2.0]
    note = delay_whatif.law_note(run)
    assert note.endswith(f"; {words}.") and note.count("% of the exposures") == 1 and "(n 0)" not in note
    assert delay_whatif.drift_sentence(run) == ""


def test_the_sweep_over_delays_passes_through_the_chosen_factor() -> None:
    alone = Law(share=np.array([1.0, 0.0]), conversion=LAW.conversion, elapsed=LAW.elapsed, seen=LAW.seen)
    chosen = replace(world(None), law=alone, engagement=0.0, change=Change(delay_factor=2.0))
    table = delay_whatif.sweep(chosen)
    assert (table["delay_factor"].min(), table["delay_factor"].max()) == pytest.approx((0.25, 4.0))
    at = table[(table["method"] == "vanilla") & np.isclose(table["delay_factor"], 2.0)]
    want = delay_whatif.learned(chosen).set_index("method").loc["vanilla", "bias"]
    assert at["bias"].tolist() == pytest.approx([want])


def test_the_tab_opens_on_the_world_as_it_was(delay_run: Run, opened, figure) -> None:
    app = opened(delay_tab="What if")
    base = delay_whatif.law(delay_run)
    assert base is not None
    rows = what_if(base, Change(), waiting_days=7.0).set_index("method")
    drawn = figure(app, 0)["data"][0]
    assert max(drawn["x"]) == pytest.approx(rows["learned"].max())
    assert drawn["x"][0] == pytest.approx(float(rows["truth"].iloc[0])), "ours, with nothing changed"


def test_sliders_change_the_picture_and_the_button_takes_all_back(delay_run: Run, opened, figure) -> None:
    app = opened(delay_tab="What if")
    before = figure(app, 0)["data"][0]["x"]
    app.slider(key="delay-if-engagement").set_value(90)
    app.select_slider(key="delay-if-delay").set_value("2")
    app.slider(key="delay-if-window").set_value(14).run()
    base = delay_whatif.law(delay_run)
    assert base is not None
    rows = what_if(base, Change(engagement=0.9, delay_factor=2.0), waiting_days=14.0)
    assert sorted(figure(app, 0)["data"][0]["x"]) == pytest.approx(sorted(rows["learned"]))
    assert [shape["x0"] for shape in figure(app, 1)["layout"]["shapes"]] == [0.9]
    app.button(key="delay-if-reset").click().run()
    assert figure(app, 0)["data"][0]["x"] == before


def test_the_address_restores_the_world(delay_run: Run, opened) -> None:
    app = opened(delay_tab="What if", delay_if_engagement="80", delay_if_conversion="0.5", delay_if_learned="fresh")
    assert not app.exception and app.slider(key="delay-if-engagement").value == 80
    assert app.select_slider(key="delay-if-conversion").value == "0.5"


def test_what_drift_does_to_the_weights_of_these_data_is_worked_out(delay_run: Run) -> None:
    base = delay_whatif.law(delay_run)
    assert base is not None
    old = float(base.share[1])
    rows = what_if(base, Change(engagement=2 * old if old <= 0.5 else old / 2), waiting_days=7.0).set_index("method")
    said = delay_whatif.drift_sentence(delay_run)
    assert f"{delay_whatif.number(100 * rows.loc['exact_joint', 'bias'])} points" in said and "closed form" in said


def test_a_run_without_a_law_has_nothing_to_say(short_run: Run) -> None:
    assert delay_whatif.drift_sentence(short_run) == ""
