"""The comparison of scorers repeats what was measured and calls nothing informative that is chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine.uncertainty.estimators import error_correlations
from engine.uncertainty.findings import CORRELATION, CORRELATION_AT_SCORE, informative


def correlations(rows, seed=0, resamples=60):
    table = error_correlations(rows, resamples=resamples, rng=np.random.default_rng(seed))
    return table.set_index("metric")


def test_the_correlation_is_pearsons_with_the_rank(make_rows):
    rows = make_rows(n=300)
    rank = pd.Series(rows.uncertainty).rank().to_numpy()
    expected = np.corrcoef(rank, (rows.score - rows.label) ** 2)[0, 1]
    assert correlations(rows).loc[CORRELATION, "value"] == pytest.approx(expected)


def test_an_uncertainty_made_from_the_score_knows_nothing_at_equal_score(make_rows):
    rows = make_rows(n=2000)
    own = correlations(replace(rows, uncertainty=rows.score * (1 - rows.score)))
    assert own.loc[CORRELATION, "ci_low"] > 0.3
    assert abs(own.loc[CORRELATION_AT_SCORE, "value"]) < 0.1


def test_an_uncertainty_that_knows_the_error_shows_it_at_equal_score(make_rows):
    rows = make_rows(n=2000)
    error = np.abs(rows.score - rows.label)
    own = correlations(replace(rows, uncertainty=error + np.random.default_rng(0).random(2000)))
    assert own.loc[CORRELATION_AT_SCORE, "ci_low"] > 0.1


def test_a_constant_uncertainty_has_no_correlation(make_rows):
    rows = make_rows(n=200)
    own = correlations(replace(rows, uncertainty=np.full(200, 0.3)))
    assert own["value"].isna().all()


def test_a_run_puts_its_scorers_side_by_side(scored_run):
    table = scored_run.curves["estimators"]
    trends, metrics = scored_run.curves["trend"], scored_run.metrics
    assert list(table["scorer"].unique()) == ["given", "rate_all_flat", "rate_all_matched"]
    assert table.groupby("scorer")["metric"].nunique().tolist() == [8, 8, 8]
    own = table.set_index(["scorer", "metric"])
    shown = trends[(trends["segment"] == "all") & (trends["method"] == "uncertainty")].set_index("scorer")
    auc = metrics[(metrics["metric"] == "roc_auc") & (metrics["segment"] == "all")].set_index("method")
    for scorer in ("given", "rate_all_matched"):
        assert own.loc[(scorer, "positivity_trend"), "value"] == shown.loc[scorer, "value"]
        assert own.loc[(scorer, "roc_auc"), "ci_low"] == auc.loc[scorer, "ci_low"]
    # The flat prior misleads thin evidence, the matched one does not.
    assert "rate_all_flat" in informative(table) and "rate_all_matched" not in informative(table)
    claims = scored_run.curves["claims"]
    gain = claims[(claims["claim"] == "C7") & (claims["segment"] == "Given score")].iloc[0]
    assert own.loc[("given", "recall_gain"), "value"] == pytest.approx(gain["value"])


def test_a_run_holds_abstention_and_recalibration_of_every_scorer(scored_run):
    for name in ("risk_coverage", "abstention", "recalibration"):
        assert set(scored_run.curves[name]["scorer"]) == {"given", "rate_all_flat", "rate_all_matched"}
    areas = scored_run.curves["abstention"]
    assert set(areas["baseline"]) == {"", "score_ambiguity", "random"}
