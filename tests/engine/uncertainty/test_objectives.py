"""Cost, budget and shift against brute force and against rows that were really re-weighted."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.uncertainty.boundaries import count_selected
from engine.uncertainty.decision import decide
from engine.uncertainty.exact import solve_frontier
from engine.uncertainty.grid import Grid
from engine.uncertainty.isotonic import isotonic_rates
from engine.uncertainty.objectives import budget_rows, odds_factor, shifted_target, solve_cost, under_shift, utility

GRID = Grid(np.array([[1, 3, 4], [0, 2, 5]]), np.array([[9, 6, 5], [8, 4, 6]]))


@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 1), (1, 3), (5, 2), (1, 0), (0.3, 0.7)]))
def test_the_boundary_of_most_value_equals_brute_force(seed, prices):
    rng = np.random.default_rng(seed)
    totals = rng.integers(0, 12, (3, 4))
    grid = Grid(rng.binomial(totals, rng.random((3, 4))), totals)
    value, cost = prices
    cuts = solve_cost(grid, value=value, cost=cost)
    found = utility(decide(grid, cuts), value=value, cost=cost)
    boundaries = np.array(list(product(range(5), repeat=3)))
    positives, selected = count_selected(grid, boundaries)
    assert found == pytest.approx((value * positives - cost * (selected - positives)).max())


def test_value_cuts_where_the_isotonic_rate_falls_below_the_break_even_rate():
    rates = isotonic_rates(GRID)  # .11 .5 .8 and 0 .5 .83
    for value, cost in ((1, 1.5), (1, 0.5), (1, 9)):
        cuts = solve_cost(GRID, value=value, cost=cost)
        assert cuts.tolist() == (rates > cost / (value + cost)).sum(axis=1).tolist()


@pytest.mark.parametrize(("value", "cost"), [(0, 1), (-1, 1), (1, -1), (float("nan"), 1), (1, float("inf"))])
def test_prices_without_meaning_are_refused(value, cost):
    with pytest.raises(ConfigError, match="must be a number"):
        solve_cost(GRID, value=value, cost=cost)


def test_a_budget_is_a_number_of_rows_or_a_share_of_them():
    assert budget_rows(GRID, rows=7) == 7 and budget_rows(GRID, share=0.5) == 19 and budget_rows(GRID, share=0.1) == 3


@pytest.mark.parametrize("budget", [{}, {"rows": 3, "share": 0.1}, {"rows": -1}, {"share": 1.1}])
def test_a_budget_that_is_none_or_two_is_refused(budget):
    with pytest.raises(ConfigError, match="budget"):
        budget_rows(GRID, **budget)


@pytest.mark.parametrize("kappa", [1, 2, 5])
def test_a_shift_counts_as_if_every_positive_came_kappa_times(kappa):
    positives = kappa * GRID.positives
    shifted = Grid(positives, positives + GRID.totals - GRID.positives)
    for cuts in ([1, 1], [2, 3], [3, 0]):
        direct, said = decide(shifted, np.array(cuts)), under_shift(decide(GRID, np.array(cuts)), kappa)
        assert said["precision"] == pytest.approx(direct.precision[0])
        assert said["recall"] == pytest.approx(direct.recall[0])
        assert said["coverage"] == pytest.approx(direct.coverage)
        assert said["base_rate"] == pytest.approx(direct.positives / direct.rows)
        assert said["precision_low"] <= said["precision"] <= said["precision_high"]


@given(st.integers(0, 2**32 - 1), st.sampled_from((2, 3)), st.sampled_from((0.25, 0.5, 0.8)))
def test_solving_at_the_shifted_target_solves_the_shifted_rows(seed, kappa, target):
    rng = np.random.default_rng(seed)
    totals = rng.integers(0, 12, (2, 4))
    grid = Grid(rng.binomial(totals, rng.random((2, 4))), totals)
    positives = kappa * grid.positives
    shifted = Grid(positives, positives + totals - grid.positives)
    direct = count_selected(shifted, solve_frontier(shifted).solve(target))[0]
    found = count_selected(shifted, solve_frontier(grid).solve(shifted_target(target, kappa)))[0]
    assert found == direct


def test_an_odds_factor_moves_one_base_rate_onto_another():
    kappa = odds_factor(0.1, 0.3)
    assert kappa * 0.1 / (kappa * 0.1 + 0.9) == pytest.approx(0.3)
    # Negatives kept at one in five: the full rows have a fifth of the odds.
    assert odds_factor(5 / 14, 1 / 10) == pytest.approx(0.2)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_factor_that_is_no_odds_ratio_is_refused(wrong):
    for question in (
        lambda: under_shift(decide(GRID, np.array([1, 1])), wrong),
        lambda: shifted_target(0.5, wrong),
        lambda: odds_factor(0.1, wrong),
    ):
        with pytest.raises(ConfigError, match="it must"):
            question()


def test_f_score_queue_and_net_benefit_by_hand():
    found = decide(GRID, np.array([1, 1]))  # 9 of 11 selected, 15 positives, 38 rows
    precision, recall = 9 / 11, 9 / 15
    for beta in (0.5, 1, 2):
        expected = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
        assert found.f_score(beta) == pytest.approx(expected)
    assert found.queue_rate(1000) == pytest.approx(1000 * 11 / 38)
    assert found.net_benefit(0.2) == pytest.approx((9 - 2 * 0.25) / 38)
    assert decide(GRID, np.array([0, 0])).f_score() == 0.0
