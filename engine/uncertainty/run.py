"""Train, tune, judge: one run of the uncertainty model from data to tables."""

from __future__ import annotations

import time
from dataclasses import replace

from engine.result import OnEpoch, RunResult
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import Dataset, prepare, split_rows
from engine.uncertainty.evaluate import evaluate
from engine.uncertainty.slices import run_slices
from engine.uncertainty.train import assist as assist_training
from engine.uncertainty.train import fit


def run(dataset: Dataset, config: UncertaintyConfig, *, on_epoch: OnEpoch | None = None) -> RunResult:
    """Score rows, place thresholds by uncertainty on tuning rows and report them on test rows.

    Parameters
    ----------
    dataset : Dataset
    config : UncertaintyConfig
    on_epoch : callable, optional
        Called with an `EpochRecord` after every epoch of the ensemble.

    Returns
    -------
    RunResult

    Raises
    ------
    EngineError
        If the rows cannot be split, hold too few positives, or training fails.
    """
    start = time.perf_counter()
    prepared = prepare(dataset, config)
    fitted = fit(prepared, config, on_epoch=on_epoch)
    evaluation = evaluate(fitted, prepared, config)
    counts = {f"{name} rows": count for name, count in split_rows(prepared.split).items()}
    stored = {"test rows stored as predictions": len(evaluation.predictions)}
    return RunResult(
        kind="uncertainty",
        config=config,
        dataset=replace(dataset.info, rows={**dataset.info.rows, **counts, **stored}),
        metrics=evaluation.metrics,
        curves={**evaluation.curves, **run_slices(prepared, fitted, evaluation.curves["edges"], config)},
        predictions=evaluation.predictions,
        model=fitted.model,
        history=fitted.history,
        seconds=time.perf_counter() - start,
    )


def assist(dataset: Dataset, config: UncertaintyConfig) -> None:
    """Take part in the trainings of a run that another worker reports.

    Parameters
    ----------
    dataset : Dataset
    config : UncertaintyConfig
        The same as the other worker's.
    """
    assist_training(prepare(dataset, config), config)
