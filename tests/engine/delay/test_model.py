"""The networks: the entire space as probabilities, the loss by hand, and groups that share nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.delay.config import DelayConfig
from engine.delay.loop import Progress, Rows, optimise, predict
from engine.delay.losses import weighted_loss
from engine.delay.model import StackedNetwork, entire_space
from engine.errors import TrainingError
from engine.seeding import torch_seed

odds = st.floats(-6.0, 6.0)


@given(odds, odds, odds)
def test_the_entire_space_is_the_law_of_total_probability(a, given_a, without):
    heads = torch.tensor([a, given_a, without], dtype=torch.float64)
    p_a, p_1, p_0 = torch.sigmoid(heads).tolist()
    engage, convert = entire_space(heads, has_leak=True)
    assert torch.sigmoid(engage).item() == pytest.approx(p_a)
    assert torch.sigmoid(convert).item() == pytest.approx(p_a * p_1 + (1 - p_a) * p_0)
    _, funnel = entire_space(heads, has_leak=False)
    assert torch.sigmoid(funnel).item() == pytest.approx(p_a * p_1)
    assert torch.sigmoid(funnel).item() <= p_a + 1e-12


def test_the_entire_space_stays_finite_far_out():
    heads = torch.tensor([[80.0, -80.0, 80.0], [-80.0, 80.0, -80.0]])
    for leak in (True, False):
        assert torch.isfinite(entire_space(heads, has_leak=leak)[1]).all()


def test_the_weighted_loss_is_the_mean_over_rows():
    log_odds = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    positive, negative = torch.tensor([[1.5, 0.0], [0.25, 0.0]]), torch.tensor([[0.0, 0.75], [0.75, 1.0]])
    low = float(np.log1p(np.exp(2.0)))
    expected = [1.125 * np.log(2), (np.log(2) + low) / 2]
    assert weighted_loss(log_odds, positive, negative).tolist() == pytest.approx(expected)


def test_groups_start_alike_and_members_differ():
    with torch_seed(0, "test"):
        network = StackedNetwork(3, hidden=4, outputs=1, members=2, groups=2)
    first, second, third, fourth = network.weights[0]
    assert torch.equal(first, third) and torch.equal(second, fourth) and not torch.equal(first, second)


def trained(changed: float) -> torch.Tensor:
    """Train two groups; `changed` moves the labels of the second one."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(200, 3)).astype(np.float32))
    label = (rng.random(200) < 0.3).astype(float)
    groups = {
        "first": Rows(exposure=np.arange(200), positive=label, negative=1 - label),
        "second": Rows(exposure=np.arange(100), positive=label[:100] * changed, negative=1 - label[:100]),
    }
    config = DelayConfig(members=2, hidden=4, steps=20, batch_size=32)
    with torch_seed(0, "test"):
        network = StackedNetwork(3, hidden=4, outputs=1, members=2, groups=2)
        optimise(
            network,
            (x,),
            groups,
            lambda heads, batch: weighted_loss(heads.squeeze(2), batch.positive, batch.negative),
            config=config,
            stage="test",
            progress=Progress(None),
        )
    return predict(network, x)


def test_groups_side_by_side_do_not_touch_each_other():
    one, other = trained(1.0), trained(2.0)
    assert torch.equal(one[:2], other[:2]) and not torch.equal(one[2:], other[2:])


def test_a_loss_that_is_not_a_number_ends_the_training():
    with pytest.raises(TrainingError, match=r"The loss of second .* is not finite; lower 'learning_rate'"):
        trained(float("nan"))


def test_progress_reports_the_mean_loss_of_every_block():
    seen = []
    progress = Progress(seen.append)
    progress.report("stage", 1, 2, {"a": 0.5})
    assert seen[0].stage == "stage" and seen[0].losses == {"a": 0.5} and (seen[0].epoch, seen[0].epochs) == (1, 2)
    assert progress.rows == [{"stage": "stage", "epoch": 1, "loss": "a", "value": 0.5}]
