"""Everything that grows with the data gives the same on Spark and on DuckDB. One file: Spark starts once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from ibis.expr.types import Table

from engine.backends import open_table
from engine.delay import counts, relation
from engine.graph import events_counts
from engine.uncertainty import cells, compress, slice_counts, slices
from engine.uncertainty.bucket_cut import BucketCut
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.grid import Layout
from engine.uncertainty.relation import scored_rows_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("spark")]
BACKENDS = ("duckdb", "local[2]")
LAYOUT = Layout(uncertainty_edges=np.array([0.1, 0.3]), score_edges=np.array([0.123456789, 0.5, 0.9]))
GRID = {"step_days": 0.7, "horizon_bin": 20}
DAYS = (20.0, 33.3, 100.0)


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
            "unit": [f"household {k}" for k in rng.integers(0, 90, n)],
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


def both(frame, folder, work):
    """Do the same with a Parquet file on each engine."""
    frame.to_parquet(folder / "data.parquet", index=False)
    found = [work(open_table(folder / "data.parquet", backend=backend)) for backend in BACKENDS]
    return [table.to_pyarrow().to_pandas() if isinstance(table, Table) else table for table in found]


def sorted_rows(frame):
    keys = [name for name in frame.columns if not pd.api.types.is_float_dtype(frame[name].dtype)] or list(frame.columns)
    return frame.sort_values([*keys, *frame.columns.difference(keys)], ignore_index=True)


def check_equal(ours, theirs, exact=True):
    assert len(ours) > 0
    theirs = sorted_rows(theirs[ours.columns])
    pd.testing.assert_frame_equal(sorted_rows(ours), theirs, check_dtype=False, check_exact=exact)


SCORED = {
    "rows": lambda scored: scored.rows,
    "cells": lambda scored: cells.count_cells(scored.rows, LAYOUT, by=("split", "region")),
    "steps": lambda scored: compress.step_counts(scored, LAYOUT, tune_share=0.4),
    "split rows": lambda scored: compress.split_rows(scored, 0.4),
    "slices": lambda scored: slices.slice_cells(scored.rows, LAYOUT, scored.slices),
    "slice counts": lambda scored: slice_counts.slice_counts(scored, LAYOUT, pd.DataFrame(), UncertaintyConfig(), 0.4),
    "span": lambda scored: pd.DataFrame([compress.spanned(scored, BucketCut(way="width")).span]),
    "facts": lambda scored: pd.DataFrame([[scored.lines, scored.total, scored.positives, str(scored.slices)]]),
}


@pytest.mark.parametrize("name", SCORED)
def test_scored_rows_are_counted_alike(name, tmp_path):
    frame = scores() if name != "steps" else scores().drop(columns="split")
    ours, theirs = both(frame, tmp_path, lambda table: SCORED[name](scored_rows_of(table, {}, source="rows")))
    check_equal(ours, theirs, exact=False)
    if name == "facts":
        assert ours.iloc[0].tolist() == [
            800,
            frame["weight"].sum(),
            (frame["weight"] * frame["label"]).sum(),
            "('region',)",
        ]


EXITS = {
    "exits": lambda table: counts.collect(counts.exit_counts(table, as_of=33.3, **GRID)),
    "exits by unit": lambda table: counts.collect(counts.unit_exit_counts(table, as_of=33.3, **GRID)),
    "exits by day": lambda table: counts.collect(counts.exit_counts_by_day(table, DAYS, **GRID)),
    "days": lambda table: counts.collect_days(counts.day_counts(table, DAYS, final_day=60.0), DAYS),
}


@pytest.mark.parametrize("name", EXITS)
def test_exposures_are_counted_alike(name, tmp_path):
    def work(table):
        return EXITS[name](relation.exposures_of(table, {}, source="log", attribution_days=9.0).exposures)

    check_equal(*both(exposures(), tmp_path, work))


PERIOD = events_counts.Period(first_day=2, last_day=24, window_days=5)
PAIRED = {
    "user-days": lambda days: days,
    "nearby": lambda days: events_counts.nearby(days, PERIOD),
    "pairs": lambda days: events_counts.pair_counts(days, PERIOD, n_items=7, minimum_users=12),
    "support": lambda days: events_counts.support_counts(days, PERIOD, n_items=7),
    "calendar": lambda days: events_counts.calendar_counts(days, PERIOD),
    "visits": lambda days: events_counts.visit_counts(days, PERIOD),
    "items": events_counts.item_counts,
}


@pytest.mark.parametrize("name", PAIRED)
def test_events_are_counted_alike(name, tmp_path):
    check_equal(*both(events(), tmp_path, lambda table: PAIRED[name](events_counts.user_days(table))))
