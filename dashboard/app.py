"""Entry of the dashboard, run by Streamlit for every reader; ``python -m dashboard`` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import streamlit as st

from dashboard.layout import error_box
from dashboard.state import GRAPH, PAGES, RUN_TITLE
from engine.errors import EngineError


def _overview() -> None:
    from dashboard.views import overview

    overview.render()


def _graph() -> None:
    from dashboard.views import graph

    st.session_state.setdefault(GRAPH["painted"], False)
    graph.render()


def _delay() -> None:
    from dashboard.views import delay

    delay.render()


def _uncertainty() -> None:
    from dashboard.views import uncertainty

    uncertainty.render()


def _data() -> None:
    from dashboard.views import data

    data.render()


def _train() -> None:
    from dashboard.views import runs

    runs.render()


def main() -> None:
    """Draw the navigation and the chosen page."""
    st.set_page_config(page_title="Recommender Lens", page_icon="🔎", layout="wide")
    pages = {
        "overview": st.Page(_overview, title="Overview", icon=":material/dashboard:", default=True),
        "graph": st.Page(_graph, title=RUN_TITLE["graph"], icon=":material/hub:", url_path="graph"),
        "delay": st.Page(_delay, title=RUN_TITLE["delay"], icon=":material/hourglass_top:", url_path="delay"),
        "uncertainty": st.Page(
            _uncertainty, title=RUN_TITLE["uncertainty"], icon=":material/tune:", url_path="uncertainty"
        ),
        "data": st.Page(_data, title="Your data", icon=":material/upload_file:", url_path="data"),
        "train": st.Page(_train, title="Train", icon=":material/model_training:", url_path="train"),
    }
    st.session_state[PAGES] = pages
    page = st.navigation({"Recommender Lens": list(pages.values())})
    try:
        page.run()
    except EngineError as error:
        error_box(error)


main()
