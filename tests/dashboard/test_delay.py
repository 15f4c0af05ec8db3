"""The delayed-feedback page follows its slider, its choices and its address, and never loads what trains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.controls import delay, delay_text
from engine.runs import Run

ROOT = Path(__file__).resolve().parent.parent.parent
TABS = {
    "Labels over time": ("How long to wait", "Hazard and delay law", "Naive or honest", "Funnel"),
    "Day by day": ("",),
    "Methods": (
        "Comparison",
        "Calibration",
        "Over the stream",
        "As labels mature",
        "Flipped labels",
        "Influence of a flip",
    ),
    "Weights": ("",),
    "What if": ("",),
}
EVERY = [(tab, part) for tab, parts in TABS.items() for part in parts]


def marked_window(figure: dict) -> float:
    (line,) = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "line"]
    return line["x0"]


def test_the_page_opens_with_its_question_answer_and_source(delay_run: Run, opened) -> None:
    app = opened()
    assert not app.exception
    assert app.title[0].value == "Which labels will still change?"
    facts = delay_run.curve("snapshot").iloc[0]
    assert f"Of the {facts['pending']:,} exposures still negative on 2017-08-15" in app.markdown[0].value
    context = app.caption[0].value
    assert "(real)" in context and "seed 0" in context
    assert "reconstruction" in app.caption[1].value


def test_moving_the_window_changes_cards_and_marker_and_back(delay_run: Run, opened, figure) -> None:
    app = opened()
    windows = delay_run.curve("windows").query("segment == 'all'").set_index("waiting_days")
    before = [metric.value for metric in app.metric]
    assert app.slider(key="delay-window").value == 7.0 and marked_window(figure(app, 0)) == 7.0
    app.slider(key="delay-window").set_value(14.0).run()
    after = [metric.value for metric in app.metric]
    assert marked_window(figure(app, 0)) == 14.0 and all(a != b for a, b in zip(before[:3], after[:3], strict=True))
    assert after[0] == f"{delay_text.number(100 * windows.loc[14.0, 'seen'])} %"
    assert after[1] == f"{delay_text.number(100 * windows.loc[14.0, 'flip'])} %"
    assert after[2] == delay_text.number(windows.loc[14.0, "flips_expected"])
    app.slider(key="delay-window").set_value(7.0).run()
    assert [metric.value for metric in app.metric] == before


def test_grouping_and_segment_change_what_is_drawn(delay_run: Run, opened, figure) -> None:
    app = opened()
    names = lambda: {trace["name"] for trace in figure(app, 0)["data"] if not trace["name"].startswith(("at", "95"))}  # noqa: E731 - read after every change
    assert len(names()) == 4 and all(" – " in name for name in names())
    app.segmented_control(key="delay-by").set_value("engagement").run()
    assert names() == {"engaged", "not engaged"}
    app.segmented_control(key="delay-by").set_value("segment").run()
    assert names() == {"A", "B", "C"}
    before = app.metric[0].value
    app.selectbox(key="delay-segment").set_value("A").run()
    windows = delay_run.curve("windows").query("segment == 'A'").set_index("waiting_days")
    assert app.metric[0].value == f"{delay_text.number(100 * windows.loc[7.0, 'seen'])} %" != before


def test_bands_by_unit_are_those_of_the_table_and_only_where_they_are_stored(delay_run: Run, opened, figure) -> None:
    app = opened(delay_by="Segment")
    table = delay_run.curve("arrival").query("view == 'final' and group == 'segment' and key == 'A'")
    band = lambda: max(figure(app, 0)["data"][0]["y"])  # noqa: E731 - read after every change
    assert band() == pytest.approx(table["flip_high"].max())
    app.selectbox(key="delay-band").set_value("units").run()
    assert band() == pytest.approx(table["flip_unit_high"].max())
    app.segmented_control(key="delay-by").set_value("cohort").run()
    assert app.selectbox(key="delay-band").disabled


def test_the_cards_of_the_flips_have_the_chosen_band(delay_run: Run, opened) -> None:
    app = opened(delay_by="All", delay_segment="segment A")
    intervals = lambda: [text.value.partition(" · ")[0] for text in app.caption if text.value.startswith("[")]  # noqa: E731 - read after every change
    greenwood = intervals()
    app.selectbox(key="delay-band").set_value("units").run()
    stored = delay_run.curve("arrival").query("view == 'snapshot' and key == 'A' and elapsed_days == 7.0").iloc[0]
    negatives = delay_run.curve("windows").query("segment == 'A' and waiting_days == 7.0")["negatives"].iloc[0]
    low, high = float(stored["flip_unit_low"]), float(stored["flip_unit_high"])
    number = delay_text.number
    assert intervals()[1] == f"[{number(100 * low)}, {number(100 * high)}] %" != greenwood[1]
    assert intervals()[2] == f"[{number(low * negatives)}, {number(high * negatives)}]" != greenwood[2]
    assert [intervals()[0], intervals()[3]] == [greenwood[0], greenwood[3]], "no other band of these is stored"
    assert "cards of the flips follow" in app.selectbox(key="delay-band").help
    app.selectbox(key="delay-band").set_value("greenwood").run()
    assert intervals() == greenwood


def test_the_address_restores_the_choices(delay_run: Run, opened, figure) -> None:
    app = opened(delay_window="10", delay_by="Engagement", delay_detail="Funnel")
    assert not app.exception
    assert app.slider(key="delay-window").value == 10.0 and marked_window(figure(app, 0)) == 10.0
    assert app.segmented_control(key="delay-by").value == "engagement"
    assert [tab.label for tab in app.tabs if len(tab.children)] == ["Labels over time", "Funnel"]


@pytest.mark.parametrize(
    "query",
    [{"delay_window": "nan"}, {"delay_window": "9999"}, {"delay_by": "x"}, {"delay_segment": "x"}, {"delay_band": "x"}],
)
def test_an_address_that_makes_no_sense_opens_the_default(delay_run: Run, query: dict[str, str], opened) -> None:
    app = opened(**query)
    assert not app.exception and len(app.metric) == 4


@pytest.mark.parametrize(("tab", "part"), EVERY)
def test_every_tab_draws(delay_run: Run, tab: str, part: str, opened) -> None:
    app = opened(delay_tab=tab, delay_detail=part, delay_check=part)
    assert not app.exception and not app.error
    assert [info.value for info in app.info] == [], "a run of today holds every table"
    assert len(app.get("plotly_chart")) + len(app.get("arrow_vega_lite_chart")) + len(app.dataframe) >= 1


@pytest.mark.parametrize(("tab", "part"), EVERY)
def test_a_run_without_the_newer_tables_says_what_to_do(short_run: Run, tab: str, part: str, opened) -> None:
    app = opened(delay_tab=tab, delay_detail=part, delay_check=part)
    assert not app.exception and not app.error
    hints = [info.value for info in app.info]
    assert all("**Train**" in hint for hint in hints)
    complete = {"Naive or honest", "Calibration"}
    assert hints or part in complete


def test_tabs_change_and_change_back(delay_run: Run, opened) -> None:
    app = opened(delay_tab="Methods")
    shown = [title.value for title in app.markdown]
    app.query_params["delay-tab"] = "Weights"
    away = opened(delay_tab="Weights")
    assert [title.value for title in away.markdown] != shown
    back = opened(delay_tab="Methods")
    assert [title.value for title in back.markdown] == shown


def test_without_a_run_the_page_says_what_to_do(runs: Path, opened) -> None:
    app = opened()
    assert not app.exception and "Open **Train**" in app.info[0].value


def test_days_are_written_as_dates_only_where_the_data_has_dates() -> None:
    assert delay.day_text(17393.0, True) == "2017-08-15" and delay.day_text(64.0, False) == "day 64"


def test_what_signals_add_is_said_from_the_interval(delay_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {}
    for verdict in ("supported", "not supported", "inconclusive"):
        tables = {"claims": delay_run.curve("claims").assign(verdict=verdict)}
        tables["differences"] = delay_run.curve("differences")
        monkeypatch.setattr(delay_run, "curve", tables.__getitem__)
        said[verdict] = delay_text.signals_sentence(delay_run)
        monkeypatch.undo()
    assert "**help**" in said["supported"] and "add nothing worth having" in said["not supported"]
    assert "the data cannot tell" in said["inconclusive"] and "n " in said["supported"]


def test_a_difference_near_to_nothing_is_written_without_a_power_of_ten(
    delay_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = delay_run.curve("claims").assign(value=4.13e-06, ci_low=-6.28e-05, ci_high=0.00035)
    tables = {"claims": claims, "differences": delay_run.curve("differences").iloc[:0]}
    monkeypatch.setattr(delay_run, "curve", tables.__getitem__)
    said = delay_text.signals_sentence(delay_run)
    assert ": 0.0000041 nats [-0.000063, 0.000350] · n " in said and "e-" not in said


def test_sentences_read_the_tables_they_speak_of(delay_run: Run) -> None:
    choice = delay.Choice(waiting_days=7.0, group="all", segment="all")
    row = delay_run.curve("windows").query("segment == 'all' and waiting_days == 7.0").iloc[0]
    assert f"{delay_text.number(100 * row['seen'])} % of the positives are seen" in delay_text.seen_sentence(
        delay_run, choice
    )
    assert "all exposures" in delay_text.flip_sentence(delay.flip_rows(delay_run, "all"), choice)
    last = delay_run.curve("arrival").query("view == 'snapshot' and key == 'A'").iloc[-1]
    assert delay_text.number(100 * last["converted"]) in delay_text.naive_sentence(delay_run, "A")


@pytest.mark.slow
def test_a_rendered_page_has_loaded_nothing_that_trains_or_scans(delay_run: Run) -> None:
    program = (
        "import sys, pathlib\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from dashboard import cache\n"
        f"cache.run_folders = lambda: (pathlib.Path({str(delay_run.folder.parent)!r}),)\n"
        "page = 'from dashboard.views import delay; delay.render()'\n"
        f"for tab in {list(TABS)!r}:\n"
        "    app = AppTest.from_string(page, default_timeout=60)\n"
        "    app.query_params['delay-tab'] = tab\n"
        "    app.run()\n"
        "    assert not app.exception and app.title\n"
        "heavy = {'torch', 'duckdb', 'ibis', 'scipy', 'sklearn'}\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_the_immature_ages_start_where_a_tenth_of_the_exposures_was_too_young(delay_run: Run) -> None:
    rows = delay.arrival_rows(delay_run, "all", "snapshot").set_index("elapsed_days")["observed_share"]
    start = delay.immature_from(delay_run)
    assert rows[start] > 0.9 >= rows[start + 1.0]
