"""The weight explorer works out exactly what a limit on the weights does, and lists who carries the largest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.controls import delay_text, delay_weights
from engine.runs import Run

EDGES = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 4.0])


def binned(weights: np.ndarray, label: str = "negative", method: str = "fnw") -> pd.DataFrame:
    """Bin weights as the engine does: a weight on an edge belongs to the bin below."""
    place = np.searchsorted(EDGES, weights, side="left") - 1
    frame = pd.DataFrame({"place": place, "n": 1, "weight_sum": weights, "weight_square_sum": weights**2})
    sums = frame.groupby("place").sum().reset_index()
    return sums.assign(
        method=method,
        label=label,
        bin_low=EDGES[sums["place"]],
        bin_high=EDGES[sums["place"] + 1],
        rows=len(weights),
        share=sums["n"] / len(weights),
    )


def test_a_limit_by_hand() -> None:
    table = binned(np.array([0.5, 1.0, 2.0, 4.0]))
    free = delay_weights.clipped(table, None).iloc[0]
    assert (free["mean_weight"], free["clipped_share"], free["rows"]) == (7.5 / 4, 0.0, 4)
    assert free["ess_share"] == pytest.approx(7.5**2 / (4 * (0.25 + 1 + 4 + 16)))
    cut = delay_weights.clipped(table, 1.0).iloc[0]
    assert cut["mean_weight"] == pytest.approx(3.5 / 4) and cut["clipped_share"] == 0.5
    assert cut["ess_share"] == pytest.approx(3.5**2 / (4 * (0.25 + 1 + 1 + 1)))


@given(
    st.lists(st.floats(0.01, 4.0), min_size=1, max_size=40).map(np.array),
    st.sampled_from([None, *EDGES[1:].tolist()]),
)
def test_a_limit_from_the_sums_equals_a_limit_on_the_weights(weights: np.ndarray, clip: float | None) -> None:
    found = delay_weights.clipped(binned(weights), clip).iloc[0]
    cut = weights if clip is None else np.minimum(weights, clip)
    assert found["mean_weight"] == pytest.approx(cut.mean())
    assert found["ess_share"] == pytest.approx(cut.sum() ** 2 / (cut.size * (cut**2).sum()))
    assert found["clipped_share"] == pytest.approx(0.0 if clip is None else (weights > clip).mean())


def test_the_positive_that_a_row_still_carries_is_no_row_of_its_own() -> None:
    table = pd.concat([binned(np.array([1.0, 1.0])), binned(np.array([0.3]), label="pending")])
    assert delay_weights.clipped(table, None)["rows"].tolist() == [2]


def test_limits_are_the_edges_of_used_bins_and_the_path_visits_each() -> None:
    table = binned(np.array([0.7, 1.2]))
    assert delay_weights.limits(table) == [0.5, 1.0, 1.5]
    path = delay_weights.clip_path(table)
    assert path["clip"].tolist() == [0.5, 1.0, 1.5] and path["clipped_share"].tolist() == [1.0, 0.5, 0.0]
    assert path["ess_share"].iloc[0] == pytest.approx(1.0), "at the lowest limit all weights are equal"


def test_methods_whose_weights_are_all_one_are_left_out() -> None:
    table = pd.concat([binned(np.ones(3), method="oracle"), binned(np.array([1.0, 0.4]), method="es_dfm")])
    assert delay_weights.weighing(table) == ["es_dfm"]


def test_moving_the_limit_changes_the_table_and_back(delay_run: Run, opened) -> None:
    app = opened(delay_tab="Weights")
    before = app.dataframe[0].value
    slider = app.select_slider(key="delay-clip")
    assert slider.value == "none" and before["Cut at limit"].eq(0).all()
    limit = slider.options[len(slider.options) // 3]
    slider.set_value(limit).run()
    after = app.dataframe[0].value
    assert (after["Cut at limit"] > 0).any() and (after["Mean at limit"] <= before["Mean at limit"]).all()
    app.select_slider(key="delay-clip").set_value("none").run()
    pd.testing.assert_frame_equal(app.dataframe[0].value, before)


def test_without_a_limit_the_sums_give_what_training_reported(delay_run: Run, opened) -> None:
    app = opened(delay_tab="Weights")
    table = app.dataframe[0].value
    assert table["ESS at limit"].to_numpy() == pytest.approx(table["ESS as trained"].to_numpy(), rel=1e-4)


def test_methods_and_segment_change_what_is_listed(delay_run: Run, opened) -> None:
    app = opened(delay_tab="Weights")
    rows = app.dataframe[0].value["Rows"]
    app.selectbox(key="delay-weight-segment").set_value("A").run()
    assert (app.dataframe[0].value["Rows"] < rows).all()
    listed = app.dataframe[1].value
    assert listed["Weight"].is_monotonic_decreasing and len(set(listed["Method"])) > 1, "the largest of all methods"
    app.multiselect(key="delay-weights").set_value(["es_dfm"]).run()
    assert set(app.dataframe[1].value["Method"]) == {"ES-DFM"}
    tails = delay_run.curve("tails").query("method == 'es_dfm'")
    assert app.dataframe[1].value["Weight"].tolist() == pytest.approx(tails["weight"].tolist())
    app.multiselect(key="delay-weights").set_value([]).run()
    assert "at least one" in app.info[0].value


def test_an_older_run_shows_its_histograms_and_says_what_is_missing(short_run: Run, opened) -> None:
    app = opened(delay_tab="Weights")
    assert not app.exception and app.select_slider(key="delay-clip").disabled
    assert "cannot say what a limit does" in app.info[0].value


class _Facts:
    """A run of which only the facts of the snapshot are asked."""

    def __init__(self, **facts: float) -> None:
        self._facts = pd.DataFrame([facts])

    def curve(self, name: str) -> pd.DataFrame:
        assert name == "snapshot"
        return self._facts


def test_the_page_says_which_drift_the_weights_follow_and_why_none() -> None:
    assert delay_text.drift_sentence(_Facts(as_of=1.0)) == ""
    little = _Facts(drift_conversion=0.0, drift_delay=0.0, drift_gain=1.25, drift_forecast=0.0)
    said = delay_text.drift_sentence(little)
    assert "assume no drift" in said and "gain 1.25 nats" in said and "have to gain 4" in said
    stall = _Facts(drift_conversion=0.0, drift_delay=0.0, drift_gain=24.0, drift_forecast=-8.5)
    assert "forecast the labels since then 8.50 nats worse than no drift" in delay_text.drift_sentence(stall)
    beyond = _Facts(drift_conversion=0.0, drift_delay=0.0, drift_gain=24.0, drift_forecast=0.0)
    assert "can be told apart by" in delay_text.drift_sentence(beyond)
    lasting = _Facts(drift_conversion=np.log(1.5), drift_delay=np.log(0.8), drift_gain=50.0, drift_forecast=7.0)
    said = delay_text.drift_sentence(lasting)
    assert "factor 1.50" in said and "by 0.800 (below 1 is later)" in said
    assert "gains 50.0 nats" in said and "by 7.00 nats better" in said
