"""The influence of a flipped label agrees with fitting again, and falls short where it must."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.delay.config import DelayConfig
from engine.delay.influence import (
    CHECK_COLUMNS,
    INFLUENCE_COLUMNS,
    MODELS,
    influence_tables,
    joint_flips,
    single_flips,
)
from engine.delay.smooth import SmoothModel, factored
from engine.errors import ConfigError


@pytest.fixture(scope="module")
def tables(quick_fit):
    prepared, config, fitted = quick_fit
    return influence_tables(prepared, fitted.streams["vanilla"], config)


def logistic(n: int, *, seed: int = 0) -> tuple[SmoothModel, torch.Tensor, torch.Tensor]:
    """Fit a logistic regression whose labels are not all in."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 5))
    y = torch.from_numpy((rng.random(n) < 1 / (1 + np.exp(1.5 - x @ [1.0, -0.5, 0.3, 0.0, 0.2]))).astype(float))
    model = SmoothModel(widths=(5, 1), x=torch.from_numpy(x), penalty=0.001)
    torch.manual_seed(0)
    return model, y, model.minimise(model.start(), y)


def test_fifty_eight_flips_in_four_thousand_rows_are_predicted_within_a_few_percent():
    model, final, _ = logistic(4000)
    flips = torch.nonzero(final)[:58, 0]
    y = final.clone()
    y[flips] = 0.0
    theta = model.minimise(torch.zeros(6, dtype=torch.float64), y)
    effects = joint_flips(model, theta, y, factored(model.hessian(theta, y))[0], flips, model.x)
    error = float((effects.step - effects.refit_step).norm() / effects.refit_step.norm())
    assert 0.0005 < error < 0.05
    assert float(effects.mean) == pytest.approx(58 / 4000, rel=0.05)
    assert float(effects.refit_mean) == pytest.approx(58 / 4000, rel=1e-3)


def test_a_single_flip_moves_a_logistic_regression_as_the_formula_says():
    model, y, theta = logistic(1500)
    rows = torch.nonzero(y == 0)[:4, 0]
    effects = single_flips(model, theta, y, factored(model.hessian(theta, y))[0], rows, model.x)
    x = torch.cat((model.x, torch.ones(1500, 1, dtype=torch.float64)), dim=1)
    f = torch.sigmoid(x @ theta)
    hessian = (x.T * (f * (1 - f))) @ x / 1500 + 0.001 * torch.diag(torch.tensor([1.0] * 5 + [0.0]).double())
    by_hand = torch.linalg.solve(hessian, x[rows].T).T / 1500
    assert torch.allclose(effects.step, by_hand, rtol=1e-6, atol=1e-9)
    assert torch.allclose(effects.own, torch.sigmoid((x[rows] * (theta + by_hand)).sum(1)) - f[rows], atol=1e-9)
    assert torch.allclose(effects.step, effects.refit_step, rtol=0.1, atol=1e-4)


def test_in_twice_the_data_a_flip_weighs_half():
    model, y, theta = logistic(1000)
    twice = dataclasses.replace(model, x=torch.cat((model.x, model.x)))
    row = torch.nonzero(y == 0)[:1, 0]
    once = single_flips(model, theta, y, factored(model.hessian(theta, y))[0], row, model.x)
    double = torch.cat((y, y))
    half = single_flips(twice, theta, double, factored(twice.hessian(theta, double))[0], row, model.x)
    assert torch.allclose(half.step, once.step / 2, rtol=1e-9)


def test_flips_are_labels_that_were_open_on_the_snapshot_day_and_converted_later(tables, simulated, quick_fit):
    prepared, config, _ = quick_fit
    rows = simulated.set_index("exposure_id").loc[tables[0]["exposure_id"]]
    delay = rows["conversion_time"] - rows["exposure_time"]
    assert ((rows["conversion_time"] > prepared.as_of) & (rows["exposure_time"] < prepared.as_of)).all()
    assert (delay <= 30).all() and (prepared.as_of - rows["exposure_time"] >= config.waiting_days).all()
    assert tables[0].groupby("model").size().to_dict() == dict.fromkeys(MODELS, config.influence_flips)


def test_single_flips_are_predicted_well_and_all_together_less_well(tables):
    check = tables[1].set_index(["model", "quantity"])
    one, every = check[check["flips"] == 1], check[check["flips"] > 1]
    assert one.loc[("logistic", "parameters"), "relative_error"] < 0.05
    assert one.loc[("network", "own"), "relative_error"] < 0.3 and one.loc[("network", "own"), "correlation"] > 0.95
    assert (
        every.loc[("logistic", "parameters"), "relative_error"] > one.loc[("logistic", "parameters"), "relative_error"]
    )
    assert (one["n"] == 20).all() and (every["n"] == every["flips"]).all()


def test_the_check_says_what_the_list_shows(tables):
    influence, check = tables
    assert list(influence.columns) == list(INFLUENCE_COLUMNS) and list(check.columns) == list(CHECK_COLUMNS)
    for model in MODELS:
        rows = influence[influence["model"] == model]
        own = check[(check["model"] == model) & (check["flips"] == 1) & (check["quantity"] == "own")].iloc[0]
        gap = np.linalg.norm(rows["delta_own"] - rows["refit_own"]) / np.linalg.norm(rows["refit_own"])
        assert own["relative_error"] == pytest.approx(gap) and own["predicted"] == pytest.approx(
            rows["delta_own"].mean()
        )
        assert own["correlation"] == pytest.approx(np.corrcoef(rows["delta_own"], rows["refit_own"])[0, 1])
        assert (rows["delta_own"] > 0).all()


def test_what_does_not_flip_later_plays_no_part(tables, quick_fit):
    prepared, config, fitted = quick_fit
    vanilla = fitted.streams["vanilla"]
    other = prepared.test | prepared.holdout
    changed = dataclasses.replace(prepared, delay=np.where(other, np.inf, prepared.delay))
    again, _ = influence_tables(changed, vanilla, config)
    assert np.array_equal(again["delta_own"], tables[0]["delta_own"])


def test_without_flips_both_tables_are_empty(quick_fit):
    prepared, config, fitted = quick_fit
    known = dataclasses.replace(prepared, delay=np.where(prepared.seen, prepared.delay, np.inf))
    assert all(table.empty for table in influence_tables(known, fitted.streams["vanilla"], config))


@pytest.mark.parametrize("count", [0, 501, 2.0])
def test_an_impossible_number_of_flips_is_refused(count):
    with pytest.raises(ConfigError, match="influence_flips"):
        DelayConfig(influence_flips=count)
