"""Exposures in, a snapshot out: what was visible on one day, and the final labels kept apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.delay.config import DelayConfig
from engine.delay.encode import encode, feature_columns
from engine.delay.snapshot import choose_day, require_usable
from engine.errors import DataError
from engine.result import DatasetInfo
from engine.schema import LAST_DAY, Column, mixed_forms, validate
from engine.seeding import generator

SCHEMA: tuple[Column, ...] = (
    Column(name="exposure_id", kind="id", required=False, description="Name of the exposure; row number if absent."),
    Column(
        name="unit",
        kind="id",
        required=False,
        description="Household or user: intervals resample whole units; each row is its own if absent.",
    ),
    Column(name="segment", kind="category", required=False, description="Group shown separately; also a feature."),
    Column(name="campaign", kind="category", required=False, description="Cohort of the exposure; not a feature."),
    Column(name="exposure_time", kind="time", description="When the customer was exposed."),
    Column(
        name="engagement_time",
        kind="time",
        required=False,
        description="First sign of interest after the exposure; empty if none.",
    ),
    Column(name="visit_time", kind="time", required=False, description="First visit; shows how far the log reaches."),
    Column(name="conversion_time", kind="time", required=False, description="Conversion; empty if none so far."),
    Column(
        name="window_days",
        kind="number",
        required=False,
        unit="days",
        minimum=0.01,
        maximum=LAST_DAY,
        description="Attribution window of this exposure; the setting `attribution_days` where absent or empty.",
    ),
)
LATER = ("engagement_time", "visit_time", "conversion_time")
"""Times that cannot come before the exposure; the latest of any row is the end of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A validated table of exposures."""

    frame: pd.DataFrame
    """One row per exposure: the columns of `SCHEMA` (absent ones filled in) and the features."""
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    ignored: tuple[str, ...]
    """Columns that are neither a role nor a usable feature, with truth columns of a simulator."""
    has_dates: bool
    """Whether times came as dates; days then count from 1970-01-01."""
    info: DatasetInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A snapshot: arrays of shape (n_rows,) over the exposures whose final label is known by now."""

    as_of: float
    """Day of the snapshot."""
    has_dates: bool
    """Whether days count from 1970-01-01."""
    start: float
    """Training looks at exposures (streams: at emissions) after this day; -inf for all history."""
    observed_until: float
    """Last day of the log."""
    waiting: np.ndarray
    """Day after exposure on which the first label is read, min(e, window)."""
    exposure_id: np.ndarray
    unit: np.ndarray
    """Integer code of the unit."""
    segment: np.ndarray
    time: np.ndarray
    window: np.ndarray
    """Attribution window in days, > 0."""
    delay: np.ndarray
    """Days from exposure to conversion; inf without a conversion inside the window."""
    engage_delay: np.ndarray
    """Days from exposure to engagement; inf without."""
    x: np.ndarray
    """Features known at the exposure, shape (n_rows, n_features), float32, standardised on training rows."""
    feature_names: tuple[str, ...]
    train: np.ndarray
    """Exposures before the snapshot of the units that training may see."""
    holdout: np.ndarray
    """Exposures before the snapshot of the other units."""
    test: np.ndarray
    """Exposures on or after the day of the snapshot, all units."""
    dropped: int
    """Exposures whose window was still open at the end of the log: no final label, so not used at all."""

    @property
    def age(self) -> np.ndarray:
        """Days from exposure to the snapshot; negative for test rows."""
        return self.as_of - self.time

    @property
    def label(self) -> np.ndarray:
        """Final label, float64 0 or 1; only `oracle` may train on it where `matured` is false."""
        return np.isfinite(self.delay).astype(np.float64)

    @property
    def matured(self) -> np.ndarray:
        """Whether the window was over on the day of the snapshot."""
        return self.age >= self.window

    @property
    def seen(self) -> np.ndarray:
        """Whether the conversion was visible on the day of the snapshot."""
        return self.delay <= self.age

    def engaged_by(self, elapsed: np.ndarray) -> np.ndarray:
        """Return whether each exposure was engaged by an elapsed time (days), as 0.0 or 1.0."""
        return (self.engage_delay <= elapsed).astype(np.float64)

    @property
    def state(self) -> np.ndarray:
        """Engagement frozen at the waiting window, or at the snapshot for younger rows: 0.0 or 1.0.

        A later state must not be used: by the time of a late conversion almost every row is engaged, so it would
        tell the label.
        """
        return self.engaged_by(np.where(self.test, self.waiting, np.minimum(self.waiting, self.age)))


def load(frame: pd.DataFrame, *, info: DatasetInfo) -> Dataset:
    """Validate a table of exposures once.

    Parameters
    ----------
    frame : DataFrame
        Columns by role, see `SCHEMA`; every other column is a feature known at the exposure, except ids, times
        (names ending in ``_time``) and truth columns (``true_…``), which are ignored.
    info : DatasetInfo

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If a column is missing or of the wrong type, a value is not finite, or a conversion, engagement or visit
        comes before its exposure; names the first bad row.
    """
    source = info.name
    if "conversion_time" not in frame.columns:
        listing = ", ".join(f"'{name}'" for name in frame.columns[:12])
        raise DataError(
            f"Column 'conversion_time' is missing in {source}; it has {listing}. "
            "Name the column that plays this role with --column conversion_time=NAME."
        )
    table = validate(frame, SCHEMA, source=source)
    present = {name: frame[name][table[name].notna().to_numpy()] for name in ("exposure_time", *LATER) if name in table}
    if mixed := mixed_forms(source, {name: not _is_numeric(times) for name, times in present.items() if len(times)}):
        raise DataError(mixed)
    for name in LATER:
        if name in table.columns:
            _check_order(table, name, source)
    roles = {column.name for column in SCHEMA}
    numeric, categorical, ignored = feature_columns(table, roles=roles, source=source)
    return Dataset(
        frame=_fill_roles(table),
        numeric=numeric,
        categorical=categorical,
        ignored=ignored,
        has_dates=not _is_numeric(frame["exposure_time"]),
        info=DatasetInfo(
            name=info.name,
            origin=info.origin,
            data_id=info.data_id,
            description=info.description,
            rows={"exposures": len(table), "conversions": int(table["conversion_time"].notna().sum())},
        ),
    )


