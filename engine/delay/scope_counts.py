"""Facts of the snapshot and the law of matured exposures, one Ibis expression each."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from engine.delay.whatif import LAW_COLUMNS, STATES, law_points


def scope_facts(exposures: ibis.Table, *, as_of: float, end: float) -> ibis.Table:
    """Count what the snapshot holds.

    Parameters
    ----------
    exposures : ibis.Table
        As `engine.delay.relation.Log.exposures`.
    as_of : float
        Day of the snapshot.
    end : float
        Day up to which the log was observed.

    Returns
    -------
    ibis.Table
        One row: ``exposures`` before the day, of them ``matured`` with their whole window and ``immature``; of the
        immature ``seen`` conversions, ``positives`` in the end, ``pending`` without conversion and ``flipped`` of
        these; ``later`` exposures; ``engaged`` within the window and ``converted`` of all; ``window_min, window_max``
        and ``matured_window``, the longest of the matured; ``first_closed``, the first day on which a window is over;
        ``first_open``, the first exposure whose window is not over at the end (NULL for none).
    """
    delay = exposures.conversion_time - exposures.exposure_time
    timed = exposures.mutate(
        age=as_of - exposures.exposure_time,
        closed=exposures.exposure_time + exposures.window_days,
        label=(delay <= exposures.window_days).fill_null(False),
        seen=((delay <= exposures.window_days) & (delay <= as_of - exposures.exposure_time)).fill_null(False),
        engaged=((exposures.engagement_time - exposures.exposure_time) <= exposures.window_days).fill_null(False),
    )
    matured, immature = _.age >= _.window_days, (_.age > 0) & (_.age < _.window_days)
    return timed.aggregate(
        exposures=(_.age > 0).sum(),
        matured=((_.age > 0) & matured).sum(),
        immature=immature.sum(),
        seen=(immature & _.seen).sum(),
        positives=(immature & _.label).sum(),
        pending=(immature & ~_.seen).sum(),
        flipped=(immature & ~_.seen & _.label).sum(),
        later=(_.age <= 0).sum(),
        engaged=_.engaged.sum(),
        converted=_.label.sum(),
        window_min=_.window_days.min(),
        window_max=_.window_days.max(),
        matured_window=_.window_days.max(where=matured & (_.age > 0)),
        first_closed=_.closed.min(),
        first_open=_.exposure_time.min(where=_.closed > end),
    )


def law_counts(exposures: ibis.Table, elapsed: np.ndarray, *, as_of: float, waiting_days: float) -> ibis.Table:
    """Count conversions of the matured exposures by engagement state and elapsed days.

    Parameters
    ----------
    exposures : ibis.Table
        As `engine.delay.relation.Log.exposures`.
    elapsed : ndarray of shape (points,), days
        See `engine.delay.whatif.law_points`.
    as_of, waiting_days : float

    Returns
    -------
    ibis.Table
        One row per ``engaged`` (by the waiting window): ``n, converted`` and for each point k ``by_k``, those that had
        converted by then.
    """
    matured = exposures.filter(_.exposure_time < as_of, as_of - _.exposure_time >= _.window_days)
    first = ibis.least(ibis.literal(float(waiting_days)), _.window_days)
    timed = matured.mutate(
        delay=_.conversion_time - _.exposure_time,
        engaged=((_.engagement_time - _.exposure_time) <= first).fill_null(False),
    )
    inside = (_.delay <= _.window_days).fill_null(False)
    measures: dict[str, Any] = {"n": _.count(), "converted": inside.sum()}
    for place, days in enumerate(elapsed):
        measures[f"by_{place}"] = (inside & (_.delay <= float(days))).fill_null(False).sum()
    return timed.group_by("engaged").aggregate(**measures).order_by("engaged")


def described_law(counts: pd.DataFrame, elapsed: np.ndarray) -> pd.DataFrame:
    """Write `law_counts` as the table of `engine.delay.whatif.law_table`."""
    total = int(counts["n"].sum())
    parts = []
    for state, name in enumerate(STATES):
        rows = counts[counts["engaged"].astype(int) == state]
        n, converted = (int(rows[column].sum()) for column in ("n", "converted"))
        by_then = np.array([int(rows[f"by_{place}"].sum()) for place in range(elapsed.size)], dtype=np.float64)
        parts.append(
            pd.DataFrame(
                {
                    "state": name,
                    "share": n / total,
                    "conversion": converted / max(n, 1),
                    "elapsed_days": elapsed,
                    "seen": by_then / converted if converted else np.ones(elapsed.size),
                    "n": n,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)[list(LAW_COLUMNS)]


__all__ = ["described_law", "law_counts", "law_points", "scope_facts"]
