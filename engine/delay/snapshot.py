"""The day of the snapshot: how it is chosen, and what must be there on it."""

from __future__ import annotations

import numpy as np

from engine.errors import NotEnoughDataError

MAX_DAYS = 400
_MAX_ROWS = 20_000
_MIN_MATURED = 20


def choose_day(time: np.ndarray, window: np.ndarray, waiting: np.ndarray) -> float:
    """Choose the day on which matured, immature and later exposures are best balanced; labels are not looked at.

    For every candidate day three shares of all exposures are formed: *matured*, *later* (the test), and *immature*,
    where each exposure that has had its first label counts with the share of its window that lies ahead. The day
    with the largest smallest share wins; ties go to the second smallest, then to the earlier day.

    Parameters
    ----------
    time : ndarray of shape (n_rows,), days
        Exposures with a known final label.
    window, waiting : ndarrays of shape (n_rows,), days

    Returns
    -------
    float
        A whole day.

    Raises
    ------
    NotEnoughDataError
        If there is no exposure with a final label.
    """
    if time.size == 0:
        raise NotEnoughDataError(
            "No exposure has a complete attribution window by the last time in the data; "
            "use a shorter 'attribution_days' or data over a longer period."
        )
    every = slice(None, None, max(1, -(-time.size // _MAX_ROWS)))
    time, window, waiting = time[every], window[every], waiting[every]
    days = np.arange(np.floor(time.min()) + 1, np.ceil(time.max()) + 1)
    days = days[:: -(-days.size // MAX_DAYS)] if days.size else np.array([np.ceil(time.max())])
    return float(max(days, key=lambda day: (_balance(day, time, window, waiting), -day)))


def _balance(day: float, time: np.ndarray, window: np.ndarray, waiting: np.ndarray) -> list[float]:
    """Return the three shares at a day, smallest first."""
    age = day - time
    matured = np.mean((age >= window) & (age > 0))
    immature = np.mean(np.where((age >= waiting) & (age < window), 1.0 - age / window, 0.0))
    return sorted(round(float(share), 4) for share in (matured, immature, np.mean(age <= 0)))


def require_usable(
    label: np.ndarray, *, train: np.ndarray, matured: np.ndarray, test: np.ndarray, as_of: float
) -> None:
    """Refuse a snapshot on which nothing can be learned or judged.

    Parameters
    ----------
    label : ndarray of shape (n_rows,), 0 or 1
        Final labels.
    train, matured, test : ndarrays of shape (n_rows,), bool
    as_of : float
        Day of the snapshot, for the message.

    Raises
    ------
    NotEnoughDataError
    """
    day = f"day {as_of:g}"
    ready = train & matured
    if ready.sum() < _MIN_MATURED:
        raise NotEnoughDataError(
            f"Only {int(ready.sum())} training exposures have a complete window on {day} ('as_of_day'); at least "
            f"{_MIN_MATURED} are needed to learn how labels arrive. Choose a later day or a shorter window."
        )
    if not test.any():
        raise NotEnoughDataError(
            f"No exposure on or after {day} ('as_of_day') has a final label to be judged on; choose an earlier day."
        )
    for rows, name in ((ready, "matured training"), (test, "test")):
        positives = int(label[rows].sum())
        if positives in (0, int(rows.sum())):
            found = "no conversion" if positives == 0 else "conversions only"
            raise NotEnoughDataError(
                f"The {int(rows.sum()):,} {name} exposures at {day} hold {found}; both outcomes are needed. "
                "Choose another 'as_of_day' or more data."
            )
