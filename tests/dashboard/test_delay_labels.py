"""Single labels, windows, laws and the funnel: tables say what is stored, choices change them and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dashboard.controls import delay, delay_labels, delay_window
from engine.runs import Run


def test_open_labels_are_sorted_by_their_flip_probability(delay_run: Run) -> None:
    rows = delay_labels.pending_rows(delay_run)
    assert rows["Flip probability"].is_monotonic_decreasing
    assert len(rows) == delay_run.predictions["prob_flip"].notna().sum() > 0


def test_flipped_and_unflipped_labels_are_filtered_and_all_come_back(delay_run: Run, opened) -> None:
    app = opened(delay_tab="Methods", delay_check="Flipped labels")
    table = delay_run.curve("flips")
    every = app.dataframe[0].value
    assert len(every) == len(table)
    app.segmented_control(key="delay-flips").set_value("flipped").run()
    flipped = table[table["flipped"].astype(bool)]
    assert set(app.dataframe[0].value["Flipped"]) == {"yes"}
    assert app.dataframe[0].value["After"].tolist() == pytest.approx(flipped["score_after"].tolist())
    app.segmented_control(key="delay-flips").set_value("all").run()
    pd.testing.assert_frame_equal(app.dataframe[0].value, every)


def test_mean_scores_before_and_after_are_said() -> None:
    rows = pd.DataFrame(
        {
            "flipped": [True, True, False],
            "score_before": [0.1, 0.3, 0.2],
            "score_after": [0.4, 0.6, 0.1],
            "prob_flip": [0.2, 0.4, 0.1],
        }
    )
    said = delay_labels.flip_sentence(rows)
    assert said.startswith("Of 2 listed labels that flipped (flip probability 30.0 % on average)")
    assert "from 20.0 % to 50.0 %" in said and "from 20.0 % to 10.0 %" in said
    assert delay_labels.flip_sentence(rows[:0]) == "No label was open on the snapshot day."


def test_the_influence_of_a_flip_is_shown_per_model(delay_run: Run, opened, figure) -> None:
    app = opened(delay_tab="Methods", delay_check="Influence of a flip")
    table = delay_run.curve("influence")
    model = app.segmented_control(key="delay-model").value
    rows = table[table["model"] == model]
    drawn = {trace["name"]: trace for trace in figure(app, 0)["data"]}
    assert drawn["flips"]["y"] == pytest.approx(rows["refit_own"].dropna().tolist(), rel=1e-5)
    app.segmented_control(key="delay-effect").set_value("mean").run()
    drawn = {trace["name"]: trace for trace in figure(app, 0)["data"]}
    assert drawn["flips"]["y"] == pytest.approx(rows["refit_mean"].dropna().tolist(), rel=1e-5)


def test_the_flips_that_move_the_mean_most_come_first() -> None:
    rows = pd.DataFrame(
        {
            "exposure_id": ["a", "b", "c"],
            "segment": "A",
            "age_days": 3.0,
            "delta_own": 0.1,
            "delta_mean": [0.001, -0.005, 0.002],
            "refit_own": np.nan,
            "refit_mean": np.nan,
        }
    )
    top = delay_labels.top_flips(rows)
    assert top["Exposure"].tolist() == ["b", "c", "a"] and top["Mean"].tolist() == [-0.5, 0.2, 0.1]


def test_the_funnel_follows_its_segment_and_back(delay_run: Run, opened, figure) -> None:
    app = opened(delay_detail="Funnel")
    drawn = lambda: {trace["name"]: trace["x"] for trace in figure(app, 2)["data"]}  # noqa: E731 - read after every change
    table = delay_run.curve("funnel").query("stage != 'exposed'")
    every = drawn()
    assert every["Predicted, ours"] == pytest.approx(table.query("segment == 'all'")["predicted"].tolist())
    app.selectbox(key="delay-funnel").set_value("A").run()
    assert drawn()["Observed"] == pytest.approx(table.query("segment == 'A'")["observed"].tolist())
    app.selectbox(key="delay-funnel").set_value("all").run()
    assert drawn() == every


def test_the_entire_space_stands_beside_the_model_of_engaged_exposures(delay_run: Run) -> None:
    table = delay_labels.selection_rows(delay_run)
    assert {"Entire space (ours)", "Engaged exposures only"} <= set(table.columns)
    stored = delay_run.curve("funnel_check").query(
        "model == 'engaged_only' and population == 'all' and metric == 'calibration'"
    )
    cell = table[(table["Judged on"] == "all exposures") & (table["Metric"] == "Predicted ÷ observed")]
    assert cell["Engaged exposures only"].iloc[0].startswith(delay_labels.number(stored["value"].iloc[0]))


def test_every_part_of_the_funnel_that_is_off_is_named_and_no_other() -> None:
    stages = list(delay_labels.STAGES)
    rows = pd.DataFrame({"stage": stages, "observed": 0.1, "predicted": 0.1, "ratio": 1.0, "n": 90, "units": 80})
    sure = rows.assign(ratio_low=0.9, ratio_high=1.1)
    assert "No part of the funnel is off" in delay_labels.funnel_sentence(sure)
    off = sure.assign(ratio=[0.5, 1.0, 1.5, 1.0], ratio_low=[0.4, 0.9, 1.1, 0.9], ratio_high=[0.6, 1.1, 2.0, 1.1])
    said = delay_labels.funnel_sentence(off).partition("Off by more than the interval")[2]
    assert "engaged by the window 0.500 × [0.400, 0.600]" in said
    assert "converted without engagement 1.50 × [1.10, 2.00]" in said
    assert "engaged and converted" not in said and "all conversions" not in said


def test_the_trade_off_marks_the_smallest_error_of_the_chosen_estimator(delay_run: Run, opened, figure) -> None:
    app = opened()
    table = delay_run.curve("tradeoff").query("segment == 'all'")
    for estimator in ("vanilla", "exact_joint"):
        app.selectbox(key="delay-estimator").set_value(estimator).run()
        rows = table[table["estimator"] == estimator]
        drawn = {trace["name"]: trace for trace in figure(app, 3)["data"]}
        best = rows.loc[rows["error"].idxmin()]
        assert drawn["optimum"]["x"] == [best["waiting_days"]]
        assert drawn["error"]["y"] == pytest.approx(rows.sort_values("waiting_days")["error"].tolist())


def test_completeness_and_freshness_follow_the_window(delay_run: Run, opened, figure) -> None:
    app = opened()
    app.slider(key="delay-window").set_value(20.0).run()
    assert [shape["x0"] for shape in figure(app, 2)["layout"]["shapes"]] == [20.0]
    rows = delay_window.completeness_rows(delay_run, "all").set_index("waiting_days")
    n = delay.arrival_rows(delay_run, "all", "snapshot")["n"].max()
    assert rows.loc[20.0, "readable"] == pytest.approx(rows.loc[20.0, "read"] / n)
    assert rows["readable"].is_monotonic_decreasing and rows["seen"].is_monotonic_increasing


def test_weekly_hazards_multiply_to_the_curve(delay_run: Run) -> None:
    rows = delay_window.hazard_rows(delay_run, "all")
    final = delay.arrival_rows(delay_run, "all", "final")
    stays = (1 - final["converted"].iloc[-1]) / (1 - final["converted"].iloc[0])
    assert float(np.prod(1 - rows["hazard"])) == pytest.approx(float(stays), rel=1e-3)
    assert (rows["hazard_low"] <= rows["hazard"]).all() and (rows["hazard"] <= rows["hazard_high"]).all()


def test_the_law_that_fits_better_is_named_with_its_misfit(delay_run: Run) -> None:
    cure = delay_run.curve("cure").query("view == 'snapshot' and key == 'all'").set_index("law")
    said = delay_window.cure_sentence(delay_run, "all")
    best = cure["log_likelihood"].idxmax()
    assert said.startswith(f"The {best.capitalize()} mixture cure")
    assert f"up to {delay_window.number(100 * cure.loc[best, 'gap_max'])} points" in said
    rows = delay_window.cure_rows(delay_run, "all")
    assert rows["miss_weibull"].to_numpy() == pytest.approx(
        (rows["cure_weibull"] - rows["converted"]).to_numpy(), nan_ok=True
    )
