"""Simulated scores of any number: the grid of score by uncertainty, ours beside pandas and scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from engine.benchmark.scale_engine import described
from engine.benchmark.scale_subject import DESCRIBE, OURS, SIMULATE, Answer, Subject, Task, question, tell
from engine.uncertainty.simulate import SimulationConfig, simulate

BLOCK = 500_000
"""Rows of a file; none needs more memory than this."""
BUCKETS = 10
BINS = 20
RESAMPLES = 200
COLUMNS = ("label", "score", "uncertainty", "split")
_CELL = ["split", "bucket", "bin"]


def write_scores(folder: Path) -> Answer:
    """Write simulated scores block by block, and the edges of uncertainty that every tool cuts at.

    The edges are the deciles of the first block.
    """
    told = question(folder)
    for number, start in enumerate(range(0, told["rows"], BLOCK)):
        settings = SimulationConfig(seed=1000 * told["seed"] + number)
        rows = simulate(min(BLOCK, told["rows"] - start), settings)[list(COLUMNS)]
        rows.to_parquet(folder / f"part-{number:05d}.parquet", index=False)
        if number == 0:
            edges = np.unique(np.quantile(rows["uncertainty"], np.arange(1, BUCKETS) / BUCKETS))
            tell(folder, uncertainty_edges=edges.tolist())
    return {}


def grid(folder: Path) -> Answer:
    """Count every cell by our expression."""
    from engine.backends import open_table
    from engine.uncertainty.cells import count_cells
    from engine.uncertainty.grid import Layout

    table = open_table(folder)
    # The bins of scikit-learn hold their upper edge, ours their lower one.
    layout = Layout(
        uncertainty_edges=np.array(question(folder)["uncertainty_edges"]),
        score_edges=np.nextafter(_score_edges(), 1),
    )
    cells = count_cells(table.mutate(weight=1), layout).to_pyarrow().to_pandas()
    n = cells["n"]
    rates = cells[_CELL].assign(positive_rate=cells["positives"] / n, mean_score=cells["score_sum"] / n)
    return {"cells": cells[[*_CELL, "n", "positives"]], "rates": rates}


def counts(folder: Path) -> Answer:
    """Check the rows and count them in the steps that a run works on: all that `describe` asks of the data."""
    from engine.backends import open_table
    from engine.uncertainty.compress import compress
    from engine.uncertainty.relation import scored_rows_of

    scored = scored_rows_of(open_table(folder), {}, source="the scores")
    compress(scored, seed=0, tune_share=0.4, source="the scores")
    return {}


def describe(folder: Path) -> Answer:
    """Do all that the command does."""
    return described("uncertainty", folder, f"resamples={RESAMPLES}")


def by_pandas(folder: Path) -> Answer:
    """Count every cell by a group-by of all rows in memory."""
    rows = pd.read_parquet(folder, columns=list(COLUMNS))
    edges = question(folder)["uncertainty_edges"]
    cells = rows.assign(
        bucket=np.searchsorted(edges, rows["uncertainty"], side="left"),
        bin=np.searchsorted(_score_edges(), rows["score"], side="left"),
    )
    found = cells.groupby(_CELL).agg(n=("label", "size"), positives=("label", "sum"), mean_score=("score", "mean"))
    found = found.reset_index()
    rates = found[_CELL].assign(positive_rate=found["positives"] / found["n"], mean_score=found["mean_score"])
    return {"cells": found[[*_CELL, "n", "positives"]], "rates": rates}


def by_scikit_learn(folder: Path) -> Answer:
    """Work out the calibration curve of every split and bucket of all rows in memory."""
    from sklearn.calibration import calibration_curve

    rows = pd.read_parquet(folder, columns=list(COLUMNS))
    bucket = np.searchsorted(question(folder)["uncertainty_edges"], rows["uncertainty"], side="left")
    parts = []
    for (split, place), part in rows.groupby(["split", bucket]):
        rate, score = calibration_curve(part["label"], part["score"], n_bins=BINS, strategy="uniform")
        # Only bins with rows come back. A mean can lie beyond an upper edge by rounding.
        curve = {"bin": np.searchsorted(_score_edges() + 1e-12, score, side="left"), "positive_rate": rate}
        parts.append(pd.DataFrame(curve | {"mean_score": score, "split": split, "bucket": place}))
    return {"rates": pd.concat(parts)}


def _score_edges() -> np.ndarray:
    """Return the inner edges of bins of equal width."""
    return np.linspace(0, 1, BINS + 1)[1:-1]


SUBJECT = Subject(
    kind="uncertainty",
    data="scores",
    tasks=(
        Task(tool=OURS, step=SIMULATE, work=write_scores),
        Task(tool=OURS, step="grid", work=grid, needs=("engine.backends", "engine.uncertainty.cells")),
        Task(tool="pandas", step="grid", work=by_pandas),
        Task(tool="scikit-learn", step="grid", work=by_scikit_learn, needs=("sklearn.calibration",)),
        Task(tool=OURS, step="counts", work=counts, needs=("engine.backends", "engine.uncertainty.compress")),
        Task(tool=OURS, step=DESCRIBE, work=describe, needs=("engine.cli", "engine.uncertainty.described")),
    ),
    keys={"cells": tuple(_CELL), "rates": tuple(_CELL)},
)
