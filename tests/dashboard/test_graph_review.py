"""A verdict given in the review is there after a reload, can be changed and undone, and counts."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from dashboard.controls import graph_review, graph_review_results, graph_review_text
from engine.graph.config import GraphConfig
from engine.graph.data import load
from engine.graph.review import PairKey, ReviewStore, current
from engine.graph.review_pairs import queue_of
from engine.graph.run import run
from engine.graph.simulate import SimulationConfig, simulate, simulate_nodes
from engine.result import DatasetInfo
from engine.runs import Run, read_run, write_run

HOSTILE = "![x](http://evil.example/x.png) <b>**bold**"
EVENTS = {
    "users": 40, "days_followed": 90, "days_preceded": 60, "reverse_days_followed": 60, "reverse_days_preceded": 90,
    "source_days": 300, "target_days": 240, "lift": 1.5, "reverse_lift": 1.1, "season_share": 0.02,
    "lift_first": 1.6, "lift_second": 1.4, "popularity": -0.22, "season": 0.01, "time_order": 0.4,
    "time_order_se": 0.1, "time_order_first": 0.5, "time_order_second": 0.3, "asymmetry_se": 0.1,
}  # fmt: skip


def page() -> None:
    from dashboard.controls import run_picker
    from dashboard.views import graph_review as view

    run = run_picker("graph")

    view.draw(run)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train in haste on a simulated graph with evidence of events; all nodes have hostile names."""
    config = SimulationConfig(groups=4, seed=1)
    nodes, edges = simulate_nodes(700, config), simulate(700, config)
    nodes["label"] = [f"{place} {HOSTILE}" for place in range(len(nodes))]
    edges = edges[["source", "target"]].assign(**EVENTS, direction_replicates=np.arange(len(edges)) % 2)
    info = DatasetInfo(name="made", origin="simulated", data_id="0" * 8, description="Made up.")
    settings = GraphConfig(epochs=4, dimension=8, negatives=32, resamples=30, methods=("dual", "single", "popularity"))
    result = run(load(edges, nodes=nodes, info=info), settings)
    return write_run(result, tmp_path_factory.mktemp("trained") / "graph-made", command=["python", "-m", "engine"])


