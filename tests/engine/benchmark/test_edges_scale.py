"""Simulated edges at ten thousand rows: pandas and networkx count the same pairs and degrees."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.benchmark import edges_scale as scale
from engine.benchmark.scale_subject import difference


@pytest.fixture(scope="module")
def folder(scale_data):
    return scale_data(scale, 10_000, block=4000)


def test_blocks_hold_all_edges_and_none_leads_to_its_source(folder):
    parts = [pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))]
    assert [len(part) for part in parts] == [4000, 4000, 2000]
    edges = pd.concat(parts)
    assert (edges["source"] != edges["target"]).all() and edges.max().max() < 1000
    assert edges["source"].value_counts().iloc[0] > 100


def test_pandas_and_networkx_find_our_counts(folder):
    ours = scale.pairs(folder)
    total = ours["totals"].set_index("what")["count"]
    assert total["rows"] == 10_000 and total["mutual_pairs"] > 500
    for theirs in (scale.by_pandas(folder), scale.by_networkx(folder)):
        assert {name: difference(ours[name], theirs[name], keys) for name, keys in scale.SUBJECT.keys.items()} == {
            "totals": 0,
            "degrees": 0,
        }


def test_all_count_by_hand(tmp_path):
    # 0 -> 1 twice, 1 -> 0, 1 -> 2: three edges, two pairs, one of them mutual; 2 leads nowhere.
    pd.DataFrame({"source": [0, 0, 1, 1], "target": [1, 1, 0, 2]}).to_parquet(tmp_path / "part.parquet")
    for answer in (scale.pairs(tmp_path), scale.by_pandas(tmp_path), scale.by_networkx(tmp_path)):
        assert answer["totals"]["count"].tolist() == [4, 3, 2, 1]
        found = answer["degrees"].sort_values(["side", "degree"]).to_numpy().tolist()
        assert found == [["into", 1, 3], ["out", 0, 1], ["out", 1, 1], ["out", 2, 1]]
