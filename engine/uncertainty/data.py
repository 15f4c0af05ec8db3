"""Bring labelled rows into the shape that scoring needs: roles, features, splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import ConfigError, DataError, NotEnoughDataError
from engine.result import DatasetInfo
from engine.schema import Column, validate
from engine.seeding import generator
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.encoding import Encoded, encode
from engine.uncertainty.grid import precision_of

SCHEMA: tuple[Column, ...] = (
    Column(name="label", kind="binary", description="1 if the row is a positive"),
    Column(name="score", kind="number", required=False, minimum=0, maximum=1, description="predicted probability"),
    Column(name="uncertainty", kind="number", required=False, description="rises with doubt, any scale"),
    Column(name="weight", kind="integer", required=False, minimum=1, unit="rows", description="rows a line stands for"),
    Column(name="split", kind="category", required=False, description="train, tune or test"),
    Column(name="unit", kind="id", required=False, description="natural unit of the intervals, for example household"),
    Column(name="time", kind="time", required=False, unit="days", description="orders train, tune, test"),
    Column(name="week", kind="number", required=False, unit="weeks", description="orders train, tune, test"),
)
ROLES = tuple(column.name for column in SCHEMA)
SPLITS = ("train", "tune", "test")
MIN_POSITIVES = 20
"""Fewest positives and negatives a split must hold."""

Ints = NDArray[np.int64]
Strings = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Hold validated rows: typed role columns, feature columns, evidence windows."""

    rows: pd.DataFrame
    features: pd.DataFrame
    windows: tuple[str, ...]
    """Names w for which the columns ``k_w`` (positives seen) and ``n_w`` (rows seen) exist."""
    info: DatasetInfo
    span: tuple[float, float] | None = None
    """What equal widths of uncertainty lie between, where lines stand for rows and know no smallest and largest."""
    precision: str = "float64"
    """Of the column of uncertainty as it came; ``rows`` hold float64."""

    @property
    def has_score(self) -> bool:
        """Whether rows bring their own score and uncertainty, so that nothing is trained."""
        return "score" in self.rows.columns


@dataclass(frozen=True, slots=True)
class Prepared:
    """Hold rows with their split and encoded features, all of length n."""

    label: Ints
    weight: Ints
    unit: Ints
    unit_name: str
    """What the intervals count: ``units`` if there is a unit column, else ``rows``."""
    split: Strings
    encoded: Encoded
    dataset: Dataset

    def mask(self, split: str) -> NDArray[np.bool_]:
        """Tell which rows belong to a split."""
        return self.split == split


def load(frame: pd.DataFrame, *, info: DatasetInfo) -> Dataset:
    """Validate a table of labelled rows.

    Parameters
    ----------
    frame : DataFrame
        ``label`` and features, or ``label, score, uncertainty``; optionally ``weight, split, unit,
        time, week`` and evidence columns ``k_w, n_w``. Columns named ``true_...`` are kept out of
        the features. Every other column is a feature.
    info : DatasetInfo

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If a column is absent, of the wrong type or out of range, or score, uncertainty and
        evidence columns do not come in pairs.
    NotEnoughDataError
        If the labels hold one class only.
    """
    present = [replace(column, required=True) for column in SCHEMA if column.name in frame.columns or column.required]
    rows = validate(frame, present, source=info.name)
    _check_pairs(rows, info.name)
    windows = _windows(rows, info.name)
    if rows["label"].nunique() < 2:
        only = int(rows["label"].iloc[0])
        raise NotEnoughDataError(f"Column 'label' of {info.name} is always {only}; both 0 and 1 are needed.")
    names = [name for name in rows.columns if name not in ROLES and not str(name).startswith("true_")]
    if "score" not in rows.columns and not names:
        raise DataError(f"{info.name} has neither features nor 'score' and 'uncertainty'; add one or the other.")
    counted = replace(info, rows={**info.rows, "rows": len(rows), "positives": int(rows["label"].sum())})
    precision = precision_of(frame.get("uncertainty"))
    return Dataset(rows=rows, features=rows[names], windows=windows, info=counted, precision=precision)


def _check_pairs(rows: pd.DataFrame, source: str) -> None:
    """Refuse a score without uncertainty and the other way round."""
    for one, other in (("score", "uncertainty"), ("uncertainty", "score")):
        if one in rows.columns and other not in rows.columns:
            raise DataError(
                f"{source} has a column '{one}' but no '{other}'; give both to evaluate a score, "
                "or neither to train an ensemble."
            )


