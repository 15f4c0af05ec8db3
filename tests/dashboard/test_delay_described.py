"""The page of a run without a training: everything that counts can say, and a plain word where a model is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache
from dashboard.controls import delay_described
from dashboard.controls.overview import claims_of, claims_table
from dashboard.controls.training import runs_table
from dashboard.layout import number
from engine.delay.config import DelayConfig
from engine.delay.described import describe
from engine.delay.relation import exposures_of
from engine.delay.scope import scope_of
from engine.delay.simulate import SimulationConfig, simulate
from engine.figures.theme import METHOD_LABEL
from engine.runs import Run, read_run, write_run

NEEDED = ["unit", "segment", "exposure_time", "engagement_time", "conversion_time", "window_days"]
PLACES = (
    ("Labels over time", "How long to wait"),
    ("Labels over time", "Hazard and delay law"),
    ("Labels over time", "Naive or honest"),
    ("Labels over time", "Funnel"),
    ("Day by day", ""),
    ("What if", ""),
)
COMMAND = ["python", "-m", "engine", "describe", "delay", "--data", "my log.csv", "--column", "unit=house hold"]
CONFIG = DelayConfig(resamples=20, asof_days=4)


def cut(frame: pd.DataFrame) -> pd.DataFrame:
    """End the log on day 125, with labels still open."""
    return frame.assign(**{name: frame[name].where(frame[name] <= 125.0) for name in NEEDED[3:5]})


def young() -> pd.DataFrame:
    """Return a log that is younger than its window."""
    time = np.arange(0.0, 20.0, 0.1)
    return pd.DataFrame({"exposure_time": time, "conversion_time": np.where(time < 15, time + 3.0, np.nan)})


LOGS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], float | None]] = {
    "past": (cut, None),
    "end": (cut, 125.0),
    "times": (lambda frame: cut(frame)[["exposure_time", "conversion_time"]], None),
    "nothing": (lambda frame: frame.assign(conversion_time=np.nan), None),
    "young": (lambda frame: young(), None),
    "tiny": (lambda frame: cut(frame).iloc[::40], 125.0),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Describe six logs."""
    root = tmp_path_factory.mktemp("described")
    frame = simulate(1500, SimulationConfig(seed=1))[NEEDED]
    for name, (make, day) in LOGS.items():
        table = ibis.memtable(pa.Table.from_pandas(make(frame), preserve_index=False))
        log = exposures_of(table, {}, source="my log.csv", attribution_days=30.0)
        write_run(describe(log, scope_of(log, CONFIG, day), CONFIG, source="my log.csv"), root / name, command=COMMAND)
    return root


@pytest.fixture
def stored(written: Path, runs: Path) -> Callable[[str], Run]:
    """Return a function that puts a described run where the dashboard finds it."""

    def put(name: str) -> Run:
        (runs / f"own-{name}").symlink_to(written / name)
        cache.forget_list()
        return read_run(runs / f"own-{name}")

    return put


def texts(app: AppTest) -> str:
    """Return everything that is written on the page."""
    return "\n".join(str(part.value) for part in (*app.markdown, *app.caption, *app.info, *app.code))


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize(("tab", "detail"), PLACES)
def test_every_tab_of_every_log_opens_without_a_fault_or_an_empty_chart(stored, opened, name, tab, detail) -> None:
    stored(name)
    app = opened(delay_tab=tab, **({"delay_detail": detail} if detail else {}))
    assert not app.exception and not app.error
    for chart in app.get("plotly_chart"):
        assert chart.proto.spec.count('"type"') > 1, "a chart without a mark"
    assert "nan" not in texts(app).lower().replace("finance", "")


@pytest.mark.parametrize(("tab", "detail"), [("Methods", ""), ("Weights", ""), ("Labels over time", "Funnel")])
def test_what_needs_a_model_says_so_with_the_command_for_it(stored, opened, tab, detail) -> None:
    stored("past")
    app = opened(delay_tab=tab, **({"delay_detail": detail} if detail else {}))
    assert not app.exception and "need a trained model" in app.info[-1].value
    assert app.code[-1].value == "python -m engine train delay --data 'my log.csv' --column 'unit=house hold'"


