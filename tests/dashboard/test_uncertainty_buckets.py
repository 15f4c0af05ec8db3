"""The reader says how uncertainty is cut, and a bucket that tells little says so."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import jobs
from dashboard.controls.training import start_training
from dashboard.controls.uncertainty_outcome import caution
from dashboard.controls.uncertainty_own import example, settings_of, submit
from engine.errors import ConfigError
from engine.result import DatasetInfo, RunResult
from engine.runs import Run, read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

TABS = ("Thresholds", "Reliability", "Estimators", "As tuned", "Own scores", "Policy")


def page() -> None:
    from dashboard.views import uncertainty

    uncertainty.render()


@pytest.fixture(scope="module")
def result() -> RunResult:
    """Five buckets of equal width: no row in the third and fourth, one tuning row and no test row in the last."""
    frame = simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3))[["label", "score", "uncertainty", "split"]]
    frame.loc[frame.index[frame["split"] == "tune"][0], "uncertainty"] = 1.5
    info = DatasetInfo(name="made-up", origin="simulated", data_id="0" * 8)
    return run(load(frame, info=info), UncertaintyConfig(resamples=20, buckets=5, bucket_cut="width"))


@pytest.fixture
def stored(runs: Path, result: RunResult) -> Run:
    return read_run(write_run(result, runs / "uncertainty-one", command=["python", "-m", "engine"]))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[jobs.JobSpec]:
    """Note the jobs that are started in place of starting them."""
    found: list[jobs.JobSpec] = []

    def note(spec: jobs.JobSpec) -> str:
        found.append(spec)
        return "uncertainty-noted"

    monkeypatch.setattr(jobs, "submit", note)
    return found


def opened(tab: str, **address: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["uncertainty-tab"] = tab
    for name, value in address.items():
        app.query_params[name.replace("_", "-")] = value
    return app.run()


def given(app: AppTest) -> AppTest:
    return app.file_uploader(key="own-scores-file").set_value(("mine.csv", example(), "text/csv")).run()


def ended(job: str) -> jobs.JobStatus:
    while (found := jobs.status(job)) is not None and found.state == "running":
        time.sleep(0.2)
    assert found is not None
    return found


def texts(app: AppTest) -> list[str]:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.success)
    return [str(element.value) for kind in kinds for element in kind]


@pytest.mark.parametrize(
    ("chosen", "settings"),
    [
        (("auto", "count", ""), ()),
        (("3", "count", "0.1"), (("buckets", "3"),)),
        (("auto", "width", ""), (("bucket_cut", "width"),)),
        (("10", "width", ""), (("buckets", "10"), ("bucket_cut", "width"))),
        (("own", "count", " 0.01, 5e-2 , "), (("bucket_edges", "0.01,0.05"),)),
        (("own", "count", "-2.5; -1; 0.05;"), (("bucket_edges", "-2.5,-1.0,0.05"),)),
    ],
)
def test_a_choice_becomes_settings_of_the_command(chosen, settings) -> None:
    assert settings_of(*chosen) == settings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "none is given"),
        (" , ", "none is given"),
        (" ; ", "none is given"),
        ("0.1,,0.2", "'' among the own edges is no number"),
        ("0,05; 0,1", "'0,05' among the own edges is no number"),
        ("0,05", "'05' among the own edges is no number"),
        ("0,05", "a point as decimal mark"),
        ("0.2, 0.1", "The own edges do not rise: 0.1 comes after 0.2"),
        ("0.2; 0.2", "The own edges do not rise"),
        ("0.1, inf", "'inf' among the own edges is no finite number"),
        ("nan", "'nan' among the own edges is no number"),
        (",".join(map(str, range(100))), "100 own edges are given; at most 99"),
    ],
)
def test_edges_that_are_none_are_refused_in_words(text, told) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)) as caught:
        settings_of("own", "count", text)
    assert "bucket_edges" not in str(caught.value)


def test_by_default_scores_are_judged_as_before(stored: Run, started: list[jobs.JobSpec]) -> None:
    given(opened("Own scores")).button(key="own-scores-start").click().run()
    assert [spec.settings for spec in started] == [()]


def test_the_chosen_buckets_go_into_the_job(stored: Run, started: list[jobs.JobSpec]) -> None:
    app = given(opened("Own scores"))
    app.selectbox(key="own-scores-buckets").select("5").run()
    app.selectbox(key="own-scores-cut").select("width").run()
    app.button(key="own-scores-start").click().run()
    assert not app.exception and started[0].settings == (("buckets", "5"), ("bucket_cut", "width"))


def test_a_bad_edge_is_told_and_loses_nothing(stored: Run, started: list[jobs.JobSpec]) -> None:
    app = given(opened("Own scores"))
    app.selectbox(key="own-scores-buckets").select("own").run()
    app.text_input(key="own-scores-edges").set_value("0.05, low").run()
    app.button(key="own-scores-start").click().run()
    assert not app.exception and not started
    assert any("'low' among the own edges is no number" in error.value for error in app.error)
    assert app.text_input(key="own-scores-edges").value == "0.05, low"
    assert app.file_uploader(key="own-scores-file").value is not None
    app.text_input(key="own-scores-edges").set_value("0.05, 0.2").run()
    app.button(key="own-scores-start").click().run()
    assert [spec.settings for spec in started] == [(("bucket_edges", "0.05,0.2"),)] and not app.error


def test_while_a_job_of_this_session_runs_no_other_is_started(
    stored: Run, started: list[jobs.JobSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    state: list[jobs.State] = ["running"]

    def status(job: str) -> jobs.JobStatus:
        return jobs.JobStatus(id=job, spec=started[0], run_id="a-run", state=state[0], created=0.0, seconds=1.0)

    monkeypatch.setattr(jobs, "status", status)
    app = given(opened("Own scores"))
    assert not app.button(key="own-scores-start").disabled
    app.button(key="own-scores-start").click().run()
    assert len(started) == 1 and app.button(key="own-scores-start").disabled
    state[0] = "cancelled"
    assert not app.run().button(key="own-scores-start").disabled and not app.exception


def test_own_edges_become_the_edges_of_the_run(runs: Path) -> None:
    job = submit(example(), is_parquet=False, settings=settings_of("own", "count", "0.05, 0.2"))
    found = ended(job)
    assert found.state == "done", found
    made = read_run(runs / found.run_id)
    edges = made.curve("edges")
    assert edges.loc[edges["axis"] == "uncertainty", "edge"].tolist() == [0.05, 0.2]
    assert "bucket_edges=0.05,0.2" in made.manifest["command"]


def test_the_training_form_refuses_own_edges_for_scores_that_are_trained(runs: Path) -> None:
    found = ended(start_training("uncertainty", "journey-purchases", 0, {"bucket_edges": "0.05,0.2"}))
    assert found.state == "failed" and "scores that are trained have scales of their own" in found.message
    with pytest.raises(ConfigError, match="rising values"):
        start_training("uncertainty", "journey-purchases", 0, {"bucket_edges": "0.2,0.05"})


@pytest.mark.parametrize("tab", TABS)
def test_no_tab_shows_a_number_that_is_none(stored: Run, tab: str) -> None:
    app = opened(tab)
    assert not app.exception
    assert not [text for text in texts(app) if re.search(r"\bnan\b", text)]


@pytest.mark.parametrize("split", ["tune", "test"])
def test_reliability_of_an_empty_bucket_is_drawn_as_nothing(stored: Run, split: str) -> None:
    for address in ({"uncertainty_apart": "true"}, {"uncertainty_isotonic": "true", "uncertainty_bins": "equal_width"}):
        app = opened("Reliability", uncertainty_rows=split, **address)
        assert not app.exception
        drawn = [str(json.loads(chart.proto.spec)) for chart in app.get("plotly_chart")]
        assert any("3 of 5 · n 0" in figure for figure in drawn)


def test_a_bucket_that_tells_little_says_so_at_its_slider(stored: Run) -> None:
    app = opened("Thresholds")
    said = [element.value for element in app.caption if ":material/warning:" in element.value]
    assert len(said) == 3
    assert (
        said[0]
        == said[1]
        == ":material/warning: No tuning row lies here, so nothing tells where the threshold belongs."
    )
    assert "Only 1 tuning row lies here, fewer than 20, and " in said[2]


def test_the_slider_of_an_empty_bucket_moves_and_changes_no_count(stored: Run) -> None:
    app = opened("Thresholds")
    before = [metric.value for metric in app.metric]
    slider = app.select_slider(key="uncertainty-slider-3")
    slider.set_value(slider.value + 7).run()
    assert not app.exception and [metric.value for metric in app.metric] == before


def test_a_bucket_that_tells_little_says_so_beside_its_exported_threshold(stored: Run) -> None:
    app = opened("Policy")
    said = [element.value for element in app.caption if ":material/warning:" in element.value]
    assert said[0].startswith(":material/warning: Buckets 3, 4: No tuning row lies here")
    assert said[1].startswith(":material/warning: Bucket 5: Only 1 tuning row lies here, fewer than 20")
    app.selectbox(key="policy-method").select("single_threshold").run()
    assert not app.exception and not [e for e in app.caption if ":material/warning:" in e.value]


@pytest.mark.parametrize("mode", ["precision", "budget", "cost"])
def test_every_goal_is_placed_with_an_empty_bucket(stored: Run, mode: str) -> None:
    app = opened("Thresholds", uncertainty_mode=mode)
    assert not app.exception and app.select_slider(key="uncertainty-slider-3").value == 0


def test_what_a_bucket_lacks_is_said_in_words() -> None:
    assert caution(20, 3) == ""
    assert caution(19, 3).startswith("Only 19 tuning rows lie here, fewer than 20:")
    assert caution(1200, 0).startswith("Of 1,200 tuning rows none is positive:")
    assert caution(5, 5).startswith("Only 5 tuning rows lie here, fewer than 20, and all are positive:")
