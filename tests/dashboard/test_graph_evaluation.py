"""The evaluation of a graph run in words: how much the degrees tell, and what each chart shows."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.controls import graph_evaluation
from dashboard.layout import number
from engine.runs import Run, read_run


def changed(stored: Run, method: str, metric: str, value: float) -> Run:
    """Return the run with another value of a method on all test edges."""
    table = stored.metrics.copy()
    table.loc[(table["method"] == method) & (table["metric"] == metric) & (table["segment"] == "all"), "value"] = value
    table.to_parquet(stored.folder / "metrics.parquet", index=False)
    return read_run(stored.folder)


@pytest.mark.parametrize(
    ("head", "ours", "words"),
    [
        (0.974, 0.977, "Direction is mostly a degree task here"),
        (0.951, 1.0, "Direction is mostly a degree task here"),
        (0.949, 1.0, "Degrees do not tell it all here"),
        (0.9, 0.8, "Direction is mostly a degree task here"),
        (0.6, 0.4, "Direction is mostly a degree task here"),
    ],
)
def test_degrees_tell_most_from_nine_tenths_of_the_gain_on(stored: Run, head: float, ours: float, words: str) -> None:
    run = changed(changed(stored, "degree_head", "direction_auc", head), "dual", "direction_auc", ours)
    sentence = graph_evaluation.degree_sentence(run)
    assert (
        words in sentence and f"alone reach {number(head)} [" in sentence and f"together {number(ours)} [" in sentence
    )


@pytest.mark.parametrize("method", ["dual", "degree_head"])
def test_nothing_is_said_of_degrees_on_fewer_than_twenty_query_nodes(stored: Run, method: str) -> None:
    table = stored.metrics.copy()
    table.loc[(table["method"] == method) & (table["metric"] == "direction_auc"), "n"] = 3
    table.to_parquet(stored.folder / "metrics.parquet", index=False)
    sentence = graph_evaluation.degree_sentence(read_run(stored.folder))
    assert sentence.startswith("**Too few one-way test edges (n 3 query nodes) to say**") and "AUC" not in sentence


def test_what_the_embeddings_add_is_the_stored_paired_difference(stored: Run) -> None:
    table = stored.curve("differences").query("metric == 'direction_auc' and segment == 'all'")
    row = table[(table["method"] == "dual") & (table["baseline"] == "degree_head")].iloc[0]
    end = f"the embeddings add {number(row['value'])} [{number(row['ci_low'])}, {number(row['ci_high'])}]."
    assert graph_evaluation.degree_sentence(stored).endswith(end)


def test_without_the_degree_head_the_sentence_says_what_to_train(stored: Run) -> None:
    table = stored.metrics[stored.metrics["method"] != "degree_head"]
    table.to_parquet(stored.folder / "metrics.parquet", index=False)
    assert "Train the method *degree_head*" in graph_evaluation.degree_sentence(read_run(stored.folder))


def test_every_reading_of_the_direction_stands_beside_the_best_other_method(stored: Run) -> None:
    table = graph_evaluation.direction_readings(changed(stored, "hope", "direction_auc_embeddings", 0.987))
    told = stored.metrics.query("metric == 'direction_auc' and segment == 'all'").set_index("method")["value"]
    assert table["Our form"][0].startswith(f"{number(told['dual'])} [")
    assert table["Single embedding"][0].startswith(f"{number(told['single'])} [")
    assert table["Best other method"].iloc[-1].startswith("HOPE (Katz SVD) 0.987 [")
    assert table["Read from"].iloc[-1] == "Embeddings alone"


def test_the_alternative_text_names_the_leader_and_ours(stored: Run) -> None:
    text = graph_evaluation.method_alt(changed(stored, "cocitation", "hit_rate_at_10", 0.99), "hit_rate_at_10", "all")
    assert "Co-citation leads with 0.990; Dual embeddings (ours) " in text
    assert "nothing to ask" in graph_evaluation.method_alt(stored, "direction_auc", "mutual")


def test_the_alternative_text_of_edges_counts_those_that_score_higher_as_they_point() -> None:
    edges = pd.DataFrame(
        {
            "score": [2.0, 1.0, 0.0, 3.0],
            "back_score": [1.0, 1.0, 5.0, 0.0],
            "is_mutual": [False, False, False, True],
        }
    )
    assert graph_evaluation.asymmetry_alt(edges) == (
        "1 of 3 one-way edges and 1 of 1 mutual edges score higher than their reversals"
    )


def test_the_alternative_text_of_kept_promises_weighs_bins_by_their_edges() -> None:
    table = pd.DataFrame({"predicted": [0.6, 0.9, float("nan")], "observed": [0.5, 1.0, float("nan")], "n": [1, 3, 0]})
    assert graph_evaluation.reliability_alt(table) == "Promised on average 0.825, kept 0.875, over 4 test edges"
    assert graph_evaluation.reliability_alt(table.iloc[2:]) == "No one-way test edge"
