"""The comparison of methods shows what is stored, over protocols, baselines, the stream and maturing labels."""

from __future__ import annotations

import io
from collections.abc import Callable

import pandas as pd
import pytest

from dashboard import layout
from dashboard.controls import delay_methods, delay_stream
from engine.delay.config import METHODS
from engine.figures.theme import METHOD_LABEL
from engine.runs import Run


@pytest.fixture
def values(figure) -> Callable:
    return lambda app, place: {trace["name"]: trace["x"][0] for trace in figure(app, place)["data"]}


def stored_values(rows: pd.DataFrame) -> dict[str, float]:
    rows = rows[rows["value"].notna()]
    return {METHOD_LABEL[row.method]: pytest.approx(row.value) for row in rows.itertuples()}


def test_every_method_of_the_settings_stands_in_exactly_one_family() -> None:
    placed = [method for family in delay_methods.FAMILIES.values() for method in family]
    assert sorted(placed) == sorted(METHODS)
    assert delay_methods.families(pd.Series(["oracle", "new"]))["Others"] == ("new",)


def test_the_comparison_shows_the_stored_values_of_every_method(delay_run: Run, opened, values) -> None:
    app = opened(delay_tab="Methods")
    rows = delay_run.metrics.query("split == 'test' and segment == 'all' and metric == 'log_loss'")
    assert values(app, 0) == stored_values(rows) and len(rows) == len(METHODS)
    app.segmented_control(key="delay-metric").set_value("calibration").run()
    rows = delay_run.metrics.query("split == 'test' and segment == 'all' and metric == 'calibration'")
    assert values(app, 0) == stored_values(rows)
    app.segmented_control(key="delay-against").set_value("vanilla").run()
    differences = delay_run.curve("differences").query(
        "split == 'test' and segment == 'all' and metric == 'calibration_error' and baseline == 'vanilla'"
    )
    assert values(app, 1) == stored_values(differences)


def test_the_share_of_the_gap_is_shown_and_taken_back(delay_run: Run, opened, values) -> None:
    app = opened(delay_tab="Methods")
    before = values(app, 1)
    app.segmented_control(key="delay-against").set_value("relative").run()
    rows = delay_run.metrics.query("split == 'test' and segment == 'all' and metric == 'relative_log_loss'")
    if rows["value"].notna().any():
        assert values(app, 1) == stored_values(rows)
    else:
        assert any("no gap to share" in info.value for info in app.info)
    app.segmented_control(key="delay-against").set_value("oracle").run()
    assert values(app, 1) == before


def test_the_protocol_changes_what_is_compared_and_back(delay_run: Run, opened, values) -> None:
    app = opened(delay_tab="Methods")
    batch = values(app, 0)
    app.segmented_control(key="delay-protocol").set_value("stream").run()
    rows = delay_run.metrics.query("split == 'stream' and segment == 'all' and metric == 'log_loss'")
    assert values(app, 0) == stored_values(rows) != batch
    app.segmented_control(key="delay-protocol").set_value("test").run()
    assert values(app, 0) == batch


def test_the_export_holds_every_figure_of_every_method(delay_run: Run) -> None:
    table = pd.read_csv(io.BytesIO(layout.to_csv(delay_methods.export(delay_run))))
    counts = table["table"].value_counts().to_dict()
    assert counts == {
        "metric": len(delay_run.metrics),
        "difference": len(delay_run.curve("differences")),
        "step": len(delay_run.curve("stream")),
    }
    mine = table.query("table == 'metric' and method == 'dress_style' and split == 'test' and segment == 'all'")
    stored = delay_run.metrics.query("method == 'dress_style' and split == 'test' and segment == 'all'")
    assert mine.set_index("metric")["value"].to_dict() == pytest.approx(stored.set_index("metric")["value"].to_dict())


def test_the_export_stands_a_run_without_a_stream(short_run: Run) -> None:
    table = delay_methods.export(short_run)
    assert set(table["table"]) == {"metric", "difference"} and table.columns[0] == "table"


