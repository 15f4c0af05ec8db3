"""The page on uncertainty: moving thresholds moves every figure, and nothing heavy is loaded for it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import uncertainty as controls
from dashboard.controls.thresholds import Choice
from engine.result import DatasetInfo, RunResult
from engine.runs import Run, read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.editor import Editor, open_editor
from engine.uncertainty.names import scorer_label
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

ROOT = Path(__file__).resolve().parents[2]
SLIDERS = [f"uncertainty-slider-{number}" for number in (1, 2, 3)]


def page() -> None:
    from dashboard.views import uncertainty

    uncertainty.render()


@pytest.fixture(scope="module")
def result() -> RunResult:
    """Run once on simulated scores with a flat prior."""
    frame = simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3))
    info = DatasetInfo(name="made-up", origin="simulated", data_id="0" * 8)
    return run(load(frame, info=info), UncertaintyConfig(resamples=20, buckets=3))


@pytest.fixture
def stored(runs: Path, result: RunResult) -> Run:
    """Store the run where the dashboard looks."""
    return read_run(write_run(result, runs / "uncertainty-one", command=["python", "-m", "engine"]))


def opened(**address: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for name, value in address.items():
        app.query_params[name.replace("_", "-")] = value
    return app.run()


def editor_of(stored: Run, scorer: str = "given") -> Editor:
    return open_editor(stored.curve("cells"), stored.curve("edges"), scorer)


def cuts_of(app: AppTest) -> list[int]:
    return [slider.value for slider in app.select_slider if str(slider.key) in SLIDERS]


def matrices(app: AppTest) -> list[list[int]]:
    """Read TP, FN, FP, TN of the shown confusion matrices, test rows first: those are buttons."""
    cells = ("true_positive", "false_negative", "false_positive", "true_negative")
    shown = [app.button(key=f"uncertainty-cell-{cell}").label for cell in cells]
    shown = ["".join(shown), *(element.value for element in app.markdown if "left out |" in element.value)]
    return [[int(text.replace(",", "")) for text in re.findall(r"\*\*([\d,]+)\*\*", value)] for value in shown]


def expected(stored: Run, cuts: list[int], scorer: str = "given") -> list[list[int]]:
    found = []
    for split in ("test", "tune"):
        d = editor_of(stored, scorer).decide(cuts, split)
        found.append([d.true_positive, d.false_negative, d.false_positive, d.true_negative])
    return found


def numbers(values: Any) -> list[float]:
    """Read an array of a chart, which may be packed."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).tolist()
    return list(values)


def boundary_drawn(app: AppTest) -> list[float]:
    for chart in app.get("plotly_chart"):
        for trace in json.loads(chart.proto.spec)["data"]:
            if str(trace.get("name", "")).startswith("Your boundary"):
                return numbers(trace["x"])
    raise AssertionError("no boundary is drawn")


def test_the_page_opens_on_the_optimum_and_counts_it(stored: Run) -> None:
    app = opened()
    assert not app.exception
    target = sorted(stored.curve("boundaries")["target"].unique())[0]
    assert cuts_of(app) == editor_of(stored).snap("mist", target)
    assert matrices(app) == expected(stored, cuts_of(app))
    assert app.title[0].value == "How far may a score be trusted?"


def test_a_threshold_moved_and_moved_back_changes_every_figure_and_restores_it(stored: Run) -> None:
    app = opened()
    before, drawn, cuts = matrices(app), boundary_drawn(app), cuts_of(app)
    precision = [metric.value for metric in app.metric]
    moved = [cuts[0], cuts[1] + 5, cuts[2]]
    app.select_slider(key=SLIDERS[1]).set_value(moved[1]).run()
    assert cuts_of(app) == moved and matrices(app) == expected(stored, moved) != before
    assert boundary_drawn(app) != drawn and [metric.value for metric in app.metric] != precision
    app.select_slider(key=SLIDERS[1]).set_value(cuts[1]).run()
    assert (matrices(app), boundary_drawn(app)) == (before, drawn)
    assert [metric.value for metric in app.metric] == precision


def test_move_all_gives_every_bucket_the_same_threshold(stored: Run) -> None:
    app = opened()
    app.select_slider(key="uncertainty-all").set_value(7).run()
    assert cuts_of(app) == [7, 7, 7] and matrices(app) == expected(stored, [7, 7, 7])


