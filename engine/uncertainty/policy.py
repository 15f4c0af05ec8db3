"""Take a boundary out of a run, bring it back, apply it to new rows and judge it there."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from engine.errors import ConfigError, DataError
from engine.metrics.calibration import wilson_interval
from engine.runs import Run
from engine.uncertainty.decision import Decision
from engine.uncertainty.grid import assign_buckets, in_precision, precision_of
from engine.uncertainty.names import segment_of

POLICY_SCHEMA = 1
KIND = "recommender-lens-thresholds"
ALL, NOTHING = "all", "nothing"
"""How thresholds of minus and plus infinity are written, which JSON does not know."""
METRICS = ("precision", "recall", "coverage")
_TEXT = ("scorer", "method", "run", "model_hash", "data_id", "split_hash", "made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Hold one boundary with where it comes from and what it achieved."""

    scorer: str
    method: str
    target: float | None
    """Precision target, or None for a boundary moved by hand or chosen by cost or budget."""
    uncertainty_edges: tuple[float, ...]
    """Upper edges of all buckets but the last, ascending, shape (K - 1,)."""
    thresholds: tuple[float, ...]
    """A row of bucket k is selected from this score on; minus infinity: all, infinity: nothing. Shape (K,)."""
    run: str
    model_hash: str
    """Content hash of the stored model, or ``none`` where scores came with the data."""
    data_id: str
    split_hash: str
    """Identifies how the rows were split: data, shares, seed and row counts."""
    made: str
    """Moment of the export, ISO 8601, UTC."""
    tune: Mapping[str, Mapping[str, float]]
    """Metric to ``value, ci_low, ci_high, n`` on the rows the boundary was chosen on."""
    test: Mapping[str, Mapping[str, float]]
    """The same on the untouched test rows."""


def export_policy(run: Run, *, scorer: str, method: str, target: float) -> Policy:
    """Take a tuned boundary out of a run.

    Parameters
    ----------
    run : Run
        A stored run of kind uncertainty.
    scorer, method : str
    target : float
        One of the run's precision targets.

    Returns
    -------
    Policy

    Raises
    ------
    ConfigError
        If the run has no such boundary; the message lists what there is.
    """
    table = run.curve("boundaries")
    for name, wanted in (("scorer", scorer), ("method", method), ("target", target)):
        same = np.isclose(table[name], wanted) if name == "target" else table[name] == wanted
        if not same.any():
            there = ", ".join(str(value) for value in dict.fromkeys(table[name]))
            raise ConfigError(f"'{name}' is '{wanted}'; the boundaries of {run.id} have {there}.")
        table = table[same]
    table = table.sort_values("bucket")
    if "uncertainty_high" in table.columns:
        edges = table["uncertainty_high"].to_numpy(float)[:-1]
    else:  # Runs of before: every method had the edges of its scorer.
        stored = run.curve("edges")
        edges = stored.loc[(stored["scorer"] == scorer) & (stored["axis"] == "uncertainty"), "edge"].to_numpy(float)
    measured = {split: _measured(run.metrics, method, segment_of(scorer, target), split) for split in ("tune", "test")}
    return make_policy(
        run, scorer=scorer, method=method, target=target, edges=edges, thresholds=table["threshold"], **measured
    )


def make_policy(  # noqa: PLR0913 - one argument per part of the file
    run: Run,
    *,
    scorer: str,
    method: str,
    target: float | None,
    edges: ArrayLike,
    thresholds: ArrayLike,
    tune: Mapping[str, Mapping[str, float]],
    test: Mapping[str, Mapping[str, float]],
) -> Policy:
    """Make a policy of any boundary over a run's scorer, for example one moved by hand.

    Parameters
    ----------
    run : Run
    scorer, method : str
    target : float or None
    edges : array-like of shape (K - 1,)
    thresholds : array-like of shape (K,)
    tune, test : mapping
        As in `Policy`; `outcome_metrics` writes a decision this way.

    Returns
    -------
    Policy
    """
    model = run.folder / "model.safetensors"
    dataset = run.manifest["dataset"]
    split = {"data": dataset["data_id"], "rows": dataset["rows"], "seed": run.manifest["seed"]}
    split |= {name: run.manifest["config"].get(name) for name in ("train_share", "tune_share")}
    has_model = scorer != "given" and not scorer.startswith("rate_") and model.is_file()
    return Policy(
        scorer=scorer,
        method=method,
        target=target,
        uncertainty_edges=tuple(np.asarray(edges, dtype=float).tolist()),
        thresholds=tuple(np.asarray(thresholds, dtype=float).tolist()),
        run=run.id,
        model_hash=_hash(model.read_bytes()) if has_model else "none",
        data_id=dataset["data_id"],
        split_hash=_hash(json.dumps(split, sort_keys=True).encode()),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        tune=tune,
        test=test,
    )


def outcome_metrics(decision: Decision) -> dict[str, dict[str, float]]:
    """Write a decision as the metrics of a policy, rows taken as independent."""
    found = {}
    for metric, (value, low, high) in (("precision", decision.precision), ("recall", decision.recall)):
        found[metric] = {"value": value, "ci_low": low, "ci_high": high, "n": float(decision.rows)}
    low, high = (float(end) for end in wilson_interval(decision.selected, decision.rows))
    return found | {"coverage": {"value": decision.coverage, "ci_low": low, "ci_high": high, "n": float(decision.rows)}}


def _measured(metrics: pd.DataFrame, method: str, segment: str, split: str) -> dict[str, dict[str, float]]:
    """Pick what a boundary achieved on a split."""
    own = metrics[(metrics["method"] == method) & (metrics["segment"] == segment) & (metrics["split"] == split)]
    rows = own[own["metric"].isin(METRICS)].set_index("metric")[["value", "ci_low", "ci_high", "n"]]
    return {str(metric): {key: float(value) for key, value in row.items()} for metric, row in rows.iterrows()}


