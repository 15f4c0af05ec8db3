"""No label after the snapshot day reaches training, equal seeds give equal fits, and the repair recovers the truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from engine.delay import loop
from engine.delay.config import METHODS, DelayConfig
from engine.delay.data import prepare
from engine.delay.law import Law
from engine.delay.loop import Batch
from engine.delay.simulate import SimulationConfig, simulate
from engine.delay.streams import Outlook
from engine.delay.train import ONE_HEAD, converts_without_engagement, fit

DAY = 60.0
NO_LAW = Law(flip={}, drift={}, engaged_share=np.ones(0))


def future_mutated(frame: pd.DataFrame) -> pd.DataFrame:
    """Change everything that happened after the snapshot day: outcomes of open exposures, and of later ones."""
    rng = np.random.default_rng(5)
    changed = frame.copy()
    for name in ("conversion_time", "engagement_time"):
        after = ~(changed[name] <= DAY)
        start = np.maximum(changed["exposure_time"], DAY + 1e-6)
        new = np.where(rng.random(len(frame)) < 0.5, start + rng.exponential(3.0, len(frame)), np.nan)
        changed[name] = np.where(after, new, changed[name])
    return changed


@pytest.mark.slow
def test_nothing_after_the_snapshot_day_reaches_any_method_but_the_oracle(simulated, dataset_of, quick_config):
    config = quick_config(as_of_day=DAY, training_days=50.0)
    # The end of the log decides which exposures have a final label: keep it where it is.
    frame = simulated.assign(visit_time=np.where(simulated.index == 0, 160.0, np.nan))
    mutated = future_mutated(frame)
    before, after = (prepare(dataset_of(table), config) for table in (frame, mutated))
    assert np.array_equal(before.exposure_id, after.exposure_id)
    open_then = before.train & ~before.matured & ~before.seen
    assert (before.label[open_then] != after.label[open_then]).mean() > 0.1
    one, other = fit(before, config), fit(after, config)
    for method in METHODS:
        same = np.array_equal(one.probability[method], other.probability[method])
        assert same == (method != "oracle"), method
    past = ~before.test
    for name in (field.name for field in dataclasses.fields(Outlook)):
        known = past & (before.age >= before.waiting) if name == "flip_at_waiting" else past
        assert np.array_equal(getattr(one.outlook, name)[known], getattr(other.outlook, name)[known]), name


@pytest.mark.slow
def test_equal_seeds_give_equal_fits_and_other_seeds_other_ones(simulated, dataset_of, quick_config):
    fits = []
    for seed in (1, 1, 2):
        config = quick_config(seed=seed)
        fits.append(fit(prepare(dataset_of(simulated), config), config))
    for method in METHODS:
        assert np.array_equal(fits[0].probability[method], fits[1].probability[method])
    assert not np.array_equal(fits[0].outlook.flip_signals, fits[2].outlook.flip_signals)
    pd.testing.assert_frame_equal(fits[0].history, fits[1].history)
    assert all(np.array_equal(value, fits[1].model[name]) for name, value in fits[0].model.items())


def test_the_funnel_bounds_conversion_by_engagement_where_nothing_leaks(simulated, dataset_of, quick_config):
    config = quick_config(steps=20)
    engaged = simulated["engagement_time"].notna()
    frame = simulated.assign(conversion_time=simulated["conversion_time"].where(engaged))
    prepared = prepare(dataset_of(frame), config)
    assert not converts_without_engagement(prepared)
    fitted = fit(prepared, config)
    assert not fitted.has_leak
    assert (fitted.probability["dress_style"] <= fitted.engagement + 1e-9).all()
    assert converts_without_engagement(prepare(dataset_of(simulated), config))


def test_weights_from_the_model_itself_are_constants_of_its_loss(simulated, dataset_of, quick_config, monkeypatch):
    losses, train = {}, loop.train_from_one_start

    def keep(x, groups, loss_of, *, stage, **settings):
        losses[stage] = loss_of
        return train(x, groups, loss_of, stage=stage, **settings)

    monkeypatch.setattr("engine.delay.train.train_from_one_start", keep)
    monkeypatch.setattr(
        "engine.delay.train.fit_auxiliary", lambda prepared, *_: (None, half_an_outlook(prepared.time.size), NO_LAW)
    )
    config = quick_config(steps=1)
    fit(prepare(dataset_of(simulated), config), config)
    heads = torch.zeros(len(ONE_HEAD), 2, 1, requires_grad=True)  # f = 1/2, a positive and a negative row
    label = torch.tensor([[1.0, 0.0]]).expand(len(ONE_HEAD), 2)
    exposure = torch.zeros(len(ONE_HEAD), 2, dtype=torch.long)
    losses["baselines"](heads, Batch(heads, label, 1 - label, exposure)).sum().backward()
    gradient = dict(zip(ONE_HEAD, heads.grad.squeeze(2).tolist(), strict=True))
    # Means over 2 rows of -w+ (1 - f) and w- f with w+ = 1 + f = 3/2 and w- = (1 - f)(1 + f) = 3/4.
    assert gradient["fnw"] == pytest.approx([-0.375, 0.1875])
    # p_dp = 1/4: w+ = (1/2) / (1/2 - 1/8) = 4/3 and w- = (1/2) / (1/2 + 1/8) = 4/5.
    assert gradient["defer"] == pytest.approx([-1 / 3, 0.2])
    for method in ("vanilla", "nndf", "fnc", "es_dfm"):
        assert gradient[method] == pytest.approx([-0.25, 0.25]), method


def half_an_outlook(n: int) -> Outlook:
    """Say 1/4 of everything."""
    return Outlook(**{field.name: np.full(n, 0.25) for field in dataclasses.fields(Outlook)})


@pytest.mark.slow
def test_exact_weights_recover_the_truth_where_unripe_labels_are_far_off(dataset_of):
    frame = simulate(120_000, SimulationConfig(seed=0, delay_days=8.0, engaged_delay_days=14.0))
    config = DelayConfig(seed=0, training_days=30.0, members=2, hidden=16, steps=500, batch_size=512)
    prepared = prepare(dataset_of(frame), config)
    fitted = fit(prepared, config)
    truth = frame.set_index("exposure_id")["true_p"].loc[prepared.exposure_id].to_numpy()[prepared.test]

    def judge(method: str) -> tuple[float, float]:
        p = fitted.probability[method][prepared.test]
        expected_loss = -np.mean(truth * np.log(p) + (1 - truth) * np.log1p(-p))
        return float(p.mean() / truth.mean()), float(expected_loss)

    ratio, loss = zip(*(judge(method) for method in ("dress_style", "vanilla", "oracle")), strict=True)
    assert ratio[0] == pytest.approx(1.0, abs=0.03)
    assert ratio[1] < 0.85
    assert (loss[1] - loss[0]) / (loss[1] - loss[2]) > 0.7  # most of the way from vanilla to the oracle
    assert judge("exact_joint")[0] == pytest.approx(1.0, abs=0.03)


@pytest.mark.slow
def test_where_features_are_noise_every_method_predicts_its_fixed_point(dataset_of):
    law = {"feature_effect": 0.0, "features": 1, "conversion_rate": 0.3, "engaged_conversion_rate": 0.7}
    frame = simulate(
        40_000, SimulationConfig(seed=0, days=150.0, window_days=20.0, delay_days=6.0, engaged_delay_days=6.0, **law)
    )
    config = DelayConfig(
        members=1, hidden=4, steps=200, batch_size=1024, attribution_days=20.0, waiting_days=3.0, training_days=40.0
    )
    prepared = prepare(dataset_of(frame), config)
    fitted = fit(prepared, config)
    p = frame["true_p"].iloc[0]
    p_dp = np.mean(np.isfinite(prepared.delay) & (prepared.delay > prepared.waiting))
    read = prepared.train & (prepared.age >= prepared.waiting) & (prepared.time >= prepared.start)
    expected = dict.fromkeys(METHODS, p) | {"vanilla": prepared.seen[read].mean(), "vanilla_win": p / (1 + p_dp)}
    assert expected["vanilla"] < 0.92 * p and expected["vanilla_win"] < 0.8 * p
    for method, target in expected.items():
        assert fitted.probability[method][prepared.test].mean() == pytest.approx(target, rel=0.04), method
