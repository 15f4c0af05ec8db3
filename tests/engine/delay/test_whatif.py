"""What a method would learn: the numbers worked out by hand, and every fixed point against simulated rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.delay.weights import defer, fnw, fsiw
from engine.delay.whatif import (
    FIXED_POINTS,
    LAW_COLUMNS,
    STATES,
    Change,
    Law,
    law_from,
    law_table,
    moment,
    what_if,
)
from engine.errors import ConfigError

E = 10.0


def law(share: float, p: tuple[float, float], late: tuple[float, float]) -> Law:
    """Two states with a known late share at day 10 of 30, conversions evenly spread on both sides."""
    seen = np.array([[0.0, 1.0 - s, 1.0] for s in late])
    return Law(share=np.array([1 - share, share]), conversion=np.array(p), elapsed=np.array([0.0, E, 30.0]), seen=seen)


def learned(base: Law, change: Change, auxiliary: str = "stale", waiting: float = E) -> dict[str, float]:
    """Return what the methods learn."""
    table = what_if(base, change, waiting_days=waiting, auxiliary=auxiliary)
    assert np.allclose(table["bias"], table["learned"] - table["truth"], equal_nan=True)
    return table.set_index("method")["learned"].to_dict() | {"truth": table["truth"].iloc[0]}


@pytest.mark.parametrize(
    ("engagement", "truth", "stale", "conditioned"), [(0.6, 0.260, 0.247, 0.260), (0.15, 0.1025, 0.1052, 0.1025)]
)
def test_a_shift_of_engagement_leaves_conditioned_weights_right_and_marginal_ones_stale(
    engagement, truth, stale, conditioned
):
    found = learned(law(0.3, (0.05, 0.4), (0.95, 0.5)), Change(engagement=engagement))
    assert found["truth"] == pytest.approx(truth, abs=5e-5)
    assert found["exact_joint"] == pytest.approx(stale, abs=5e-4) and found["es_dfm"] == found["exact_joint"]
    assert found["dress_style"] == pytest.approx(conditioned, abs=5e-5)


def test_conversion_and_delay_that_change_make_every_weight_stale():
    base = law(0.3, (0.05, 0.4), (0.95, 0.5))
    for change in (Change(conversion_factor=0.5), Change(delay_factor=2.0)):
        found = learned(base, change)
        assert abs(found["dress_style"] - found["truth"]) > 0.003


shares = st.floats(0.05, 0.95)


@given(shares, shares, shares, shares, shares, shares, st.floats(0.3, 2.0), st.floats(0.3, 3.0))
def test_with_fresh_weights_every_correcting_method_is_exact(a, p0, p1, s0, s1, new_a, conversion, delay):
    change = Change(engagement=new_a, conversion_factor=conversion, delay_factor=delay)
    found = learned(law(a, (p0, p1), (s0, s1)), change, "fresh")
    for method in (
        "oracle",
        "wait",
        "fnw",
        "fnc",
        "es_dfm",
        "exact_joint",
        "defer",
        "defuse",
        "fsiw",
        "ulc",
        "dress_style",
    ):
        assert found[method] == pytest.approx(found["truth"], abs=1e-9), method
    assert found["vanilla"] <= found["vanilla_win"] + 1e-12 and found["vanilla_win"] <= found["truth"] + 1e-12


@given(shares, shares, shares, shares, shares)
def test_no_change_means_nothing_is_stale(a, p0, p1, s0, s1):
    base = law(a, (p0, p1), (s0, s1))
    stale, fresh = (what_if(base, Change(), waiting_days=E, auxiliary=kind) for kind in ("stale", "fresh"))
    assert np.allclose(stale["learned"], fresh["learned"])


def simulate(state: object, n: int, seed: int) -> dict[str, np.ndarray]:
    """Draw exposures of a moment: state, final label, and whether it was seen by e."""
    rng = np.random.default_rng(seed)
    s = (rng.random(n) < state.share[1]).astype(int)
    y = rng.random(n) < state.p_state[s]
    late = y & (rng.random(n) < (state.late_state / state.p_state)[s])
    return {"s": s, "y": y, "late": late, "seen": y & ~late}


def iterated(method: str, rows: dict[str, np.ndarray], known: object) -> float:
    """Follow a method whose weights or whose result depend on its own f."""
    late, seen, y = rows["late"].sum(), rows["seen"].sum(), rows["y"].sum()
    if method == "fnc":
        b = y / (y + rows["y"].size)
        return float(b / (1 - b))
    f = max(0.3, known.p_dp)
    ups, downs = (y, rows["y"].size) if method == "fnw" else (2 * seen + late, 2 * (~rows["y"]).sum() + late)
    for _ in range(5000):
        up, down = fnw(f) if method == "fnw" else defer(f, known.p_dp)
        f = 0.5 * f + 0.5 * ups * up / (ups * up + downs * down)
    return float(f)


def fixed_point(method: str, rows: dict[str, np.ndarray], known: object) -> float:
    """Minimise a method's weighted loss over drawn rows: the weighted share of positives, iterated where f is in it."""
    s, late, seen = rows["s"], rows["late"], rows["seen"]
    negative, n = ~seen, seen.size
    if method == "dress_style":
        heads = []
        for state in (0, 1):
            mine = s == state
            up = (seen | late)[mine].sum()
            heads.append(up / (up + known.p_rn_state[state] * negative[mine].sum()))
        return float(np.mean(s) * heads[1] + (1 - np.mean(s)) * heads[0])
    if method in ("fnw", "fnc", "defer"):
        return iterated(method, rows, known)
    if method == "defuse":
        z = 1 - known.p_rn
        positive = seen.sum() * (1 + known.p_dp) + late.sum() + negative.sum() * z * known.p_dp
        return float(positive / (positive + negative.sum() * (1 - z) * (1 + known.p_dp)))
    if method == "fsiw":
        up, down = fsiw(1 - known.p_dp / known.p, known.p_rn)
        return float(seen.sum() * up / (seen.sum() * up + negative.sum() * down))
    if method == "ulc":
        return float((seen.sum() + negative.sum() * (1 - known.p_rn)) / n)
    ups = {"oracle": rows["y"].sum(), "vanilla": seen.sum()}.get(method, rows["y"].sum())
    downs = {"oracle": (~rows["y"]).sum(), "vanilla": negative.sum(), "vanilla_win": negative.sum()}
    weight = 1.0 if method in downs else known.p_rn
    return float(ups / (ups + weight * downs.get(method, negative.sum())))


