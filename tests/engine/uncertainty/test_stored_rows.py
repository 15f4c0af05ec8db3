"""Rows that are kept as they are test rows, from all over the data, never more of a cell than the run counted."""

from __future__ import annotations

import hashlib

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.described import describe
from engine.uncertainty.slice_view import layout_of
from engine.uncertainty.stored_rows import drawn_test

CONFIG = UncertaintyConfig(resamples=10, precision_targets=(0.3,))
TUNED = round(16 * CONFIG.tune_share / (1 - CONFIG.train_share))
"""Digits of 16 whose units tune."""


def scores(n: int) -> pd.DataFrame:
    """Make rows with a name each, told by its uncertainty."""
    rng = np.random.default_rng(3)
    score = rng.beta(1, 3, n)
    # Exact in float32, as predictions are.
    spread = rng.permutation(n) / 2.0**17
    return pd.DataFrame({"label": (rng.random(n) < score).astype(int), "score": score, "uncertainty": spread})


def described(frame: pd.DataFrame):
    table = ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))
    return describe(table, {}, CONFIG, source="scores.csv")


def per_cell(result, rows: pd.DataFrame) -> pd.DataFrame:
    """Count given rows and the run's test rows by cell."""
    cells = result.curves["cells"].query("split == 'test'").sort_values(["bucket", "bin"])
    layout = layout_of(result.curves["edges"], "given")
    cell = layout.cell(rows["score"].to_numpy(), rows["uncertainty"].to_numpy())
    size = {"minlength": len(cells)}
    kept = {"n": np.bincount(cell, **size), "positives": np.bincount(cell, rows["label"], **size)}
    return pd.DataFrame(kept | {"run_n": cells["n"].to_numpy(), "run_positives": cells["positives"].to_numpy()})


def kept_rows(result, frame: pd.DataFrame) -> pd.DataFrame:
    """Look the kept rows up by their uncertainty, which names them."""
    return frame.set_index("uncertainty", drop=False).loc[result.predictions["uncertainty"].to_numpy(float)]


def test_without_splits_and_units_all_rows_that_test_are_kept_of_a_small_file():
    frame = scores(3000)
    result = described(frame)
    counted = per_cell(result, kept_rows(result, frame))
    assert counted["n"].tolist() == counted["run_n"].tolist()
    assert counted["positives"].tolist() == counted["run_positives"].tolist()
    assert len(result.predictions) == result.dataset.rows["test rows"] < 3000
    assert result.predictions["uncertainty"].is_unique


def test_of_many_rows_no_cell_has_more_than_the_run_counted():
    frame = scores(40_000)
    result = described(frame)
    counted = per_cell(result, kept_rows(result, frame))
    assert counted["n"].sum() == 3000 == result.dataset.rows["test rows stored as predictions"]
    assert (counted["positives"] <= counted["run_positives"]).all()
    assert (counted["n"] - counted["positives"] <= counted["run_n"] - counted["run_positives"]).all()


def test_units_that_tune_are_not_kept():
    frame = scores(9000)
    frame["unit"] = [f"u{k // 3}" for k in range(len(frame))]
    units = kept_rows(described(frame), frame)["unit"]
    digits = {int(hashlib.md5(unit.encode(), usedforsecurity=False).hexdigest()[2], 16) for unit in units}
    assert digits == set(range(TUNED, 16))


def test_a_small_test_split_fills_the_table_from_all_over_a_sorted_file():
    frame = scores(60_000).sort_values("score", ignore_index=True)
    frame["split"] = np.where(np.arange(len(frame)) % 10 == 0, "test", np.where(frame.index % 3, "tune", "train"))
    result = described(frame)
    kept = kept_rows(result, frame)
    assert set(kept["split"]) == {"test"} and len(kept) == 3000
    # The standard error is 0.0035; the first quarter of the file alone has a mean of 0.05.
    assert kept["score"].mean() == pytest.approx(frame.query("split == 'test'")["score"].mean(), abs=0.015)


def test_which_rows_test_is_drawn_with_the_share_of_their_cell_and_class():
    cells = pd.DataFrame(
        {
            "split": ["test", "test", "tune", "tune"],
            "bucket": 0,
            "bin": [0, 1, 0, 1],
            "n": [30, 50, 90, 50],
            "positives": [10, 0, 0, 20],
        }
    )
    rng = np.random.default_rng(0)
    cell, label = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 0, 1, 0])
    drawn = np.array([drawn_test(cell, label, cells, rng) for _ in range(4000)])
    # Negatives of cell 0: 20 of 110 test; its positives all do; of cell 1 50 of 80 negatives and no positive.
    assert drawn.mean(axis=0) == pytest.approx([20 / 110, 20 / 110, 1, 50 / 80, 0, 50 / 80], abs=0.03)
