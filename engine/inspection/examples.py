"""Templates and small examples of every form of data."""

from __future__ import annotations

import csv
import importlib
import io

import numpy as np
import pandas as pd

from engine.inspection.roles import roles_of
from engine.result import Kind

_LINES: dict[str, tuple[dict[str, str], ...]] = {
    "edges": (
        {"source": "pasta", "target": "tomato sauce", "weight": "31", "time": "2026-03-02"},
        {"source": "printer", "target": "ink", "weight": "120", "time": "2026-03-05"},
        {"source": "ink", "target": "printer paper", "weight": "12", "time": "2026-03-09"},
    ),
    "events": (
        {"user": "u1", "item": "pasta", "time": "2026-03-02T17:20:00+01:00"},
        {"user": "u1", "item": "tomato sauce", "time": "2026-03-09T18:05:00+01:00"},
        {"user": "u2", "item": "pasta", "time": "2026-03-03T09:41:00+01:00"},
    ),
    "exposures": (
        {"exposure_id": "e1", "unit": "u1", "segment": "new", "campaign": "spring", "exposure_time": "2026-03-02"}
        | {"engagement_time": "2026-03-03", "visit_time": "2026-03-03", "conversion_time": "2026-03-07"}
        | {"window_days": "30", "orders_before": "2"},
        {"exposure_id": "e2", "unit": "u2", "segment": "new", "campaign": "spring", "exposure_time": "2026-03-02"}
        | {"engagement_time": "", "visit_time": "", "conversion_time": "", "window_days": "30", "orders_before": "0"},
        {"exposure_id": "e3", "unit": "u3", "segment": "loyal", "campaign": "spring", "exposure_time": "2026-03-04"}
        | {"engagement_time": "2026-03-04", "visit_time": "", "conversion_time": "", "window_days": "30"}
        | {"orders_before": "14"},
    ),
    "rows": (
        {"label": "1", "weight": "1", "split": "train", "unit": "u1", "time": "2026-03-02", "week": "9"}
        | {"age": "41", "region": "north"},
        {"label": "0", "weight": "1", "split": "tune", "unit": "u2", "time": "2026-03-09", "week": "10"}
        | {"age": "29", "region": "south"},
        {"label": "0", "weight": "1", "split": "test", "unit": "u3", "time": "2026-03-16", "week": "11"}
        | {"age": "", "region": "north"},
    ),
    "scores": (
        {"label": "1", "score": "0.81", "uncertainty": "0.02", "weight": "1", "split": "tune", "unit": "u1"},
        {"label": "0", "score": "0.34", "uncertainty": "0.11", "weight": "1", "split": "tune", "unit": "u2"},
        {"label": "0", "score": "0.07", "uncertainty": "0.05", "weight": "1", "split": "test", "unit": "u3"},
    ),
}
_ROWS = 2_000
_ITEMS, _USERS, _DAYS = 60, 600, 150


def template(kind: Kind, form: str) -> str:
    """Return a CSV with every role of a form as a column, and three rows that show how to write them.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    form : str

    Returns
    -------
    str
        Columns behind the roles stand for features.

    Raises
    ------
    ConfigError
        If this kind of data has no such form.
    """
    roles = [role.name for role in roles_of(kind, form)]
    names = [*roles, *(name for name in _LINES[form][0] if name not in roles)]
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(_LINES[form])
    return text.getvalue()


def example(kind: Kind, form: str) -> bytes:
    """Return a small CSV that can be described or trained as it is.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    form : str

    Returns
    -------
    bytes
        UTF-8. Rows to train on are a part of the grocery data that ship with the project; all others are simulated.

    Raises
    ------
    ConfigError
        If this kind of data has no such form.
    """
    roles_of(kind, form)
    return _frame(kind, form).to_csv(index=False, lineterminator="\n").encode()


def _frame(kind: Kind, form: str) -> pd.DataFrame:
    """Make the rows of an example."""
    if form == "events":
        return _events()
    if form == "rows":
        return _purchases()
    simulate = importlib.import_module(f"engine.{kind}.simulate").simulate
    frame: pd.DataFrame = simulate(_ROWS)
    frame = frame.drop(columns=[name for name in frame.columns if name.startswith("true_")])
    times = [name for name in frame.columns if name.endswith("_time")]
    start = pd.Timestamp("2026-01-01", tz="UTC")
    for name in times:
        moments = start + pd.to_timedelta(frame[name], unit="D").dt.round("s")
        frame[name] = moments.dt.strftime("%Y-%m-%dT%H:%M:%SZ").where(frame[name].notna())
    evidence = [name for name in frame.columns if name.startswith(("k_", "n_"))]
    return frame.drop(columns=evidence).round(4)


def _purchases() -> pd.DataFrame:
    """Take whole weeks of some households."""
    datasets = importlib.import_module("engine.datasets")
    frame = pd.read_parquet(datasets.SAMPLE_DATA / datasets.BUNDLED["journey-purchases"].file)
    chosen = frame[frame["unit"].isin(sorted(frame["unit"].unique())[:: max(1, 2500 * _ROWS // len(frame) // 4)])]
    kept = ["unit", "week", "label", "category", "weeks_since_purchase", "spend_per_purchase", "age", "income"]
    return chosen[kept].head(3 * _ROWS).round(3)


def _events() -> pd.DataFrame:
    """Simulate purchases after which a fitting item follows within days."""
    rng = np.random.default_rng(0)
    rows: list[tuple[str, str, int]] = []
    for user in range(_USERS):
        for _ in range(12):
            day, item = int(rng.integers(0, _DAYS)), int(rng.integers(0, _ITEMS))
            rows.append((f"u{user}", f"item {item}", day))
            for step in (1, 2):
                if rng.random() < 0.6:
                    rows.append((f"u{user}", f"refill {(item + step) % _ITEMS}", day + int(rng.integers(1, 20))))
    frame = pd.DataFrame(rows, columns=["user", "item", "time"]).sort_values(["time", "user"], ignore_index=True)
    return frame.assign(time=(pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["time"], unit="D")).dt.date)
