"""Keys that are faster than the page's answers: sliders that tell where they were are not believed."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from dashboard.controls import threshold_moves


def page() -> None:
    """Three thresholds and one that moves all, on what the editor's callbacks do with them."""
    import streamlit as st

    from dashboard.controls.threshold_moves import can_travel, is_unheard, place, undo
    from dashboard.state import UNCERTAINTY as KEY

    state = st.session_state
    state.setdefault(KEY["cuts"], [1, 2, 3])

    def move(bucket: int) -> None:
        cut = state[f"bucket-{bucket}"]
        if not is_unheard(bucket, cut):
            cuts = list(state[KEY["cuts"]])
            cuts[bucket] = cut
            place(cuts, by=bucket)

    for bucket, cut in enumerate(state[KEY["cuts"]]):
        if state.get(f"bucket-{bucket}") != cut:
            state[f"bucket-{bucket}"] = cut
    st.slider("all", 0, 20, 0, key="all", on_change=lambda: place([state["all"]] * 3))
    for bucket in range(3):
        st.slider(f"bucket {bucket}", 0, 20, key=f"bucket-{bucket}", on_change=move, args=(bucket,))
    st.button("undo", key="undo", on_click=undo, disabled=not can_travel()[0])
    st.text(str(state[KEY["cuts"]]))


def cuts(app: AppTest) -> str:
    assert not app.exception
    return app.text[0].value


def after_two_fast_keys() -> AppTest:
    """Move all to 9, and to 10 before the first slider has heard of the 9."""
    app = AppTest.from_function(page).run()
    app.slider(key="all").set_value(9).run()
    app.slider(key="all").set_value(10)
    app.slider(key="bucket-0").set_value(1)
    return app.run()


def test_a_slider_that_tells_its_place_of_before_does_not_move_its_bucket_back(monkeypatch):
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 1e6)
    assert cuts(after_two_fast_keys()) == "[10, 10, 10]"


def test_without_that_rule_the_bucket_would_stay_behind(monkeypatch):
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 0.0)
    assert cuts(after_two_fast_keys()) != "[10, 10, 10]"


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
