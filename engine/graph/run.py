"""One run: split, fit every method on the training edges, judge them on the test edges, keep what a page shows."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd

from engine.graph import scene
from engine.graph.batches import batch_size_of
from engine.graph.calibrate import direction_calibration
from engine.graph.config import GraphConfig
from engine.graph.data import SPLITS, Dataset, Prepared, prepare
from engine.graph.evaluate import evaluate
from engine.graph.projection import check_available, project
from engine.graph.retrieval import check_retrieval
from engine.graph.review_methods import review_scores
from engine.graph.scoring import InnerProductScorer
from engine.graph.train import fit
from engine.result import OnEpoch, RunResult


def run(dataset: Dataset, config: GraphConfig, *, on_epoch: OnEpoch | None = None) -> RunResult:
    """Train the directed-graph methods on one split and report what they know.

    Parameters
    ----------
    dataset : Dataset
    config : GraphConfig
    on_epoch : callable, optional
        Receives an `EpochRecord` after every epoch.

    Returns
    -------
    RunResult
        ``predictions``: `scene.ranked_lists`. ``curves``: ``claims, differences, test_ranks, split, nodes, edges,
        projection, projection_axes, projection_quality, direction_calibration, review_scores``. ``embeddings``:
        ``source, target`` of the shown form, float16, and its offsets ``target_offset, source_offset``; score(u, v) =
        source[u] · target[v] + target_offset[v] + source_offset[u]; ``input``, what a node brings along before it
        meets its neighbours.

        ``config``: with the size of the steps that was used. ``dataset``: with the rows that the tables of a large
        graph were cut to, see `scene.cut_rows`.

    Raises
    ------
    NotEnoughDataError
        If a part of the split would be empty, or the graph is too dense.
    TrainingError
        If a loss is not finite.
    ConfigError
        If the projection or the retrieval asked for needs a package that is not installed.
    """
    started = time.perf_counter()
    check_available(config.projection)
    check_retrieval(config.retrieval)
    prepared = prepare(dataset, config)
    config = replace(config, batch_size=batch_size_of(config, prepared.training.edge_index.shape[1]))
    fitted = fit(prepared, config, on_epoch=on_epoch)
    evaluation = evaluate(fitted, prepared, config)
    shown, given = scene.shown_scorer(fitted.scorers, config), f"{config.shown_method}.input"
    projected = project(shown, config.projection, seed=config.seed)
    curves = {
        "claims": evaluation.claims,
        "differences": evaluation.differences,
        "test_ranks": evaluation.ranks,
        "split": _split_table(prepared, len(evaluation.ranks)),
        "nodes": scene.node_table(prepared),
        "edges": scene.edge_table(shown, prepared),
        "projection": projected.coordinates,
        "projection_axes": projected.axes,
        "projection_quality": projected.quality,
        "direction_calibration": direction_calibration(shown, prepared),
    }
    lists = scene.ranked_lists(fitted.scorers, prepared, config)
    curves["review_scores"] = review_scores(fitted.scorers, prepared, curves, lists, form=config.shown_method)
    return RunResult(
        kind="graph",
        config=config,
        dataset=replace(dataset.info, rows={**dataset.info.rows, **scene.cut_rows(prepared)}),
        metrics=evaluation.metrics,
        curves=curves,
        predictions=lists,
        embeddings=_stored(shown, fitted.model[given]),
        model={name: value for name, value in fitted.model.items() if name != given},
        history=fitted.history,
        seconds=time.perf_counter() - started,
    )


def assist(dataset: Dataset, config: GraphConfig) -> None:
    """Take part in the trainings of a run that another worker reports.

    Parameters
    ----------
    dataset : Dataset
    config : GraphConfig
        The same as the other worker's.
    """
    fit(prepare(dataset, config), config)


def _split_table(prepared: Prepared, ranked: int) -> pd.DataFrame:
    """Return the edges in every part of the split, and how many test edges were ranked."""
    count = np.bincount(prepared.split, minlength=len(SPLITS))
    return pd.DataFrame({"split": list(SPLITS), "edges": count, "ranked": [0, 0, ranked]})


def _stored(scorer: InnerProductScorer, given: np.ndarray) -> dict[str, np.ndarray]:
    """Return the vectors at half precision: a relative error of 0.0005, far below what a score means."""
    return {
        "source": scorer.source.astype(np.float16),
        "target": scorer.target.astype(np.float16),
        "target_offset": scorer.target_offset,
        "source_offset": scorer.source_offset,
        "input": given.astype(np.float16),
    }
