"""Bars and dots hold the values of their tables; names from data stay text."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from engine.figures.graph_review import category_dots, explanation_bars
from engine.figures.theme import GREY, OURS

LABELS = {"popularity": "Popularity", "season": "Season", "time_order": "Time order", "rest": "Rest"}


def terms(**values: float) -> pd.DataFrame:
    table = pd.DataFrame({"term": list(LABELS), "value": [values.get(term, np.nan) for term in LABELS]})
    order = table["term"] == "time_order"
    return table.assign(low=np.where(order, 0.1, np.nan), high=np.where(order, 0.9, np.nan))


def test_each_term_is_a_bar_and_the_carrier_has_the_colour() -> None:
    figure = explanation_bars(
        terms(popularity=-0.2, season=0.0, time_order=math.log(2), rest=0.1), labels=LABELS, carrier="time_order"
    )
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [(bar.y[0], bar.x[0]) for bar in bars] == [
        ("Popularity", -0.2), ("Season", 0.0), ("Time order", math.log(2)), ("Rest", 0.1),
    ]  # fmt: skip
    assert [bar.marker.color for bar in bars] == [GREY, GREY, OURS, GREY]
    assert bars[2].error_x.array[0] == 0.9 - math.log(2) and bars[0].error_x.array is None
    texts = [trace.text[0].strip() for trace in figure.data if trace.type == "scatter"]
    assert texts == ["× 0.819", "× 1.00", "× 2.00 [1.11, 2.46]", "× 1.11"]


def test_unknown_terms_are_left_out_and_none_at_all_is_said() -> None:
    figure = explanation_bars(terms(popularity=0.7), labels=LABELS, carrier=None)
    assert [trace.y[0] for trace in figure.data if trace.type == "bar"] == ["Popularity"]
    assert "No explanation" in explanation_bars(terms(), labels=LABELS, carrier=None).layout.annotations[0].text


def test_every_category_has_its_claimed_and_its_one_way_share() -> None:
    table = pd.DataFrame(
        {
            "category": ["all categories", "<b>x</b>", "x" * 60, "x" * 61],
            "value": [0.5, 0.25, 1.0, 0.0],
            "ci_low": [0.4, 0.1, 0.8, 0.0],
            "ci_high": [0.6, 0.5, 1.0, 0.2],
            "one_way": [0.9, 0.8, 0.7, 0.6],
            "n": [1200, 4, 20, 3],
        }
    )
    figure = category_dots(table)
    one_way, claimed = figure.data
    assert list(claimed.x) == [0.5, 0.25, 1.0, 0.0] and list(one_way.x) == [0.9, 0.8, 0.7, 0.6]
    np.testing.assert_allclose(claimed.error_x.array, [0.1, 0.25, 0.0, 0.2])
    np.testing.assert_allclose(claimed.error_x.arrayminus, [0.1, 0.15, 0.2, 0.0])
    labels = list(figure.layout.yaxis.ticktext)
    assert labels[:2] == ["all categories · n 1,200", "&lt;b&gt;x&lt;/b&gt; · n 4"]
    # Two names that are cut alike keep rows of their own.
    assert list(claimed.y) == [0, 1, 2, 3]
    assert "linked" in category_dots(table.iloc[:0]).layout.annotations[0].text
