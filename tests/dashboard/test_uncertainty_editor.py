"""The threshold editor: goals that are held, locks, moves taken back, cohorts, shifts; and what leaves and comes in."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import cache, jobs, uploads
from dashboard.controls import threshold_moves
from dashboard.controls.uncertainty_own import MOST_BYTES, example, submit
from dashboard.controls.uncertainty_policy import read_rows
from engine.errors import ConfigError, DataError
from engine.result import DatasetInfo, RunResult
from engine.runs import Run, read_run, write_run
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.editor import Editor, open_editor
from engine.uncertainty.policy import export_policy, policy_text, read_policy
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

SLIDERS = [f"uncertainty-slider-{number}" for number in (1, 2, 3)]


def page() -> None:
    from dashboard.views import uncertainty

    uncertainty.render()


@pytest.fixture(scope="module")
def result() -> RunResult:
    frame = simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3))
    info = DatasetInfo(name="made-up", origin="simulated", data_id="0" * 8)
    return run(load(frame, info=info), UncertaintyConfig(resamples=20, buckets=3))


@pytest.fixture
def stored(runs: Path, result: RunResult) -> Run:
    return read_run(write_run(result, runs / "uncertainty-one", command=["python", "-m", "engine"]))


@pytest.fixture
def editor(stored: Run) -> Editor:
    return open_editor(stored.curve("cells"), stored.curve("edges"), "given")


def opened(tab: str = "") -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    if tab:
        app.query_params["uncertainty-tab"] = tab
    return app.run()


def cuts_of(app: AppTest) -> list[int]:
    return [app.select_slider(key=key).value for key in SLIDERS]


def in_mode(app: AppTest, mode: str) -> AppTest:
    return app.segmented_control(key="uncertainty-mode").set_value(mode).run()


def test_any_precision_is_held_when_one_threshold_moves(stored: Run, editor: Editor) -> None:
    app = in_mode(opened(), "precision")
    app.number_input(key="uncertainty-aim").set_value(0.37).run()
    assert cuts_of(app) == editor.snap("mist", 0.37)
    app.select_slider(key=SLIDERS[0]).set_value(5).run()
    assert not app.exception and cuts_of(app) == editor.snap("mist", 0.37, locks={0: 5})
    assert editor.decide(cuts_of(app), "tune").precision[0] >= 0.37


def test_a_locked_threshold_stays_when_the_others_are_solved_again(stored: Run, editor: Editor) -> None:
    app = opened()
    app.select_slider(key=SLIDERS[2]).set_value(4).run()
    app.toggle(key="uncertainty-lock-3").set_value(True).run()
    assert app.button(key="uncertainty-snap").label == "Re-solve"
    app.button(key="uncertainty-snap").click().run()
    target = sorted(stored.curve("boundaries")["target"].unique())[0]
    assert cuts_of(app) == editor.snap("mist", target, locks={2: 4}) and cuts_of(app)[2] == 4
    app.select_slider(key="uncertainty-all").set_value(9).run()
    assert cuts_of(app) == [9, 9, 4]


def test_a_lock_that_breaks_the_precision_is_said_and_the_others_stay(stored: Run, editor: Editor) -> None:
    app = in_mode(opened(), "precision")
    app.number_input(key="uncertainty-aim").set_value(0.9).run()
    before, everything = cuts_of(app), editor.layout.shape[1]
    app.select_slider(key=SLIDERS[1]).set_value(everything).run()
    assert cuts_of(app) == [before[0], everything, before[2]]
    assert any("The other thresholds stay" in error.value for error in app.error)


def test_a_budget_is_kept_on_the_tuning_rows_and_given_as_a_share_too(stored: Run, editor: Editor) -> None:
    app = in_mode(opened(), "budget")
    app.number_input(key="uncertainty-budget-share").set_value(5.0).run()
    rows = sum(editor.bucket_rows("tune"))
    assert app.number_input(key="uncertainty-budget").value == rows // 20
    assert cuts_of(app) == editor.fill("mist", rows // 20)
    assert editor.decide(cuts_of(app), "tune").selected <= rows // 20


def test_a_price_places_every_threshold_where_it_pays(stored: Run, editor: Editor) -> None:
    app = in_mode(opened(), "cost")
    app.number_input(key="uncertainty-value").set_value(3.0).run()
    assert cuts_of(app) == editor.weigh(value=3.0, cost=1.0)
    assert any("25.0 %" in caption.value for caption in app.caption)


def test_typed_thresholds_and_sliders_that_lag_behind_move_nothing_back(
    stored: Run, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser sends the old places of all widgets with a key that comes before the answer to the last one."""
    monkeypatch.setattr(threshold_moves, "ANSWER_SECONDS", 1e6)
    app = opened()
    start = cuts_of(app)
    app.select_slider(key="uncertainty-all").set_value(9).run()
    app.select_slider(key="uncertainty-all").set_value(10)
    app.select_slider(key=SLIDERS[0]).set_value(start[0])
    app.text_input(key="uncertainty-entry-2").set_value(editor.labels[start[1]])
    app.run()
    assert not app.exception and cuts_of(app) == [10, 10, 10]


def test_moves_are_taken_back_and_made_again(stored: Run) -> None:
    app = opened()
    start = cuts_of(app)
    assert app.button(key="uncertainty-undo").disabled
    app.select_slider(key=SLIDERS[0]).set_value(5).run()
    app.select_slider(key=SLIDERS[1]).set_value(6).run()
    moved = cuts_of(app)
    app.button(key="uncertainty-undo").click().run()
    app.button(key="uncertainty-undo").click().run()
    assert cuts_of(app) == start and app.button(key="uncertainty-undo").disabled
    app.button(key="uncertainty-redo").click().run()
    app.button(key="uncertainty-redo").click().run()
    assert cuts_of(app) == moved
    app.button(key="uncertainty-reset").click().run()
    assert cuts_of(app) == start


