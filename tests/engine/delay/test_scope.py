"""The day of a description is the one a training would choose, and what has no final label is left out."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.delay.config import DelayConfig
from engine.delay.data import load, prepare
from engine.delay.relation import Log, exposures_of
from engine.delay.scope import balanced_day, day_sums, scope_of
from engine.delay.snapshot import choose_day
from engine.errors import DataError, NotEnoughDataError
from engine.result import DatasetInfo

CONFIG = DelayConfig()


def log_of(time, window, delay=None) -> Log:
    """Return a log of exposures, without conversions unless delays are given."""
    delay = np.full(len(time), np.nan) if delay is None else delay
    frame = pd.DataFrame(
        {"exposure_time": np.asarray(time, float), "conversion_time": time + delay, "window_days": np.asarray(window)}
    )
    return exposures_of(
        ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False)), {}, source="log", attribution_days=30.0
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_day_is_the_one_a_training_chooses(seed) -> None:
    rng = np.random.default_rng(seed)
    time = rng.uniform(3, 150, 400)
    time = time.round() if seed % 2 else time
    window = rng.choice([7.0, 20.0, 33.5], 400) if seed % 3 else np.full(400, 30.0)
    sums = day_sums(log_of(time, window).exposures, waiting_days=7.0).to_pyarrow().to_pandas()
    assert sums["n"].sum() == 400
    assert balanced_day(sums) == choose_day(time, window, np.minimum(window, 7.0))


def test_a_log_shorter_than_two_windows_has_no_such_day_and_is_looked_at_as_of_its_end() -> None:
    log = log_of(np.arange(20.0), np.full(20, 30.0), np.full(20, 2.0))
    assert balanced_day(day_sums(log.exposures, waiting_days=7.0).to_pyarrow().to_pandas()) is None
    scope = scope_of(log, CONFIG, None)
    assert (scope.as_of, scope.end, scope.is_past, scope.dropped) == (21.0, 21.0, False, 0)
    assert scope.exposures.count().to_pyarrow().as_py() == 20


def test_only_exposures_with_a_final_label_count_as_of_an_earlier_day() -> None:
    log = log_of(np.arange(100.0), np.full(100, 30.0))
    scope = scope_of(log, CONFIG, 50.0)
    # The last time is day 99: exposures up to day 69 have had their 30 days.
    assert (scope.as_of, scope.end, scope.is_past, scope.dropped) == (50.0, 99.0, True, 30)
    assert scope.exposures.exposure_time.max().to_pyarrow().as_py() == 69.0


@pytest.mark.parametrize("visit", [np.nan, 154.5])
def test_the_log_ends_where_a_training_takes_it_to_end_also_by_a_visit(visit) -> None:
    time = np.arange(150.0)
    frame = pd.DataFrame({"exposure_time": time, "conversion_time": np.where(time % 3 == 0, time + 2, np.nan)})
    frame = frame.assign(x=time % 7, visit_time=[visit, *[np.nan] * 149])
    info = DatasetInfo(name="log", origin="own", data_id="0", rows={})
    trained = prepare(load(frame, info=info), CONFIG)
    table = ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))
    log = exposures_of(table, {}, source="log", attribution_days=CONFIG.attribution_days)
    scope = scope_of(log, CONFIG, None)
    assert log.last_day == trained.observed_until == (149.0 if np.isnan(visit) else visit)
    assert (scope.as_of, scope.end, scope.dropped) == (trained.as_of, trained.observed_until, trained.dropped)
    early = table.mutate(visit_time=table.exposure_time - 1)
    with pytest.raises(DataError, match=r"'visit_time' of log is 1 day before .* in data row 1 \(150 rows in all\)"):
        exposures_of(early, {}, source="log", attribution_days=30.0)
    with pytest.raises(DataError, match="'visit_time' of log is 1 day before 'exposure_time'"):
        load(frame.assign(visit_time=time - 1), info=info)


def test_a_day_after_the_last_time_says_until_when_the_log_was_observed() -> None:
    scope = scope_of(log_of(np.arange(100.0), np.full(100, 30.0)), CONFIG, 120.0)
    assert (scope.as_of, scope.end, scope.is_past, scope.dropped) == (120.0, 120.0, False, 0)


def test_a_day_before_which_nothing_is_final_is_refused_with_a_way_out() -> None:
    log = log_of(np.array([0.0, 1.0, 2.0, 3.0]), np.array([60.0, 60.0, 60.0, 1.0]), np.array([5.0, 5.0, 5.0, np.nan]))
    with pytest.raises(NotEnoughDataError, match="with --as-of last"):
        scope_of(log, CONFIG, 2.0)


def test_a_log_of_one_moment_is_refused_unless_it_is_looked_at_later() -> None:
    log = log_of(np.full(3, 5.0), np.full(3, 30.0))
    with pytest.raises(
        NotEnoughDataError, match=r"All times of the log are the same moment, .* later day with --as-of"
    ):
        scope_of(log, CONFIG, None)
    assert scope_of(log, CONFIG, 9.0).end == 9.0
