"""What is said of the asymmetries of a graph: of the edges without one first, where they are most."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard import cache
from dashboard.controls import graph_explain
from engine.runs import Run


def shares(**edges: int) -> pd.DataFrame:
    """Return a table as `explanation_summary` makes it."""
    table = pd.DataFrame({"explanation": list(edges), "edges": list(edges.values())})
    n = int(table["edges"].sum())
    share = table["edges"] / n
    return table.assign(share=share, ci_low=share - 0.01, ci_high=share + 0.01, n=n)


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        (
            {"popularity": 12, "none": 988},
            "**Most edges have no asymmetry to explain**: 0.988 [0.978, 0.998] · n 1,000 edges; "
            "popularity carries 12 of the others. ",
        ),
        (
            {"popularity": 600, "none": 400},
            "**Popularity** carries the asymmetry of most edges: 0.600 [0.590, 0.610] · n 1,000 edges. ",
        ),
        (
            {"popularity": 100, "season": 350, "time_order": 50, "rest": 80, "none": 420},
            "**Season** carries the asymmetry of more edges than any other explanation: 0.350 [0.340, 0.360] · n 1,000 "
            "edges. An order in time carries 50 of 1,000 edges.",
        ),
    ],
)
def test_the_largest_share_is_named_without_claiming_more(
    stored: Run, monkeypatch: pytest.MonkeyPatch, edges: dict[str, int], words: str
) -> None:
    monkeypatch.setattr(cache, "derived", lambda run, what, make: shares(**edges))
    assert graph_explain.sentence(stored).startswith(words)
