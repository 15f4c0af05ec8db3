"""Validation at the public door of the metrics: arrays in, typed arrays out, or a `DataError`."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import ConfigError, DataError, UndefinedMetricWarning

Floats = NDArray[np.float64]


def _first_bad(bad: NDArray[np.bool_]) -> int:
    """Position of the first true entry."""
    return int(np.flatnonzero(bad)[0])


def vector(name: str, values: ArrayLike, *, length: int | None = None) -> Floats:
    """Return a one-dimensional float64 array without missing values.

    Raises
    ------
    DataError
        If the values are not numbers, not one-dimensional, of another length than `length`, or
        missing; names the first bad row.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"`{name}` holds values that are not numbers; pass numbers only.") from error
    if array.ndim != 1:
        raise DataError(f"`{name}` has shape {array.shape}; one value per row is expected.")
    if length is not None and array.size != length:
        raise DataError(f"`{name}` has {array.size} rows where {length} are expected.")
    reject(name, array, np.isnan(array), "every row needs a number")
    return array


def reject(name: str, array: NDArray[np.generic], bad: NDArray[np.bool_], allowed: str) -> None:
    """Raise a `DataError` that names the first bad row of `array`, if there is one."""
    if bad.any():
        row = _first_bad(bad)
        raise DataError(f"`{name}` is {array[row]} in row {row} (counted from 0); {allowed}.")


def labels(y_true: ArrayLike, *, length: int | None = None) -> Floats:
    """Return binary labels as float64 zeros and ones.

    Raises
    ------
    DataError
        If a value is neither 0 nor 1.
    """
    array = vector("y_true", y_true, length=length)
    reject("y_true", array, (array != 0) & (array != 1), "labels are 0 or 1")
    return array


def probabilities(y_prob: ArrayLike, *, length: int | None = None) -> Floats:
    """Return probabilities as float64 values in [0, 1].

    Raises
    ------
    DataError
        If a value lies outside [0, 1].
    """
    array = vector("y_prob", y_prob, length=length)
    reject("y_prob", array, (array < 0) | (array > 1), "probabilities lie in [0, 1]")
    return array


def weights(sample_weight: ArrayLike | None, length: int) -> Floats:
    """Return one finite, non-negative weight per row; ones if none are given.

    Raises
    ------
    DataError
        If the length differs or a weight is negative or infinite.
    """
    if sample_weight is None:
        return np.ones(length)
    array = vector("sample_weight", sample_weight, length=length)
    bad = (array < 0) | np.isinf(array)
    reject("sample_weight", array, bad, "weights are finite and not negative")
    return array


def score_table(scores: ArrayLike) -> NDArray[np.floating]:
    """Return scores of shape (n_queries, n_items) in their own float precision.

    Raises
    ------
    DataError
        If there is not one row per query or a score is missing; names the first bad row.
    """
    table = np.asarray(scores)
    if table.dtype.kind != "f":
        table = table.astype(np.float64)
    if table.ndim != 2:
        raise DataError(f"`scores` has shape {table.shape}; one row per query is expected.")
    missing = np.isnan(table)
    if missing.any():
        row, column = (int(i) for i in np.argwhere(missing)[0])
        raise DataError(f"`scores` is missing in row {row}, column {column} (counted from 0).")
    return table


def columns(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return one existing column number per row of a table of the given shape.

    Raises
    ------
    DataError
        If there is not one whole number per row, or the column does not exist.
    """
    array = np.asarray(values)
    if array.shape != shape[:1]:
        raise DataError(f"`{name}` has shape {array.shape}; {shape[:1]} is expected, one column per row.")
    if array.size and array.dtype.kind not in "iu":
        raise DataError(f"`{name}` has type {array.dtype}; whole numbers are expected.")
    index = array.astype(np.int64)
    reject(name, index, (index < 0) | (index >= shape[1]), f"columns 0 to {shape[1] - 1} exist")
    return index


def mask(name: str, values: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a boolean table of the given shape.

    Raises
    ------
    DataError
        If the shape or the type differs.
    """
    array = np.asarray(values)
    if array.shape != shape or array.dtype != np.bool_:
        raise DataError(f"`{name}` is {array.dtype} of shape {array.shape}; bool of shape {shape} is expected.")
    return array


def require(field: str, value: object, *, ok: bool, allowed: str) -> None:
    """Raise a `ConfigError` about an option unless `ok`."""
    if not ok:
        raise ConfigError(f"`{field}` is {value}; {allowed}.")


def positive_integer(field: str, value: int) -> int:
    """Return an option that counts something, checked to be a whole number of at least 1."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    require(field, value, ok=whole and value >= 1, allowed="a whole number of at least 1 is needed")
    return int(value)


def confidence_level(level: float) -> float:
    """Return a confidence level, checked to lie strictly between 0 and 1."""
    require("level", level, ok=0 < level < 1, allowed="a share between 0 and 1 is needed")
    return float(level)


def undefined(metric: str, reason: str) -> float:
    """Warn that a metric has no value here, and return NaN (never 0)."""
    warnings.warn(f"{metric} is undefined: {reason}. The value is NaN.", UndefinedMetricWarning, stacklevel=3)
    return float("nan")


def weighted_mean(metric: str, values: Floats, weight: Floats) -> float:
    """Return the weighted mean; NaN with a warning if there is no weight at all."""
    total = float(weight.sum())
    if total == 0:
        return undefined(metric, "no row carries weight")
    return float(values @ weight) / total


def query_share(queries: ArrayLike) -> Floats:
    """Return 1 / (rows of the same query) for each row: weights that make every query count once.

    Parameters
    ----------
    queries : array-like of shape (n_rows,)
        The query of each row, any labels.

    Returns
    -------
    ndarray of shape (n_rows,), float64, in (0, 1]

    Examples
    --------
    >>> query_share(["a", "a", "b"])
    array([0.5, 0.5, 1. ])
    """
    array = np.asarray(queries)
    _, index, counts = np.unique(array, return_inverse=True, return_counts=True)
    share: Floats = 1.0 / counts[index].reshape(array.shape)
    return share
