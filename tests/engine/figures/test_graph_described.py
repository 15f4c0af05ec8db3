"""Figures of a described graph show the numbers of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.figures.graph_described import degree_tails, node_balance, shares_by_bucket
from engine.figures.graph_pairs import pair_dots, replication_dots

HOSTILE = "<b>%{x}</b> $y$"


def shares(rows: int = 3) -> pd.DataFrame:
    values = np.linspace(0.2, 0.8, rows)
    return pd.DataFrame(
        {
            "bucket": ["1", "2", "3–4", "5–9", "10–19", "20–49", "50–99", "100–999", "1,000–9,999"][:rows],
            "value": values,
        }
        | {"ci_low": values - 0.1, "ci_high": values + 0.1, "expected": values / 2, "n": 12_345}
    )


def test_shares_stand_beside_what_chance_gives():
    table = shares()
    table.loc[1, ["ci_low", "ci_high"]] = np.nan
    figure = shares_by_bucket(table, x_title="x", y_title="y", chance="by chance")
    chance, found = figure.data
    assert chance.name == "by chance" and list(chance.y) == table["expected"].tolist()
    assert list(found.y) == table["value"].tolist()
    assert [found.error_y.array[0], found.error_y.array[1]] == [table["ci_high"][0] - table["value"][0], None]
    assert list(found.marker.symbol) == ["circle", "circle-open", "circle"]
    assert list(figure.layout.xaxis.ticktext) == ["1<br>n 12 k", "2<br>n 12 k", "3–4<br>n 12 k"]


def test_many_buckets_show_where_each_begins():
    figure = shares_by_bucket(shares(9), x_title="x", y_title="y", chance="by chance")
    assert list(figure.layout.xaxis.ticktext)[-3:] == ["50–", "100–", "1 k–"]


def test_a_chart_without_a_value_says_so():
    table = shares().assign(value=np.nan)
    figure = shares_by_bucket(table, x_title="x", y_title="y", chance="by chance")
    assert "Nothing to compare" in figure.layout.annotations[0].text and not figure.data


def test_nodes_stand_at_their_degrees_in_the_colour_of_their_side():
    nodes = pd.DataFrame(
        {"name": [HOSTILE, "b", "c"], "in_degree": [0, 9, 5], "out_degree": [8, 0, 5], "mutual_degree": [0, 0, 4]}
    ).assign(side=["out", "in", "none"])
    traces = {trace.name: trace for trace in node_balance(nodes).data if trace.name}
    assert traces["mostly points out · 1"].x[0] == 0.5 and traces["mostly points out · 1"].y[0] == 8
    assert list(traces["mostly points out · 1"].customdata[0]) == [HOSTILE]
    assert "<b>%" not in traces["mostly points out · 1"].text[0].removeprefix("<b>")
    colors = {name: trace.marker.color for name, trace in traces.items()}
    assert len(set(colors.values())) == 3


def test_tails_are_the_shares_of_both_degrees():
    table = pd.DataFrame(
        {"kind": ["out_degree"] * 2 + ["in_degree"] * 2, "degree": [0, 2, 1, 3], "nodes": [1, 3, 2, 2]}
    ).assign(share_at_least=[1.0, 0.75, 1.0, 0.5])
    out, into = degree_tails(table).data
    assert (list(out.x), list(out.y)) == ([2], [0.75]) and (list(into.x), list(into.y)) == ([1, 3], [1.0, 0.5])


def test_pairs_are_drawn_in_their_order_and_those_without_an_interval_are_hollow():
    table = pd.DataFrame(
        {"source": [HOSTILE, "c"], "target": ["b", "d"], "value": [0.9, 0.6], "ci_low": [0.8, np.nan]}
    ).assign(ci_high=[0.95, np.nan], text=["first", "second"])
    figure = pair_dots(table, axis_title="share", reference=0.5)
    assert [trace.x[0] for trace in figure.data] == [0.9, 0.6]
    assert [trace.marker.symbol for trace in figure.data] == ["circle", "circle-open"]
    assert figure.data[1].error_x.array is None and figure.layout.shapes[0].x0 == 0.5
    assert "%{" not in figure.layout.yaxis.ticktext[0] and "&lt;b&gt;" in figure.layout.yaxis.ticktext[0]
    assert "No pair" in pair_dots(table.head(0), axis_title="share", reference=0.5).layout.annotations[0].text


def test_replication_stands_beside_chance():
    table = pd.DataFrame(
        {"label": ["a", "b"], "value": [0.5, np.nan], "ci_low": [0.4, np.nan], "ci_high": [0.7, np.nan]}
    )
    table = table.assign(n=[30, 0], n_unit="pairs", by_chance=[0.0, 0.5])
    chance, found = replication_dots(table).data
    assert list(found.y) == ["a"] and list(found.x) == [0.5] and list(chance.x) == [0.0]
    assert "No pair has enough users" in replication_dots(table.tail(1)).layout.annotations[0].text
