"""Curves of label arrival: by hand, by property, and against plain counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.delay.arrival import arrival_table, curve_of, period_labels, seen_share
from engine.delay.cohorts import cohort_triangle
from engine.metrics.calibration import wilson_interval
from engine.metrics.survival import kaplan_meier

COLUMNS = ["segment", "cohort", "engage_bin", "exit_bin", "converted", "n"]


def exits(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


# Window of 4 bins. Week 0 is matured, week 7 was 2 bins old on the snapshot day.
SNAPSHOT = exits(
    ("a", 0.0, -1, 1, 1, 10),
    ("a", 0.0, 1, 3, 1, 10),
    ("a", 0.0, -1, 4, 0, 80),
    ("a", 7.0, 1, 1, 1, 5),
    ("a", 7.0, 1, 2, 0, 45),
)
FINAL = exits(
    ("a", 0.0, -1, 1, 1, 10),
    ("a", 0.0, 1, 3, 1, 10),
    ("a", 0.0, -1, 4, 0, 80),
    ("a", 7.0, 1, 1, 1, 5),
    ("a", 7.0, 1, 4, 1, 9),
    ("a", 7.0, 1, 4, 0, 36),
)


def table() -> pd.DataFrame:
    return arrival_table(SNAPSHOT, FINAL, step_days=1.0, horizon_bin=4, waiting_bin=2)


def rows(group: str, view: str, key: str = "all") -> pd.DataFrame:
    found = table()
    return found[(found["group"] == group) & (found["view"] == view) & (found["key"] == key)]


def test_the_honest_rate_differs_from_the_naive_one_by_the_young_exposures():
    snapshot = rows("all", "snapshot")
    # S(1) = 1 - 15/150, S(3) = S(1) (1 - 10/90): the 45 censored after bin 2 are not at risk then.
    survival = [1.0, 0.9, 0.9, 0.8, 0.8]
    assert snapshot["converted"].tolist() == pytest.approx([1 - s for s in survival])
    assert snapshot["converted_naive"].tolist() == pytest.approx([0, 15 / 150, 15 / 150, 25 / 150, 25 / 150])
    assert snapshot["flip"].tolist() == pytest.approx([1 - 0.8 / s for s in survival[:4]] + [0.0])
    assert snapshot["seen"].tolist() == pytest.approx([(1 - s) / 0.2 for s in survival])
    assert snapshot["seen_naive"].tolist() == pytest.approx([0, 15 / 25, 15 / 25, 1, 1])
    assert snapshot["late"].tolist() == pytest.approx([s - 0.8 for s in survival])
    assert snapshot["at_risk"].tolist() == [150, 135, 90, 80, 0]
    assert snapshot["observed_share"].tolist() == pytest.approx([1, 1, 1, 105 / 150, 105 / 150])


def test_the_whole_log_is_counted():
    final = rows("all", "final")
    assert final["converted"].tolist() == pytest.approx([0, 15 / 150, 15 / 150, 25 / 150, 34 / 150])
    assert final["visible_share"].tolist() == pytest.approx([1, 1, 1, 0.7, 0.7])


def test_periods_and_segments_are_cut_and_what_the_snapshot_could_not_see_is_marked():
    found = table()
    assert set(found["group"]) == {"all", "cohort", "engagement"}  # one segment only: nothing to compare
    young = rows("cohort", "final", "7–13")
    assert young["visible_share"].tolist() == pytest.approx([1, 1, 1, 0.1, 0.1])
    assert rows("cohort", "snapshot", "7–13")["flip"].iloc[:4].isna().all()  # nobody there lived that long
    assert young["flip"].iloc[0] == pytest.approx(14 / 50)


def test_engagement_is_a_landmark_at_every_age_frozen_at_the_waiting_window():
    final = table().query("view == 'final' and group == 'engagement'").set_index(["key", "elapsed_days"])
    assert final.loc[("not engaged", 0.0), ["n", "flip"]].tolist() == pytest.approx([150, 34 / 150])
    assert final.loc[("engaged", 1.0), ["n", "flip"]].tolist() == pytest.approx([55, 19 / 55])
    assert final.loc[("not engaged", 1.0), ["n", "flip"]].tolist() == pytest.approx([80, 0.0])
    assert ("engaged", 0.0) not in final.index


def test_the_hazard_is_events_over_those_at_risk_in_each_bin():
    snapshot = rows("all", "snapshot")
    assert snapshot["hazard"].tolist() == pytest.approx([0, 15 / 150, 0, 10 / 90, 0], rel=1e-6)
    low, high = wilson_interval([15], [150])
    assert snapshot[["hazard_low", "hazard_high"]].iloc[1].tolist() == pytest.approx([low[0], high[0]], rel=1e-6)
    nobody = rows("cohort", "snapshot", "7–13")
    assert nobody["hazard"].iloc[3:].isna().all()


def test_the_hazard_of_a_state_is_that_of_the_bin_after_the_look():
    final = table().query("view == 'final' and group == 'engagement'").set_index(["key", "elapsed_days"])
    # Nobody is engaged at 0, and 15 of 150 convert in bin 1; of 55 negative and engaged at 2, 10 convert in bin 3.
    assert final.loc[("not engaged", 1.0), "hazard"] == pytest.approx(15 / 150, rel=1e-6)
    assert final.loc[("engaged", 3.0), "hazard"] == pytest.approx(10 / 55, rel=1e-6)
    assert np.isnan(final.loc[("not engaged", 0.0), "hazard"])


def test_engagement_after_the_waiting_window_makes_nobody_engaged():
    late = exits(("a", 0.0, 3, 4, 1, 1), ("a", 0.0, -1, 4, 0, 9))
    found = arrival_table(late, late, step_days=1.0, horizon_bin=4, waiting_bin=2)
    states = found[(found["view"] == "final") & (found["group"] == "engagement")]
    assert set(states["key"]) == {"not engaged"} and (states["n"] == 10).all()
    assert states["elapsed_days"].tolist() == [0, 1, 2, 3]


def test_cohort_weeks_become_at_most_four_periods_of_like_size():
    weeks = exits(*[("a", 7.0 * k, -1, 4, 0, 10) for k in range(10)])
    labels = period_labels(weeks)
    assert list(labels) == [7.0 * k for k in range(10)] and len(set(labels.values())) == 4
    assert labels[0.0] == "0–13" and labels[63.0].endswith("–69")
    assert set(period_labels(exits(("a", 0.0, -1, 4, 0, 5))).values()) == {"0–6"}


counts = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(1, 40)), min_size=1, max_size=25)


@settings(max_examples=12)
@given(counts)
def test_flip_rate_and_late_share_never_rise_with_the_wait_and_end_at_zero(entries):
    part = exits(*[("a", 0.0, -1, e, c if e else 0, n) for e, c, n in entries], ("a", 0.0, -1, 12, 0, 1))
    found = arrival_table(part, part, step_days=1.0, horizon_bin=12, waiting_bin=3)
    found = found[(found["group"] == "all") & (found["view"] == "final")]
    assert (np.diff(found["flip"]) <= 1e-12).all() and found["flip"].iloc[-1] == 0
    assert (np.diff(found["late"]) <= 1e-12).all() and found["late"].iloc[-1] == 0
    for name in ("flip", "converted", "seen"):
        known = found[f"{name}_low"].notna()
        assert (found[f"{name}_low"][known] <= found[name][known] + 1e-12).all()
        assert (found[name][known] <= found[f"{name}_high"][known] + 1e-12).all()
    assert found["seen"].dropna().between(0, 1 + 1e-12).all()


def test_the_interval_of_the_seen_share_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    truth = -np.expm1(-4 / 6) / -np.expm1(-20 / 6)
    hits, runs = 0, 400
    for _ in range(runs):
        delay = np.where(rng.random(400) < 0.3, rng.exponential(6.0, 400), np.inf)
        age = np.minimum(rng.uniform(0, 60, 400), 20.0)
        curve = kaplan_meier(np.minimum(delay, age), (delay <= age).astype(int))
        _, low, high = seen_share(curve, np.array([4.0]), 20.0)
        hits += bool(low[0] <= truth <= high[0])
    assert 0.92 <= hits / runs <= 0.98


def test_the_seen_share_is_one_at_the_window_and_unknown_without_a_conversion():
    curve = kaplan_meier([1, 2, 5, 5], [1, 1, 0, 0])
    assert [part[-1] for part in seen_share(curve, np.array([1.0, 5.0]), 5.0)] == [1, 1, 1]
    nothing = kaplan_meier([5, 5], [0, 0])
    assert np.isnan(seen_share(nothing, np.array([1.0]), 5.0)[0]).all()
    short = kaplan_meier([1, 2], [1, 0])
    assert np.isnan(seen_share(short, np.array([1.0]), 5.0)[0]).all()


def test_nobody_at_risk_has_no_curve():
    assert curve_of(SNAPSHOT, 4, after=4) is None


def test_the_triangle_projects_open_weeks_with_the_pace_of_all_weeks():
    triangle = cohort_triangle(SNAPSHOT, FINAL, step_days=7.0, horizon_bin=4)

    def rates(cohort: float, stage: str) -> list[float]:
        return triangle[(triangle["cohort"] == cohort) & (triangle["stage"] == stage)]["rate"].tolist()

    assert rates(0.0, "seen") == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert rates(7.0, "seen") == pytest.approx([0.1, 0.1])
    # S = 0.9 so far, and the pool falls from 0.9 to 0.8 after that age.
    assert rates(7.0, "projected") == pytest.approx([1 - 0.9 * 0.8 / 0.9] * 2)
    assert rates(7.0, "final") == pytest.approx([0.1, 0.1, 0.1, 14 / 50])
    assert rates(0.0, "projected") == []
    inside = triangle[triangle["ci_low"].notna()]
    assert ((inside["ci_low"] <= inside["rate"]) & (inside["rate"] <= inside["ci_high"])).all()


def test_a_week_after_the_snapshot_is_projected_from_the_pool_alone():
    later = pd.concat([FINAL, exits(("a", 14.0, -1, 2, 1, 3), ("a", 14.0, -1, 4, 0, 7))], ignore_index=True)
    triangle = cohort_triangle(SNAPSHOT, later, step_days=7.0, horizon_bin=4)
    week = triangle[triangle["cohort"] == 14.0].set_index("stage")
    assert "seen" not in week.index
    assert week.loc["projected", "rate"].tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert week.loc["final", "rate"].tolist() == pytest.approx([0, 0.3, 0.3, 0.3])
