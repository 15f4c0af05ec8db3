"""The weights that each method trains with: what they cost, how they spread by segment, and the largest ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from engine.delay import weights
from engine.delay.data import Prepared
from engine.delay.streams import Stream, label_weights
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.result import metric_row

TAILS = 10
"""Rows with the largest weights that are listed per method."""
_FINE_BINS = 20
_FINE_END = 2.0
"""Bins are equal up to here, which most exact weights never pass; above, four bins to a doubling."""
_SUMS = ["n", "weight_sum", "weight_square_sum"]


def weight_rows(stream: Stream, probability: np.ndarray) -> pd.DataFrame:
    """List every weight that a stream trains with at the end; those of FNW and DEFER follow from the fitted model.

    Parameters
    ----------
    stream : Stream
    probability : ndarray of shape (n_rows,)
        Of the method, over all prepared exposures.

    Returns
    -------
    DataFrame
        ``exposure`` (row of the prepared arrays), ``label``, ``weight``. One entry per row of the stream with the
        label as it was seen, ``positive`` or ``negative``; a negative row that also carries a positive weight for the
        conversion still to come has a second entry, ``pending``.
    """
    positive, negative = label_weights(stream, probability)
    seen = negative == 0
    soft = (positive > 0) & ~seen
    observed = pd.DataFrame(
        {
            "exposure": stream.exposure,
            "label": np.where(seen, "positive", "negative"),
            "weight": np.where(seen, positive, negative),
        }
    )
    pending = pd.DataFrame({"exposure": stream.exposure[soft], "label": "pending", "weight": positive[soft]})
    return pd.concat((observed, pending), ignore_index=True)


def weight_metrics(
    streams: Mapping[str, Stream],
    probability: Mapping[str, np.ndarray],
    prepared: Prepared,
    *,
    resamples: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return effective sample share, mean, largest and clipped share of the weights of the labels as seen.

    Parameters
    ----------
    streams, probability : mapping of str
        Method to its rows, and to what it predicts for every prepared exposure.
    prepared : Prepared
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    list of dict
        Rows of `engine.result.METRIC_COLUMNS` with split ``train``; intervals resample units.
    """
    rows: list[dict[str, Any]] = []
    for method, stream in streams.items():
        table = weight_rows(stream, probability[method])
        weight = table.loc[table["label"] != "pending", "weight"].to_numpy()
        unit = prepared.unit[stream.exposure]
        squares = np.column_stack((np.ones_like(weight), weight, weight**2))

        def statistic(taken: np.ndarray, squares: np.ndarray = squares) -> np.ndarray:
            n, total, square = taken @ squares
            return np.array([total**2 / (n * square), total / n])

        low, high = percentile_interval(bootstrap(statistic, unit, n_resamples=resamples, rng=rng))
        values = {
            "ess_share": (weights.ess_share(weight), low[0], high[0]),
            "mean_weight": (weight.mean(), low[1], high[1]),
            "max_weight": (weight.max(), np.nan, np.nan),
            "clipped_share": (stream.clipped_share, np.nan, np.nan),
        }
        rows += [
            metric_row(
                method=method, split="train", segment="all", metric=metric, value=value, ci_low=a, ci_high=b,
                n=np.unique(unit).size,
            )
            for metric, (value, a, b) in values.items()
        ]  # fmt: skip
    return rows


def weight_histogram(
    streams: Mapping[str, Stream], probability: Mapping[str, np.ndarray], prepared: Prepared
) -> pd.DataFrame:
    """Count and add up the weights in bins, by method, segment and label.

    Parameters
    ----------
    streams, probability, prepared
        See `weight_metrics`.

    Returns
    -------
    DataFrame
        ``method, segment`` ("all" or a segment), ``label`` (see `weight_rows`), ``bin_low, bin_high`` (a weight on an
        edge belongs to the bin below), ``n, weight_sum, weight_square_sum`` of the bin, ``rows`` of the method's
        stream in the segment and ``share`` = n / rows. Empty bins are left out. All methods share the edges.

    Notes
    -----
    Clipping at an edge c needs no weight again: bins above keep n and get the sums n c and n c², bins below stay. So
    clipped share, mean and effective size (Σw)² / Σw² after clipping at any edge are exact.
    """
    tables = {method: weight_rows(stream, probability[method]) for method, stream in streams.items()}
    edges = _edges(max(float(table["weight"].max()) for table in tables.values()))
    names = sorted(set(prepared.segment))
    parts = []
    for method, table in tables.items():
        # The slack takes a weight that rounding put just above an edge back to it.
        place = np.maximum(np.searchsorted(edges, table["weight"] - 1e-9, side="left") - 1, 0)
        binned = table.assign(
            segment=prepared.segment[table["exposure"]],
            place=place,
            n=1,
            weight_sum=table["weight"],
            weight_square_sum=table["weight"] ** 2,
        )
        groups = [("all", binned)]
        if len(names) > 1:
            groups += [(name, binned[binned["segment"] == name]) for name in names]
        for segment, rows in groups:
            found = rows.groupby(["label", "place"], sort=True)[_SUMS].sum().reset_index()
            parts.append(found.assign(method=method, segment=segment, rows=int((rows["label"] != "pending").sum())))
    table = pd.concat(parts, ignore_index=True)
    return table.assign(
        bin_low=edges[table["place"]], bin_high=edges[table["place"] + 1], share=table["n"] / table["rows"]
    )[["method", "segment", "label", "bin_low", "bin_high", *_SUMS, "share", "rows"]]


def weight_tails(
    streams: Mapping[str, Stream], probability: Mapping[str, np.ndarray], prepared: Prepared
) -> pd.DataFrame:
    """List the largest weights of every method that has unequal ones.

    Parameters
    ----------
    streams, probability, prepared
        See `weight_metrics`.

    Returns
    -------
    DataFrame
        ``method, rank`` (1 = largest; ties in order of the stream), ``exposure_id, segment, label, age_days`` on the
        snapshot day, ``weight`` and ``weight_share`` of the sum of all weights of the method. At most `TAILS` rows
        per method, none where all weights are 1.
    """
    parts = []
    for method, stream in streams.items():
        table = weight_rows(stream, probability[method])
        if not (table["weight"] != 1.0).any():
            continue
        top = table.sort_values("weight", ascending=False, kind="stable").head(TAILS)
        exposure = top["exposure"].to_numpy()
        parts.append(
            pd.DataFrame(
                {
                    "method": method,
                    "rank": np.arange(1, len(top) + 1),
                    "exposure_id": prepared.exposure_id[exposure].astype(str),
                    "segment": prepared.segment[exposure],
                    "label": top["label"].to_numpy(),
                    "age_days": prepared.age[exposure].astype(np.float32),
                    "weight": top["weight"].to_numpy(),
                    "weight_share": top["weight"].to_numpy() / table["weight"].sum(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _edges(largest: float) -> np.ndarray:
    """Return bin edges from 0 to at least the largest weight: equal steps at first, doublings above."""
    fine = np.linspace(0.0, _FINE_END, _FINE_BINS + 1)
    steps = max(0, int(np.ceil(4 * np.log2(max(largest, _FINE_END) / _FINE_END) - 1e-9)))
    return np.concatenate((fine, _FINE_END * 2.0 ** (np.arange(1, steps + 1) / 4)))