def _windows(rows: pd.DataFrame, source: str) -> tuple[str, ...]:
    """Find pairs k_w, n_w of evidence columns and check 0 <= k <= n."""
    found = [str(name)[2:] for name in rows.columns if str(name).startswith("k_")]
    paired = [window for window in found if f"n_{window}" in rows.columns]
    for window in paired:
        k, n = (pd.to_numeric(rows[f"{kind}_{window}"], errors="coerce").to_numpy(float) for kind in "kn")
        bad = np.flatnonzero(~((k >= 0) & (k <= n) & np.isfinite(n)))
        if bad.size:
            row = bad[0]
            raise DataError(
                f"Columns 'k_{window}' and 'n_{window}' of {source} are {rows[f'k_{window}'].iloc[row]} and "
                f"{rows[f'n_{window}'].iloc[row]} in data row {row + 1}; needed are numbers with 0 <= k <= n."
            )
    return tuple(paired)


def require_both(split: str, positives: int, rows: int) -> None:
    """Refuse a split that has too few positives or negatives.

    Parameters
    ----------
    split : str
    positives, rows : int, >= 0

    Raises
    ------
    NotEnoughDataError
        If there are fewer than `MIN_POSITIVES` of either.
    """
    if min(positives, rows - positives) < MIN_POSITIVES:
        raise NotEnoughDataError(
            f"Split '{split}' has {positives} positives and {rows - positives} negatives in column 'label'; "
            f"at least {MIN_POSITIVES} of each are needed: bring more rows or change the split."
        )


def prepare(dataset: Dataset, config: UncertaintyConfig) -> Prepared:
    """Split the rows and encode the features for the ensemble.

    The split comes from the column ``split``, else from ``time`` or ``week`` (earlier rows train,
    later rows test, cut between distinct times), else at random, whole units together.

    Raises
    ------
    ConfigError
        If buckets have own edges and the score is not given.
    DataError
        If the split column holds other names or the times cannot be cut.
    NotEnoughDataError
        If a split has fewer than 20 positives or negatives.
    """
    rows = dataset.rows
    if config.bucket_edges and not dataset.has_score:
        raise ConfigError(
            "'bucket_edges' is for data that bring 'score' and 'uncertainty'; scores that are trained have scales of "
            "their own. Leave it out and choose 'buckets' and 'bucket_cut'."
        )
    split = _split(dataset, config)
    needed = SPLITS[1:] if dataset.has_score else SPLITS
    label = rows["label"].to_numpy(np.int64)
    for name in needed:
        positives, total = int(label[split == name].sum()), int((split == name).sum())
        require_both(name, positives, total)
    unit, unit_name = np.arange(len(rows)), "rows"
    if "unit" in rows.columns:
        unit, unit_name = pd.factorize(rows["unit"])[0], "units"
    weight = rows["weight"].to_numpy(np.int64) if "weight" in rows.columns else np.ones(len(rows), dtype=np.int64)
    features = dataset.features if not dataset.has_score else dataset.features.iloc[:, :0]
    return Prepared(
        label=label,
        weight=weight,
        unit=unit.astype(np.int64),
        unit_name=unit_name,
        split=split,
        encoded=encode(features, split == "train"),
        dataset=dataset,
    )


def split_rows(split: Strings) -> Mapping[str, int]:
    """Count the rows of every split, those left out included."""
    names, counts = np.unique(split, return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def _split(dataset: Dataset, config: UncertaintyConfig) -> Strings:
    """Name the split of every row."""
    rows = dataset.rows
    if "split" in rows.columns:
        given = rows["split"].str.lower().to_numpy(dtype=str)
        bad = np.flatnonzero(~np.isin(given, SPLITS))
        if bad.size:
            raise DataError(
                f"Column 'split' of {dataset.info.name} has '{given[bad[0]]}' in data row {bad[0] + 1}; "
                f"allowed are {', '.join(SPLITS)}."
            )
        return given
    named = next((name for name in ("time", "week", "unit") if name in rows.columns), None)
    if named in ("time", "week"):
        return _cut(rows[named].to_numpy(), named, dataset, config)
    rng = generator(config.seed, "uncertainty", "split")
    codes = pd.factorize(rows[named])[0] if named else np.arange(len(rows))
    return _cut(rng.permutation(int(codes.max()) + 1)[codes], named, dataset, config)


def _cut(clock: NDArray[np.generic], named: str | None, dataset: Dataset, config: UncertaintyConfig) -> Strings:
    """Cut ordered values, of a column or of the rows themselves, into train, tune and test between distinct values."""
    distinct, position = np.unique(clock, return_inverse=True)
    train, tune = config.train_share, config.tune_share
    if dataset.has_score:
        train, tune = 0.0, tune / (1 - train)
    first, second = round(train * distinct.size), round((train + tune) * distinct.size)
    if not (first > 0 or dataset.has_score) or not first < second < distinct.size:
        whose = f"Column '{named}' of {dataset.info.name}" if named else dataset.info.name
        what = f"{'distinct value' if named else 'row'}{'s' * (distinct.size != 1)}"
        other = f"give another column for '{named}' or none, or " if named else ""
        raise DataError(
            f"{whose} has {distinct.size} {what}, too few to cut into train, tune and test; {other}add a column "
            "'split' with these names."
        )
    return np.where(position < first, "train", np.where(position < second, "tune", "test"))
