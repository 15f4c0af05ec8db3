"""Methods with more heads: predictions end with the window, and steps, starts and draws are those of all methods."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch

from engine.delay import joint, loop, train
from engine.delay.config import METHODS
from engine.delay.data import prepare
from engine.delay.joint import fit_entire_space, fit_exponential, fit_slots
from engine.delay.loop import Progress, Rows
from engine.delay.model import StackedNetwork
from engine.delay.streams import Outlook, snapshot_rows
from engine.seeding import torch_seed


@pytest.fixture
def config(quick_config):
    return quick_config(steps=3, members=2, batch_size=16)


@pytest.fixture
def prepared(simulated, dataset_of, config):
    return prepare(dataset_of(simulated), config)


@pytest.fixture
def rows(prepared):
    return snapshot_rows(prepared, counterfactual_days=None)


def constant_heads(monkeypatch, *heads: float) -> None:
    """Let every network say the same."""
    values = torch.tensor(heads)
    monkeypatch.setattr(joint, "predict", lambda network, x: values.expand(network.biases[0].shape[0], len(x), -1))


def test_dfm_predicts_a_conversion_within_the_window_and_not_one_ever(prepared, rows, config, monkeypatch):
    constant_heads(monkeypatch, 0.0, float(np.log(2.0)))  # p = 1/2 ever, rate 2 per mean window
    found = fit_exponential(prepared, rows["dfm"], config, Progress(None))
    unit = prepared.window[prepared.train].mean()
    assert found.shape == (2, prepared.time.size)
    assert found[0] == pytest.approx(0.5 * (1 - np.exp(-2.0 * prepared.window / unit)))
    assert (found < 0.5).all()


@pytest.mark.parametrize("has_leak", [True, False])
def test_esdf_predicts_the_product_over_the_entire_space(prepared, rows, config, monkeypatch, has_leak):
    log = np.log
    constant_heads(monkeypatch, 0.0, float(log(3.0)), float(log(1 / 3)), *[0.0] * joint.SLOTS)
    found = fit_slots(prepared, rows["esdf"], has_leak, config, Progress(None))
    assert found == pytest.approx(0.5 * 0.75 + has_leak * 0.5 * 0.25)


def test_training_side_by_side_is_training_alone(prepared, rows, config):
    stream = rows["esdf"]
    outlook = Outlook(**{field.name: np.ones(prepared.time.size) for field in dataclasses.fields(Outlook)})
    settings = (outlook, True, config, Progress(None))
    pair, _, _ = fit_entire_space(prepared, {"one": stream, "other": rows["dfm"]}, *settings)
    alone, _, _ = fit_entire_space(prepared, {"one": stream}, *settings)
    assert pair["one"] == pytest.approx(alone["one"], abs=1e-6)
    assert not np.allclose(pair["other"], pair["one"], atol=1e-4)


@pytest.fixture
def calls(monkeypatch):
    """Note every training of methods: its groups, the trunks at the start, and the steps taken."""
    noted, make = [], loop.train_from_one_start

    def keep(x, groups, loss_of, **settings):
        steps = Counter()

        def counted(heads, batch):
            steps["taken"] += 1
            return loss_of(heads, batch)

        noted.append((tuple(groups), steps))
        return make(x, groups, counted, **settings)

    for module in (train, joint):
        monkeypatch.setattr(module, "train_from_one_start", keep)
    return noted


def test_every_method_takes_the_same_number_of_steps(prepared, config, calls):
    fitted = train.fit(prepared, config)
    assert sorted(name for names, _ in calls for name in names) == sorted(METHODS)
    assert [steps["taken"] for _, steps in calls] == [config.steps] * len(calls)
    assert fitted.streams["defer"].exposure.size > fitted.streams["oracle"].exposure.size
    assert (fitted.members["fnc"] <= train.FNC_CEILING).all()
    assert set(fitted.model) == {f"dress_style.{kind}.{k}" for kind in ("weights", "biases") for k in range(3)}
    assert fitted.model["dress_style.weights.2"].shape == (config.members, config.hidden, 3)


@pytest.mark.parametrize("outputs", [2, 3, 11])
def test_networks_of_all_sizes_start_with_one_trunk_and_one_first_head(outputs):
    with torch_seed(0, "test"):
        one = StackedNetwork(5, hidden=4, outputs=1, members=2, groups=3)
    with torch_seed(0, "test"):
        more = StackedNetwork(5, hidden=4, outputs=outputs, members=2)
    for k in (0, 1):
        assert torch.equal(one.weights[k][:2], more.weights[k])
    assert torch.equal(one.weights[2][:2, :, 0], more.weights[2][:, :, 0])
    assert not torch.equal(more.weights[2][:, :, 1], more.weights[2][:, :, 0])


def test_draws_are_at_the_same_places_in_every_training_of_a_run(config):
    def drawn(sizes: list[int]) -> list[torch.Tensor]:
        groups = {
            str(k): Rows(exposure=np.arange(n), positive=np.zeros(n), negative=np.ones(n)) for k, n in enumerate(sizes)
        }
        network = StackedNetwork(1, hidden=2, outputs=1, members=config.members, groups=len(sizes))
        seen: list[torch.Tensor] = []

        def loss_of(heads: torch.Tensor, batch: loop.Batch) -> torch.Tensor:
            seen.append(batch.exposure)
            return heads.mean(dim=(1, 2))

        x = torch.zeros(max(sizes), 1)
        loop.optimise(network, (x,), groups, loss_of, config=config, stage="some", progress=Progress(None))
        return seen

    with torch_seed(7, "somewhere else"):
        alone = drawn([1000])
    together = drawn([1000, 2000])
    assert len(alone) == config.steps
    for one, both in zip(alone, together, strict=True):
        assert torch.equal(one, both[: config.members])
        assert torch.equal(both[config.members :] // 2, one)