def test_snap_brings_moved_thresholds_back_to_the_optimum(stored: Run) -> None:
    app = opened()
    cuts = cuts_of(app)
    app.select_slider(key="uncertainty-all").set_value(7).run()
    app.button(key="uncertainty-snap").click().run()
    assert cuts_of(app) == cuts and matrices(app) == expected(stored, cuts)


@pytest.mark.parametrize("method", ["exact_dp", "monotone_dp", "greedy", "single_threshold", "mist"])
def test_every_method_places_its_own_optimum(stored: Run, method: str) -> None:
    target = sorted(stored.curve("boundaries")["target"].unique())[0]
    app = opened()
    app.selectbox(key="uncertainty-method").select(method).run()
    assert cuts_of(app) == editor_of(stored).snap(method, target)


def test_another_target_places_the_thresholds_anew_and_changes_the_answer(stored: Run) -> None:
    app = opened()
    answer = app.markdown[0].value
    target = sorted(stored.curve("boundaries")["target"].unique())[1]
    app.selectbox(key="uncertainty-precision").select(target).run()
    assert cuts_of(app) == editor_of(stored).snap("mist", target)
    assert f"precision {target:.2f}" in app.markdown[0].value != answer


def test_another_score_resets_the_sliders_to_its_own_optimum(stored: Run) -> None:
    app = opened()
    app.select_slider(key="uncertainty-all").set_value(7).run()
    app.selectbox(key="uncertainty-scorer").select("rate_all_matched").run()
    target = sorted(stored.curve("boundaries")["target"].unique())[0]
    cuts = editor_of(stored, "rate_all_matched").snap("mist", target)
    assert cuts_of(app) == cuts and matrices(app) == expected(stored, cuts, "rate_all_matched")
    assert app.markdown[0].value.startswith(f"##### {scorer_label('rate_all_matched')}")
    app.selectbox(key="uncertainty-scorer").select("given").run()
    assert cuts_of(app) == editor_of(stored).snap("mist", target)


def test_moved_thresholds_stand_in_the_address_and_come_back_from_it(stored: Run) -> None:
    app = opened()
    assert "uncertainty-thresholds" not in app.query_params
    app.select_slider(key="uncertainty-all").set_value(7).run()
    text = ",".join(np.atleast_1d(app.query_params["uncertainty-thresholds"]))
    assert text == ",".join([editor_of(stored).labels[7]] * 3)
    again = opened(uncertainty_thresholds=text)
    assert cuts_of(again) == [7, 7, 7]
    again.button(key="uncertainty-snap").click().run()
    assert "uncertainty-thresholds" not in again.query_params


@pytest.mark.parametrize("text", ["nonsense", "0.5", "none,none", "all,all,2.0", ",,", "none," * 50])
def test_thresholds_that_do_not_exist_are_ignored(stored: Run, text: str) -> None:
    app = opened(uncertainty_thresholds=text)
    assert not app.exception
    target = sorted(stored.curve("boundaries")["target"].unique())[0]
    assert cuts_of(app) == editor_of(stored).snap("mist", target)


def test_selecting_nothing_is_said_and_has_no_precision(stored: Run) -> None:
    app = opened()
    app.select_slider(key="uncertainty-all").set_value(0).run()
    assert "No test row is selected" in app.info[0].value
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Precision, test rows"] == "–" and shown["Recall, test rows"] == "0"


def test_a_missed_target_is_red_and_few_rows_are_a_warning(stored: Run) -> None:
    app = opened()
    n_bins = editor_of(stored).layout.shape[1]
    app.select_slider(key="uncertainty-all").set_value(n_bins).run()
    assert "lies below the target" in app.error[0].value
    editor = editor_of(stored)
    few = next(cut for cut in range(1, n_bins) if 0 < editor.decide([cut] * 3, "test").selected < 30)
    app.select_slider(key="uncertainty-all").set_value(few).run()
    assert not app.error and "Fewer than 30 test rows" in app.warning[0].value


def test_the_reliability_curves_are_those_of_the_test_rows(stored: Run) -> None:
    drawn = json.loads(opened().get("plotly_chart")[0].proto.spec)
    table = stored.curve("reliability")
    own = table[(table["scorer"] == "given") & (table["bucket"] == 0) & (table["n"] > 0)]
    own = own[(own["binning"] == "equal_mass") & (own["split"] == "test")]
    assert numbers(drawn["data"][1]["y"]) == pytest.approx(own["observed_rate"].tolist())
    assert drawn["layout"]["xaxis"].get("type") != "log"