@pytest.fixture
def stored(trained: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Put the trained run where the dashboard finds it."""
    monkeypatch.delenv("RECOMMENDER_LENS_REVIEWS", raising=False)
    shutil.copytree(trained, runs / "graph-made")
    return read_run(runs / "graph-made")


@pytest.fixture
def reviews(runs: Path) -> ReviewStore:
    return ReviewStore(runs / "reviews.sqlite")


def opened(**params: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    for key, value in params.items():
        app.query_params[key.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def on_desk(app: AppTest) -> str:
    return next(item.value for item in app.markdown if item.value.startswith("##### :blue"))


def progress(app: AppTest) -> str:
    return app.get("progress")[0].proto.text


def listed(app: AppTest) -> list[str]:
    return list(app.radio[0].options)


def order(stored: Run, queue: str = "asymmetric") -> pd.DataFrame:
    parts = graph_review.material(stored)
    return parts.names.loc[queue_of(parts.pairs, queue).index]  # type: ignore[arg-type]


def give(app: AppTest, verdict: str) -> AppTest:
    button(app, verdict).click().run()
    assert not app.exception
    return app


def button(app: AppTest, verdict: str) -> Button:
    """Return the button of a verdict on the pair on the desk."""
    return next(item for item in app.button if item.label == graph_review_text.VERDICT_WORD[verdict])


def test_without_a_name_no_verdict_can_be_given_and_the_page_says_why(stored: Run) -> None:
    app = opened()
    assert button(app, "right").disabled and app.button(key="review-undo").disabled
    assert any("Enter your name above" in item.value for item in app.caption)
    assert any("No verdict on this run yet" in item.value for item in app.info)
    app.text_input(key="review-name").set_value("Ann").run()
    assert not button(app, "right").disabled


def test_a_verdict_survives_a_reload_and_the_next_pair_comes_up(stored: Run, reviews: ReviewStore) -> None:
    app = opened(review_name="Ann")
    first, pairs = on_desk(app), order(stored)
    next(item for item in app.text_input if item.label == "Note").set_value("obvious")
    give(app, "right")
    assert on_desk(app) != first and progress(app).startswith(f"**1 of {len(pairs):,}** reviewed by Ann")
    (row,) = reviews.history().to_dict("records")
    assert (row["source"], row["target"]) == tuple(pairs.iloc[0])
    assert (row["run"], row["reviewer"], row["verdict"], row["note"]) == ("graph-made", "Ann", "right", "obvious")

    again = opened(review_name="Ann", review_show="Reviewed")
    assert on_desk(again) == first and len(listed(again)) == 1
    assert progress(again) == progress(app)
    assert button(again, "right").proto.type == "primary"


def test_a_verdict_can_be_changed_and_undone(stored: Run, reviews: ReviewStore) -> None:
    app = opened(review_name="Ann")
    first = on_desk(app)
    give(app, "right")
    app.button(key="review-previous").click().run()
    assert on_desk(app) == first
    give(app, "both")
    assert current(reviews.history())["verdict"].tolist() == ["both"]
    app.button(key="review-undo").click().run()
    assert on_desk(app) == first and current(reviews.history())["verdict"].tolist() == ["right"]
    app.button(key="review-undo").click().run()
    assert current(reviews.history()).empty and app.button(key="review-undo").disabled
    assert reviews.history()["verdict"].tolist() == ["right", "both", "withdrawn", "withdrawn"]


def test_only_open_pairs_are_shown_on_request_until_none_is_left(stored: Run, reviews: ReviewStore) -> None:
    pairs = order(stored)
    for source, target in pairs.iloc[1:].itertuples(index=False):
        reviews.record(PairKey(run="graph-made", source=source, target=target, reviewer="Ann"), "both")
    app = opened(review_name="Ann", review_show="To review")
    assert len(listed(app)) == 1
    give(app, "wrong")
    assert any("Every pair of this selection is reviewed" in item.value for item in app.info)
    assert not app.radio
    # What Ann has judged is open to Bo.
    app.text_input(key="review-name").set_value("Bo").run()
    assert len(listed(app)) == min(len(pairs), 12)


def test_filters_and_queues_follow_the_choice_and_come_back(stored: Run) -> None:
    app = opened(review_name="Ann")
    before = listed(app)
    parts = graph_review.material(stored)
    category = app.selectbox(key="review-category").options[1]
    app.selectbox(key="review-category").select(category).run()
    kept = queue_of(parts.pairs, "asymmetric", category=category)
    assert f"of {len(kept):,}" in app.radio[0].label and len(kept) < len(order(stored))
    app.selectbox(key="review-category").select("All categories").run()
    assert listed(app) == before
    app.number_input(key="review-score").set_value(1e6).run()
    assert any("No pair passes the filters" in item.value for item in app.info)
    app.number_input(key="review-score").set_value(None).run()
    app.number_input(key="review-support").set_value(1).run()
    assert f"of {int((queue_of(parts.pairs, 'asymmetric')['support'] >= 1).sum()):,}" in app.radio[0].label
    app.number_input(key="review-support").set_value(None).run()
    assert listed(app) == before


def test_pairs_that_do_not_replicate_are_those_of_the_evidence(stored: Run) -> None:
    app = opened(review_name="Ann", review_queue="Order not replicated")
    assert f"of {len(order(stored, 'not_replicated')):,}" in app.radio[0].label
    assert any("not the same in both halves" in item.value for item in app.markdown)


def test_every_method_of_the_run_gives_scores_and_ranks_both_ways(stored: Run) -> None:
    app = opened(review_name="Ann")
    table = app.dataframe[0].value
    assert len(table) == 3 and list(table.columns)[3:] == ["Score ⟶", "Score ⟵", "Rank ⟶", "Rank ⟵"]
    parts = graph_review.material(stored)
    assert parts.scores is not None
    pair = queue_of(parts.pairs, "asymmetric").iloc[0]
    own = parts.scores[(parts.scores["pair"] == pair.name) & (parts.scores["method"] == "dual")].iloc[0]
    assert own["score"] == pytest.approx(pair["score"], abs=0.02) and own["rank"] == pair["rank"]
    assert own["back_rank"] == pair["back_rank"]


def test_names_of_nodes_stay_text(stored: Run) -> None:
    app = opened(review_name="Ann")
    texts = [item.value for item in [*app.markdown, *app.caption]] + listed(app)
    assert sum(r"\!\[x\]\(http\:" in text for text in texts) > 10
    assert not any("![x]" in text or "<b>" in text or "**bold" in text for text in texts)


def test_other_verdicts_are_hidden_until_the_own_is_given(stored: Run, reviews: ReviewStore) -> None:
    source, target = order(stored).iloc[0]
    reviews.record(PairKey(run="graph-made", source=source, target=target, reviewer="B*o*"), "unrelated", "=1+1")
    app = opened(review_name="Ann")
    assert any("1 other verdict: shown once" in item.value for item in app.caption)
    assert not any("unrelated (" in item.value for item in app.caption)
    give(app, "right")
    app.button(key="review-previous").click().run()
    assert any(r"B\*o\*: unrelated" in item.value for item in app.caption)


def test_without_a_name_no_verdict_of_others_is_told(stored: Run, reviews: ReviewStore) -> None:
    source, target = order(stored).iloc[0]
    for reviewer, verdict in (("Ann", "right"), ("Bo", "unrelated")):
        reviews.record(PairKey(run="graph-made", source=source, target=target, reviewer=reviewer), verdict)
    app = opened()
    texts = [item.value for item in [*app.caption, *app.markdown]]
    assert any("2 other verdicts: shown once you have given yours" in text for text in texts)
    assert not any("Ann: right way" in text or "Bo: unrelated" in text for text in texts)


def test_precision_and_agreement_follow_the_verdicts(stored: Run, reviews: ReviewStore) -> None:
    pairs = order(stored)
    # Ann: right, right, wrong, both; Bo agrees on three and draws on the fourth.
    for reviewer, verdicts in (
        ("Ann", ["right", "right", "wrong", "both"]),
        ("Bo", ["right", "right", "wrong", "right"]),
    ):
        for (source, target), verdict in zip(pairs.head(4).itertuples(index=False), verdicts, strict=True):
            reviews.record(PairKey(run="graph-made", source=source, target=target, reviewer=reviewer), verdict)
    app = opened(review_name="Ann")
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Judged right, of all verdicts"] == values["Judged right, of right and wrong"] == "0.667"
    # p_o 0.75; p_e = right 0.5·0.75 + wrong 0.25·0.25 = 0.4375; kappa 0.5556.
    assert values["Cohen's κ"] == "0.556"
    # A table that wraps: no window is so narrow that it hides how many pairs stand behind the figure.
    agreement = app.table[-1].value
    assert agreement.index.tolist() == ["Ann – Bo"] and agreement.iloc[0, 0].endswith("· n 4")
    assert any("4 pairs judged by 2 reviewers: right way 2 · wrong way 1" in item.value for item in app.caption)


def test_the_file_holds_the_history_and_no_formula(stored: Run, reviews: ReviewStore) -> None:
    key = PairKey(run="graph-made", source="=cmd", target="b", reviewer="@Ann")
    reviews.record(key, "right", '=HYPERLINK("http://evil")')
    reviews.record(key, "wrong", "a,\nb")
    rows = list(csv.DictReader(io.StringIO(graph_review_results.export(stored).decode())))
    assert [row["is_current"] for row in rows] == ["no", "yes"]
    assert (rows[0]["source"], rows[0]["reviewer"]) == ("'=cmd", "'@Ann")
    assert rows[0]["note"] == '\'=HYPERLINK("http://evil")' and rows[1]["note"] == "a,\nb"
    assert rows[0]["time_utc"].endswith("+00:00")


def test_a_store_that_cannot_be_written_is_told_beside_the_buttons(stored: Run, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("RECOMMENDER_LENS_REVIEWS", str(tmp_path / "file" / "r.sqlite"))
    app = opened(review_name="Ann")
    first = on_desk(app)
    give(app, "right")
    assert any("cannot be written" in item.value for item in app.error) and on_desk(app) == first
    app.run()
    assert not app.error


def test_a_store_that_cannot_be_read_leaves_the_page_with_a_sentence(stored: Run, reviews: ReviewStore) -> None:
    reviews.path.write_bytes(b"no database" * 200)
    app = opened(review_name="Ann")
    assert any("not a database" in item.value for item in app.error)


def test_the_environment_names_the_store(stored: Run, reviews: ReviewStore, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOMMENDER_LENS_REVIEWS", str(tmp_path / "mine.sqlite"))
    give(opened(review_name="Ann"), "unrelated")
    assert len(ReviewStore(tmp_path / "mine.sqlite").history()) == 1 and not reviews.path.exists()


def test_a_run_without_scores_of_other_methods_says_so(stored: Run) -> None:
    manifest = stored.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"review_scores",\n', ""))
    app = opened(review_name="Ann")
    assert len(app.dataframe[0].value) == 1
    assert any("train it again to see them" in item.value for item in app.caption)
