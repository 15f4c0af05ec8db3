"""Columns known at the exposure become one numeric matrix, standardised on the training rows."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from engine.errors import DataError

MAX_LEVELS = 30
"""Commonest levels of a text column that get a column of their own; rarer ones share none."""
_ID_SHARE = 0.5
"""A text column with more distinct values than this share of the rows is an id, not a feature."""


def feature_columns(
    table: pd.DataFrame, *, roles: Collection[str], source: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Sort the columns without a role into numeric features, categorical features and ignored columns.

    Parameters
    ----------
    table : DataFrame
    roles : collection of str
        Columns that play a role.
    source : str
        What messages call the table.

    Returns
    -------
    numeric, categorical, ignored : tuples of str
        Ignored are truth columns (``true_…``), times (``…_time`` or of a time type), which may lie after the
        exposure, and ids.

    Raises
    ------
    DataError
        If a numeric feature holds an infinity; missing values are allowed.
    """
    numeric: list[str] = []
    categorical: list[str] = []
    ignored: list[str] = []
    for name in (name for name in table.columns if name not in roles):
        values = table[name]
        if str(name).startswith("true_") or str(name).endswith("_time") or values.isna().all():
            ignored.append(name)
        elif pd.api.types.is_numeric_dtype(values.dtype):
            _check_finite(values, str(name), source)
            numeric.append(name)
        elif pd.api.types.is_datetime64_any_dtype(values.dtype) or values.nunique() > _ID_SHARE * len(values) + 1:
            ignored.append(name)
        else:
            categorical.append(name)
    return tuple(numeric), tuple(categorical), tuple(ignored)


def encode(
    rows: pd.DataFrame,
    *,
    numeric: Collection[str],
    categorical: Collection[str],
    window: np.ndarray,
    fit_on: np.ndarray,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Build the feature matrix: standardised numbers, a mark for missing ones, one column per common level.

    Parameters
    ----------
    rows : DataFrame of n_rows exposures
    numeric, categorical : collections of str
    window : ndarray of shape (n_rows,), days
        The attribution window is a feature where it differs between rows: a longer one catches more.
    fit_on : ndarray of shape (n_rows,), bool
        Training rows; means, spreads and levels come from them alone.

    Returns
    -------
    x : ndarray of shape (n_rows, n_features), float32
    names : tuple of str
    """
    columns: list[np.ndarray] = []
    names: list[str] = []
    numbers = {str(name): rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numeric}
    for name, values in (numbers | {"log window": np.log(window)}).items():
        missing = np.isnan(values)
        fitted = values[fit_on & ~missing]
        spread = float(fitted.std()) if fitted.size else 0.0
        if spread > 0:
            columns.append(np.where(missing, 0.0, (values - fitted.mean()) / spread).clip(-5, 5))
            names.append(name)
        if missing[fit_on].any():
            columns.append(missing.astype(np.float64))
            names.append(f"{name} missing")
    for name in ("segment", *categorical):
        text = rows[name].astype("string").fillna("missing")
        counts = text[fit_on].value_counts()
        # One level is implied by the others; a column that is always 1 tells nothing.
        for level in sorted(counts.index[:MAX_LEVELS])[0 if len(counts) > 2 else 1 :]:
            columns.append((text == level).to_numpy(dtype=np.float64))
            names.append(f"{name} = {level}")
    if not columns:
        columns, names = [np.zeros(len(rows))], ["none"]
    return np.column_stack(columns).astype(np.float32), tuple(names)


def _check_finite(values: pd.Series, name: str, source: str) -> None:
    """Refuse infinities in a feature."""
    bad = np.flatnonzero(np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan)))
    if bad.size:
        raise DataError(
            f"Column '{name}' of {source} has '{values.iloc[bad[0]]}' in data row {bad[0] + 1}; "
            "allowed is a finite number, or no value. Correct or drop the row."
        )