def prepare(dataset: Dataset, config: DelayConfig) -> Prepared:
    """Cut the exposures at one day into training, held-out and test rows, and encode their features.

    Protocol: training sees exposures before the day and only the conversions visible on it. The test rows are the
    exposures from that day on, judged on final labels. A share of the units is held out of training altogether,
    so that rows of every age at the snapshot can be judged too. Exposures whose window is still open at the end
    of the log have no final label and are left out everywhere, with their number in `dropped`.

    Parameters
    ----------
    dataset : Dataset
    config : DelayConfig

    Returns
    -------
    Prepared

    Raises
    ------
    NotEnoughDataError
        If no label is final, nothing has matured at the snapshot, nothing comes after it, or training or test
        rows are all of one class.
    """
    frame = dataset.frame
    window = frame["window_days"].fillna(config.attribution_days).to_numpy(dtype=np.float64)
    time = frame["exposure_time"].to_numpy(dtype=np.float64)
    end = _end_of_log(frame)
    known = time + window <= end
    rows = frame[known]
    time, window = time[known], window[known]
    waiting = np.minimum(config.waiting_days, window)
    as_of = choose_day(time, window, waiting) if config.as_of_day is None else config.as_of_day
    unit = pd.factorize(rows["unit"])[0]
    kept_out = _held_out_units(unit, config)
    before = time < as_of
    train = before & ~kept_out
    x, names = encode(rows, numeric=dataset.numeric, categorical=dataset.categorical, window=window, fit_on=train)
    prepared = Prepared(
        as_of=float(as_of),
        has_dates=dataset.has_dates,
        start=-np.inf if config.training_days is None else float(as_of) - config.training_days,
        observed_until=end,
        waiting=waiting,
        exposure_id=rows["exposure_id"].to_numpy(dtype=object),
        unit=unit,
        segment=rows["segment"].to_numpy(dtype=object),
        time=time,
        window=window,
        delay=_within(rows["conversion_time"].to_numpy(dtype=np.float64) - time, window),
        engage_delay=_within(rows["engagement_time"].to_numpy(dtype=np.float64) - time, window),
        x=x,
        feature_names=names,
        train=train,
        holdout=before & kept_out,
        test=~before,
        dropped=int((~known).sum()),
    )
    require_usable(prepared.label, train=train, matured=prepared.matured, test=prepared.test, as_of=prepared.as_of)
    return prepared


def _fill_roles(table: pd.DataFrame) -> pd.DataFrame:
    """Add the optional columns that a table does not have."""
    numbers = pd.Series(np.arange(1, len(table) + 1).astype(str), index=table.index)
    defaults = {
        "exposure_id": numbers,
        "unit": numbers,
        "segment": "all exposures",
        "engagement_time": np.nan,
        "window_days": np.nan,
    }
    return table.assign(**{name: value for name, value in defaults.items() if name not in table.columns})


def _is_numeric(values: pd.Series) -> bool:
    """Say whether times were given as numbers of days, also if written as text."""
    is_number = bool(pd.to_numeric(values.iloc[:1], errors="coerce").notna().all())
    return is_number and not pd.api.types.is_datetime64_any_dtype(values.dtype)


def _check_order(table: pd.DataFrame, name: str, source: str) -> None:
    """Refuse an event before its exposure."""
    early = np.flatnonzero((table[name] < table["exposure_time"]).to_numpy())
    if early.size:
        row = early[0]
        days = float(table["exposure_time"].iloc[row] - table[name].iloc[row])
        noun = "day" if days == 1 else "days"
        more = f" ({early.size:,} rows in all)" if early.size > 1 else ""
        raise DataError(
            f"Column '{name}' of {source} is {days:g} {noun} before 'exposure_time' in data row {row + 1}{more}; an "
            "event cannot precede its exposure. Correct or drop the row."
        )


def _end_of_log(frame: pd.DataFrame) -> float:
    """Return the last day that appears in any time column: up to then, a missing conversion means none."""
    times = [name for name in ("exposure_time", *LATER) if name in frame.columns]
    return float(np.nanmax(frame[times].to_numpy(dtype=np.float64)))


def _within(delay: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return delays in days, inf for events that are missing or after the window."""
    return np.where(np.isnan(delay) | (delay > window), np.inf, delay)


def _held_out_units(unit: np.ndarray, config: DelayConfig) -> np.ndarray:
    """Draw whole units until their number reaches the held-out share; returns a mask over rows."""
    count = int(unit.max()) + 1
    drawn = generator(config.seed, "holdout").permutation(count)[: round(count * config.holdout_share)]
    mask = np.zeros(count, dtype=bool)
    mask[drawn] = True
    return mask[unit]
