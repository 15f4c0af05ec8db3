"""Clicks that nothing foretells: no estimator may claim to know which of them to trust.

The rows are the Open Bandit sample, 60,000 impressions with 287 clicks (see `sample_data/build/open_bandit.py`).
Campaigns differ a little in their click rate, and rare items belong to one of them, so the control
proper shuffles the test clicks: whatever is found then is chance.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.metrics.ordering import SortedScores
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.uncertainty.abstain import risk_coverage
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.evaluate import scored_rows
from engine.uncertainty.findings import TREND, informative
from engine.uncertainty.train import fit
from engine.uncertainty.trend import positivity_trend

CLICKS = Path(__file__).with_name("open_bandit.parquet")
CONFIG = UncertaintyConfig(estimators=("ensemble", "laplace", "counts"), members=2, hidden=8, epochs=2)
SHUFFLES = 12


@pytest.fixture(scope="module")
def later_rows(as_dataset):
    prepared = prepare(as_dataset(pd.read_parquet(CLICKS)), CONFIG)
    fitted = fit(prepared, CONFIG)
    return {name: scored_rows(fitted, prepared, name)["test"] for name in fitted.scorers}


def test_the_control_is_the_one_described():
    clicks = pd.read_parquet(CLICKS)
    assert len(clicks) == 60_000 and clicks["label"].sum() == 287 and clicks["item"].nunique() == 160


def test_no_score_ranks_the_clicks_of_later_days(later_rows):
    for rows in later_rows.values():
        ranked = SortedScores(rows.label, rows.score)
        draws = bootstrap(ranked.roc_auc, rows.unit, n_resamples=60, rng=np.random.default_rng(0))
        low, high = percentile_interval(draws)
        assert low[0] < 0.5 < high[0]


def test_leaving_out_uncertain_rows_beats_the_score_nowhere(later_rows):
    for rows in later_rows.values():
        _, areas = risk_coverage(rows, threshold=0.01, seed=0, resamples=60, rng=np.random.default_rng(0))
        against = areas[(areas["baseline"] == "score_ambiguity") & (areas["metric"] == "area_log_loss")]
        assert against["ci_high"].iloc[0] > 0


def test_shuffled_clicks_are_called_informative_no_more_often_than_chance_allows(later_rows):
    rng = np.random.default_rng(5)
    excluded, named = 0, 0
    for _ in range(SHUFFLES):
        label = rng.permutation(next(iter(later_rows.values())).label)
        found = []
        for name, rows in later_rows.items():
            trend = positivity_trend(replace(rows, label=label), resamples=60, rng=np.random.default_rng(0))
            found.append({"scorer": name, "metric": TREND} | trend)
            excluded += not trend["ci_low"] < 0 < trend["ci_high"]
        named += len(informative(pd.DataFrame(found))) > 0
    # 36 intervals at 95 %, 12 sets at 95 %: 7 and 4 or more are rarer than one in 200.
    assert excluded < 7 and named < 4
