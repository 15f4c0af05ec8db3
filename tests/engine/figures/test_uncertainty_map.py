"""The map shows the value of every cell, and the boundary where its table puts it."""

import numpy as np
import pandas as pd
import pytest

from engine.figures.theme import METHOD_LABEL, VERMILION
from engine.figures.uncertainty_map import decision_map

NAMES = ["1 of 2 · most certain", "2 of 2 · least certain"]


def cells():
    """Two buckets by three columns; one cell is empty and one holds few rows."""
    n, positives = np.array([100, 50, 10, 80, 0, 40]), np.array([10, 20, 8, 4, 0, 30])
    rate = np.divide(positives, n, out=np.full(6, np.nan), where=n > 0)
    return pd.DataFrame(
        {
            "bucket": [0, 0, 0, 1, 1, 1],
            "column": [0, 1, 2] * 2,
            "score_low": [0.0, 0.2, 0.5] * 2,
            "score_high": [0.2, 0.5, 1.0] * 2,
            "n": n,
            "positives": positives,
            "rate": rate,
            "ci_low": rate - 0.05,
            "ci_high": rate + 0.05,
            "bias": rate - np.array([0.1, 0.3, 0.7] * 2),
        }
    )


LINES = pd.DataFrame(
    {
        "boundary": ["edited"] * 4 + ["single_threshold"] * 4,
        "level": [0, 1, 1, 2] * 2,
        "column": [1.0, 1.0, 2.5, 2.5, 2.0, 2.0, 2.0, 2.0],
        "label": ["0.20", "0.20", "0.75", "0.75"] + ["0.50"] * 4,
    }
)


def trace(figure, kind, name=None):
    return next(t for t in figure.data if t.type == kind and (name is None or (t.name or "").startswith(name)))


def written(figure):
    return next(t for t in figure.data if t.type == "scatter" and t.mode == "text")


@pytest.mark.parametrize("shown", ["rate", "n", "bias"])
def test_every_cell_has_the_value_of_the_table(shown):
    heatmap = trace(decision_map(cells(), LINES, names=NAMES, shown=shown), "heatmap")
    drawn = np.array([[np.nan if value is None else value for value in row] for row in heatmap.z], dtype=float)
    np.testing.assert_allclose(drawn, cells()[shown].to_numpy(float).reshape(2, 3))


def test_cells_are_written_with_brackets_for_few_rows_and_a_dash_for_none():
    figure = decision_map(cells(), LINES, names=NAMES)
    texts = written(figure)
    assert list(texts.text) == ["10 %", "40 %", "(80 %)", "5 %", "–", "75 %"]
    assert list(texts.x) == [0.5, 1.5, 2.5] * 2 and list(texts.y) == [0.5] * 3 + [1.5] * 3


@pytest.mark.parametrize(("part", "text"), [(10, "1.0 %"), (100, "0.10 %")])
def test_rare_positives_are_told_apart(part, text):
    table = cells()
    columns = ["positives", "rate", "ci_low", "ci_high", "bias"]
    rare = table.assign(positives=1, **{name: table[name] / part for name in columns[1:]}, n=20 * part)
    assert written(decision_map(rare, LINES, names=NAMES)).text[0] == text


def test_bias_is_written_with_its_sign_and_counts_with_separators():
    table = cells().assign(n=[1200, 50, 30, 80, 0, 40])
    counts = written(decision_map(table, LINES, names=NAMES, shown="n"))
    assert counts.text[0] == "1,200"
    bias = written(decision_map(table, LINES, names=NAMES, shown="bias"))
    assert list(bias.text) == ["+0", "+10", "+10", "-5", "–", "+5"]


def test_boundaries_run_through_their_points_and_the_edited_one_is_strong():
    figure = decision_map(cells(), LINES, names=NAMES)
    mine, other = trace(figure, "scatter", "Your boundary"), trace(figure, "scatter", METHOD_LABEL["single_threshold"])
    assert list(mine.x) == [1.0, 1.0, 2.5, 2.5] and list(mine.y) == [0, 1, 1, 2]
    assert list(other.x) == [2.0] * 4
    assert mine.line.color == VERMILION and other.line.dash == "dash" and mine.line.width > other.line.width


def test_score_edges_stand_at_the_columns_and_buckets_from_top_to_bottom():
    layout = decision_map(cells(), LINES, names=NAMES).layout
    assert list(layout.xaxis.tickvals) == [0, 1, 2, 3] and list(layout.xaxis.ticktext) == ["0", "0.20", "0.50", "1.0"]
    assert list(layout.yaxis.range) == [2, 0] and list(layout.yaxis.ticktext) == [
        "Uncertainty 1 of 2<br>most certain",
        "Uncertainty 2 of 2<br>least certain",
    ]


def test_bias_colours_are_symmetric_around_zero():
    heatmap = trace(decision_map(cells(), LINES, names=NAMES, shown="bias"), "heatmap")
    assert heatmap.zmin == -heatmap.zmax


def test_the_hover_names_positives_rows_and_interval():
    heatmap = trace(decision_map(cells(), LINES, names=NAMES), "heatmap")
    assert "10 of 100 positive" in heatmap.customdata[0][0] and "[0.0500, 0.150]" in heatmap.customdata[0][0]


def test_an_empty_table_is_said():
    figure = decision_map(cells().iloc[:0], LINES, names=NAMES)
    assert not figure.data and "no counts" in figure.layout.annotations[0].text


def test_numbers_are_dark_on_a_light_page_and_white_on_a_dark_one():
    inks = [written(decision_map(cells(), LINES, names=NAMES, dark=dark)).textfont.color for dark in (False, True)]
    assert inks == ["#1B2430", "#FFFFFF"]
