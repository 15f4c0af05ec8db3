"""The main script: facts that add up, a name that is checked."""

from __future__ import annotations

import pandas as pd
import pytest


def test_a_type_belongs_to_the_category_it_is_bought_from_most(script):
    lines = pd.DataFrame(
        {"product_type": ["RED"] * 3 + ["EGGS"], "product_category": ["GRAPES", "BEEF", "GRAPES", "EGGS"]}
    )
    assert script("journey").main_category(lines, ["RED", "EGGS"]) == {"RED": "Grapes", "EGGS": "Eggs"}


def test_coupon_facts_are_counted(script):
    table = pd.DataFrame(
        {
            "unit": [1, 1, 2],
            "campaign": [1, 2, 1],
            "exposure_time": pd.to_datetime(["2017-03-01"] * 3),
            "conversion_time": pd.to_datetime(["2017-03-05", None, "2017-03-15"]),
            "engagement_time": pd.to_datetime(["2017-03-05", None, None]),
            "visit_time": pd.to_datetime(["2017-03-02", "2017-03-02", None]),
            "window_days": [30, 30, 10],
            "age": ["unknown", "65+", "65+"],
        }
    )
    facts = script("journey").coupon_facts(table)
    assert facts["positive"] == 2
    assert facts["positive_share"] == 0.6667
    assert facts["delay_days_q25_q50_q75_max"] == [6.5, 9.0, 11.5, 14.0]
    assert facts["negative_delays"] == 0
    assert facts["conversions_after_window"] == 1


def test_an_unknown_table_is_refused(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["journey.py", "coupon"])
    with pytest.raises(SystemExit) as refused:
        script("journey").main()
    assert refused.value.code == 2
    assert "unknown table 'coupon'; choose from categories, types, coupons, purchases" in capsys.readouterr().err


def test_the_chosen_tables_alone_are_built_into_the_folder(script, monkeypatch, tmp_path):
    journey = script("journey")
    built = []
    for name in journey.TABLES:
        monkeypatch.setitem(journey.TABLES, name, lambda out, name=name: built.append((name, out)))
    monkeypatch.setattr("sys.argv", ["journey.py", "coupons", "--out", str(tmp_path)])
    journey.main()
    assert built == [("coupons", tmp_path)]
