"""Odd but allowed rows give a complete run: coarse, constant, weighted, rare."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

ROWS = simulate(3000, SimulationConfig(prior=(1.0, 3.0))).drop(columns=["k_all", "n_all"])
CASES = {
    "constant uncertainty": (ROWS.assign(uncertainty=0.1), (1, None)),
    "no uncertainty at all": (ROWS.assign(uncertainty=0.0), (1, None)),
    "constant score": (ROWS.assign(score=0.2), (3, 1)),
    "two scores": (ROWS.assign(score=(ROWS["score"] > 0.3).astype(float)), (3, 2)),
    "scores of zero and one": (ROWS.assign(score=ROWS["score"].round()), (3, 2)),
    "weighted rows": (ROWS.assign(weight=np.arange(3000) % 4 + 1), (3, None)),
    "few units": (ROWS.assign(unit=np.arange(3000) % 7), (3, None)),
    "rare positives": (simulate(8000, SimulationConfig(prior=(0.2, 10.0))).drop(columns=["k_all", "n_all"]), (3, None)),
}


@pytest.mark.parametrize("name", CASES)
def test_odd_rows_give_a_complete_run(as_dataset, name):
    frame, (buckets, bins) = CASES[name]
    result = run(as_dataset(frame), UncertaintyConfig(resamples=10))
    shape = result.curves["scorers"].iloc[0]
    assert (shape["buckets"] > 1) == (buckets > 1) and bins in (None, shape["bins"])
    assert result.curves["claims"]["claim"].tolist() == (["C6", "C7"] if buckets > 1 else [])
    assert result.metrics["value"].notna().mean() > 0.6
    units = frame["unit"].nunique() if "unit" in frame else (frame["split"] == "test").sum()
    assert result.metrics.loc[result.metrics["metric"] == "log_loss", "n"].iloc[0] == units


def test_weights_count_rows(as_dataset):
    frame, _ = CASES["weighted rows"]
    cells = run(as_dataset(frame), UncertaintyConfig(resamples=10)).curves["cells"]
    weight = frame["weight"]
    for split in ("tune", "test"):
        own = frame["split"] == split
        part = cells[cells["split"] == split]
        assert part["n"].sum() == weight[own].sum()
        assert part["positives"].sum() == (weight * frame["label"])[own].sum()
