"""The benchmark in two small tables."""

from __future__ import annotations

import pandas as pd

from engine.benchmark.digest import digest
from engine.benchmark.summary import SUMMARY_COLUMNS


def row(data, method, metric, value, *, baseline="", statistic="value", n=1234):
    """Return one figure, with an interval of 0.01 to either side."""
    return (data, method, baseline, statistic, "all", metric, value, value - 0.01, value + 0.01, n, 5)


def test_the_tables_show_every_ranking_and_ours_against_the_best_of_the_others():
    rows = [
        row("g", "dual", "hit_rate_at_10", 0.4),
        row("g", "hope", "hit_rate_at_10", 0.2),
        row("h", "hope", "hit_rate_at_10", 0.3),
        row("g", "dual", "direction_auc", 0.9, n=12),
        row("g", "degree_head", "direction_auc", 0.95, n=12),
        row("g", "dual", "hit_rate_at_10", 2.0, baseline="hope", statistic="ratio"),
        row("g", "dual", "hit_rate_at_10", 0.2, baseline="hope", statistic="difference"),
        row("g", "paper", "hit_rate_at_10", 0.1, baseline="hope", statistic="ratio"),
        row("g", "dual", "direction_auc", 0.947, baseline="degree_head", statistic="ratio", n=12),
        row("g", "dual", "direction_auc", -0.05, baseline="degree_head", statistic="difference", n=12),
    ]
    assert digest(pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))).splitlines() == [
        "| HitRate@10 | g | h |",
        "|---|---|---|",
        "| Dual embeddings (ours) | **0.400** [0.390, 0.410] | – |",
        "| HOPE | 0.200 [0.190, 0.210] | **0.300** [0.290, 0.310] |",
        "",
        "| data | metric | ours | best of the others | ours against it | n |",
        "|---|---|---|---|---|---|",
        "| g | HitRate@10 | 0.400 [0.390, 0.410] | HOPE 0.200 [0.190, 0.210] | ×2.00 [1.99, 2.01] | 1,234 |",
        "| g | Direction AUC | 0.900 [0.890, 0.910] | Degrees only 0.950 [0.940, 0.960] | −0.050 [-0.060, -0.040] "
        "| 12 (too few) |",
    ]
