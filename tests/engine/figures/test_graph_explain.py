"""Shares of explanations stand with their interval, time order in the strong colour."""

from __future__ import annotations

import pandas as pd

from engine.figures.graph_explain import explanation_shares
from engine.figures.theme import GREY, OURS

LABELS = {"popularity": "Popularity", "time_order": "Time order"}
TABLE = pd.DataFrame(
    {
        "explanation": ["popularity", "time_order"],
        "edges": [90, 10],
        "share": [0.9, 0.1],
        "ci_low": [0.8, 0.05],
        "ci_high": [0.95, 0.2],
        "n": [100, 100],
    }
)


def test_every_explanation_has_a_bar_with_its_interval_and_its_words():
    figure = explanation_shares(TABLE, labels=LABELS)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [(bar.y[0], bar.x[0]) for bar in bars] == [("Popularity", 0.9), ("Time order", 0.1)]
    assert [round(bar.error_x.array[0], 6) for bar in bars] == [0.05, 0.1]
    words = [trace.text[0].strip() for trace in figure.data if trace.type == "scatter"]
    assert words == ["90.0% [80.0%, 95.0%]", "10.0% [5.0%, 20.0%]"]
    assert figure.layout.xaxis.title.text == "Share of 100 edges"


def test_the_one_explanation_that_is_an_order_stands_out():
    bars = [trace for trace in explanation_shares(TABLE, labels=LABELS).data if trace.type == "bar"]
    assert [bar.marker.color for bar in bars] == [GREY, OURS]


def test_without_an_edge_a_sentence_stands_instead():
    assert explanation_shares(TABLE.iloc[:0], labels=LABELS).layout.annotations[0].text == "No edge to explain."