def test_a_typed_threshold_goes_to_the_nearest_bin_and_nonsense_is_refused(stored: Run, editor: Editor) -> None:
    app = opened()
    app.text_input(key="uncertainty-entry-2").set_value("0.5").run()
    wanted = min(range(1, editor.layout.shape[1]), key=lambda cut: abs(editor.thresholds[cut] - 0.5))
    assert cuts_of(app)[1] == wanted
    app.text_input(key="uncertainty-entry-2").set_value("high").run()
    assert cuts_of(app)[1] == wanted and any("is no threshold" in error.value for error in app.error)
    assert app.text_input(key="uncertainty-entry-2").value == editor.labels[wanted]


def test_a_cell_of_the_matrix_shows_its_rows_and_is_kept_as_a_cohort(stored: Run, editor: Editor) -> None:
    app = opened()
    found = editor.decide(cuts_of(app), "test")
    app.button(key="uncertainty-cell-false_positive").click().run()
    assert any(f"n {found.false_positive:,}** test rows" in element.value for element in app.markdown)
    assert (app.dataframe[0].value["Label"] == 0).all() and len(app.dataframe[0].value) <= 200
    app.text_input(key="uncertainty-cohort-name").set_value("wrongly shown").run()
    app.button(key="uncertainty-keep").click().run()
    assert app.table[0].value["Cohort"].tolist() == ["wrongly shown"]
    assert app.table[0].value["n"].tolist() == [found.false_positive]


def test_a_score_without_stored_rows_shows_counts_and_says_so(stored: Run) -> None:
    app = opened()
    app.selectbox(key="uncertainty-scorer").select("rate_all_matched").run()
    app.button(key="uncertainty-cell-true_positive").click().run()
    assert not app.exception and not app.dataframe
    assert any("shows its counts only" in info.value for info in app.info)


def test_the_frontier_is_drawn_or_its_absence_explained(stored: Run) -> None:
    app = opened()
    app.segmented_control(key="uncertainty-picture").set_value("frontier").run()
    names = {trace.get("name") for chart in app.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]}
    assert {"MIST", "One threshold", "Exact program", "Bound for any boundary", "Your boundary"} <= names
    manifest = json.loads((stored.folder / "manifest.json").read_text())
    manifest["curves"].remove("frontier")
    manifest["created"] += " again"
    (stored.folder / "manifest.json").write_text(json.dumps(manifest))
    cache.forget_list()
    app.run()
    assert not app.exception and any("before frontiers were kept" in info.value for info in app.info)


def test_a_policy_that_was_taken_away_is_judged_on_new_rows(stored: Run, editor: Editor) -> None:
    app = opened("Policy")
    assert not app.exception
    code = next(element.value for element in app.code)
    assert "def select(score, uncertainty)" in code
    target = sorted(stored.curve("boundaries")["target"].unique())[0]
    policy = export_policy(stored, scorer="given", method="mist", target=target)
    assert read_policy(policy_text(policy)) == policy
    app.file_uploader(key="policy-file").set_value(("p.json", policy_text(policy).encode(), "application/json")).run()
    app.file_uploader(key="policy-rows").set_value(("n.csv", example(), "text/csv")).run()
    assert not app.exception
    told = [*app.success, *app.error, *app.warning, *app.info]
    assert any("recision on the new rows" in element.value for element in told)
    app.file_uploader(key="policy-rows").set_value(("n.csv", b"a,b\n1,2\n", "text/csv")).run()
    assert any("label, score and uncertainty are needed" in error.value for error in app.error)
    app.file_uploader(key="policy-file").set_value(("p.json", b"{}", "application/json")).run()
    assert any("no threshold file" in error.value for error in app.error)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00", b"a,b\n", b"label,score\n"])
def test_files_that_are_no_rows_are_refused(content: bytes) -> None:
    for is_parquet in (True, False):
        with pytest.raises(DataError):
            read_rows(content, is_parquet=is_parquet)


def test_own_scores_become_a_run_and_the_file_is_gone(runs: Path) -> None:
    job = submit(example(), is_parquet=False)
    assert len(list(uploads.uploads_folder().glob("*/own-scores.csv"))) == 1
    assert (uploads.uploads_folder().stat().st_mode & 0o077) == 0
    while (found := jobs.status(job)) is not None and found.state == "running":
        time.sleep(0.2)
    assert found is not None and found.state == "done", found
    assert list(uploads.uploads_folder().glob("*")) == []
    assert read_run(runs / found.run_id).manifest["dataset"]["rows"]["rows"] == 2000
    app = opened()
    assert not app.exception and app.title[0].value == "How far may a score be trusted?"


def test_a_bad_file_gets_the_sentence_of_the_command_and_is_removed(runs: Path) -> None:
    job = submit(b"label,score\n1,0.5\n", is_parquet=False)
    while (found := jobs.status(job)) is not None and found.state == "running":
        time.sleep(0.2)
    assert found is not None and found.state == "failed" and "uncertainty" in found.message
    assert str(runs) not in found.message and list(uploads.uploads_folder().glob("*")) == []


def test_a_file_that_is_too_large_is_not_kept(runs: Path) -> None:
    with pytest.raises(ConfigError, match="at most 50 MB"):
        submit(b"0" * (MOST_BYTES + 1), is_parquet=False)
    assert not uploads.uploads_folder().exists()


def test_nothing_outside_the_folder_of_given_files_is_removed(runs: Path) -> None:
    path = runs / "other" / "kept.csv"
    path.parent.mkdir()
    path.write_text("x")
    uploads.discard(path)
    assert path.exists()
