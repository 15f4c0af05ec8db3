"""Labels that flipped after the snapshot, one by one: how likely that was, and what it changed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.evaluate import pending_rows
from engine.delay.joint import fit_entire_space
from engine.delay.loop import Progress
from engine.delay.streams import Stream
from engine.delay.train import OURS, Fitted
from engine.seeding import generator

MAX_FLIPPED = 100
"""Flipped exposures that are listed; of more, so many are drawn at random."""


def flip_examples(fitted: Fitted, prepared: Prepared, config: DelayConfig) -> pd.DataFrame:
    """List exposures whose label flipped after the snapshot, and as many that were likeliest to but did not.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    config : DelayConfig

    Returns
    -------
    DataFrame
        ``exposure_id, segment, age_days`` on the snapshot day; ``prob_flip``, from what had matured by then;
        ``flipped``; ``score_before``, P(converts within the window) of ours; ``score_after``, of the same networks
        trained once more (see Notes); ``score_vanilla``; ``trained``: whether the row was among the training rows of
        both. Flipped rows first, each half by falling ``prob_flip``.

    Notes
    -----
    *After*: same exposures, engagement states, starts, steps and draws as *before*; only the labels are the final
    ones, so every weight is 1. A later re-training would also see newer exposures; leaving them out shows what the
    labels alone do. Rows that were not trained on change only through their neighbours.
    """
    pending = np.flatnonzero(pending_rows(prepared))
    chance = fitted.outlook.flip_signals
    flipped = prepared.label[pending] > 0
    shown = pending[flipped]
    if shown.size > MAX_FLIPPED:
        shown = generator(config.seed, "flips").choice(shown, MAX_FLIPPED, replace=False)
    stayed = pending[~flipped]
    likeliest = stayed[np.argsort(-chance[stayed], kind="stable")[: shown.size]]
    rows = np.concatenate((shown[np.argsort(-chance[shown], kind="stable")], likeliest))
    after = final_label_scores(fitted, prepared, config) if rows.size else np.zeros(prepared.time.size)
    return pd.DataFrame(
        {
            "exposure_id": prepared.exposure_id[rows].astype(str),
            "segment": prepared.segment[rows],
            "age_days": prepared.age[rows].astype(np.float32),
            "prob_flip": chance[rows].astype(np.float32),
            "flipped": prepared.label[rows] > 0,
            "score_before": fitted.probability[OURS][rows].astype(np.float32),
            "score_after": after[rows].astype(np.float32),
            "score_vanilla": fitted.probability["vanilla"][rows].astype(np.float32),
            "trained": np.isin(rows, fitted.streams[OURS].exposure),
        }
    )


def final_label_scores(fitted: Fitted, prepared: Prepared, config: DelayConfig) -> np.ndarray:
    """Train the networks of ours on their own exposures with final labels; returns P(converts), shape (n_rows,)."""
    exposure = fitted.streams[OURS].exposure
    label = prepared.label[exposure]
    final = Stream(exposure=exposure, positive=label, negative=1.0 - label)
    conversion, _, _ = fit_entire_space(
        prepared, {OURS: final}, fitted.outlook, fitted.has_leak, config, Progress(None)
    )
    mean: np.ndarray = conversion[OURS].mean(axis=0)
    return mean
