"""Sentences say what the tables say, in every case."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.result import metric_row
from engine.uncertainty.names import BASELINE, MATCHED, MATCHED_PRIOR, RELATIVE, bucket_name, scorer_label, segment_of
from engine.uncertainty.summary import answer, baseline_recall, gain_sentence, gains_in_points


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


def test_the_answer_says_where_the_score_is_off_most_and_least():
    values = {"all": 0.02, "uncertainty bucket 1 of 3": 0.01, "uncertainty bucket 2 of 3": 0.02}
    values |= {"uncertainty bucket 3 of 3": 0.05}
    metrics = pd.DataFrame(
        [
            metric_row(
                method="ensemble", split="test", segment=name, metric="ece", value=v, ci_low=v / 2, ci_high=2 * v, n=9
            )
            for name, v in values.items()
        ]
    )
    reached = metric_row(
        method="mist",
        split="test",
        segment=segment_of("ensemble", 0.4),
        metric=MATCHED,
        value=0.2,
        ci_low=0.1,
        ci_high=0.3,
        n=9,
    )
    differences = table(0.03, 0.09, scorer="ensemble")
    sentence = answer(pd.concat([metrics, pd.DataFrame([reached])]), differences, "ensemble", 0.4)
    assert "misses the observed rate by 2.0 points [1.0, 4.0] on average" in sentence
    assert "1.0 where it is most certain and 5.0 where it is least" in sentence


def test_a_precision_that_no_method_reaches_is_said():
    ece = {"split": "test", "metric": "ece", "value": 0.02, "ci_low": 0.01, "ci_high": 0.03, "n": 9}
    segments = ("all", bucket_name(0, 2), bucket_name(1, 2))
    metrics = pd.DataFrame([metric_row(method="ensemble", segment=segment, **ece) for segment in segments])
    sentence = answer(metrics, table(0.0, 0.0, scorer="ensemble"), "ensemble", 0.4)
    assert sentence.endswith("where it is least. No method reaches precision 0.40 on the test rows.")
    sentence = answer(metrics.head(1), table(0.0, 0.0, scorer="ensemble"), "ensemble", 0.4)
    assert sentence.endswith(
        "on average. Its uncertainty is the same for all rows, so there is nothing to set several thresholds by."
    )


def test_stored_runs_answer_for_every_scorer_and_target(scored_run):
    differences = scored_run.curves["differences"]
    for scorer in scored_run.curves["scorers"]["scorer"]:
        for target in scored_run.curves["boundaries"]["target"].unique():
            sentence = answer(scored_run.metrics, differences, scorer, target)
            assert sentence.startswith(scorer_label(scorer)) and "nan" not in sentence
            gains = gains_in_points(differences, scorer, target)
            assert ("matched_prior" in set(gains["method"])) == scorer.endswith("_flat")
            stored = differences.set_index(["segment", "metric", "method", "baseline"])["value"]
            for row in gains.itertuples():
                expected = 100 * stored[segment_of(scorer, target), MATCHED, row.method, BASELINE]
                assert row.value == pytest.approx(expected)
            assert 0 <= baseline_recall(scored_run.metrics, scorer, target)["value"] <= 1
