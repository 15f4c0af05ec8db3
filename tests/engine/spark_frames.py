"""Data with the cells on which engines could differ."""

from __future__ import annotations

import numpy as np
import pandas as pd


def scores(n=800):
    """Rows some of which lie on an edge, with whole weights, a slice of few values and a column of one."""
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "label": rng.integers(0, 2, n),
            "score": rng.choice([0.0, 0.123456789, 0.5, 0.7, 1.0], n),
            "uncertainty": rng.choice([-0.1, 0.1, 0.2, 0.3, 0.4], n),
            "weight": rng.integers(1, 4, n),
            "split": rng.choice(["train", " Tune", "test"], n),
            "unit": [f"häuser {k}" for k in rng.integers(0, 90, n)],
            "region": rng.choice(["a", "ü", None], n),
            "same": "x",
        }
    )


def exposures(n=500):
    """Times in days, before 1970 as well, and NULL for what has not happened."""
    rng = np.random.default_rng(1)
    time = rng.uniform(-10, 60, n)
    return pd.DataFrame(
        {
            "unit": [f"household {k}" for k in rng.integers(0, 90, n)],
            "segment": rng.choice(["a", "ü", None], n),
            "exposure_time": time,
            "engagement_time": np.where(rng.random(n) < 0.5, time + rng.exponential(5.0, n), np.nan),
            "conversion_time": np.where(rng.random(n) < 0.6, time + rng.exponential(6.0, n), np.nan),
            "window_days": rng.choice([10.0, 14.0], n),
        }
    )


def dated(frame):
    """The same exposures at dates, to the second, as a clock writes them."""
    names = [name for name in frame.columns if name.endswith("_time")]
    moments = {name: pd.Timestamp("2024-02-28") + pd.to_timedelta(frame[name], unit="D") for name in names}
    return frame.assign(**{name: moment.dt.floor("s") for name, moment in moments.items()})


def events(n=600):
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {"user": rng.integers(0, 25, n), "item": rng.integers(0, 7, n), "time": rng.uniform(-3, 30, n).round(2)}
    )
