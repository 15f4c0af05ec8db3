"""The run picker: one choice, in the address bar, checked against what is stored."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.controls import run_label

StoreRun = Callable[..., Path]


def page() -> None:
    import streamlit as st

    from dashboard import controls

    run = controls.run_picker("graph")
    st.title(run.id)
    st.write(len(run.curve("claims")))


def opened(**params: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    for key, value in params.items():
        app.query_params[key.replace("_", "-")] = value
    return app.run()


def test_the_first_run_is_open_until_another_is_chosen(store_run: StoreRun) -> None:
    store_run("graph-default")
    store_run("graph-own", name="own.csv", seed=4)
    app = opened()
    assert app.title[0].value == "graph-default"
    app.selectbox(key="graph-run").select("graph-own").run()
    assert app.title[0].value == "graph-own"
    assert r"own.csv · seed 4" in app.sidebar.caption[0].value
    app.selectbox(key="graph-run").select("graph-default").run()
    assert app.title[0].value == "graph-default"


def test_the_address_bar_chooses_the_run(store_run: StoreRun) -> None:
    store_run("graph-default")
    store_run("graph-own", name="own.csv")
    assert opened(graph_run="graph-own").title[0].value == "graph-own"


@pytest.mark.parametrize("run_id", ["graph-gone", "", "../../etc/passwd", "delay-one", "x" * 10_000])
def test_an_unknown_run_in_the_address_bar_falls_back_to_the_first(store_run: StoreRun, run_id: str) -> None:
    store_run("graph-default")
    store_run("delay-one", "delay")
    app = opened(graph_run=run_id)
    assert not app.exception
    assert app.title[0].value == "graph-default"


def test_a_page_without_a_run_says_what_to_do(runs: Path) -> None:
    app = opened()
    assert not app.exception
    assert not app.title
    assert app.info[0].value == "There is no directed graph run yet. Open **Train** and start one."


def test_a_run_deleted_meanwhile_gives_way_to_the_next(store_run: StoreRun, runs: Path) -> None:
    store_run("graph-first")
    second = store_run("graph-own", name="own.csv")
    app = opened(graph_run="graph-own")
    second.rename(runs.parent / "graph-own")
    cache.forget_list()
    assert app.run().title[0].value == "graph-first"


def test_a_label_takes_no_markup_from_a_run() -> None:
    manifest = {"dataset": {"name": "![x](http://a/b.png)"}, "seed": 1, "created": "2026-01-02T03:04:05+00:00"}
    assert run_label(manifest | {"command": ["python", "-m", "engine", "describe", "delay"]}).endswith(
        "described · seed 1 · 2026\\-01\\-02"
    )
    assert run_label(manifest) == "\\!\\[x\\]\\(http\\:\u200b//a/b.png\\) · seed 1 · 2026\\-01\\-02"
