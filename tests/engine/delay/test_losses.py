"""Losses with a law of label arrival: by hand, at the truth, at the limits, and never across shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import integrate
from scipy.optimize import brentq
from torch.nn.functional import logsigmoid

from engine.delay.corrections import ulc
from engine.delay.cure import fit_cure
from engine.delay.losses import (
    exponential_delay_loss,
    log_survival_of_slots,
    nonnegative_loss,
    slot_delay_loss,
    weighted_loss,
)
from engine.errors import DataError

inside = st.floats(0.03, 0.97)
rates = st.floats(0.1, 4.0)
times = st.floats(0.05, 3.0)


def row(*values: float, grad: bool = False) -> torch.Tensor:
    """One network, one column per value."""
    return torch.tensor([values], dtype=torch.float64, requires_grad=grad)


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def exponential(p: float, rate: float, *, converted: float, time: float) -> float:
    loss = exponential_delay_loss(row(logit(p)), row(np.log(rate)), converted=row(converted), time=row(time))
    return loss.item()


def scores(p: float, rate: float, *, converted: float, time: float) -> np.ndarray:
    """Gradient of one row's loss in logit p and log rate."""
    odds, log_rate = row(logit(p), grad=True), row(np.log(rate), grad=True)
    exponential_delay_loss(odds, log_rate, converted=row(converted), time=row(time)).sum().backward()
    return np.array([odds.grad.item(), log_rate.grad.item()])


def test_tensors_of_different_shapes_are_refused_instead_of_broadcast():
    good, column = torch.zeros(1, 3), torch.zeros(1, 3, 1)
    with pytest.raises(DataError, match=r"`positive` has shape \(1, 3, 1\), `log_odds` has \(1, 3\)"):
        weighted_loss(good, column, good)
    with pytest.raises(DataError, match="`negative` has shape"):
        nonnegative_loss(good, good, torch.zeros(3))
    with pytest.raises(DataError, match="`time` has shape"):
        exponential_delay_loss(good, good, converted=good, time=torch.zeros(3, 1))
    with pytest.raises(DataError, match="`log_slots` has shape"):
        slot_delay_loss(good, torch.zeros(1, 2, 5), converted=good, share=good, counts=good)


def test_golden_values_of_the_exponential_delay():
    assert exponential(0.5, 2.0, converted=1.0, time=0.5) == pytest.approx(np.log(2) - np.log(2) + 1)
    assert exponential(0.5, 2.0, converted=0.0, time=0.5) == pytest.approx(-np.log(0.5 + 0.5 * np.exp(-1)))


@given(inside, rates, times)
def test_the_exponential_delay_has_the_stated_likelihood_and_gradient(p, rate, time):
    survival = np.exp(-rate * time)
    rest = 1 - p + p * survival
    seen = -np.log(p) - np.log(rate) + rate * time
    assert exponential(p, rate, converted=1.0, time=time) == pytest.approx(seen, rel=1e-9, abs=1e-9)
    assert exponential(p, rate, converted=0.0, time=time) == pytest.approx(-np.log(rest), rel=1e-9, abs=1e-9)
    expected = [p * (1 - p) * (1 - survival) / rest, rate * time * p * survival / rest]
    assert scores(p, rate, converted=0.0, time=time) == pytest.approx(expected, rel=1e-7)


@given(inside, rates, times)
def test_the_expected_score_of_the_exponential_delay_is_zero_at_the_truth(p, rate, elapsed):
    def part(d: float, k: int) -> float:
        return p * rate * np.exp(-rate * d) * scores(p, rate, converted=1.0, time=d)[k]

    unseen = (1 - p + p * np.exp(-rate * elapsed)) * scores(p, rate, converted=0.0, time=elapsed)
    for k in range(2):
        seen, _ = integrate.quad(part, 0.0, elapsed, args=(k,), epsabs=1e-11, limit=50)
        assert seen + unseen[k] == pytest.approx(0.0, abs=1e-8)


