"""Keys that are faster than the page's answers: sliders and texts that tell where they were are not believed."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from dashboard.controls import threshold_moves


def page() -> None:
    """Three thresholds, each with its number, and one that moves all, on what the editor's callbacks do with them."""
    import streamlit as st

    from dashboard.controls.threshold_moves import can_travel, is_unheard, place, undo
    from dashboard.state import UNCERTAINTY as KEY

    state = st.session_state
    state.setdefault(KEY["cuts"], [1, 2, 3])

    def move(widget: str, bucket: int) -> None:
        cut = state[widget]
        if not is_unheard(widget, bucket, cut):
            cuts = list(state[KEY["cuts"]])
            cuts[bucket] = cut
            place(cuts, by=widget)

    for bucket, cut in enumerate(state[KEY["cuts"]]):
        for key in (f"bucket-{bucket}", f"number-{bucket}"):
            if state.get(key) != cut:
                state[key] = cut
    st.slider("all", 0, 20, 0, key="all", on_change=lambda: place([state["all"]] * 3, by="all"))
    for bucket in range(3):
        for key, draw in ((f"bucket-{bucket}", st.slider), (f"number-{bucket}", st.number_input)):
            draw(key, 0, 20, key=key, on_change=move, args=(key, bucket))
    st.button("undo", key="undo", on_click=undo, disabled=not can_travel()[0])
    st.text(str(state[KEY["cuts"]]))


def cuts(app: AppTest) -> str:
    assert not app.exception
    return app.text[0].value


def after_two_fast_keys() -> AppTest:
    """Move all to 9, and to 10 before the first slider and the last number have heard of the 9."""
    app = AppTest.from_function(page).run()
    app.slider(key="all").set_value(9).run()
    app.slider(key="all").set_value(10)
    app.slider(key="bucket-0").set_value(1)
    app.number_input(key="number-2").set_value(3)
    return app.run()


def test_a_slider_that_tells_its_place_of_before_does_not_move_its_bucket_back(monkeypatch):
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 1e6)
    assert cuts(after_two_fast_keys()) == "[10, 10, 10]"


def test_without_that_rule_both_would_stay_behind(monkeypatch):
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 0.0)
    assert cuts(after_two_fast_keys()) == "[1, 10, 3]"


def test_the_number_of_a_slider_that_moved_does_not_move_it_back(monkeypatch):
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 1e6)
    app = AppTest.from_function(page).run()
    app.slider(key="bucket-1").set_value(7).run()
    app.slider(key="bucket-1").set_value(8)
    app.number_input(key="number-1").set_value(2)
    assert cuts(app.run()) == "[1, 8, 3]"


def test_once_the_answer_has_come_a_reader_may_go_back_to_the_place_of_before(monkeypatch):
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 0.0)
    app = AppTest.from_function(page).run()
    app.slider(key="all").set_value(9).run()
    app.slider(key="bucket-0").set_value(1).run()
    assert cuts(app) == "[1, 9, 9]"


def test_the_slider_that_moved_itself_may_go_back_at_once(monkeypatch):
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 1e6)
    app = AppTest.from_function(page).run()
    app.slider(key="bucket-1").set_value(7).run()
    app.slider(key="bucket-1").set_value(2).run()
    assert cuts(app) == "[1, 2, 3]"
    app.button(key="undo").click().run()
    assert cuts(app) == "[1, 7, 3]"
