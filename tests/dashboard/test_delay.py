"""The delayed-feedback page follows its slider, its choices and its address, and never loads what trains."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import delay, delay_text
from engine.delay.config import DelayConfig
from engine.delay.data import load
from engine.delay.run import run
from engine.delay.simulate import SimulationConfig, simulate
from engine.result import DatasetInfo, RunResult
from engine.runs import Run, read_run, write_run

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = {"members": 1, "hidden": 8, "steps": 40, "batch_size": 64, "resamples": 30, "landmarks": 2}


@pytest.fixture(scope="module")
def result() -> RunResult:
    """A fast run on simulated exposures."""
    info = DatasetInfo(
        name="own.csv", origin="simulated", data_id="0" * 16, description="Made up.", rows={"exposures": 1500}
    )
    return run(load(simulate(1500, SimulationConfig(seed=1)), info=info), DelayConfig(**SETTINGS))


@pytest.fixture
def stored(result: RunResult, runs: Path) -> Run:
    """The run in the folder that the dashboard looks into."""
    return read_run(write_run(result, runs / "delay-one", command=["python", "-m", "engine", "train", "delay"]))


def page() -> None:
    from dashboard.views import delay

    delay.render()


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    for name, value in query.items():
        app.query_params[name.replace("_", "-")] = value
    return app.run()


def figure(app: AppTest, place: int) -> dict:
    return json.loads(app.get("plotly_chart")[place].proto.spec)


def marked_window(app: AppTest) -> float:
    (line,) = [shape for shape in figure(app, 0)["layout"]["shapes"] if shape["type"] == "line"]
    return line["x0"]


def test_the_page_opens_with_its_question_answer_and_source(stored):
    app = opened()
    assert not app.exception
    assert app.title[0].value == "Which labels will still change?"
    facts = stored.curve("snapshot").iloc[0]
    assert f"Of the {facts['pending']:,} exposures still negative on day" in app.markdown[0].value
    context = app.caption[0].value
    assert "(simulated)" in context and "seed 0" in context
    assert "reconstruction" in app.caption[1].value


def test_moving_the_window_changes_cards_and_marker_and_back(stored):
    app = opened()
    windows = stored.curve("windows").query("segment == 'all'").set_index("waiting_days")
    before = [metric.value for metric in app.metric]
    assert app.slider(key="delay-window").value == 7.0 and marked_window(app) == 7.0
    app.slider(key="delay-window").set_value(14.0).run()
    after = [metric.value for metric in app.metric]
    assert marked_window(app) == 14.0 and all(a != b for a, b in zip(before[:3], after[:3], strict=True))
    assert after[0] == f"{delay_text.number(100 * windows.loc[14.0, 'seen'])} %"
    assert after[1] == f"{delay_text.number(100 * windows.loc[14.0, 'flip'])} %"
    assert after[2] == delay_text.number(windows.loc[14.0, "flips_expected"])
    app.slider(key="delay-window").set_value(7.0).run()
    assert [metric.value for metric in app.metric] == before


def test_grouping_and_segment_change_what_is_drawn(stored):
    app = opened()
    names = lambda: {trace["name"] for trace in figure(app, 0)["data"] if not trace["name"].startswith(("at", "95"))}  # noqa: E731 - read after every change
    assert len(names()) == 4 and all(name.startswith("days ") for name in names())
    app.segmented_control(key="delay-by").set_value("engagement").run()
    assert names() == {"engaged", "not engaged"}
    app.segmented_control(key="delay-by").set_value("segment").run()
    assert names() == {"A", "B", "C"}
    before = app.metric[0].value
    app.selectbox(key="delay-segment").set_value("C").run()
    windows = stored.curve("windows").query("segment == 'C'").set_index("waiting_days")
    assert app.metric[0].value == f"{delay_text.number(100 * windows.loc[7.0, 'seen'])} %" != before


def test_the_address_restores_the_choices(stored):
    app = opened(delay_window="10", delay_by="Engagement", delay_tab="Weights")
    assert not app.exception
    assert app.slider(key="delay-window").value == 10.0 and marked_window(app) == 10.0
    assert app.segmented_control(key="delay-by").value == "engagement"
    assert [tab.label for tab in app.tabs if len(tab.children)] == ["Weights"]


@pytest.mark.parametrize(
    "query", [{"delay_window": "nan"}, {"delay_window": "9999"}, {"delay_by": "x"}, {"delay_segment": "x"}]
)
def test_an_address_that_makes_no_sense_opens_the_default(stored, query):
    app = opened(**query)
    assert not app.exception and len(app.metric) == 4


@pytest.mark.parametrize("tab", ["Methods", "Calibration", "Cohorts", "Weights", "Naive or honest", "Open labels"])
def test_every_tab_draws(stored, tab):
    app = opened(delay_tab=tab)
    assert not app.exception
    assert len(app.get("plotly_chart")) + len(app.get("vega_lite_chart")) + len(app.get("arrow_vega_lite_chart")) >= 3


def test_the_method_comparison_shows_the_stored_values(stored):
    app = opened(delay_tab="Methods")
    app.segmented_control(key="delay-metric").set_value("calibration").run()
    drawn = {trace["name"]: trace["x"][0] for trace in figure(app, 2)["data"]}
    rows = stored.metrics.query("split == 'test' and segment == 'all' and metric == 'calibration'")
    assert sorted(drawn.values()) == pytest.approx(sorted(rows["value"]))
    app.segmented_control(key="delay-against").set_value("vanilla").run()
    differences = stored.curve("differences").query(
        "split == 'test' and segment == 'all' and metric == 'calibration_error' and baseline == 'vanilla'"
    )
    assert sorted(trace["x"][0] for trace in figure(app, 3)["data"]) == pytest.approx(sorted(differences["value"]))


def test_without_a_run_the_page_says_what_to_do(runs):
    app = opened()
    assert not app.exception and "Open **Train**" in app.info[0].value


def test_days_are_written_as_dates_only_where_the_data_has_dates():
    assert delay.day_text(17393.0, True) == "2017-08-15" and delay.day_text(64.0, False) == "day 64"


def test_what_signals_add_is_said_from_the_interval(stored, monkeypatch):
    said = {}
    for verdict in ("supported", "not supported", "inconclusive"):
        claims = stored.curve("claims").assign(verdict=verdict)
        monkeypatch.setattr(stored, "curve", lambda name, claims=claims: claims)
        said[verdict] = delay_text.signals_sentence(stored)
        monkeypatch.undo()
    assert "**help**" in said["supported"] and "add nothing worth having" in said["not supported"]
    assert "the data cannot tell" in said["inconclusive"] and "n " in said["supported"]


def test_sentences_read_the_tables_they_speak_of(stored):
    choice = delay.Choice(waiting_days=7.0, group="all", segment="all")
    row = stored.curve("windows").query("segment == 'all' and waiting_days == 7.0").iloc[0]
    assert f"{delay_text.number(100 * row['seen'])} % of the positives are seen" in delay_text.seen_sentence(
        stored, choice
    )
    assert "all exposures" in delay_text.flip_sentence(delay.flip_rows(stored, "all"), choice)
    assert "Over " in delay_text.cohort_sentence(stored) and " came." in delay_text.cohort_sentence(stored)
    rows = delay.method_rows(stored, "log_loss").set_index("method")
    assert delay_text.number(rows.loc["vanilla", "value"]) in delay_text.method_sentence(stored, "log_loss")


def test_open_labels_are_sorted_by_their_flip_probability(stored):
    rows = delay.pending_rows(stored)
    assert isinstance(rows, pd.DataFrame) and rows["Flip probability"].is_monotonic_decreasing
    assert len(rows) == stored.predictions["prob_flip"].notna().sum() > 0


@pytest.mark.slow
def test_a_rendered_page_has_loaded_nothing_that_trains_or_scans(stored):
    program = (
        "import sys, pathlib\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from dashboard import cache\n"
        f"cache.run_folders = lambda: (pathlib.Path({str(stored.folder.parent)!r}),)\n"
        "page = 'from dashboard.views import delay; delay.render()'\n"
        "app = AppTest.from_string(page, default_timeout=60).run()\n"
        "assert not app.exception and len(app.metric) == 4\n"
        "heavy = {'torch', 'duckdb', 'ibis', 'scipy', 'sklearn'}\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_the_immature_ages_start_where_a_tenth_of_the_exposures_was_too_young(stored):
    rows = delay.arrival_rows(stored, "all", "snapshot").set_index("elapsed_days")["observed_share"]
    start = delay.immature_from(stored)
    assert rows[start] > 0.9 >= rows[start + 1.0]