@given(inside)
def test_the_exponential_delay_becomes_the_log_loss_once_everything_has_arrived(p):
    assert exponential(p, 50.0, converted=0.0, time=3.0) == pytest.approx(-np.log1p(-p))


def test_the_exponential_delay_stays_finite_and_exact_far_out():
    odds, log_rate = row(60.0, -60.0, grad=True), row(4.0, 4.0, grad=True)
    loss = exponential_delay_loss(odds, log_rate, converted=row(0.0, 0.0), time=row(100.0, 100.0))
    loss.sum().backward()
    assert loss.item() == pytest.approx(30.0, abs=1e-9)  # -log(1 - p) = 60 in one of two rows
    assert torch.isfinite(odds.grad).all() and torch.isfinite(log_rate.grad).all()


def test_without_features_the_exponential_delay_is_the_mixture_cure_model():
    rng = np.random.default_rng(0)
    age = rng.uniform(0.0, 3.0, 4000)
    delay = np.where(rng.random(4000) < 0.3, rng.exponential(0.5, 4000), np.inf)
    converted = delay <= age
    time = torch.from_numpy(np.where(converted, delay, age))[None]
    label = torch.from_numpy(converted.astype(float))[None]
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    climb = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure() -> torch.Tensor:
        climb.zero_grad()
        odds, log_rate = (part.expand_as(time) for part in theta)
        loss = exponential_delay_loss(odds, log_rate, converted=label, time=time).sum()
        loss.backward()
        return loss

    climb.step(closure)
    upper = np.where(converted, time[0].numpy(), np.inf)
    cure = fit_cure(time[0].numpy(), upper, np.ones(4000), law="exponential")
    p, mean_delay = torch.sigmoid(theta[0]).item(), torch.exp(-theta[1]).item()
    assert (p, mean_delay) == pytest.approx((cure.converted, cure.mean_delay), rel=1e-3)
    assert p == pytest.approx(0.3, abs=0.03) and mean_delay == pytest.approx(0.5, abs=0.06)


def slots_of(*shares: float) -> torch.Tensor:
    return torch.tensor(shares, dtype=torch.float64).log()[None, None]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.125, 0.9), (0.25, 0.8), (0.5, 0.5), (0.625, 0.35), (0.875, 0.1)]
)
def test_survival_falls_evenly_within_a_slot(share, expected):
    found = log_survival_of_slots(slots_of(0.2, 0.3, 0.3, 0.2), row(share))
    assert found.exp().item() == pytest.approx(expected)


@given(inside, inside, st.integers(0, 3), st.floats(0.01, 0.99), st.lists(st.floats(0.1, 1.0), min_size=4, max_size=4))
def test_the_slot_loss_is_the_published_likelihood_of_engaged_exposures(p_a, p, slot, inside_slot, masses):
    law = np.array(masses) / np.sum(masses)
    share = (slot + inside_slot) / 4
    later = law[slot + 1 :].sum() + law[slot] * (1 - inside_slot)
    q = p_a * p
    for converted, likelihood in ((1.0, q * law[slot]), (0.0, (p_a - q) + q * later)):
        loss = slot_delay_loss(
            row(logit(p)), slots_of(*law), converted=row(converted), share=row(share), counts=row(1.0)
        )
        # The engagement's own loss carries log p_a.
        assert loss.item() - np.log(p_a) == pytest.approx(-np.log(likelihood), rel=1e-7, abs=1e-9)


