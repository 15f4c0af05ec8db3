"""Examples of flipped labels: the right rows, chances without hindsight, and scores that move the right way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.delay import flipped as flipped_module
from engine.delay.evaluate import pending_rows
from engine.delay.flipped import final_label_scores, flip_examples
from engine.delay.train import fit


@pytest.fixture(scope="module")
def table(quick_fit):
    prepared, config, fitted = quick_fit
    return flip_examples(fitted, prepared, config)


@pytest.fixture(scope="module")
def learned(quick_fit):
    """Examples of networks that had the steps to learn which labels are open."""
    prepared, config, _ = quick_fit
    config = dataclasses.replace(config, steps=150)
    return flip_examples(fit(prepared, config), prepared, config)


def test_half_of_the_rows_flipped_and_all_were_open_on_the_snapshot_day(table, simulated, quick_fit):
    prepared = quick_fit[0]
    rows = simulated.set_index("exposure_id").loc[table["exposure_id"]].reset_index()
    delay = rows["conversion_time"] - rows["exposure_time"]
    assert ((rows["conversion_time"] > prepared.as_of) | rows["conversion_time"].isna()).all()
    assert ((prepared.as_of - rows["exposure_time"]).between(0, 30)).all()
    assert ((delay <= 30).to_numpy() == table["flipped"].to_numpy()).all()
    assert table["flipped"].sum() == (~table["flipped"]).sum() > 10


def test_the_rows_that_stayed_are_the_likeliest_of_all_that_stayed(table, quick_fit):
    prepared, _, fitted = quick_fit
    stayed = pending_rows(prepared) & (prepared.label == 0)
    best = np.sort(fitted.outlook.flip_signals[stayed])[::-1][: (~table["flipped"]).sum()]
    assert table.loc[~table["flipped"], "prob_flip"].to_numpy() == pytest.approx(best, rel=1e-6)


def test_many_flips_are_thinned_at_random_and_reproducibly(quick_fit, monkeypatch):
    prepared, config, fitted = quick_fit
    monkeypatch.setattr(flipped_module, "MAX_FLIPPED", 7)
    monkeypatch.setattr(flipped_module, "final_label_scores", lambda *_: np.zeros(prepared.time.size))
    first, second = (flip_examples(fitted, prepared, config) for _ in range(2))
    assert len(first) == 14 and first["flipped"].sum() == 7
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.slow
def test_final_labels_raise_the_scores_of_flips_that_were_trained_on(learned):
    change = (learned["score_after"] - learned["score_before"])[learned["trained"]].groupby(learned["flipped"]).mean()
    assert change[True] > max(0, change[False])


def test_with_labels_that_are_final_already_nothing_changes(quick_fit):
    prepared, config, fitted = quick_fit
    exposure = fitted.streams["dress_style"].exposure
    known = dataclasses.replace(prepared, delay=np.where(prepared.seen, prepared.delay, np.inf))
    label = known.label[exposure]
    ripe = dataclasses.replace(fitted.streams["dress_style"], positive=label, negative=1.0 - label)
    scores = final_label_scores(dataclasses.replace(fitted, streams={"dress_style": ripe}), known, config)
    again = final_label_scores(dataclasses.replace(fitted, streams={"dress_style": ripe}), known, config)
    assert np.array_equal(scores, again)
    flips = prepared.label[exposure].sum() - label.sum()
    assert flips > 0 and not np.array_equal(scores, final_label_scores(fitted, prepared, config))


def test_a_snapshot_without_open_labels_has_no_examples(quick_fit):
    prepared, config, fitted = quick_fit
    old = dataclasses.replace(prepared, window=np.full(prepared.time.size, 1e-3))
    assert flip_examples(fitted, old, config).empty