@pytest.mark.parametrize(("kept", "scale"), [(3, "linear"), (30, "log")])
def test_rare_positives_are_spread_out(stored: Run, kept: int, scale: str) -> None:
    grid = editor_of(stored).grids["test"]
    # A base rate of a quarter, of which every so manieth positive is left.
    rare = Editor(editor_of(stored).layout, {"test": replace(grid, positives=grid.positives // kept)}, {})
    assert controls.axis_scale(Choice(stored, "given", 0.4, rare)) == scale


def test_the_map_can_show_rates_rows_and_bias(stored: Run) -> None:
    app = opened()
    shown = {}
    for value in ("n", "bias", "rate"):
        app.segmented_control(key="uncertainty-map").set_value(value).run()
        charts = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")]
        shown[value] = next(trace["z"] for data in charts for trace in data if trace["type"] == "heatmap")
    table = editor_of(stored).map_table()
    flat = [value for row in shown["n"] for value in row]
    assert flat == table["n"].tolist() and shown["bias"] != shown["rate"]


def test_every_figure_of_the_editor_has_its_interval_its_n_and_one_threshold_beside(stored: Run) -> None:
    app = opened()
    captions = [caption.value for caption in app.caption if "\none threshold" in caption.value]
    assert len(captions) == 8 and all(re.search(r"\[.*\].* · n [\d,]+", caption) for caption in captions)


@pytest.mark.slow
def test_the_page_needs_nothing_that_trains_and_no_database(stored: Run) -> None:
    program = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "page = 'from dashboard.views import uncertainty; uncertainty.render()'\n"
        "app = AppTest.from_string(page, default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        "assert len(app.select_slider) == 4\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    environment = os.environ | {"RECOMMENDER_LENS_RUNS": str(stored.folder.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = set(done.stdout.split())
    assert "plotly" in loaded
    assert loaded & {"torch", "duckdb", "ibis", "sklearn", "scipy", "networkx"} == set()


@pytest.mark.parametrize("odd", [{"uncertainty": 0.1}, {"score": 0.2}])
def test_the_page_opens_on_scores_that_leave_nothing_to_choose(runs: Path, odd: dict[str, float]) -> None:
    frame = simulate(2000, SimulationConfig(prior=(1.0, 3.0))).drop(columns=["k_all", "n_all"]).assign(**odd)
    info = DatasetInfo(name="odd", origin="simulated", data_id="0" * 8)
    result = run(load(frame, info=info), UncertaintyConfig(resamples=10))
    write_run(result, runs / "uncertainty-odd", command=["python"])
    app = opened()
    assert not app.exception and len(app.metric) == 8 and len(app.get("plotly_chart")) == 3


def test_as_tuned_flags_in_red_whose_test_interval_excludes_the_target(stored: Run) -> None:
    shown = opened(uncertainty_tab="As tuned").table[0].value
    own = stored.metrics.query("metric == 'precision' and split == 'test' and segment.str.startswith('given')")
    flags = []
    for segment in own["segment"].unique():
        aim = float(segment.rpartition(">=")[2])
        for row in own[own["segment"] == segment].itertuples():
            low, high = row.ci_low > aim, row.ci_high < aim
            flags.append(
                "–" if np.isnan(row.value) else ":red[**missed**]" if high else "exceeded" if low else "agrees"
            )
    assert shown[controls.ON_TEST].tolist() == flags and len(set(flags)) > 1


def test_a_method_that_loses_far_more_than_others_gain_is_named_instead_of_drawn() -> None:
    table = pd.DataFrame(
        {"method": ["mist", "greedy_merged"], "value": [1.0, -40.0], "ci_low": [-12.0, -45.0], "ci_high": [2.0, -35.0]}
    )
    assert controls.far_off(table)["method"].tolist() == ["greedy_merged"]
    assert controls.far_off_sentence(table) == (
        "Too far below to be drawn, in points: Greedy, buckets together -40.0 [-45.0, -35.0]."
    )
    assert controls.far_off_sentence(table.head(1)) == ""
