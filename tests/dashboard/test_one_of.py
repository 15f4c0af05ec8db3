"""A choice of a few is kept in the address, and a word that is no choice becomes the first."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    """Show what was chosen."""
    import streamlit as st

    from dashboard.controls.one_of import one_of

    st.text(one_of("Axes", {"linear": "Linear", "log": "Log"}, "axes"))


@pytest.mark.parametrize(("address", "found"), [("", "linear"), ("Log", "log"), ("cubic", "linear")])
def test_the_address_chooses_among_what_there_is(address, found):
    app = AppTest.from_function(page)
    if address:
        app.query_params["axes"] = address
    app.run()
    assert not app.exception and app.text[0].value == found


def test_what_is_chosen_is_returned():
    app = AppTest.from_function(page).run()
    app.segmented_control(key="axes").set_value("log").run()
    assert app.text[0].value == "log" and app.segmented_control(key="axes").label == "Axes"