def _hash(content: bytes) -> str:
    """Short content hash."""
    return hashlib.sha256(content).hexdigest()[:16]


def policy_text(policy: Policy) -> str:
    """Write a policy as JSON, readable and strict: no NaN, no infinity.

    Returns
    -------
    str
    """
    fields: dict[str, Any] = {"kind": KIND, "schema_version": POLICY_SCHEMA} | asdict(policy)
    fields["thresholds"] = [_written(value) for value in policy.thresholds]
    for split in ("tune", "test"):
        fields[split] = {
            metric: {key: None if math.isnan(value) else value for key, value in row.items()}
            for metric, row in fields[split].items()
        }
    return json.dumps(fields, indent=2, allow_nan=False) + "\n"


def _written(threshold: float) -> float | str:
    """Write a threshold for JSON."""
    return threshold if math.isfinite(threshold) else (ALL if threshold < 0 else NOTHING)


def read_policy(text: str) -> Policy:
    """Read a policy back and check all of it.

    Parameters
    ----------
    text : str
        As written by `policy_text`.

    Returns
    -------
    Policy

    Raises
    ------
    DataError
        If it is no policy, of another version, or an entry is absent or not what it must be.
    """
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"This is no threshold file: line {error.lineno} is not JSON; give one that was exported."
        ) from error
    if not isinstance(fields, dict) or fields.get("kind") != KIND:
        raise DataError(f"This is no threshold file: 'kind' is not '{KIND}'; give one that was exported.")
    if fields.get("schema_version") != POLICY_SCHEMA:
        raise DataError(
            f"'schema_version' is {fields.get('schema_version')!r}; read is {POLICY_SCHEMA}: export it again."
        )
    for name in _TEXT:
        if not isinstance(fields.get(name), str):
            raise DataError(f"'{name}' is {fields.get(name)!r}; a text is needed.")
    edges = _numbers(fields.get("uncertainty_edges"), "uncertainty_edges")
    thresholds = _numbers(fields.get("thresholds"), "thresholds", words={ALL: -math.inf, NOTHING: math.inf})
    if len(thresholds) != len(edges) + 1:
        raise DataError(f"'thresholds' has {len(thresholds)} entries; {len(edges)} edges need {len(edges) + 1}.")
    if any(not low < high for low, high in pairwise(edges)):
        raise DataError("'uncertainty_edges' do not rise; each must be above the one before.")
    target = fields.get("target")
    if target is not None and (isinstance(target, bool) or not isinstance(target, int | float) or not 0 < target < 1):
        raise DataError(f"'target' is {target!r}; a number between 0 and 1 or null is needed.")
    parts: dict[str, Any] = {name: fields[name] for name in _TEXT}
    parts |= {split: _metrics(fields.get(split), split) for split in ("tune", "test")}
    return Policy(
        target=None if target is None else float(target), uncertainty_edges=edges, thresholds=thresholds, **parts
    )


def _numbers(values: Any, name: str, words: Mapping[str, float] | None = None) -> tuple[float, ...]:
    """Read a list of finite numbers, or of words that stand for one."""
    if not isinstance(values, list):
        raise DataError(f"'{name}' is {values!r}; a list of numbers is needed.")
    known = words or {}
    found = []
    for place, value in enumerate(values):
        if isinstance(value, str) and value in known:
            found.append(known[value])
        elif _is_number(value):
            found.append(float(value))
        else:
            also = "".join(f", or '{word}'" for word in known)
            raise DataError(f"'{name}' holds {value!r} at place {place + 1}; a number is needed{also}.")
    return tuple(found)


def _is_number(value: Any) -> bool:
    """Tell a finite number from anything else."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _metrics(fields: Any, split: str) -> dict[str, dict[str, float]]:
    """Read the metrics of a split."""
    rows = list(fields.values()) if isinstance(fields, dict) else [None]
    if not all(isinstance(row, dict) and all(v is None or _is_number(v) for v in row.values()) for row in rows):
        raise DataError(f"'{split}' is no table of metrics with numbers; export the policy again.")
    return {
        metric: {key: math.nan if value is None else float(value) for key, value in row.items()}
        for metric, row in fields.items()
    }


def apply_policy(policy: Policy, score: ArrayLike, uncertainty: ArrayLike) -> NDArray[np.bool_]:
    """Tell which rows a policy selects.

    Parameters
    ----------
    policy : Policy
    score, uncertainty : array-like of shape (n,)
        On the scale of the policy's scorer. A row on a threshold is selected; one on an edge belongs to
        the more certain bucket. Where a column is float32, edges and thresholds are rounded as its values are.

    Returns
    -------
    ndarray of shape (n,), bool

    Raises
    ------
    DataError
        If the lengths differ or a value is missing.
    """
    s, u = (np.asarray(values, dtype=precision_of(values)) for values in (score, uncertainty))
    if s.ndim != 1 or s.shape != u.shape:
        raise DataError(f"'score' has shape {s.shape} and 'uncertainty' {u.shape}; one of each per row is needed.")
    for name, values in (("score", s), ("uncertainty", u)):
        if np.isnan(values).any():
            row = int(np.flatnonzero(np.isnan(values))[0]) + 1
            raise DataError(f"'{name}' is missing in row {row}; fill it or leave the row out.")
    threshold = np.array(policy.thresholds)[assign_buckets(u, np.array(policy.uncertainty_edges))]
    chosen: NDArray[np.bool_] = (s >= in_precision(threshold, precision_of(s))) & ~np.isposinf(threshold)
    return chosen
