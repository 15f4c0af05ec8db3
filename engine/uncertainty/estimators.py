"""Put the scorers of a run side by side: how good the score is, and what its uncertainty adds to it.

An uncertainty carries information at equal score if positivity, or the size of the error, changes
with it among rows of the same score. Where the scores differ, a gain in recall is not enough: it may
repair a score that another scorer gets right at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.seeding import generator
from engine.uncertainty.abstain import risk_coverage
from engine.uncertainty.boundaries import score_only_threshold
from engine.uncertainty.calibrators import recalibration_table
from engine.uncertainty.compare import paired
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.findings import (
    AREA_GAIN,
    AREA_PREFIX,
    CORRELATION,
    CORRELATION_AT_SCORE,
    GAIN,
    PLACEBO,
    TREND,
)
from engine.uncertainty.grid import Floats, Layout
from engine.uncertainty.names import BASELINE, MATCHED
from engine.uncertainty.rows import Rows
from engine.uncertainty.trend import mid_rank, smooth_by_score
from engine.uncertainty.unit_sums import bootstrap_of_sums, interval

SCORE_METRICS = ("roc_auc", "log_loss")
ESTIMATOR_COLUMNS = ("scorer", "metric", "value", "ci_low", "ci_high", "n")


def error_correlations(rows: Rows, *, resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Correlate the rank of the uncertainty with the squared error, as it is and at equal score.

    Parameters
    ----------
    rows : Rows
        Test rows.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        ``metric, value, ci_low, ci_high, n``: ``error_correlation`` is Pearson's between the rank
        and (score - label)^2; ``error_correlation_at_equal_score`` the same after a piecewise
        linear function of the score is taken out of both, NaN if the score determines the
        uncertainty. n counts units.
    """
    weight = rows.weight.astype(float)
    rank, error = mid_rank(rows.uncertainty), (rows.score - rows.label) ** 2
    pairs = [(rank, error)]
    cleared = [values - smooth_by_score(rows.score, values, weight) for values in (rank, error)]
    # Rounding must not pass for a spread.
    left = float(weight @ cleared[0] ** 2) > 1e-8 * weight.sum()
    pairs.append((cleared[0] if left else np.zeros_like(rank), cleared[1]))
    one = np.zeros(rank.size, dtype=np.int64)
    quantities = {"w": (one, weight)}
    for name, (x, y) in zip("ab", pairs, strict=True):
        values = {"x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y}
        quantities |= {f"{name}{key}": (one, weight * value) for key, value in values.items()}
    value, draws = bootstrap_of_sums(rows.unit, quantities, 1, _correlations, resamples=resamples, rng=rng)
    n = int(np.unique(rows.unit).size)
    return pd.DataFrame(
        [
            {"metric": metric} | interval(value[place], draws[:, place]) | {"n": n}
            for place, metric in enumerate((CORRELATION, CORRELATION_AT_SCORE))
        ]
    )


def _correlations(sums: Mapping[str, Floats]) -> Floats:
    """Pearson's correlation of both pairs from their sums."""
    total = sums["w"][0]
    found = []
    for name in "ab":
        x, y, xx, yy, xy = (sums[f"{name}{key}"][0] / total for key in ("x", "y", "xx", "yy", "xy"))
        spread = np.sqrt(max(xx - x * x, 0.0) * max(yy - y * y, 0.0))
        found.append((xy - x * y) / spread if spread > 1e-12 else np.nan)
    return np.array(found)


def estimator_curves(
    rows: Mapping[str, Mapping[str, Rows]],
    layouts: Mapping[str, Layout],
    target: float,
    config: UncertaintyConfig,
) -> dict[str, pd.DataFrame]:
    """Tabulate, for every scorer, abstention and recalibration on the test rows.

    Parameters
    ----------
    rows : mapping of str to mapping of str to Rows
        Scorer to its tuning and test rows.
    layouts : mapping of str to Layout
        Scorer to the edges of its buckets.
    target : float
        Precision target of the one threshold from which on a row counts as a predicted positive; the threshold is
        set on the tuning rows.
    config : UncertaintyConfig

    Returns
    -------
    dict of str to DataFrame
        ``risk_coverage`` and ``abstention`` (see `engine.uncertainty.abstain.risk_coverage`),
        ``recalibration`` (see `engine.uncertainty.calibrators.recalibration_table`) and
        ``correlations`` (see `error_correlations`), each with a column ``scorer``.
    """
    tables: dict[str, list[pd.DataFrame]] = {}
    for name, part in rows.items():
        tune = part["tune"]
        streams = {
            key: generator(config.seed, "uncertainty", key, name) for key in ("abstain", "recalibration", "error")
        }
        curve, areas = risk_coverage(
            part["test"],
            threshold=score_only_threshold(tune.score, tune.label, tune.weight, target),
            seed=config.seed,
            resamples=config.resamples,
            rng=streams["abstain"],
        )
        repaired = recalibration_table(
            tune,
            part["test"],
            layouts[name],
            n_bins=config.reliability_bins,
            resamples=config.resamples,
            rng=streams["recalibration"],
        )
        correlations = error_correlations(part["test"], resamples=config.resamples, rng=streams["error"])
        own = {"risk_coverage": curve, "abstention": areas, "recalibration": repaired, "correlations": correlations}
        for key, table in own.items():
            tables.setdefault(key, []).append(table.assign(scorer=name))
    return {key: pd.concat(parts, ignore_index=True) for key, parts in tables.items()}


def estimator_table(
    classifier: pd.DataFrame,
    trends: pd.DataFrame,
    boundary: tuple[pd.DataFrame, Floats],
    curves: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Gather what one compares estimators by.

    Parameters
    ----------
    classifier : DataFrame
        ``method`` (the scorer), ``segment, metric, value, ci_low, ci_high, n``.
    trends : DataFrame
        As of `engine.uncertainty.trend.trend_table`, with ``scorer``.
    boundary : (DataFrame, ndarray)
        Test rows and draws of `engine.uncertainty.compare.measure_split`.
    curves : mapping of str to DataFrame
        As of `estimator_curves`, and ``scorers`` with ``scorer, undivided``.

    Returns
    -------
    DataFrame
        `ESTIMATOR_COLUMNS`; metrics are ``roc_auc``, ``log_loss``; ``positivity_trend`` and
        ``placebo_trend`` (percentage points from the most to the least certain row at equal score);
        ``recall_gain`` (percentage points of recall that a threshold per bucket adds at equal test
        precision, mean over the targets; NaN where uncertainty parts no rows, as nothing is judged);
        both correlations with the error; ``abstention_gain`` (area under the log loss curve when
        rows are left out by ambiguity of the score, minus the same by uncertainty: above 0,
        uncertainty leaves out the better rows).
    """
    score = classifier[(classifier["segment"] == "all") & classifier["metric"].isin(SCORE_METRICS)]
    parts = [score.assign(scorer=score["method"])]
    shown = trends[trends["segment"] == "all"]
    parts.append(shown.assign(metric=shown["method"].map({"uncertainty": TREND, "placebo": PLACEBO})))
    scorers = curves["scorers"]
    parted = set(scorers.loc[scorers["undivided"] == "", "scorer"])
    gains = _recall_gains(*boundary)
    # Thresholds that are one and the same would gain exactly 0, with no doubt about it.
    effect = ["value", "ci_low", "ci_high"]
    gains[effect] = gains[effect].where(gains["scorer"].isin(parted), np.nan)
    parts.append(gains)
    parts.append(curves["correlations"])
    areas = curves["abstention"]
    against = areas[(areas["baseline"] == "score_ambiguity") & (areas["metric"] == f"{AREA_PREFIX}log_loss")]
    turned = {"value": -against["value"], "ci_low": -against["ci_high"], "ci_high": -against["ci_low"]}
    parts.append(against.assign(metric=AREA_GAIN, **turned))
    table = pd.concat([part[list(ESTIMATOR_COLUMNS)] for part in parts], ignore_index=True)
    order = {name: place for place, name in enumerate(score["method"].unique())}
    return table.sort_values("scorer", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _recall_gains(test: pd.DataFrame, draws: Floats) -> pd.DataFrame:
    """Mean gain over the targets of one threshold per bucket, per scorer, in percentage points."""
    matched = test[test["metric"] == MATCHED]
    found = []
    for scorer, own in matched.groupby("scorer", sort=False):
        left, right = (own.index[own["method"] == method].tolist() for method in ("mist", BASELINE))
        effect = {key: 100 * value for key, value in paired(test, draws, left, right).items()}
        found.append({"scorer": scorer, "metric": GAIN, "n": int(own["n"].iloc[0])} | effect)
    return pd.DataFrame(found)
