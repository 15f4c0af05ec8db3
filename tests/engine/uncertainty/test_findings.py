"""Sentences about estimators, recalibration and abstention say what the intervals of their tables say."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from engine.uncertainty.findings import (
    abstention_sentence,
    biased_buckets,
    information_sentence,
    informative,
    recalibration_sentence,
    widened,
)


def trend(scorer, value, half):
    return {
        "scorer": scorer,
        "metric": "positivity_trend",
        "value": value,
        "ci_low": value - half,
        "ci_high": value + half,
    }


def test_only_an_interval_wide_enough_for_all_scorers_counts():
    # Three scorers: half-widths grow by 2.394 / 1.960 = 1.22.
    table = pd.DataFrame([trend("a", -3.0, 2.0), trend("b", 2.2, 2.0), trend("c", 0.5, 2.0)])
    assert informative(table) == ("a",)
    assert informative(table[table["scorer"] == "b"]) == ("b",)
    assert informative(table[table["scorer"] == "c"]) == ()


def test_a_scorer_without_a_trend_is_not_compared():
    table = pd.DataFrame([trend("a", np.nan, 1.0), trend("b", 2.2, 2.0)])
    assert informative(table) == ("b",)


def test_the_sentence_names_the_largest_trend_or_says_none():
    table = pd.DataFrame([trend("ensemble", -3.0, 2.0), trend("counts", 2.2, 2.0)]).assign(n=1234)
    assert information_sentence(table) == (
        "At equal score 1 of 2 uncertainties tells something about positivity, most of all Deep ensemble: -3.0 "
        "points of positivity from the most to the least certain row [-5.0, -1.0], n 1,234."
    )
    flat = pd.DataFrame([trend("ensemble", -1.0, 2.0), trend("counts", 0.5, 2.0)]).assign(n=1234)
    assert information_sentence(flat).startswith("None of 2 uncertainties tells more than the score does; the largest")
    assert "No scorer" in information_sentence(flat.assign(value=np.nan))


@pytest.mark.parametrize(
    ("half", "words"), [(2.0, "tells something about positivity"), (4.0, "is not shown to tell anything")]
)
def test_a_single_uncertainty_is_not_counted(half, words):
    said = information_sentence(pd.DataFrame([trend("given", -3.0, half)]).assign(n=1234))
    assert said.startswith(f"At equal score its uncertainty {words}: Given score: -3.0 points of positivity")


def bias(method, segment, value, half):
    ends = {"value": value, "ci_low": value - half, "ci_high": value + half, "n": 900}
    return {"method": method, "baseline": "", "segment": segment, "metric": "bias"} | ends


def recalibration(raw, temperature, isotonic, half=0.02):
    """Bias of all rows, then of two buckets, for the three scores; other lines must not matter."""
    segments = ("all", "uncertainty bucket 1 of 2", "uncertainty bucket 2 of 2")
    methods = {"raw": raw, "temperature": temperature, "isotonic": isotonic}
    rows = [bias(m, s, v, half) for m, values in methods.items() for s, v in zip(segments, values, strict=True)]
    other = [row | {"metric": "ece", "value": 9.0, "ci_low": 9.0, "ci_high": 9.0} for row in rows]
    change = [row | {"baseline": "raw", "value": 9.0, "ci_low": 9.0, "ci_high": 9.0} for row in rows]
    return pd.DataFrame(rows + other + change)


def test_intervals_of_two_rows_grow_by_the_ratio_of_the_normal_quantiles():
    rows = widened(pd.DataFrame([{"value": 1.0, "ci_low": 0.0, "ci_high": 3.0}] * 2))
    # 2.2414 / 1.9600 = 1.1436 for two intervals at 97.5 % instead of one at 95 %.
    assert rows["ci_low"].tolist() == pytest.approx([-0.1436] * 2, abs=1e-4)
    assert rows["ci_high"].tolist() == pytest.approx([3.2872] * 2, abs=1e-4)


def test_a_bucket_is_biased_only_where_the_widened_interval_leaves_zero_out():
    # Half-width 0.02 grows to 0.0229.
    table = recalibration((0.0, 0.0228, -0.0230), (0, 0, 0), (0, 0, 0))
    assert biased_buckets(table, "raw")["segment"].tolist() == ["uncertainty bucket 2 of 2"]


def test_a_repair_is_called_one_only_if_no_bucket_stays_biased():
    repaired = recalibration_sentence(recalibration((0.1, 0.1, 0.1), (0.05, 0.05, 0.05), (0.0, 0.0, 0.01)))
    assert repaired == (
        "Before recalibration 2 of 2 buckets are biased beyond chance, after isotonic recalibration none is: "
        "recalibrating the score alone repairs it."
    )
    left = recalibration_sentence(recalibration((0.1, 0.05, 0.15), (0.1, 0.05, 0.15), (0.01, 0.0, 0.052)))
    assert left == (
        "Before recalibration 2 of 2 buckets are biased beyond chance, 1 after isotonic recalibration, 2 after "
        "temperature scaling: recalibrating the score alone does not repair it. After isotonic recalibration the most "
        "is left in uncertainty bucket 2 of 2, +5.2 points [+3.2, +7.2]; all rows together are off by +1.0 points "
        "[-1.0, +3.0], +10.0 points [+8.0, +12.0] before it."
    )


def test_a_bias_that_only_recalibration_brings_in_is_no_repair():
    brought = recalibration_sentence(recalibration((0, 0, 0), (0.1, 0.1, 0.1), (0.1, 0.0, 0.1)))
    assert brought.startswith("Before recalibration 0 of 2 buckets are biased") and "does not repair" in brought


def test_nothing_biased_is_nothing_to_repair():
    assert "nothing to repair" in recalibration_sentence(recalibration((0, 0, 0), (0, 0, 0), (0, 0, 0)))
    one = recalibration((0.05, 0, 0), (0, 0, 0), (0.01, 0, 0))
    told = recalibration_sentence(one[one["segment"] == "all"])
    assert told.startswith("There is one uncertainty bucket only") and "+5.0 points [+3.0, +7.0] before it" in told


def test_buckets_without_an_interval_are_not_counted_among_those_judged():
    table = recalibration((0.1, 0.1, 0.9), (0.05, 0.05, 0.9), (0.0, 0.0, 0.9))
    table.loc[table["segment"] == "uncertainty bucket 2 of 2", ["ci_low", "ci_high"]] = np.nan
    told = recalibration_sentence(table)
    assert told.startswith("Only one uncertainty bucket holds enough test rows, so there is nothing to repair apart")


def areas(metric, to_score, to_chance):
    rows = []
    for baseline, (low, high) in (("score_ambiguity", to_score), ("random", to_chance)):
        ends = {"value": (low + high) / 2, "ci_low": low, "ci_high": high, "n": 1200}
        rows.append({"method": "uncertainty", "baseline": baseline, "metric": f"area_{metric}"} | ends)
    own = {"method": "uncertainty", "baseline": "", "metric": f"area_{metric}", "value": 0.2, "ci_low": 0, "ci_high": 1}
    return pd.DataFrame([own, *rows, *(row | {"metric": "area_other"} for row in rows)])


@pytest.mark.parametrize(
    ("metric", "to_score", "to_chance", "first", "second"),
    [
        ("log_loss", (-0.2, -0.1), (-0.4, -0.2), "Leaving out the least certain rows beats", "better than"),
        ("log_loss", (0.1, 0.2), (0.2, 0.4), "Leaving out rows whose score is ambiguous beats", "worse than"),
        ("log_loss", (-0.1, 0.2), (-0.1, 0.1), "cannot be told apart", "no different from"),
        ("precision", (0.1, 0.2), (0.2, 0.4), "Leaving out the least certain rows beats", "better than"),
        ("precision", (-0.2, -0.1), (-0.4, -0.2), "Leaving out rows whose score is ambiguous beats", "worse than"),
    ],
)
def test_the_winner_of_abstention_follows_from_the_paired_intervals(metric, to_score, to_chance, first, second):
    told = abstention_sentence(areas(metric, to_score, to_chance), metric)
    assert first in told and f"Uncertainty is {second} leaving rows out at random" in told and "n 1,200" in told


def test_abstention_that_was_not_measured_is_said():
    table = areas("precision", (0.1, 0.2), (0.2, 0.4))
    assert "cannot be said" in abstention_sentence(table, "log_loss")
    assert "cannot be said" in abstention_sentence(table.assign(value=np.nan), "precision")


def test_the_sentences_need_no_library_that_fits():
    program = (
        "import sys, engine.uncertainty.findings\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'scipy', 'sklearn', 'torch', 'ibis'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
