"""The same aggregates on Spark and on DuckDB give the same counts; skipped where Spark is not installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.delay.counts import collect, collect_days, day_counts, exit_counts, exit_counts_by_day, unit_exit_counts

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
GRID = {"step_days": 0.7, "horizon_bin": 20}
DAYS = (20.0, 33.3, 100.0)
COUNTED: dict[str, Callable[[ibis.Table], pd.DataFrame]] = {
    "exits": lambda table: collect(exit_counts(table, as_of=33.3, **GRID)),
    "exits by unit": lambda table: collect(unit_exit_counts(table, as_of=33.3, **GRID)),
    "exits by day": lambda table: collect(exit_counts_by_day(table, DAYS, **GRID)),
    "days": lambda table: collect_days(day_counts(table, DAYS, final_day=60.0), DAYS),
}


def exposures() -> pa.Table:
    """Return 500 exposures with NULL for what has not happened."""
    rng = np.random.default_rng(1)
    time = rng.uniform(0, 60, 500)
    frame = pd.DataFrame(
        {
            "unit": [f"household {k}" for k in rng.integers(0, 90, 500)],
            "segment": rng.choice(["a", "ü"], 500),
            "exposure_time": time,
            "engagement_time": np.where(rng.random(500) < 0.5, time + rng.exponential(5.0, 500), np.nan),
            "conversion_time": np.where(rng.random(500) < 0.6, time + rng.exponential(6.0, 500), np.nan),
            "window_days": rng.choice([10.0, 14.0], 500),
        }
    )
    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start one local session."""
    session = pytest.importorskip("pyspark.sql").SparkSession
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    started = (
        session.builder.master("local[1]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield ibis.pyspark.connect(started)
    started.stop()


@pytest.mark.parametrize("name", COUNTED)
def test_spark_counts_what_duckdb_counts(spark, name):
    table = exposures()
    ours = COUNTED[name](ibis.memtable(table))
    theirs = COUNTED[name](spark.create_table("exposures", table, overwrite=True))
    assert len(ours) > 3
    keys = [column for column in ours.columns if column not in ("n", "exposures", "matured", "positives_final")]
    both = [found.sort_values(keys, ignore_index=True) for found in (ours, theirs)]
    pd.testing.assert_frame_equal(*both)
