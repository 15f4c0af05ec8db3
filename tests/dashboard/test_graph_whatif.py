"""The question what an edge changes is asked on the page and answered before and after."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.controls import graph_whatif
from dashboard.controls.graph_review_text import chance
from engine.graph import whatif
from engine.graph.explore import Scene
from engine.runs import Run

OTHER, WAY = "graph-whatif-other", "graph-whatif-way"


def page() -> None:
    from dashboard.views import graph as view

    view.render()


def opened(**params: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["graph-detail"] = "What if"
    for key, value in params.items():
        app.query_params[key.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def cards(app: AppTest) -> dict[str, str]:
    """Return the figures of the tab by their labels."""
    return {card.label: card.value for card in app.metric if "way" in card.label}


def evidence(app: AppTest) -> pd.DataFrame:
    (table,) = [table.value for table in app.dataframe if "Difference" in table.value.columns]
    return table.set_index("What")


def test_an_edge_is_added_and_its_change_shown_in_both_directions(stored: Run, shown: Scene) -> None:
    encoded = whatif.opened(stored)
    node, other = 5, int(whatif.first_targets(encoded, 5, 1)[0])
    app = opened(graph_node=shown.names[node], graph_whatif_other=shown.names[other])
    _, before, after = whatif.changed(encoded, node, other)
    expected = whatif.model_table(before, after, node, other).set_index(["quantity", "way"])["after"]
    shown_cards = cards(app)
    assert shown_cards["Score this way"] == f"{expected['score', 'forward']:.2f}"
    assert shown_cards["Points this way"] == chance(expected["direction", "forward"])
    assert shown_cards["Rank the other way"] == graph_whatif.shown_value("rank", expected["rank", "backward"])
    assert any("Adding the edge" in text.value for text in app.markdown)
    assert any("No retraining" in text.value for text in app.markdown)
    assert evidence(app).loc["Edge this way"].tolist() == [0, 1, 1]


def test_turning_the_edge_round_asks_about_the_reversal(stored: Run, shown: Scene) -> None:
    encoded = whatif.opened(stored)
    source, target = encoded.edges[:, 0].tolist()
    app = opened(graph_node=shown.names[source], graph_whatif_other=shown.names[target])
    assert any("Dropping the training edge" in text.value for text in app.markdown)
    assert evidence(app).loc["Edge this way"].tolist() == [1, 0, -1]
    before = cards(app)
    app.segmented_control(key=WAY).set_value("backward").run()
    assert not app.exception and cards(app) != before
    assert evidence(app).loc["Edge the other way", "Before"] == 1


def test_a_node_cannot_be_its_own_other_end(stored: Run, shown: Scene) -> None:
    app = opened(graph_node=shown.names[5], graph_whatif_other=shown.names[5])
    assert any("two different nodes" in box.value for box in app.info) and not cards(app)


def test_an_other_end_of_another_run_gives_way_to_the_best_recommendation(stored: Run, shown: Scene) -> None:
    app = opened(graph_node=shown.names[5], graph_whatif_other="nobody")
    best = int(whatif.first_targets(whatif.opened(stored), 5, 1)[0])
    assert app.selectbox(key=OTHER).value == shown.names[best]


def test_a_run_that_cannot_answer_says_why(stored: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = stored.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"sampling": "full"', '"sampling": "adaptive"'))
    from dashboard import cache

    cache.forget_list()
    app = opened()
    assert any("at random" in box.value for box in app.info) and not cards(app)


def test_places_in_the_list_move_up_and_down(shown: Scene, stored: Run) -> None:
    encoded = whatif.opened(stored)
    best = whatif.first_targets(encoded, 5, 3).tolist()
    _, before, after = whatif.changed(encoded, 5, best[0])
    answer = graph_whatif.answer(stored, shown, encoded, (5, best[0]))
    table = answer.first
    assert table["Before"][0] == shown.names[best[0]] and shown.names[best[0]] not in set(table["After"])
    assert table["After"].tolist() == [shown.names[node] for node in whatif.first_targets(after, 5, graph_whatif.FIRST)]
    assert len(before.edges[0]) + 1 == len(after.edges[0])
    split = {(row.source, row.target): row.split for row in stored.curve("edges").itertuples()}.get((5, best[0]))
    assert answer.status == ("a held-out edge, which training never saw" if split == "test" else "no known edge")
    assert "new" in set(table["Moved"]), "the place that the added target leaves is taken by another"


@pytest.mark.parametrize(("earlier", "place", "said"), [(None, 1, "new"), (2, 2, ""), (5, 3, "▲ 2"), (1, 4, "▼ 3")])
def test_a_move_is_written_with_its_direction(earlier: int | None, place: int, said: str) -> None:
    assert graph_whatif._moved(earlier, place) == said


@pytest.mark.parametrize(
    ("quantity", "before", "after", "said"),
    [
        ("score", 1.0, 1.5, "+0.50"),
        ("score", 1.0, 0.996, "±0"),
        ("rank", 1200.0, 100.0, "−1,100"),
        ("rank", 3.0, 4.5, "+1.5"),
        ("rank", 3.0, 3.0, "±0"),
        ("direction", 0.9, 0.25, "−0.65"),
        ("direction", 0.9, 0.9001, "±0"),
    ],
)
def test_a_difference_has_a_sign(quantity: str, before: float, after: float, said: str) -> None:
    assert graph_whatif.difference(quantity, before, after) == said


@pytest.mark.parametrize(("value", "said"), [(0.0, "< 0.01"), (0.004, "< 0.01"), (0.5, "0.50"), (1.0, "> 0.99")])
def test_no_probability_is_written_as_certain(value: float, said: str) -> None:
    assert graph_whatif.shown_value("direction", value) == said


@pytest.mark.slow
def test_asking_loads_nothing_that_trains(stored: Run) -> None:
    program = f"""
import os, sys
os.environ["RECOMMENDER_LENS_RUNS"] = {str(stored.folder.parent)!r}
from streamlit.testing.v1 import AppTest
app = AppTest.from_string("from dashboard.views import graph; graph.render()", default_timeout=60)
app.query_params["graph-run"] = "graph-made"
app.query_params["graph-detail"] = "What if"
app.run()
assert not app.exception, app.exception
assert any(card.label == "Rank the other way" for card in app.metric)
print(sorted({{"torch", "scipy", "sklearn", "networkx"}} & set(sys.modules)))
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