@pytest.mark.parametrize("method", sorted(set(FIXED_POINTS) - {"pretrained", "wait"}))
def test_each_fixed_point_is_what_weighted_rows_teach(method):
    base = law(0.3, (0.08, 0.4), (0.9, 0.45))
    change = Change(engagement=0.55, conversion_factor=0.8, delay_factor=1.5)
    new, old = moment(base, E, change), moment(base, E)
    rows = simulate(new, 400_000, 1)
    assert fixed_point(method, rows, old) == pytest.approx(learned(base, change)[method], abs=0.004)


def test_methods_that_wait_know_the_world_before_the_change_until_labels_mature():
    base, change = law(0.3, (0.05, 0.4), (0.95, 0.5)), Change(conversion_factor=0.5)
    stale, fresh = learned(base, change), learned(base, change, "fresh")
    assert stale["wait"] == stale["pretrained"] == pytest.approx(0.155)
    assert fresh["wait"] == pytest.approx(0.0775) and fresh["pretrained"] == pytest.approx(0.155)


def test_longer_delays_push_conversions_out_of_the_window():
    base = law(0.5, (0.2, 0.2), (0.6, 0.6))
    slow = moment(base, E, Change(delay_factor=2.0))
    assert slow.p == pytest.approx(0.2 * (0.4 + 0.6 * 5 / 20))  # those by day 15 of 30
    assert slow.p - slow.p_dp == pytest.approx(0.2 * 0.2)  # those by day 5
    quick = moment(base, E, Change(delay_factor=1 / 3))
    assert quick.p == pytest.approx(0.2) and quick.p_dp == pytest.approx(0.0)


def test_waiting_to_the_end_leaves_nothing_to_correct():
    found = learned(law(0.3, (0.05, 0.4), (0.95, 0.5)), Change(engagement=0.6), waiting=30.0)
    for method in set(FIXED_POINTS) - {"pretrained", "wait"}:
        assert found[method] == pytest.approx(0.26)


def test_a_window_without_any_conversion_has_no_fsiw_weight():
    found = learned(law(0.3, (0.05, 0.4), (0.95, 0.5)), Change(), waiting=0.0)
    assert np.isnan(found["fsiw"]) and found["vanilla"] == 0.0


@pytest.mark.parametrize(
    "build",
    [lambda: Change(engagement=1.2), lambda: Change(conversion_factor=0.0), lambda: Change(delay_factor=float("nan"))],
)
def test_impossible_changes_are_refused(build):
    with pytest.raises(ConfigError, match="allowed is"):
        build()


def test_a_window_beyond_the_law_is_refused():
    with pytest.raises(ConfigError, match="allowed is 0 to the window, 30"):
        moment(law(0.3, (0.05, 0.4), (0.95, 0.5)), 31.0)


def test_the_law_of_a_run_is_counted_from_matured_exposures(quick_fit):
    prepared, config, _ = quick_fit
    table = law_table(prepared)
    assert tuple(table.columns) == LAW_COLUMNS and set(table["state"]) == set(STATES)
    base = law_from(table)
    rows = np.flatnonzero(~prepared.test & prepared.matured)
    engaged = prepared.engage_delay[rows] <= config.waiting_days
    label = np.isfinite(prepared.delay[rows])
    assert base.share[1] == pytest.approx(engaged.mean()) and base.share.sum() == pytest.approx(1.0)
    assert base.conversion[1] == pytest.approx(label[engaged].mean())
    assert moment(base, 0.0).p == pytest.approx(label.mean()) and base.window_days == 30.0
    day = base.elapsed[np.searchsorted(base.elapsed, 7.0)]
    assert base.seen_by(day)[0] == pytest.approx((prepared.delay[rows][~engaged & label] <= day).mean())
    assert (np.diff(base.seen) >= 0).all() and (base.seen[:, -1] == 1).all()
