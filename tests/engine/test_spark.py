"""Everything that grows with the data gives the same on Spark and on DuckDB. One file: Spark starts once."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.expr.types import Table

from engine.backends import open_table
from engine.cli import main
from engine.delay import counts, draws, funnel_counts, relation, scope, scope_counts, window_counts
from engine.errors import DataError
from engine.graph import events_counts, events_days
from engine.stripped import stripped
from engine.uncertainty import cells, compress, slice_counts, slices
from engine.uncertainty.bucket_cut import BucketCut
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.grid import Layout
from engine.uncertainty.relation import scored_rows_of
from tests.engine.spark_frames import dated, events, exposures, scores

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("spark")]
BACKENDS = ("duckdb", "local[2]")
LAYOUT = Layout(uncertainty_edges=np.array([0.1, 0.3]), score_edges=np.array([0.123456789, 0.5, 0.9]))
GRID = {"step_days": 0.7, "horizon_bin": 20}
DAYS = (20.0, 33.3, 100.0)


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
    "layout": lambda scored: pd.DataFrame(
        {"edges": np.concatenate([*dataclasses.astuple(compress.step_layout(scored))])}
    ),
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
    "windows": lambda table: window_counts.window_cells(table, as_of=33.3, **GRID),
}
SUMS = {
    "day": lambda table: scope.day_sums(table, waiting_days=7.0),
    "facts": lambda table: scope_counts.scope_facts(table, as_of=33.3, end=60.0),
    "law": lambda table: scope_counts.law_counts(table, np.array([0, 3, 14]), as_of=33.3, waiting_days=7.0),
    "units": lambda table: draws.unit_facts(table, as_of=33.3, waiting_days=7.0),
    "moments": lambda table: draws.unit_facts(draws.with_unit(table.drop("unit")), as_of=33.3, waiting_days=7.0),
    "read": lambda table: draws.read_sums(table, np.array([3.0, 9.0]), as_of=33.3, period=14.0),
    "ages": lambda table: draws.exit_ages(table, as_of=33.3, **GRID),
    "stages": lambda table: funnel_counts.stage_counts(table, start=10.0, end=60.0, waiting_days=7.0),
}


@pytest.mark.parametrize("name", [*EXITS, *SUMS])
def test_exposures_are_counted_alike(name, tmp_path):
    def work(table):
        return (EXITS | SUMS)[name](relation.exposures_of(table, {}, source="log", attribution_days=9.0).exposures)

    check_equal(*both(exposures(), tmp_path, work), exact=name in EXITS)


PERIOD = events_days.Period(first_day=2, last_day=24, window_days=5)
PAIRED = {
    "successions": lambda days: events_days.successions(days, PERIOD),
    "pairs": lambda days: events_counts.supported_pairs(pair_sums(days), 12),
    "support": lambda days: events_counts.support_counts(pair_sums(days)),
    "calendar": lambda days: calendar(events_days.visits(days)),
}


def pair_sums(days):
    counts = events_counts.pair_counts(events_days.successions(days, PERIOD), n_items=7)
    return events_counts.pair_sums(**counts, n_items=7)


def calendar(led):
    return events_counts.calendar_counts(led, events_days.successions(led, PERIOD), PERIOD)


@pytest.mark.parametrize("name", PAIRED)
def test_events_are_counted_alike(name, tmp_path):
    def work(table):
        return PAIRED[name](events_days.user_days(events_days.whole_days(table)))

    check_equal(*both(events(), tmp_path, work))


TEXTS = {
    "quotes": 'a,b\n"x ""y"", z","l1\nl2"\nc:\\x,"d\\"\n',
    "missing": 'a,b\nNA,\n"NaN",""\n NA ,None\n',
    "returns": "a,b\r\n1,2\r\n\r\n3,4",
    "names": "\ufeffa.b, größe \n1,ü\n",
    "semicolons": "a;b\n1,5;2\n",
    "no rows": "a,b\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_read_alike(name, tmp_path):
    (tmp_path / "t.csv").write_bytes(TEXTS[name].encode())
    tables = (open_table(tmp_path / "t.csv", backend=backend, text=["b"]).to_pyarrow() for backend in BACKENDS)
    ours, theirs = (table.to_pylist() for table in tables)
    assert ours == theirs and (ours or name == "no rows")


def test_text_is_stripped_alike(tmp_path):
    cells = [None, "", " ", "a", " a b\t", "\r\na\v\f", "!", "\x01 a", "é\u00a0", "日 "]
    found = both(pd.DataFrame({"cell": cells}), tmp_path, lambda table: table.select(cell=stripped(table.cell)))
    assert [set(frame["cell"].dropna()) for frame in found] == [{"", "a", "a b", "!", "\x01 a", "é\u00a0", "日"}] * 2


WRITTEN = {
    "dates": "2024-02-28| 2024-3-1 |2024-02-29 12:00|2024-02-29T12:00:00.25+02:00|2024-03-01 10:00:00 UTC".split("|"),
    "numbers": ["-1.5", "1e1", " 2 ", "+3", "0"],
}
UNREADABLE = ["12:30", "2024", "2024-02", "1d", "1.5F", "0x1", "now", "1,5"]


@pytest.mark.parametrize("name", WRITTEN)
def test_times_as_text_are_read_alike(name, tmp_path):
    table = pa.table({"exposure_time": WRITTEN[name], "conversion_time": pa.nulls(5, pa.string()), "unit": [1e7] * 5})
    pq.write_table(table, tmp_path / "t.parquet")
    logs = [
        relation.exposures_of(open_table(tmp_path / "t.parquet", backend=backend), {}, source="t", attribution_days=9)
        for backend in BACKENDS
    ]
    check_equal(*(log.exposures.to_pyarrow().to_pandas() for log in logs))
    assert [(log.first_day, log.last_day, log.rows, log.has_dates) for log in logs[:1]] == [
        (log.first_day, log.last_day, log.rows, log.has_dates) for log in logs[1:]
    ]


@pytest.mark.parametrize("word", UNREADABLE)
def test_what_is_no_time_is_refused_alike(word, tmp_path):
    times = ["2024-02-28", "2024-02-29", word]
    pq.write_table(pa.table({"exposure_time": times, "conversion_time": times}), tmp_path / "t.parquet")
    refusals = []
    for backend in BACKENDS:
        with pytest.raises(DataError) as refusal:
            relation.exposures_of(
                open_table(tmp_path / "t.parquet", backend=backend), {}, source="t", attribution_days=9
            )
        refusals.append(str(refusal.value))
    assert refusals[0] == refusals[1] and f"'{word}'" in refusals[0]


def typed():
    """Columns of every type that a time, a number or a name may have, with NULL and NaN."""
    nanoseconds = [1709078400_250000000, None, -500000000, 0]
    return {
        "ns": pa.array(nanoseconds, pa.timestamp("ns")),
        "us": pa.array(nanoseconds, pa.timestamp("ns")).cast(pa.timestamp("us")),
        "zone": pa.array(nanoseconds, pa.timestamp("ns", "Europe/Berlin")),
        "date": pa.array([19000, None, -1, 0], pa.date32()),
        "float": pa.array([0.25, None, float("nan"), -3.5]),
        "narrow": pa.array([0.25, None, float("nan"), -3.5], pa.float32()),
        "unsigned": pa.array([1, None, 255, 0], pa.uint8()),
        "decimal": pa.array([1, None, 2, 3], pa.decimal128(10, 2)),
    }


@pytest.mark.parametrize("name", typed())
def test_typed_times_are_read_alike(name, tmp_path):
    column = typed()[name]
    known = pa.compute.fill_null(column, column[3])
    if name in ("float", "narrow"):
        known = pa.compute.if_else(pa.compute.is_nan(known), column[3], known)
    pq.write_table(
        pa.table({"exposure_time": known, "conversion_time": column, "segment": column}), tmp_path / "t.parquet"
    )
    found = []
    for backend in BACKENDS:
        table = open_table(tmp_path / "t.parquet", backend=backend)
        table = table.drop("segment") if name in ("ns", "us", "zone") else table
        log = relation.exposures_of(table, {}, source="t", attribution_days=9)
        found.append((log.conversions, log.first_day, log.last_day, log.has_dates))
        found.append(sorted(map(str, log.exposures.to_pyarrow().to_pylist())))
    assert found[:2] == found[2:]
    assert found[0][0] == 2 + (name not in ("float", "narrow"))


def said(capsys, kind, *words):
    assert main(["describe", kind, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


FORMS = ("data.csv", "parts", "deep/a-*.parquet", "hive")


@pytest.mark.parametrize("form", FORMS)
def test_the_command_says_the_same(form, tmp_path, capsys):
    frame = dated(exposures())
    frame.to_csv(tmp_path / "data.csv", index=False)
    frame.to_parquet(tmp_path / "data.parquet", index=False)
    places = {"parts": ("parts/a.parquet", "parts/further/b.parquet"), "deep": ("deep/a-1.parquet", "deep/a-2.parquet")}
    for first, second in places.values():
        for place, part in ((first, frame.head(200)), (second, frame.tail(300))):
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            part.to_parquet(tmp_path / place, index=False)
    frame.to_parquet(tmp_path / "hive", partition_cols=["segment"], index=False)
    words = ("--data", str(tmp_path / form), "--attribution-days", "12")
    ours, theirs = (said(capsys, "delay", *words, "--backend", backend) for backend in BACKENDS)
    assert ours == theirs and ours["exposures"] == 500


def test_a_description_of_scores_says_the_same(tmp_path, capsys):
    scores(3000).to_parquet(tmp_path / "s.parquet", index=False)
    words = ("--data", str(tmp_path / "s.parquet"), "--set", "resamples=10", "precision_targets=0.5")
    ours, theirs = (said(capsys, "uncertainty", *words, "--backend", backend) for backend in BACKENDS)
    assert ours == theirs and ours["rows"]["rows"] > 3000


def test_a_table_that_spark_knows_needs_no_file(spark, tmp_path, capsys):
    frame = dated(exposures())
    times = {name: frame[name].dt.as_unit("us") for name in frame.columns if name.endswith("_time")}
    frame.assign(**times).to_parquet(tmp_path / "log.parquet", index=False)
    spark.sql("CREATE DATABASE shop")
    spark.read.parquet(str(tmp_path / "log.parquet")).write.saveAsTable("shop.log")
    ours = said(capsys, "delay", "--data", str(tmp_path / "log.parquet"))
    theirs = said(capsys, "delay", "--table", "shop.log", "--backend", "local[2]")
    assert theirs["source"] == "shop.log" and ours | {"source": "shop.log"} == theirs
    assert main(["describe", "delay", "--table", "shop.none", "--backend", "local[2]"]) == 2
    assert "'local[2]' has no table 'shop.none'" in capsys.readouterr().err
