"""The benchmark in words for a reader."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.benchmark.summary import SUMMARY_COLUMNS
from engine.benchmark.table import COLUMNS, by_segment, headline, markdown


def row(method, metric, value, *, baseline="", statistic="value", segment="all"):
    """Return one figure, with an interval of 0.01 to either side."""
    return ("g", method, baseline, statistic, segment, metric, value, value - 0.01, value + 0.01, 1234, 5)


@pytest.fixture
def summary() -> pd.DataFrame:
    """Return two methods, with a segment and a metric that the table leaves out."""
    rows = [
        row("dual", "hit_rate_at_10", 0.45678),
        row("hope", "hit_rate_at_10", 0.3),
        row("hope", "hit_rate_at_5", 0.2),
        row("hope", "hit_rate_at_10", 0.9, segment="mutual"),
        row("degree_head", "direction_auc", 0.95),
        row("dual", "direction_auc", 0.9),
        row("dual", "seconds", 12.4),
        row("dual", "direction_auc", -0.05, baseline="degree_head", statistic="difference"),
        row("dual", "direction_auc", 0.94, baseline="degree_head", statistic="ratio"),
        row("dual", "hit_rate_at_10", 1.5226, baseline="hope", statistic="ratio"),
        row("dual", "hit_rate_at_10", 0.15678, baseline="hope", statistic="difference"),
        row("paper", "hit_rate_at_10", 0.2, baseline="hope", statistic="ratio"),
    ]
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def test_the_table_has_a_row_per_method_with_intervals_and_the_best_in_bold(summary):
    lines = markdown(summary).splitlines()
    assert lines[0] == "**g** · 5 splits · 1,234 query nodes · 1,234 with one-way test edges, for direction"
    assert lines[2] == f"| method | {' | '.join(COLUMNS.values())} |"
    assert lines[4] == (
        "| Dual embeddings (ours) | **0.457** [0.447, 0.467] | – | – | – | 0.900 [0.890, 0.910] | – | 12 | – |"
    )
    assert lines[5] == "| HOPE | 0.300 [0.290, 0.310] | – | – | – | – | – | – | – |"
    assert lines[6] == "| Degrees only | – | – | – | – | **0.950** [0.940, 0.960] | – | – | – |"


def test_below_the_table_stands_what_ours_comes_to_against_the_best_peer(summary):
    assert markdown(summary).splitlines()[8:] == [
        "- Dual embeddings (ours), HitRate@10: ×1.523 [1.513, 1.533] of HOPE",
        "- Dual embeddings (ours), Direction AUC: −0.050 [-0.060, -0.040] to Degrees only",
    ]


def test_a_figure_of_a_small_result_file_gives_the_same_table(summary, tmp_path):
    headline(summary).to_csv(tmp_path / "graph.csv", index=False)
    stored = pd.read_csv(tmp_path / "graph.csv", keep_default_na=False, na_values=[""]).fillna({"baseline": ""})
    assert markdown(stored) == markdown(summary)
    assert set(stored["segment"]) == {"all"} and "hit_rate_at_5" not in set(stored["metric"])


def test_segments_without_a_value_are_left_out_and_each_has_its_number_of_queries(summary):
    empty = pd.DataFrame(
        [row("hope", "hit_rate_at_10", float("nan"), segment="in_degree:32+")], columns=summary.columns
    )
    lines = by_segment(pd.concat([summary, empty])).splitlines()
    assert lines[2] == "| method | all (n 1,234) | mutual (n 1,234) |"
    assert lines[4:] == [
        "| Dual embeddings (ours) | 0.457 [0.447, 0.467] | – |",
        "| HOPE | 0.300 [0.290, 0.310] | 0.900 [0.890, 0.910] |",
    ]


def test_a_metric_of_few_units_has_no_best_and_decides_nothing(summary):
    text = markdown(summary.assign(n=summary["n"].where(summary["metric"] != "direction_auc", 12)))
    assert "**0.950**" not in text and "0.950 [0.940, 0.960]" in text and "12 with one-way test edges" in text
    assert text.endswith("−0.050 [-0.060, -0.040] to Degrees only (n 12, too few to say)")
