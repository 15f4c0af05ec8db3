"""Slices are drawn without replacement; that they add up is tested on whole runs."""

from __future__ import annotations

import numpy as np
import pytest

from engine.uncertainty.slice_counts import draw


def test_a_draw_takes_from_every_slice_its_share_and_never_more():
    rng = np.random.default_rng(0)
    sizes = np.array([5, 0, 40, 955])
    draws = np.array([draw(sizes, 300, rng) for _ in range(2000)])
    assert (draws.sum(axis=1) == 300).all() and (draws <= sizes).all()
    assert draws.mean(axis=0) == pytest.approx(0.3 * sizes, abs=0.2)
    most = sizes * 10_000_000
    assert draw(most, 3 * 10**9, rng).tolist() == (0.3 * most).astype(int).tolist()
