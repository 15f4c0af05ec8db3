"""Sentences say what the tables say, in every case."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.result import metric_row
from engine.uncertainty.names import BASELINE, MATCHED, MATCHED_PRIOR, RELATIVE, bucket_name, scorer_label, segment_of
from engine.uncertainty.summary import answer, baseline_recall, gain_sentence, gains_in_points
from engine.uncertainty.undivided import ASKED, SAME


def difference(method, value, low, high, *, baseline=BASELINE, metric=MATCHED, scorer="rate_4_flat"):
    row = metric_row(
        method=method,
        split="test",
        segment=segment_of(scorer, 0.4),
        metric=metric,
        value=value,
        ci_low=low,
        ci_high=high,
        n=90,
    )
    return row | {"baseline": baseline}


def table(low, high, repair=(-0.01, 0.01), scorer="rate_4_flat"):
    middle = (low + high) / 2
    return pd.DataFrame(
        [
            difference("mist", middle, low, high, scorer=scorer),
            difference("mist", 1000 * middle, 0, 0, metric=RELATIVE, scorer=scorer),
            difference("placebo", 0.0, -0.01, 0.01, scorer=scorer),
            difference(MATCHED_PRIOR, sum(repair) / 2, *repair, baseline="mist", scorer=scorer),
        ]
    )


def recalibrated(low, high, beside=(-0.01, 0.01), scorer="rate_4_flat"):
    middle = (low + high) / 2
    return pd.DataFrame(
        [
            difference("recalibrated", middle, low, high, scorer=scorer),
            difference("recalibrated", 1000 * middle, 0, 0, metric=RELATIVE, scorer=scorer),
            difference("recalibrated", sum(beside) / 2, *beside, baseline="mist", scorer=scorer),
        ]
    )


def test_a_gain_is_told_with_its_interval_and_its_relative_size():
    sentence = gain_sentence(table(0.03, 0.09), "rate_4_flat", 0.4)
    assert (
        "changes recall by +6.0 points (+60 % of it), interval +3.0 to +9.0, n 90" in sentence
        and "No gain" not in sentence
    )


@pytest.mark.parametrize(
    ("repair", "words"),
    [((-0.01, 0.01), "does as well"), ((0.01, 0.03), "finds more still"), ((-0.05, -0.01), "does worse")],
)
def test_a_better_prior_is_compared(repair, words):
    assert words in gain_sentence(table(0.03, 0.09, repair), "rate_4_flat", 0.4)


def test_an_interval_below_the_margin_rules_a_gain_out():
    sentence = gain_sentence(table(-0.01, 0.015), "rate_4_flat", 0.4)
    assert sentence.startswith("No gain from uncertainty shown at precision 0.40") and "ruled out" in sentence


def test_a_wide_interval_leaves_the_question_open():
    assert "cannot tell" in gain_sentence(table(-0.01, 0.05), "rate_4_flat", 0.4)


def test_an_unknown_target_is_not_judged():
    assert gain_sentence(table(0.03, 0.09), "rate_4_flat", 0.9) == "At precision 0.90 nothing can be compared."


TOO = " Cross-fitting on the tuning rows chose one threshold, too."
SCORERS = pd.DataFrame({"scorer": ["ensemble"], "buckets": [3], "undivided": [""]})


def calibration(values, sizes, scorer="ensemble"):
    """Write the calibration error of all rows and of buckets, and a recall at equal precision."""
    names = ["all", *(bucket_name(k, len(values) - 1) for k in range(len(values) - 1))]
    key = {"method": scorer, "split": "test", "metric": "ece"}
    rows = [
        metric_row(segment=name, value=v, ci_low=v / 2 if n >= 20 else np.nan, ci_high=2 * v, n=n, **key)
        for name, v, n in zip(names, values, sizes, strict=True)
    ]
    key = {"method": "mist", "split": "test", "metric": MATCHED, "segment": segment_of(scorer, 0.4)}
    return pd.DataFrame([*rows, metric_row(value=0.2, ci_low=0.1, ci_high=0.3, n=9, **key)])


def answered(metrics, differences=None, scorers=SCORERS):
    found = table(0.03, 0.09, scorer="ensemble") if differences is None else differences
    return answer(metrics, found, "ensemble", 0.4, scorers=scorers)


def test_the_answer_says_where_the_score_is_off_most_and_least():
    sentence = answered(calibration([0.02, 0.01, 0.02, 0.05], [190, 50, 60, 80]))
    assert "misses the observed rate by 2.0 points [1.0, 4.0] on average" in sentence
    assert "1.0 [0.5, 2.0] where it is most certain (n 50) and 5.0 [2.5, 10.0] where it is least (n 80)." in sentence


def test_buckets_of_a_handful_are_no_ends():
    sentence = answered(calibration([0.02, 0.01, 0.02, 0.05, 0.9], [193, 50, 60, 80, 3]))
    assert "1.0 [0.5, 2.0] where it is most certain (n 50) and 5.0 [2.5, 10.0] where it is least" in sentence
    assert "least (bucket 3 of 4, n 80), leaving out buckets of fewer than 20." in sentence and "90.0" not in sentence
    assert "most certain" not in answered(calibration([0.02, 0.01, 0.02], [100, 97, 3]))


def test_a_precision_that_no_method_reaches_is_said():
    metrics = calibration([0.02, 0.01, 0.02], [100, 50, 50]).query("metric == 'ece'")
    assert answered(metrics).endswith("where it is least (n 50). No method reaches precision 0.40 on the test rows.")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (SAME, "Its uncertainty is the same for all rows, so there is nothing to set several thresholds by."),
        (ASKED, "One uncertainty bucket was asked for, so there is nothing to set several thresholds by."),
        (
            "all 90 test rows lie in uncertainty bucket 2 of 3, so the edges part nothing",
            "All 90 test rows lie in uncertainty bucket 2 of 3, so the edges part nothing and several thresholds are "
            "not judged.",
        ),
    ],
)
def test_rows_that_no_bucket_parts_are_not_judged(reason, said):
    metrics, scorers = calibration([0.02], [90]), SCORERS.assign(undivided=reason)
    assert answered(metrics, table(0.0, 0.0, scorer="ensemble"), scorers).endswith(f"on average. {said}")
    gained = pd.concat([table(0.0, 0.0, scorer="ensemble"), recalibrated(0.02, 0.06, scorer="ensemble")])
    told = answered(metrics, gained, scorers)
    assert told.endswith(
        "One threshold on a score recalibrated by uncertainty changes recall by +4.0 points (+40 % of "
        "it), interval +2.0 to +6.0, n 90 at precision 0.40."
    )


def test_an_older_run_without_reasons_counts_the_buckets_that_hold_rows():
    metrics = calibration([0.02, 0.02, np.nan], [90, 90, 0])
    for scorers in (None, SCORERS.drop(columns="undivided")):
        assert "1 of 2 uncertainty buckets holds test rows, so there is nothing" in answered(metrics, None, scorers)
        assert "There is one uncertainty bucket, so there" in answered(calibration([0.02], [90]), None, scorers)


@pytest.mark.parametrize(("low", "high", "words"), [(-0.01, 0.015, "is ruled out"), (-0.01, 0.05, "cannot tell more")])
def test_a_recalibration_that_gains_is_told_where_several_thresholds_do_not(low, high, words):
    plain = table(low, high)
    sentence = gain_sentence(pd.concat([plain, recalibrated(0.02, 0.06)]), "rate_4_flat", 0.4)
    assert sentence.startswith("Uncertainty helps at precision 0.40, but by recalibration: one threshold on a score ")
    assert "changes recall by +4.0 points (+40 % of it), interval +2.0 to +6.0, n 90. A threshold per" in sentence
    assert sentence.endswith(f"{words}.") and "No gain" not in sentence
    none = gain_sentence(pd.concat([plain, recalibrated(-0.01, 0.06)]), "rate_4_flat", 0.4)
    assert none == gain_sentence(plain, "rate_4_flat", 0.4)


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        ((-0.01, 0.01), "does as well (+0.0 points [-1.0, +1.0])"),
        ((-0.05, 0.01), "may do as well or worse"),
        ((-0.05, -0.03), "does worse"),
    ],
)
def test_a_recalibration_is_compared_with_several_thresholds_that_gain(beside, words):
    rows = pd.concat([table(0.03, 0.09, scorer="given"), recalibrated(0.03, 0.09, beside=beside, scorer="given")])
    rows = rows[rows["method"] != MATCHED_PRIOR]
    assert f"one threshold on a recalibrated score {words}" in gain_sentence(rows, "given", 0.4)


def judged(kind, value, low, high, **others):
    row = {"scorer": "ensemble", "verdict": kind, "value": value, "ci_low": low, "ci_high": high, "n": 90}
    row |= {"relative": 20.0, "relative_low": 10.0, "relative_high": 30.0, "undivided": "", "rival": ""}
    row |= {f"{name}_{end}": np.nan for name in ("rival", "repair") for end in ("value", "low", "high")}
    return pd.DataFrame([row | others])


def at_more_targets(metrics):
    """Judge precision 0.60, too."""
    own = metrics[metrics["metric"] == MATCHED]
    return pd.concat([metrics, own.assign(segment=segment_of("ensemble", 0.6))])


def test_the_verdict_over_all_precisions_leads_and_the_chosen_one_is_told_in_numbers():
    metrics, verdicts = at_more_targets(calibration([0.02], [90])), judged("no gain", 0.1, -0.9, 1.2)
    # At this precision alone the gain is clear; that is no verdict of the run.
    found = table(0.03, 0.09, scorer="ensemble")
    said = answer(metrics, found, "ensemble", 0.4, scorers=SCORERS, verdicts=verdicts)
    assert said.endswith(
        "on average. No gain from uncertainty here (+0.1 points of recall [-0.9, +1.2] as the mean over test "
        "precisions 0.40 to 0.60, n 90; a gain of 2 points is ruled out). At precision 0.40 alone: "
        "+6.0 points [+3.0, +9.0]."
    )
    both = pd.concat([found, recalibrated(0.02, 0.06, scorer="ensemble")])
    told = answer(metrics, both, "ensemble", 0.4, scorers=SCORERS, verdicts=verdicts)
    assert told.endswith(
        "+6.0 points [+3.0, +9.0]; one threshold on a score recalibrated by uncertainty: +4.0 points [+2.0, +6.0]."
    )


def test_a_single_precision_is_told_once():
    metrics, verdicts = calibration([0.02], [90]), judged("several thresholds help", 6.0, 3.0, 9.0)
    said = answer(metrics, table(0.03, 0.09, scorer="ensemble"), "ensemble", 0.4, scorers=SCORERS, verdicts=verdicts)
    assert said.endswith(
        "Several thresholds help here by +20 % [+10, +30] (+6.0 points of recall [+3.0, +9.0] at test precision 0.40, "
        "n 90)."
    )


def test_a_verdict_stands_beside_a_precision_that_no_method_reaches():
    metrics = at_more_targets(calibration([0.02], [90]))
    metrics.loc[metrics["segment"] == segment_of("ensemble", 0.4), "value"] = 0.0
    verdicts = judged("open", 0.1, -0.9, 3.2)
    said = answer(metrics, table(0.0, 0.0, scorer="ensemble"), "ensemble", 0.4, scorers=SCORERS, verdicts=verdicts)
    assert "the data cannot tell more. No method reaches precision 0.40 on the test rows." in said


def test_stored_runs_answer_for_every_scorer_and_target(scored_run):
    differences = scored_run.curves["differences"]
    for scorer in scored_run.curves["scorers"]["scorer"]:
        for target in scored_run.curves["boundaries"]["target"].unique():
            verdicts, tables = scored_run.curves["verdicts"], scored_run.curves
            sentence = answer(
                scored_run.metrics, differences, scorer, target, scorers=tables["scorers"], verdicts=verdicts
            )
            assert sentence.startswith(scorer_label(scorer)) and "nan" not in sentence
            # Headline and verdict are one: nothing else on the page judges.
            words = verdicts.set_index("scorer").loc[scorer, "sentence"].removeprefix(f"{scorer_label(scorer)}: ")
            assert f"{words[0].upper()}{words[1:]}".removesuffix(TOO) in sentence
            assert sentence.count("gain of 2 points is ruled out") <= 1
            gains = gains_in_points(differences, scorer, target)
            assert ("matched_prior" in set(gains["method"])) == scorer.endswith("_flat")
            stored = differences.set_index(["segment", "metric", "method", "baseline"])["value"]
            for row in gains.itertuples():
                expected = 100 * stored[segment_of(scorer, target), MATCHED, row.method, BASELINE]
                assert row.value == pytest.approx(expected)
            assert 0 <= baseline_recall(scored_run.metrics, scorer, target)["value"] <= 1