def test_the_answer_says_what_flipped_what_was_counted_and_what_is_open_now(stored, opened) -> None:
    run = stored("past")
    app = opened()
    facts, row = run.curve("snapshot").iloc[0], run.curve("asof").query("segment == 'all'")
    row = row[row["as_of"] == facts["as_of"]].iloc[0]
    present = run.curve("present").query("segment == 'all'").iloc[0]
    answer = app.markdown[0].value
    assert f"Of the {facts['pending']:,} exposures still negative on day {facts['as_of']:g}, " in answer
    assert f"{int(facts['flipped']):,} turned positive later: " in answer
    assert f"{number(100 * row['rate_seen'])} % of {row['exposures']:,} exposures had converted" in answer
    assert f"{number(100 * row['rate_final'])} % did." in answer
    assert f"{int(present['pending']):,} labels are open and {number(present['flips_expected'])} [" in answer
    assert f"{facts['dropped']:,} exposures without a final label are left out" in app.caption[1].value
    assert "without a training" in app.caption[1].value and "DRESS" not in texts(app)


def test_at_the_end_of_the_log_nothing_is_called_final(stored, opened) -> None:
    run = stored("end")
    app = opened()
    assert "the end of the log, " in app.markdown[0].value and "are expected to flip" in app.markdown[0].value
    captions = [text.value for text in app.caption if text.value.startswith("[")]
    assert sum("what comes is not known yet" in text for text in captions) == 3
    assert not any("in the end" in text for text in captions)
    day = opened(delay_tab="Day by day")
    assert "what comes is not known yet" in texts(day)
    assert run.curve("cohorts").query("stage == 'final'")["n"].sum() > 0


def test_the_fourth_card_is_the_rate_that_counting_misses(stored, opened) -> None:
    run = stored("past")
    app = opened(delay_segment="segment B")
    rows = run.curve("arrival").query("view == 'snapshot' and key == 'B'")
    last = rows.iloc[-1]
    assert app.metric[3].label == "Converts within 30 days"
    assert app.metric[3].value == f"{number(100 * last['converted'])} %"
    assert f"counted {number(100 * last['converted_naive'])} %" in texts(app)


def test_the_funnel_shows_what_was_observed(stored, opened, figure) -> None:
    run = stored("past")
    app = opened(delay_detail="Funnel")
    rows = run.curve("funnel").query("segment == 'all'").set_index("stage")
    bars = figure(app, 2)["data"]
    assert [trace["name"] for trace in bars] == ["Observed", "values"] and "predicted" not in str(bars[1]["text"])
    assert bars[0]["x"] == pytest.approx(rows["observed"].iloc[1:].tolist())
    assert f"{number(100 * rows.loc['engaged', 'observed'])} % [" in texts(app)


def test_what_the_data_do_not_hold_is_not_offered(stored, opened) -> None:
    stored("times")
    app = opened()
    assert app.segmented_control(key="delay-by").options == ["Cohort", "All"]
    assert app.selectbox(key="delay-segment").disabled and app.selectbox(key="delay-band").disabled
    assert "no units are named" in app.caption[1].value and "hold no engagement" in app.caption[1].value
    what_if = opened(delay_tab="What if")
    assert what_if.slider(key="delay-if-engagement").disabled


def test_the_error_of_a_window_opens_with_the_estimator_that_needs_no_model(stored, opened) -> None:
    stored("past")
    app = opened(delay_detail="How long to wait")
    assert app.selectbox(key="delay-estimator").value == "kaplan_meier"
    names = ("vanilla", "wait", "kaplan_meier")
    assert app.selectbox(key="delay-estimator").options == [METHOD_LABEL[name] for name in names]


def test_described_runs_stand_in_every_list_of_runs(stored) -> None:
    for name in LOGS:
        stored(name)
    assert set(cache.list_runs("delay")) == {f"own-{name}" for name in LOGS}
    assert len(runs_table()) == len(LOGS)
    for name in LOGS:
        claims = claims_of({"delay": cache.open_run(f"own-{name}")})
        assert set(claims["claim"]) <= {"C3", "C5"} and len(claims_table(claims)) == len(claims)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("--data log.csv --out runs/own --as-of 90", "--data log.csv"),
        ("--data=log.parquet --json --waiting-days 5 --set seed=3", "--data log.parquet --set seed=3 waiting_days=5"),
        ("--data journey-coupons --out x --step-days=2", "--data journey-coupons --set step_days=2"),
        ("--data a.duckdb --table log", None),
        ("--data logs/2026-*.parquet", None),
        ("--data /data/folder --out x", None),
    ],
)
def test_the_command_trains_on_the_same_data_where_a_training_can_read_them(stored, words, command) -> None:
    run = stored("times")
    run.manifest["command"] = ["python", "-m", "engine", "describe", "delay", *words.split()]
    expected = "" if command is None else f"python -m engine train delay {command}"
    assert delay_described.training_command(run) == expected
