"""The clicks without signal are stacked and coded as their script says."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

KEPT = Path(__file__).resolve().parents[1] / "engine" / "uncertainty" / "open_bandit.parquet"


@pytest.fixture(scope="module")
def build(script):
    return script("open_bandit")


def test_samples_are_stacked_and_user_features_become_codes(build, tmp_path):
    columns = "timestamp,item_id,position,click,user_feature_0,user_feature_1,user_feature_2,user_feature_3,extra"
    wheel = tmp_path / "obp.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for campaign in build.CAMPAIGNS:
            for policy in build.POLICIES:
                line = "2019-11-25 06:10:00.5+00:00,7,2,1,b,a,a,a,9"
                other = "2019-11-24 00:00:00+00:00,3,1,0,a,a,a,a,9"
                name = f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv"
                archive.writestr(name, "\n".join((columns, line, other)))
    table = build.impressions(build.raw_impressions(wheel))
    assert len(table) == 12 and table["label"].sum() == 6
    last = table.iloc[-1]
    assert last["time"] == pytest.approx(1.25) and last["position"] == "place 2" and last["item"].endswith(" 7")
    assert table["time"].is_monotonic_increasing
    assert set(table["user_feature_0"]) == {"value 1", "value 2"} and set(table["user_feature_1"]) == {"value 1"}


def test_the_kept_table_has_these_columns_and_no_more(build):
    kept = pd.read_parquet(KEPT)
    expected = ["label", "time", "campaign", "policy", "item", "position", *build.USER_FEATURES]
    assert kept.columns.tolist() == expected
    assert kept["time"].between(0, 7).all() and set(kept["policy"]) == set(build.POLICIES)
