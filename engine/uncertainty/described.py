"""A run without a training: scores that the data bring, of any size, from aggregates alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from engine.result import RunResult
from engine.uncertainty.compress import Compressed
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.divided import counted, tune_share_of
from engine.uncertainty.names import GIVEN
from engine.uncertainty.relation import scored_rows_of
from engine.uncertainty.run import run
from engine.uncertainty.slice_counts import slice_counts
from engine.uncertainty.slice_view import layout_of
from engine.uncertainty.stored_rows import stored_rows
from engine.uncertainty.trend import SEGMENTS, top_scores
from engine.uncertainty.verdict_words import with_sentences

SCORER = GIVEN
_SCORE_COLUMNS = ("threshold", "bin_low", "bin_high")
_OF_TEST = (
    *("abstention", "claims", "correlations", "differences"),
    *("estimators", "risk_coverage", "trend", "verdicts"),
)
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
    tune_share = tune_share_of(config)
    compressed, dataset = counted(scored, config, source=source)
    lines, info = compressed.lines, dataset.info
    counts = {f"{name} rows": int(part["weight"].sum()) for name, part in lines.groupby("split")}
    result = run(dataset, config)
    rows = {"rows": scored.total, "positives": scored.positives} | counts | {"lines of counts": len(lines)}
    curves = {name: _on_data(name, curve, compressed) for name, curve in result.curves.items()}
    curves.pop("slices", None)
    layout, cells = layout_of(curves["edges"], SCORER), curves["cells"]
    if scored.slices:
        found = slice_counts(scored, layout, cells, config, tune_share)
        curves["slices"] = found.assign(scorer=SCORER)
    predictions = stored_rows(scored, layout, cells, config, tune_share)
    rows["test rows stored as predictions"] = len(predictions)
    n = {"tune": counts["tune rows"], "test": counts["test rows"]}
    return replace(
        result,
        dataset=replace(info, rows=rows),
        curves=curves | _counting_rows(curves, lines, n),
        metrics=result.metrics.assign(n=_rows_behind(result.metrics, curves["cells"], n)),
        predictions=predictions,
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


def _counting_rows(
    curves: Mapping[str, pd.DataFrame], lines: pd.DataFrame, n: Mapping[str, int]
) -> dict[str, pd.DataFrame]:
    """Write the rows behind a number where the run on lines counted groups of them."""
    found = {name: curves[name].assign(n=n["test"]) for name in _OF_TEST}
    test = lines[lines["split"] == "test"]
    score, weight = test["score"].to_numpy(float), test["weight"].to_numpy(np.int64)
    top = {segment: int(weight[top_scores(score, weight, share)].sum()) for segment, share in SEGMENTS.items()}
    found["trend"] = curves["trend"].assign(n=curves["trend"]["segment"].map(top))
    table = curves["recalibration"]
    found["recalibration"] = table.assign(n=_rows_behind(table.assign(split="test"), curves["cells"], n))
    found |= {name: found.get(name, curves[name]).assign(n_unit="rows") for name in ("claims", "scorers")}
    targets = sorted(curves["boundaries"]["target"].unique())
    found["verdicts"] = with_sentences(found["verdicts"], curves["bucket_choice"], targets)
    return found


def _rows_behind(metrics: pd.DataFrame, cells: pd.DataFrame, n: Mapping[str, int]) -> list[int]:
    """Count the rows behind every metric: those of its bucket, or of its split."""
    sizes = cells.groupby(["split", "bucket"])["n"].sum()
    found = []
    for split, segment in zip(metrics["split"], metrics["segment"], strict=True):
        words = str(segment).split()
        of_bucket = len(words) == 5 and words[:2] == ["uncertainty", "bucket"]
        found.append(int(sizes[split, int(words[2]) - 1]) if of_bucket else n[split])
    return found
