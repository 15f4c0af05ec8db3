"""Agreement and precision by hand, and against scikit-learn."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.metrics import cohen_kappa_score

from engine.graph.review import VERDICTS
from engine.graph.review_summary import (
    UNDECIDED,
    agreement,
    joint_verdicts,
    kappas,
    matched,
    precision,
    precision_by_method,
)
from engine.metrics.calibration import wilson_interval

PAIRS = pd.DataFrame({"source": ["a", "c", "e"], "target": ["b", "d", "f"]}, index=[4, 5, 6])


def given_verdicts(*rows: tuple[int, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["pair", "reviewer", "verdict"])


def two_reviewers(first: list[str], second: list[str]) -> pd.DataFrame:
    rows = [(place, "Ann", verdict) for place, verdict in enumerate(first)]
    return given_verdicts(*rows, *[(place, "Bo", verdict) for place, verdict in enumerate(second)])


def test_a_verdict_on_the_reversed_arrow_is_turned_round() -> None:
    current = pd.DataFrame(
        {
            "source": ["a", "d", "f", "d", "x"],
            "target": ["b", "c", "e", "c", "y"],
            "reviewer": ["Ann", "Ann", "Ann", "Bo", "Bo"],
            "verdict": ["right", "right", "both", "wrong", "right"],
            "note": list("12345"),
            "time_utc": "",
        },
    )
    found = matched(current, PAIRS)
    assert found[["pair", "reviewer", "verdict", "note"]].values.tolist() == [
        [4, "Ann", "right", "1"],
        [5, "Ann", "wrong", "2"],
        [6, "Ann", "both", "3"],
        [5, "Bo", "right", "4"],
    ]


def test_the_joint_verdict_is_the_most_frequent_one_or_undecided() -> None:
    rows = [(1, "A", "right"), (1, "B", "right"), (1, "C", "wrong"), (2, "A", "both"), (2, "B", "unrelated")]
    joint = joint_verdicts(given_verdicts(*rows, (3, "A", "wrong")))
    assert joint.to_dict() == {1: "right", 2: UNDECIDED, 3: "wrong"}
    assert joint_verdicts(given_verdicts()).empty


def test_precision_counts_both_fine_and_unrelated_against_the_model_and_leaves_them_out_of_one_way() -> None:
    joint = pd.Series(["right", "right", "right", "wrong", "both", "unrelated", UNDECIDED], index=range(7))
    is_new = pd.Series([True, False, False, True, False, False, True], index=range(7))
    table = precision(joint, is_new).set_index(["scope", "measure"])
    assert table.loc[("all", "all_verdicts"), ["value", "n"]].tolist() == [0.5, 6]
    assert table.loc[("all", "one_way"), ["value", "n"]].tolist() == [0.75, 4]
    assert table.loc[("new", "all_verdicts"), ["value", "n"]].tolist() == [0.5, 2]
    assert table.loc[("seen", "all_verdicts"), ["value", "n"]].tolist() == [0.5, 4]
    assert table.loc[("seen", "one_way"), ["value", "n"]].tolist() == [1.0, 2]
    low, high = wilson_interval([3], [6])
    assert table.loc[("all", "all_verdicts"), ["ci_low", "ci_high"]].tolist() == [low[0], high[0]]


def test_precision_without_verdicts_is_missing_never_zero() -> None:
    table = precision(pd.Series(dtype=object), pd.Series(dtype=bool))
    assert table["n"].tolist() == [0] * 6 and table[["value", "ci_low", "ci_high"]].isna().all(axis=None)


def test_every_method_is_judged_by_the_direction_the_reviewers_gave() -> None:
    joint = pd.Series({1: "right", 2: "wrong", 3: "both", 4: "right", 5: UNDECIDED})
    scores = pd.DataFrame(
        {
            "pair": [1, 2, 3, 4, 5] * 3,
            "method": ["dual"] * 5 + ["popularity"] * 5 + ["flat"] * 5,
            "direction": [1.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0] + [0.0] * 5,
        }
    )
    table = precision_by_method(joint, scores).set_index("method")
    # dual says "this way" of all: right on 1 and 4. Popularity says "the other way" of 1 (wrong) and 2, this way of 4.
    assert table["value"].to_dict() == {"dual": 2 / 3, "popularity": 2 / 3, "flat": 0.0}
    assert table["n"].tolist() == [3, 3, 3] and table["ties"].to_dict() == {"dual": 0, "popularity": 0, "flat": 3}
    assert precision_by_method(pd.Series(dtype=object), scores).empty


def test_kappa_by_hand() -> None:
    # 10 pairs: 7 equal. Ann: 6 right, 4 both; Bo: 5 right, 5 both. p_e = 0.6 * 0.5 + 0.4 * 0.5 = 0.5.
    first = ["right"] * 6 + ["both"] * 4
    second = ["right"] * 4 + ["both"] * 2 + ["right"] + ["both"] * 3
    (row,) = agreement(two_reviewers(first, second)).to_dict("records")
    assert (row["first"], row["second"], row["n"]) == ("Ann", "Bo", 10)
    assert row["equal"] == 0.7 and row["value"] == pytest.approx((0.7 - 0.5) / 0.5)
    assert row["ci_low"] < row["value"] < row["ci_high"] and row["ci_high"] <= 1


@settings(max_examples=100, deadline=None)
@given(some.lists(some.tuples(some.sampled_from(VERDICTS), some.sampled_from(VERDICTS)), min_size=1, max_size=30))
def test_kappa_of_counts_and_of_verdicts_is_that_of_scikit_learn(rows: list[tuple[str, str]]) -> None:
    first, second = [row[0] for row in rows], [row[1] for row in rows]
    counts = np.zeros((1, 4, 4))
    for one, other in rows:
        counts[0, VERDICTS.index(one), VERDICTS.index(other)] += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = cohen_kappa_score(first, second, labels=list(VERDICTS))
    (row,) = agreement(two_reviewers(first, second), resamples=10).to_dict("records")
    for value in (kappas(counts)[0], row["value"]):
        assert value == pytest.approx(oracle, abs=1e-12, nan_ok=True)


def test_one_verdict_for_everything_gives_no_kappa() -> None:
    (row,) = agreement(two_reviewers(["right"] * 5, ["right"] * 5)).to_dict("records")
    assert row["equal"] == 1.0 and math.isnan(row["value"]) and math.isnan(row["ci_low"])


def test_the_interval_shrinks_with_more_pairs_and_is_the_same_every_time() -> None:
    first, second = ["right", "both", "wrong", "right"], ["right", "both", "right", "right"]
    few, many = (agreement(two_reviewers(first * times, second * times)).iloc[0] for times in (5, 80))
    assert many["ci_high"] - many["ci_low"] < 0.4 * (few["ci_high"] - few["ci_low"])
    pd.testing.assert_frame_equal(agreement(two_reviewers(first, second)), agreement(two_reviewers(first, second)))


def test_reviewers_who_share_no_pair_are_not_compared() -> None:
    rows = [(1, "Ann", "right"), (2, "Bo", "right"), (2, "Cy", "both"), (3, "Cy", "both"), (3, "Bo", "both")]
    table = agreement(given_verdicts(*rows))
    assert table[["first", "second", "n"]].values.tolist() == [["Bo", "Cy", 2]]
    assert agreement(given_verdicts()).empty


def test_the_interval_covers_the_true_kappa_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    # Bo repeats Ann's verdict in 70 of 100 pairs, else draws from the same habits: kappa 0.7.
    habits = np.array([0.5, 0.25, 0.15, 0.1])
    inside = 0
    for _ in range(150):
        first = rng.choice(4, size=120, p=habits)
        second = np.where(rng.random(120) < 0.7, first, rng.choice(4, size=120, p=habits))
        names = np.array(VERDICTS, dtype=object)
        row = agreement(two_reviewers(list(names[first]), list(names[second])), resamples=300).iloc[0]
        inside += row["ci_low"] <= 0.7 <= row["ci_high"]
    assert 0.88 <= inside / 150 <= 0.99
