"""A column of uncertainty may be float32 or negative: no row changes its bucket by that."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import ConfigError
from engine.uncertainty.bucket_cut import bucket_cut
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.described import describe
from engine.uncertainty.grid import assign_buckets
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

FAST = {"resamples": 20, "precision_targets": (0.4,)}


def memory(frame):
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


@pytest.fixture(scope="module")
def frame():
    return simulate(4000, SimulationConfig(prior=(1.0, 3.0), seed=3))[["label", "score", "uncertainty", "split"]]


def edges_of(result):
    table = result.curves["edges"]
    return table.loc[table["axis"] == "uncertainty"].sort_values("index")["edge"].to_numpy()


def bucket_counts(result):
    counts = result.curves["cells"].groupby(["split", "bucket"])["n"].sum()
    return counts[counts > 0]


def counted(frame, edges):
    bucket = assign_buckets(frame["uncertainty"].to_numpy(float), np.array(edges))
    return frame.groupby(["split", bucket]).size()


@pytest.fixture(scope="module")
def on_edges(frame):
    """Rows whose uncertainty lies on own edges, as float32 holds it."""
    values = np.random.default_rng(0).choice([0.1, 0.2, 0.3], len(frame))
    return frame.assign(uncertainty=values.astype(np.float32))


def test_rows_of_a_float32_column_stay_below_the_edge_they_lie_on(on_edges, as_dataset):
    config, wide = UncertaintyConfig(bucket_edges=(0.1, 0.2), **FAST), on_edges["uncertainty"].astype(float).round(6)
    expected = counted(on_edges.assign(uncertainty=wide), (0.1, 0.2)).to_dict()
    assert min(expected.values()) > 300
    for result in (run(as_dataset(on_edges), config), describe(memory(on_edges), {}, config, source="x")):
        assert bucket_counts(result).to_dict() == expected
        assert edges_of(result).tolist() == np.array([0.1, 0.2], np.float32).tolist()
        assert result.config == config


def test_own_edges_that_are_one_number_in_float32_are_refused(on_edges):
    close = UncertaintyConfig(bucket_edges=(0.1, 0.100000000001))
    assert bucket_cut(close).own == close.bucket_edges
    with pytest.raises(ConfigError, match=r"Own edges 0\.1 and 0\.100000000001 .* are one number in float32"):
        describe(memory(on_edges), {}, close, source="x")


def test_an_own_edge_beyond_float32_stays_a_number():
    assert np.isfinite(bucket_cut(UncertaintyConfig(bucket_edges=(0.1, 1e300)), precision="float32").own).all()


@pytest.mark.parametrize("shift", [0.4, 40.0])
def test_negative_uncertainty_is_cut_as_any_other(frame, as_dataset, shift):
    config = UncertaintyConfig(buckets=3, **FAST)
    plain, shifted = (run(as_dataset(frame.assign(uncertainty=frame["uncertainty"] - s)), config) for s in (0, shift))
    assert bucket_counts(shifted).to_dict() == bucket_counts(plain).to_dict()
    for name in ("metrics", "boundaries", "trend"):
        one, many = ((r.metrics if name == "metrics" else r.curves[name]) for r in (plain, shifted))
        kept = ~one["method"].isin(["recalibrated", "boosted"])
        drop = [column for column in one.columns if column.startswith("uncertainty_")]
        pd.testing.assert_frame_equal(one[kept].drop(columns=drop), many[kept].drop(columns=drop))
    folded = shifted.metrics[shifted.metrics["method"].isin(["recalibrated", "boosted"])]
    assert len(folded) and folded.loc[folded["metric"] == "recall", "value"].notna().all()


def test_own_edges_and_counts_of_negative_uncertainty_are_exact(frame):
    negative = frame.assign(uncertainty=frame["uncertainty"] - 0.2)
    edges = (-0.1, 0.0, 0.1)
    result = describe(memory(negative), {}, UncertaintyConfig(bucket_edges=edges, **FAST), source="x")
    assert bucket_counts(result).to_dict() == counted(negative, edges).to_dict()
