"""Simulated events at ten thousand rows: the planted order is found, and pandas counts the same pairs."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.benchmark import events_scale as scale
from engine.benchmark.scale_subject import difference


@pytest.fixture(scope="module")
def folder(scale_data):
    return scale_data(scale, 10_000, block=4000)


def test_blocks_hold_all_events_of_users_of_their_own(folder):
    parts = [pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))]
    assert [len(part) for part in parts] == [4000, 4000, 2000]
    users = [set(part["user"]) for part in parts]
    assert not (users[0] & users[1]) and len(set.union(*users)) == pytest.approx(500, abs=5)
    assert all(part["time"].between(0, scale.DAYS - 1).all() and part["item"].max() < scale.ITEMS for part in parts)


def test_pandas_counts_the_same_pairs(folder):
    ours, theirs = scale.pairs(folder)["pairs"], scale.by_pandas(folder)["pairs"]
    assert len(ours) > 3 and (ours["users"] >= 15).all()
    assert difference(ours, theirs, ("source", "target")) == 0


def test_an_item_is_followed_by_the_next_and_not_by_the_one_before(folder):
    found = scale.pairs(folder)["pairs"].set_index(["source", "target"])
    best = found["followed"].idxmax()
    assert best[1] == best[0] + 1
    assert found.loc[best, "followed"] > 2 * found.loc[best, "preceded"]


def test_pandas_counts_by_hand(tmp_path):
    # In days 2 to 8 with windows of 2: 0 on day 3 is followed by 1 on day 5, not by 1 on day 9; 1 is preceded by 0.
    frame = pd.DataFrame({"user": 0, "item": [0, 1, 1, 0], "time": [3, 5, 9, 3]}).astype("int32")
    frame.to_parquet(tmp_path / "part.parquet")
    scale.tell(tmp_path, window=2, first_day=2, last_day=8, minimum_users=1)
    for answer in (scale.pairs(tmp_path), scale.by_pandas(tmp_path)):
        assert answer["pairs"].astype(int).to_numpy().tolist() == [[0, 1, 1, 0, 1]]
