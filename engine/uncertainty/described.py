"""A run without a training: scores that the data bring, of any size, from aggregates alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from engine.result import DatasetInfo, RunResult
from engine.seeding import generator
from engine.tables import content_hash
from engine.uncertainty.bucket_choice import CANDIDATES
from engine.uncertainty.bucket_cut import bucket_cut
from engine.uncertainty.compress import Compressed, compress
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.evaluate import STORED_PREDICTIONS
from engine.uncertainty.grid import Layout
from engine.uncertainty.names import GIVEN
from engine.uncertainty.relation import Scored, scored_rows_of
from engine.uncertainty.run import run
from engine.uncertainty.slice_view import layout_of
from engine.uncertainty.slices import slice_cells

SCORER = GIVEN
_SCORE_COLUMNS = ("threshold", "bin_low", "bin_high")
_OF_TEST = ("differences", "claims", "trend", "verdicts")
"""Tables of the test rows whose n counts groups in the run on lines."""


def describe(
    table: ir.Table,
    roles: Mapping[str, str],
    config: UncertaintyConfig,
    *,
    source: str,
    slices: Sequence[str] | None = None,
) -> RunResult:
    """Place and judge thresholds on given scores, as a run does, for data that need not fit into memory.

    The data are scanned once for the checks, once for the steps, once for the counts, and once per slice column. The
    run then works on one line per count.

    Parameters
    ----------
    table : ibis table
        ``label, score, uncertainty`` and optionally ``weight, split, unit`` and slice columns, on any backend.
    roles : mapping of str to str
        Role to column name.
    config : UncertaintyConfig
        Settings of the training are not read.
    source : str
        What the messages and the run call the data.
    slices : sequence of str, optional
        See `engine.uncertainty.relation.scored_rows_of`.

    Returns
    -------
    RunResult
        Tables as of any run, and the curve ``slices`` if there are any. Scores are rounded to the means of a few
        hundred steps, thresholds are those of the data. ``n`` counts rows; intervals resample groups of units, or of
        rows without units.

    Raises
    ------
    DataError
        If a column or a value is not allowed.
    NotEnoughDataError
        If there are too few rows or positives.
    """
    scored = scored_rows_of(table, roles, source=source, slices=slices)
    tune_share = config.tune_share / (1 - config.train_share)
    numbers = CANDIDATES if config.buckets is None else (config.buckets,)
    cut = bucket_cut(config, precision=scored.precision)
    compressed = compress(scored, seed=config.seed, tune_share=tune_share, source=source, cut=cut, numbers=numbers)
    lines = compressed.lines
    counts = {f"{name} rows": int(part["weight"].sum()) for name, part in lines.groupby("split")}
    info = DatasetInfo(name=source, origin="own", data_id=content_hash(lines), description="Scores as given.")
    result = run(replace(load(lines, info=info), span=compressed.span, precision=scored.precision), config)
    rows = {"rows": scored.total, "positives": scored.positives} | counts | {"lines of counts": len(lines)}
    curves = {name: _on_data(name, curve, compressed) for name, curve in result.curves.items()}
    curves.pop("slices", None)
    if scored.slices:
        curves["slices"] = _slices(scored, layout_of(curves["edges"], SCORER), config, tune_share)
    n = {"tune": counts["tune rows"], "test": counts["test rows"]}
    for name in set(_OF_TEST) & set(curves):
        curves[name] = curves[name].assign(n=n["test"])
    curves["claims"] = curves["claims"].assign(n_unit="rows")
    return replace(
        result,
        dataset=replace(info, rows=rows),
        curves=curves,
        metrics=result.metrics.assign(n=_rows_behind(result.metrics, curves["cells"], n)),
        predictions=_sample(scored, config),
    )


def _on_data(table: str, curve: pd.DataFrame, compressed: Compressed) -> pd.DataFrame:
    """Turn thresholds and edges on the scores of lines into those of the data."""
    found = curve.copy()
    for name in (*_SCORE_COLUMNS, *(("low", "high") if table == "threshold_bands" else ())):
        if name in found.columns and found[name].dtype == np.float64:
            found[name] = compressed.threshold(found[name].to_numpy())
    if "edge" in found.columns:
        is_score = found["axis"] == "score"
        found.loc[is_score, "edge"] = compressed.threshold(found.loc[is_score, "edge"].to_numpy(float))
    return found


def _slices(scored: Scored, layout: Layout, config: UncertaintyConfig, tune_share: float) -> pd.DataFrame:
    """Count the slices; rows without a split are split at random again, with the same share."""
    rows, given = scored.rows, scored.has("split")
    rows = rows.filter(rows.split != "train") if given else rows.mutate(split=ibis.literal("test"))
    counted = slice_cells(rows, layout, scored.slices).assign(scorer=SCORER)
    if given:
        return counted
    rng = generator(config.seed, "uncertainty", "describe", "slices")
    won = rng.binomial(counted["positives"].to_numpy(), tune_share)
    lost = rng.binomial((counted["n"] - counted["positives"]).to_numpy(), tune_share)
    n = won + lost
    share = n / counted["n"].to_numpy()
    sums = counted["score_sum"].to_numpy()
    tune = counted.assign(split="tune", n=n, positives=won, score_sum=sums * share)
    test = counted.assign(n=counted["n"] - n, positives=counted["positives"] - won, score_sum=sums * (1 - share))
    both = pd.concat([tune, test], ignore_index=True)
    return both[both["n"] > 0].reset_index(drop=True)


def _rows_behind(metrics: pd.DataFrame, cells: pd.DataFrame, n: Mapping[str, int]) -> list[int]:
    """Count the rows behind every metric: those of its bucket, or of its split."""
    sizes = cells.groupby(["split", "bucket"])["n"].sum()
    found = []
    for split, segment in zip(metrics["split"], metrics["segment"], strict=True):
        words = str(segment).split()
        of_bucket = len(words) == 5 and words[:2] == ["uncertainty", "bucket"]
        found.append(int(sizes[split, int(words[2]) - 1]) if of_bucket else n[split])
    return found


def _sample(scored: Scored, config: UncertaintyConfig) -> pd.DataFrame:
    """Keep some rows as they are, for tables of cases."""
    rows = scored.rows.filter(scored.rows.split == "test") if scored.has("split") else scored.rows
    share = min(1.0, 4 * STORED_PREDICTIONS / scored.lines)
    drawn = rows.sample(share, method="row", seed=config.seed) if share < 1 else rows
    columns = {"y_true": drawn.label, "prob": drawn.score, "uncertainty": drawn.uncertainty}
    columns |= {name: drawn[name] for name in scored.slices}
    found = drawn.select(**columns).limit(STORED_PREDICTIONS).to_pyarrow().to_pandas()
    types = {"y_true": np.int8, "prob": np.float32, "uncertainty": np.float32}
    return found.astype(types).assign(sample_id=np.arange(len(found)), split="test")
