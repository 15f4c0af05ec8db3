"""What leans beyond a fair coin, by hand-computed coins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.graph.described_lean import lean_table, named_nodes, named_pairs


def counted(**columns: list[int]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_a_fair_coin_leans_as_often_as_its_exact_chance():
    """Of 6 trials only 0 and 6 heads lean: 2 of 64; of 4 only 0 and 4, 2 of 16."""
    table = lean_table(
        counted(trials=[4, 6], n=[160, 64], to_first=[10, 1], to_second=[10, 1], total=[640, 384], larger=[400, 250]),
        "pairs",
    ).set_index("bucket")
    assert table.loc["3–4", "expected"] == pytest.approx(2 / 16) and table.loc["3–4", "value"] == 20 / 160
    assert table.loc["5–9", "expected"] == pytest.approx(2 / 64)
    # Mean of the larger side of 6: (6·2 + 5·12 + 4·30 + 3·20) / 64.
    assert table.loc["5–9", "expected_larger"] == pytest.approx(252 / 64 / 6)
    assert table.loc["5–9", "larger"] == pytest.approx(250 / 384)
    assert table.loc["all", "n"] == 64
    drawn = table.dropna(subset=["value"])
    assert drawn.index.tolist() == ["all", "3–4", "5–9"]
    assert (drawn["ci_low"] <= drawn["value"]).all() and (drawn["value"] <= drawn["ci_high"]).all()


def test_drawn_coins_lean_as_expected():
    heads = np.random.default_rng(0).binomial(24, 0.5, 40_000)
    z = (2 * heads - 24) / np.sqrt(24)
    first, second = int((z > 1.96).sum()), int((z < -1.96).sum())
    larger = int(np.maximum(heads, 24 - heads).sum())
    row = lean_table(
        counted(trials=[24], n=[40_000], to_first=[first], to_second=[second], total=[960_000], larger=[larger]), "x"
    ).iloc[0]
    assert row["ci_low"] < row["expected"] < row["ci_high"]
    assert row["larger"] == pytest.approx(row["expected_larger"], abs=2e-3)


def test_many_trials_take_the_normal_limit_and_none_give_no_share():
    table = lean_table(
        counted(trials=[1001], n=[10], to_first=[3], to_second=[0], total=[40_000], larger=[21_000]), "pairs"
    )
    assert table["bucket"].tolist()[-1] == "1,001+" and table["expected"].iloc[-1] == 0.05
    assert table["expected_larger"].iloc[-1] == pytest.approx(0.5 + 1 / np.sqrt(2 * np.pi * 4000))
    empty = lean_table(counted(trials=[], n=[], to_first=[], to_second=[], total=[], larger=[]), "pairs")
    assert empty["n"].tolist() == [0] and np.isnan(empty["value"].iloc[0])


def test_a_listed_pair_points_from_the_node_seen_more_often():
    rows = pd.DataFrame({"low": ["a", "c"], "high": ["b", "d"], "there": [2, 3], "back": [8, 0], "order": [1.0, 0.5]})
    found = named_pairs({"lean": rows})
    assert found[["source", "target"]].to_numpy().tolist() == [["b", "a"], ["c", "d"]]
    assert found[["seen", "back_seen", "share", "ratio"]].iloc[0].tolist() == [8, 2, 0.8, pytest.approx(4.0)]
    # Wilson's interval of 8 of 10 is [0.490, 0.943].
    assert found[["ci_low", "ci_high"]].iloc[0].round(3).tolist() == [0.49, 0.943]
    assert found["ratio_low"].iloc[0] == pytest.approx(0.4902 / 0.5098, rel=1e-3)
    assert found["ratio"].iloc[1] == np.inf and found["ratio_high"].iloc[1] == np.inf
    assert named_pairs({}).empty


def test_a_list_by_weight_points_along_the_larger_weight():
    rows = pd.DataFrame(
        {
            "low": [1],
            "high": [2],
            "there": [5],
            "back": [1],
            "there_weight": [1.0],
            "back_weight": [9.0],
            "order": [10.0],
        }
    )
    found = named_pairs({"weight": rows}).iloc[0]
    assert (found["source"], found["target"], found["weight"], found["back_weight"]) == ("2", "1", 9.0, 1.0)
    assert (found["seen"], found["back_seen"]) == (1, 5)


def test_listed_nodes_carry_the_share_of_their_side():
    rows = pd.DataFrame({"node": ["x"], "out": [12], "into": [4], "mutual": [2], "order": [2.3]})
    found = named_nodes({"out": rows, "in": rows})
    assert found["n"].tolist() == [12, 12]
    assert found["share"].tolist() == [pytest.approx(10 / 12), pytest.approx(2 / 12)]
