"""A run ends in a verdict that follows from its intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.uncertainty.names import BASELINE, MATCHED
from engine.uncertainty.undivided import ASKED, SAME
from engine.uncertainty.verdicts import VERDICTS, verdict_rows

NO_CHOICE = pd.DataFrame()


def judged(gain, boosted=0.0, scorer="given", buckets=3, spread=0.001, choice=NO_CHOICE, **others):
    """Judge a scorer whose MIST gains `gain` and whose boosted rival gains `boosted`, as shares of positives."""
    recalibrated, matched = others.get("recalibrated", -0.1), others.get("matched")
    methods = {BASELINE: 0.3, "mist": 0.3 + gain, "recalibrated": 0.3 + recalibrated, "boosted": 0.3 + boosted}
    rows = [(scorer, method, 0.5, MATCHED, value) for method, value in methods.items()]
    if matched is not None:
        rows.append(("rate_4_matched", BASELINE, 0.5, MATCHED, 0.3 + matched))
    table = pd.DataFrame(rows, columns=["scorer", "method", "target", "metric", "value"]).assign(n=90)
    noise = np.random.default_rng(0).normal(0, spread, (200, len(table)))
    scorers = pd.DataFrame({"scorer": [scorer], "buckets": [buckets], "undivided": [others.get("undivided", "")]})
    return verdict_rows(table, table["value"].to_numpy() + noise, scorers, choice).iloc[0]


def test_a_clear_gain_that_no_rival_reaches_helps():
    row = judged(0.06)
    assert row["verdict"] == "several thresholds help" and row["value"] == pytest.approx(6.0)
    assert row["relative"] == pytest.approx(20.0) and row["rival"] == "boosted"
    assert row["sentence"].startswith("Given score: several thresholds help here by +20 % [")
    assert "one threshold with boosted trees on score and uncertainty: -6.0 points" in row["sentence"]


def test_a_rival_with_one_threshold_that_does_as_well_makes_several_unnecessary():
    row = judged(0.06, boosted=0.055)
    assert row["verdict"] == "a repair does the same"
    assert "but one threshold with boosted trees on score and uncertainty gives the same" in row["sentence"]


def test_a_matched_prior_is_a_rival_of_its_flat_one():
    row = judged(0.06, scorer="rate_4_flat", matched=0.07)
    assert row["rival"] == "matched_prior" and row["verdict"] == "a repair does the same"
    assert judged(0.06, scorer="given", matched=0.07)["rival"] == "boosted"


def test_a_gain_below_the_margin_is_none():
    row = judged(0.01, boosted=0.05)
    assert row["verdict"] == "no gain" and "a gain of 2 points is ruled out" in row["sentence"]


def test_a_wide_interval_leaves_it_open():
    row = judged(0.03, spread=0.05)
    assert row["verdict"] == "open" and "cannot tell more" in row["sentence"]


def test_one_bucket_has_nothing_to_judge():
    for reason in (SAME, ASKED):
        row = judged(0.06, buckets=1, undivided=reason)
        assert row["verdict"] == "one bucket"
        assert row["sentence"] == f"Given score: {reason}, so one threshold is all there is."


def test_buckets_that_part_no_rows_are_not_judged():
    row = judged(
        0.0, spread=0.0, undivided="all 90 test rows lie in uncertainty bucket 1 of 3, so the edges part nothing"
    )
    assert row["verdict"] == "not judged" and "all 90 test rows lie in uncertainty bucket 1 of 3" in row["sentence"]
    assert "ruled out" not in row["sentence"] and "no gain" not in row["sentence"]


def test_a_recalibration_whose_gain_is_shown_alone_is_the_verdict():
    for gain, spread in ((0.0, 0.001), (0.01, 0.008)):
        row = judged(gain, recalibrated=0.06, spread=spread)
        assert row["verdict"] == "a repair does the same" and row["repair_value"] == pytest.approx(6.0, abs=0.1)
        assert "one threshold with recalibration on score and uncertainty gains +6.0 points" in row["sentence"]
        assert f"several thresholds show no gain ({100 * gain:+.1f} points" in row["sentence"]
        assert "ruled out" not in row["sentence"]
    assert judged(0.0, recalibrated=0.01)["verdict"] == "no gain"
    # Neither says that uncertainty helps: trees may bend the score itself, a matched prior is another score.
    assert judged(0.0, boosted=0.06)["verdict"] == "no gain"
    assert judged(0.0, scorer="rate_4_flat", matched=0.06)["verdict"] == "no gain"


def test_the_cross_fitted_choice_of_one_bucket_is_told():
    choice = pd.DataFrame({"scorer": "given", "buckets": [1, 3], "chosen": [True, False]})
    assert judged(0.0, choice=choice)["sentence"].endswith("Cross-fitting on the tuning rows chose one threshold, too.")


def test_verdicts_of_a_run_agree_with_its_claims(scored_run):
    verdicts = scored_run.curves["verdicts"].set_index("scorer")
    assert set(verdicts["verdict"]) <= set(VERDICTS) and verdicts["sentence"].str.contains("nan").sum() == 0
    claims = scored_run.curves["claims"].query("claim == 'C7'").set_index("segment")
    for scorer, segment in (("given", "Given score"), ("rate_all_flat", "Rate over all weeks, flat prior")):
        for column in ("value", "ci_low", "ci_high"):
            assert verdicts.loc[scorer, column] == pytest.approx(claims.loc[segment, column])
        supported = claims.loc[segment, "verdict"] == "supported"
        if supported:
            assert verdicts.loc[scorer, "verdict"] in ("several thresholds help", "a repair does the same")
        else:
            assert verdicts.loc[scorer, "verdict"] != "several thresholds help"
