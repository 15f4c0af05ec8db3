"""The same aggregates of scored rows on Spark and on DuckDB; skipped where Spark is not installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.uncertainty.cells import count_cells
from engine.uncertainty.compress import step_counts
from engine.uncertainty.grid import Layout
from engine.uncertainty.relation import scored_rows_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
LAYOUT = Layout(uncertainty_edges=np.array([0.1, 0.3]), score_edges=np.array([0.123456789, 0.5, 0.9]))
COUNTED: dict[str, Callable[[Any], ibis.Table]] = {
    "cells": lambda scored: count_cells(scored.rows, LAYOUT, by=("split", "region")),
    "steps": lambda scored: step_counts(scored, LAYOUT, tune_share=0.4),
}


def rows() -> pa.Table:
    """Return 800 rows, some on an edge."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "label": rng.integers(0, 2, 800),
            "score": rng.choice([0.0, 0.123456789, 0.5, 0.7, 1.0], 800),
            "uncertainty": rng.choice([0.1, 0.2, 0.3, 0.4], 800),
            "weight": rng.integers(1, 4, 800),
            "split": rng.choice(["train", "tune", "test"], 800),
            "unit": [f"household {k}" for k in rng.integers(0, 90, 800)],
            "region": rng.choice(["a", "ü"], 800),
        }
    )
    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start one local session."""
    session = pytest.importorskip("pyspark.sql", reason="Spark is not installed").SparkSession
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


@pytest.mark.parametrize("name", list(COUNTED))
def test_counts_are_equal_on_both(name: str, spark: Any, tmp_path: Any) -> None:
    import pyarrow.parquet as pq

    pq.write_table(rows(), tmp_path / "rows.parquet")
    tables = [
        COUNTED[name](scored_rows_of(backend.read_parquet(str(tmp_path / "rows.parquet")), {}, source="rows"))
        .to_pyarrow()
        .to_pandas()
        for backend in (ibis.duckdb.connect(), spark)
    ]
    keys = [key for key in ("split", "region", "digest", "bucket", "bin") if key in tables[0].columns]
    first, second = (table.sort_values(keys, ignore_index=True).astype({k: str for k in keys}) for table in tables)
    pd.testing.assert_frame_equal(first, second[first.columns], check_dtype=False)


def test_steps_equal_a_count_by_pandas() -> None:
    frame = rows().to_pandas()
    scored = scored_rows_of(ibis.memtable(rows()), {}, source="rows")
    found = step_counts(scored, LAYOUT, tune_share=0.4).to_pyarrow().to_pandas()
    kept = frame[frame["split"] != "train"]
    bucket = np.searchsorted(LAYOUT.uncertainty_edges, kept["uncertainty"], side="left")
    score_bin = np.searchsorted(LAYOUT.score_edges, kept["score"], side="right")
    counted = kept.assign(bucket=bucket, bin=score_bin, won=kept["weight"] * kept["label"])
    expected = counted.groupby(["split", "bucket", "bin"])[["weight", "won"]].sum()
    summed = found.groupby(["split", "bucket", "bin"])[["n", "positives"]].sum()
    assert summed.to_numpy().tolist() == expected.to_numpy().tolist()
