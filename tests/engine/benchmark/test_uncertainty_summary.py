"""Values and paired ratios over seeds and units, and what is concluded from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.uncertainty_judge import MATCHED, PART_COLUMNS
from engine.benchmark.uncertainty_real import DATA, RESAMPLES, TREND, UNITS
from engine.benchmark.uncertainty_simulated import SETTINGS
from engine.benchmark.uncertainty_summary import MEAN, SUMMARY_COLUMNS, summarise
from engine.benchmark.uncertainty_table import digest, markdown
from engine.benchmark.uncertainty_verdicts import informative_scorers, verdicts

SETTING = "base rate .25, tau 1"


def part(rows, seed=0) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(PART_COLUMNS)).assign(seed=seed)


def line(method, metric, draws, *, data=SETTING, scorer="simulated", target="0.70", rows=1000, buckets=1):
    return (data, scorer, rows, buckets, method, target, metric, draws)


def cell(summary, method, metric, statistic="value", **more):
    rows = summary[(summary["method"] == method) & (summary["metric"] == metric) & (summary["statistic"] == statistic)]
    for name, value in more.items():
        rows = rows[rows[name] == value]
    (found,) = rows.itertuples()
    return found


def simulated(gain, seeds=20):
    """Return parts in which the default way finds `gain` times as much as one threshold, which varies by seed."""
    parts = []
    for seed in range(seeds):
        base = 0.10 + 0.05 * (seed % 5)
        recalls = {"single_threshold": base, "mist_chosen": gain * base, "ceiling": gain * base / 0.9}
        rows = [line(method, MATCHED, [recall]) for method, recall in recalls.items()]
        rows += [line("mist_chosen", "precision", [0.7 if seed else np.nan]), line("mist_chosen", "seconds", [0.5])]
        rows += [line("mist_chosen", "recall", [0.1])]
        parts.append(part(rows, seed))
    return parts


def test_ratios_are_paired_over_seeds():
    summary = summarise(simulated(1.5))
    assert tuple(summary.columns) == SUMMARY_COLUMNS
    values = cell(summary, "single_threshold", MATCHED)
    assert values.value == pytest.approx(0.2) and values.ci_low < 0.19 and values.ci_high > 0.21
    assert (values.n, values.seeds) == (20, 20)
    ratio = cell(summary, "mist_chosen", MATCHED, "ratio", baseline="single_threshold")
    # Every seed has the same ratio, so the spread of the seeds must not reach it.
    assert (ratio.value, ratio.ci_low, ratio.ci_high) == pytest.approx((1.5, 1.5, 1.5))
    assert cell(summary, "mist_chosen", MATCHED, "ratio", baseline="ceiling").value == pytest.approx(0.9)


def test_a_seed_without_a_selection_is_left_out_of_the_mean_precision():
    assert cell(summarise(simulated(1.5)), "mist_chosen", "precision").value == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("gain", "seeds", "verdict"), [(1.5, 20, "met"), (1.1, 20, "missed"), (1.5, 5, "open"), (1.1, 19, "open")]
)
def test_the_gain_is_judged_by_its_interval_and_not_with_few_seeds(gain, seeds, verdict):
    judged = verdicts(summarise(simulated(gain, seeds)))
    assert list(judged["verdict"]) == [verdict, "missed" if seeds == 20 else "open"]


def guarantee(kept):
    precision = [0.75] * kept + [0.65] * (200 - kept)
    key = {"data": "guarantee", "scorer": SETTING, "buckets": 3}
    return part(
        [
            line("guaranteed", "true_precision", precision, **key),
            line("guaranteed", "true_recall", [0.2, 0.1] * 100, **key),
            line("mapie_buckets", "true_precision", [1.0] * 40, **key),
            line("mapie_buckets", "true_recall", [0.1, 0.05] * 20, **key),
        ]
    )


@pytest.mark.parametrize(("kept", "verdict"), [(196, "met"), (182, "open"), (150, "missed")])
def test_a_guarantee_is_kept_if_the_exact_interval_of_its_share_says_so(kept, verdict):
    summary = summarise([guarantee(kept)])
    share = cell(summary, "guaranteed", "precision_kept", "share")
    assert share.value == pytest.approx(kept / 200) and share.n == 200
    judged = verdicts(summary)
    assert list(judged["verdict"]) == [verdict, "met"]
    # Both in the repetitions that they share, so the ratio is the same in each.
    assert judged["value"].iloc[1] == pytest.approx(2) and judged["n"].iloc[1] == 40


def speed(seconds, same=1.0):
    key = {"data": "speed", "scorer": SETTING}
    rows = []
    for method, times in {"mist": [0.1, 0.2], "tuned_classifier": seconds}.items():
        rows += [line(method, "seconds", times, **key), line(method, "same_selection", [same, 1.0], **key)]
    rows.append(line("exact_dp", "seconds", [0.05, 0.09], data="speed", rows=5000, buckets=10))
    return part(rows)


@pytest.mark.parametrize(
    ("seconds", "same", "verdict"),
    [([3.0, 6.0], 1.0, "met"), ([3.0, 3.0], 1.0, "open"), ([1.0, 1.0], 1.0, "missed"), ([3.0, 6.0], 0.0, "open")],
)
def test_speed_is_judged_by_the_least_and_the_most_and_only_at_equal_answers(seconds, same, verdict):
    judged = verdicts(summarise([speed(seconds, same)]))
    assert list(judged["verdict"]) == ["met", verdict]


def real(trend):
    """Return two seeds of a real scorer whose recall differs by target."""
    rng = np.random.default_rng(0)
    parts = []
    for seed in range(2):
        noise = rng.normal(0, 0.01, 1 + RESAMPLES)
        noise[0] = 0
        rows = [line("units", UNITS, [300.0], data=DATA, scorer="", target="", buckets=0)]
        rows += [
            line("uncertainty", TREND, (value + 100 * noise).tolist(), data=DATA, scorer=scorer, target="", buckets=0)
            for scorer, value in trend.items()
        ]
        for method, gain in (("single_threshold", 0.0), ("mist", 0.1)):
            for target, recall in (("0.30", 0.4), ("0.50", 0.2)):
                draws = (recall + gain + noise).tolist()
                own = {"data": DATA, "scorer": "ensemble", "target": target}
                rows += [line(method, metric, draws, **own) for metric in (MATCHED, "recall", "precision")]
                rows.append(line(method, "tuning_recall", [recall], **own))
        parts.append(part(rows, seed))
    return parts


def test_real_recalls_are_averaged_over_targets_and_units_are_counted():
    summary = summarise(real({"ensemble": 0.0}))
    mean = cell(summary, "mist", MATCHED, scorer="ensemble")
    assert (mean.target, mean.value, mean.n, mean.seeds) == (MEAN, pytest.approx(0.4), 300, 2)
    assert cell(summary, "mist", MATCHED, "ratio", scorer="ensemble").value == pytest.approx(4 / 3, rel=1e-4)
    difference = cell(summary, "mist", MATCHED, "difference", scorer="ensemble")
    assert (difference.ci_low, difference.ci_high) == pytest.approx((0.1, 0.1))
    precisions = summary[(summary["metric"] == "precision") & (summary["method"] == "mist")]
    assert list(precisions["target"]) == ["0.30", "0.50"]


def test_an_estimator_is_informative_only_beyond_chance():
    summary = summarise(real({"ensemble": 0.5, "rate_4_flat": -15.0}))
    assert informative_scorers(summary) == ("rate_4_flat",)
    assert informative_scorers(summarise(real({"ensemble": 0.5}))) == ()
    text = digest(summary)
    assert "| Deep ensemble | +0.5 [" in text and text.count("| yes |") == 1


def test_pages_say_what_was_measured():
    summary = summarise([*simulated(1.5), *real({"ensemble": 0.5}), guarantee(196), speed([3.0, 6.0])])
    text = markdown(summary)
    for title in ("Goals", SETTING, DATA, "Information at equal score", "Guaranteed precision", "Speed"):
        assert f"## {title}\n" in text
    assert "**Precision 0.70, 1,000 tuning rows, 20 seeds**" in text
    assert "| MIST, K by cross-fitting (default) | – | 10.0 [10.0, 10.0] | 30.0 [" in text
    assert "×1.50 [1.50, 1.50] | ×0.90 [0.90, 0.90] | 70.0 [70.0, 70.0] | 0.500 |" in text
    assert "| scikit-learn TunedThresholdClassifierCV | 1,000 | 1 | 4.500 [3.000, 6.000] | ×30.0 [30.0, 30.0] |" in text


def test_every_goal_of_mismatch_names_a_setting():
    assert SETTING in SETTINGS and verdicts(summarise(simulated(1.5)))["on"].str.startswith(SETTING).all()
