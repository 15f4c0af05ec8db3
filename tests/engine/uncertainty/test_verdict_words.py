"""The words of a verdict say which precisions they are over, and round nothing to a loss."""

from __future__ import annotations

import doctest

import pandas as pd
import pytest

from engine.uncertainty import verdict_words as words
from engine.uncertainty.verdict_words import tenths, verdict_sentence, with_sentences

ROW = {"scorer": "given", "verdict": "open", "value": -0.04, "ci_low": -1.0, "ci_high": 3.0, "n": 1234, "undivided": ""}


def test_the_examples_hold():
    assert doctest.testmod(words).failed == 0


def test_a_verdict_over_several_precisions_says_so():
    assert verdict_sentence(ROW, [0.3, 0.4, 0.6]) == (
        "Given score: no gain from uncertainty shown (+0.0 points of recall [-1.0, +3.0] as the mean over test "
        "precisions 0.30 to 0.60, n 1,234); the data cannot tell more."
    )
    assert "[-1.0, +3.0] at test precision 0.50, n 1,234" in verdict_sentence(ROW, [0.5])


@pytest.mark.parametrize("value", [0.0, -0.0, 0.049, -0.049])
def test_what_rounds_to_nothing_has_no_minus(value):
    assert tenths(value) == "+0.0"


def test_a_chosen_single_threshold_is_told_of_its_scorer_alone():
    table = pd.DataFrame([ROW, ROW | {"scorer": "ensemble"}])
    choice = pd.DataFrame({"scorer": ["given", "ensemble"], "buckets": [1, 3], "chosen": [True, True]})
    said = with_sentences(table, choice, [0.5])["sentence"].str.endswith("chose one threshold, too.")
    assert said.tolist() == [True, False]
    assert not with_sentences(table, pd.DataFrame(), [0.5])["sentence"].str.contains("Cross-fitting").any()


@pytest.mark.parametrize("high", [1.9, float("nan")])
def test_no_gain_from_uncertainty_is_said_only_if_a_repair_is_ruled_out_too(high):
    row = ROW | {"verdict": "no gain", "ci_high": 1.0, "repair_value": 1.0, "repair_low": -0.1, "repair_high": high}
    assert "no gain from uncertainty here (" in verdict_sentence(row, [0.5])
    left = verdict_sentence(row | {"repair_high": 2.8}, [0.5])
    assert "no gain from several thresholds here (" in left and "uncertainty here" not in left
    assert "on score and uncertainty: +1.0 points of recall [-0.1, +2.8], so that the data leave open" in left


@pytest.mark.parametrize(
    ("relative", "said"), [(25.0, "help here by +25 % [+10, +40] ("), (float("nan"), "help here (")]
)
def test_a_gain_over_no_recall_at_all_has_no_percentage(relative, said):
    helps = ROW | {"verdict": "several thresholds help", "value": 12.0, "ci_low": 5.0, "ci_high": 18.0, "rival": ""}
    helps |= {"rival_value": 0.0, "rival_low": 0.0, "rival_high": 0.0}
    sentence = verdict_sentence(helps | {"relative": relative, "relative_low": 10.0, "relative_high": 40.0}, [0.5])
    assert said in sentence and "nan" not in sentence