def rows_of(*found: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame([{"method": m, "value": v, "ci_low": v - 0.1, "ci_high": v + 0.1, "n": 5} for m, v in found])


def test_an_axis_leaves_out_a_far_value_only() -> None:
    near = [("a", 0.30), ("b", 0.31), ("c", 0.32), ("d", 0.33), ("e", 0.34)]
    assert delay_methods.axis_range(rows_of(*near)) is None
    low, high = delay_methods.axis_range(rows_of(*near, ("f", 9.0)))
    assert low < 0.2 and 0.44 <= high < 1
    low, high = delay_methods.axis_range(rows_of(*near, ("f", 9.0)), include=(1.0,))
    assert high >= 1.0
    assert delay_methods.axis_range(rows_of(("a", 0.1), ("b", 99.0))) is None, "too few to call one of them far"


@pytest.mark.parametrize(
    ("metric", "found", "words"),
    [
        ("log_loss", {"dress_style": 0.30, "fnw": 0.35, "oracle": 0.2}, "**ours** is first of 2"),
        ("log_loss", {"dress_style": 0.36, "fnw": 0.35}, "**FNW** is first and ours number 2 of 2"),
        ("roc_auc", {"dress_style": 0.8, "fnw": 0.65}, "**ours** is first of 2"),
        ("calibration", {"dress_style": 1.3, "fnw": 0.9}, "**FNW** is first and ours number 2 of 2"),
    ],
)
def test_the_order_of_the_methods_is_said(metric, found, words, monkeypatch) -> None:
    monkeypatch.setattr(delay_methods, "method_rows", lambda *_: rows_of(*found.items()))
    monkeypatch.setattr(delay_methods, "compared_rows", lambda *_: rows_of().reindex(columns=["method"]))
    assert words in delay_methods.standing_sentence(None, metric)


@pytest.mark.parametrize(("metric", "worse", "better"), [("log_loss", "2", "1"), ("roc_auc", "1", "2")])
def test_what_can_be_told_from_ours_is_counted_by_paired_intervals(metric, worse, better, monkeypatch) -> None:
    compared = rows_of(("fnw", 0.2), ("defer", 0.15), ("wait", 0.05), ("vanilla", -0.3), ("oracle", -0.4))
    monkeypatch.setattr(delay_methods, "compared_rows", lambda *_: compared)
    said = delay_methods.compared_sentence(None, metric, "dress_style")
    assert f"of the other 4 methods {worse} are worse than ours, {better} better, and 1 cannot be told" in said
    assert said.endswith("n 5 units.")


def test_every_method_is_set_against_ours(delay_run: Run, opened, figure) -> None:
    app = opened(delay_tab="Methods", delay_baseline="Ours")
    assert not app.exception
    rows = delay_methods.compared_rows(delay_run, "log_loss", "dress_style")
    assert set(rows["method"]) == set(METHODS) - {"dress_style"}
    against = delay_methods.compared_rows(delay_run, "log_loss", "oracle").set_index("method").loc["dress_style"]
    mine = rows.set_index("method").loc["oracle"]
    assert (mine["value"], mine["ci_low"]) == pytest.approx((-against["value"], -against["ci_high"]))


def test_the_stream_is_followed_for_the_chosen_methods(delay_run: Run, opened, figure) -> None:
    app = opened(delay_tab="Methods", delay_check="Over the stream")
    app.multiselect(key="delay-methods").set_value(["oracle", "fnw"]).run()
    drawn = {trace["name"]: trace["y"] for trace in figure(app, 0)["data"]}
    rows = delay_run.curve("stream").query("metric == 'calibration' and method == 'fnw'").sort_values("day")
    assert drawn["FNW"] == pytest.approx(list(rows["value"])) and METHOD_LABEL["dress_style"] not in drawn
    app.multiselect(key="delay-methods").set_value([]).run()
    assert "at least one" in app.info[0].value


def test_maturing_labels_are_followed_by_method_and_metric(delay_run: Run, opened, figure) -> None:
    app = opened(delay_tab="Methods", delay_check="As labels mature")
    app.selectbox(key="delay-matured").set_value("vanilla").run()
    app.segmented_control(key="delay-matured-metric").set_value("log_loss").run()
    rows = delay_stream.maturing_rows(delay_run, "vanilla", "log_loss").query("kind == 'naive'")
    drawn = {trace["name"]: trace.get("y") for trace in figure(app, 0)["data"]}
    assert drawn["Measured on the labels of that day"] == pytest.approx(list(rows["value"]))


def test_the_first_day_that_can_be_compared_is_said() -> None:
    rows = pd.DataFrame(
        {
            "day": [7, 7, 7, 14],
            "kind": ["naive", "estimated", "realised", "naive"],
            "value": [3.0, 1.2, 1.0, 2.0],
            "seen_share": 0.25,
            "n": 40,
        }
    )
    said = delay_stream.maturing_sentence(rows)
    assert "day 7" in said and "25.0 % of the positives seen" in said and "was closer" in said and "n 40" in said
    worse = rows.assign(value=[1.1, 3.0, 1.0, 2.0])
    assert "no closer" in delay_stream.maturing_sentence(worse)
    assert delay_stream.maturing_sentence(rows[rows["kind"] == "naive"]) == "Nothing to compare here."