@given(inside, st.floats(0.05, 0.95), st.lists(st.floats(0.1, 1.0), min_size=4, max_size=4))
def test_an_em_step_has_the_gradient_of_the_slot_loss(p, share, masses):
    def leaves() -> tuple[torch.Tensor, torch.Tensor]:
        law = torch.tensor([[masses]], dtype=torch.float64, requires_grad=True)
        return row(logit(p), grad=True), law

    odds, raw = leaves()
    log_slots = torch.log_softmax(raw, dim=2)
    slot_delay_loss(odds, log_slots, converted=row(0.0), share=row(share), counts=row(1.0)).sum().backward()
    em_odds, em_raw = leaves()
    ahead = log_survival_of_slots(torch.log_softmax(em_raw, dim=2), row(share))
    posterior = ulc(p, p * ahead.detach().exp())  # the E step
    complete = posterior * (logsigmoid(em_odds) + ahead) + (1 - posterior) * logsigmoid(-em_odds)
    (-complete).sum().backward()
    assert odds.grad.item() == pytest.approx(em_odds.grad.item(), rel=1e-9, abs=1e-12)
    assert raw.grad.flatten().tolist() == pytest.approx(em_raw.grad.flatten().tolist(), rel=1e-7, abs=1e-12)


def test_rows_that_do_not_count_teach_nothing_but_stay_in_the_mean():
    odds = row(0.0, 0.0, grad=True)
    law = torch.full((1, 2, 2), 0.5, dtype=torch.float64).log()
    loss = slot_delay_loss(odds, law, converted=row(1.0, 1.0), share=row(0.1, 0.1), counts=row(1.0, 0.0))
    loss.sum().backward()
    assert loss.item() == pytest.approx(2 * np.log(2) / 2)
    assert odds.grad.tolist() == [[-0.25, 0.0]]


def stationary(loss_of) -> float:
    """Return the f at which the gradient of a loss in one log odds, by automatic differentiation, is zero."""

    def slope(odds: float) -> float:
        leaf = torch.tensor(odds, dtype=torch.float64, requires_grad=True)
        loss_of(leaf).backward()
        return float(leaf.grad)

    return float(1 / (1 + np.exp(-brentq(slope, -12.0, 12.0))))


def population(positive: list[float], negative: list[float]):
    """Return a function of one log odds: nnDF's loss over rows whose masses are their weights."""
    up, down = row(*positive), row(*negative)
    return lambda leaf: nonnegative_loss(leaf.expand(1, len(positive)), up, down).sum()


@given(inside, st.floats(0.05, 0.95))
def test_nndf_is_right_if_as_many_conversions_came_as_will_come(p, s):
    seen, pending = p * (1 - s), p * s
    rows = ([seen, 0.0, pending], [0.0, 1 - seen, -pending])
    assert stationary(population(*rows)) == pytest.approx(p, rel=1e-6)


@given(inside, st.floats(0.1, 0.9))
def test_dividing_second_rows_by_the_exposures_before_the_deadline_would_inflate_them(p, s):
    seen, pending = p * (1 - s), p * s
    inflated = pending * 21 / 16  # 21 days of exposures, deadline 5 days back
    assume(seen + inflated < 0.98)
    found = stationary(population([seen, 0.0, inflated], [0.0, 1 - seen, -inflated]))
    assert found == pytest.approx(p + pending * (21 / 16 - 1), rel=1e-6)
    assert found > p


def test_a_negative_part_below_zero_is_cut_off_and_has_no_gradient():
    odds = row(1.0, 1.0, grad=True)
    loss = nonnegative_loss(odds, row(1.0, 1.0), row(0.0, -1.0))
    loss.sum().backward()
    assert loss.item() == pytest.approx(np.log1p(np.exp(-1.0)))  # the positive part alone
    f = 1 / (1 + np.exp(-1.0))
    assert odds.grad[0].tolist() == pytest.approx([-(1 - f) / 2, -(1 - f) / 2])
    # Where the row is a part of a batch, the batch decides: here its negative part is 1 all the same.
    kept = nonnegative_loss(row(1.0, 1.0), row(1.0, 1.0), row(0.0, -1.0), whole=torch.ones_like)
    assert kept.item() == pytest.approx(np.log1p(np.exp(-1.0)) - np.log1p(np.exp(1.0)) / 2)
    free = nonnegative_loss(row(1.0, 1.0), row(1.0, 1.0), row(3.0, -1.0))
    assert free.item() == pytest.approx(np.log1p(np.exp(-1.0)) + np.log1p(np.exp(1.0)))
