"""Facts of the snapshot, law and observed funnel, against counting one by one."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.delay.config import DelayConfig
from engine.delay.draws import with_unit
from engine.delay.funnel_counts import observed_funnel, stage_counts
from engine.delay.relation import exposures_of
from engine.delay.scope_counts import described_law, law_counts, law_points, scope_facts
from engine.delay.simulate import SimulationConfig, simulate

AS_OF, END = 70.0, 110.0
CONFIG = DelayConfig(resamples=20)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return simulated exposures with days from exposure to what happened within the window."""
    found = simulate(1200, SimulationConfig(seed=3))
    delay = found["conversion_time"] - found["exposure_time"]
    engaged = found["engagement_time"] - found["exposure_time"]
    return found.assign(
        age=AS_OF - found["exposure_time"],
        delay=delay.where(delay <= found["window_days"], np.inf),
        engaged=engaged.where(engaged <= found["window_days"], np.inf),
    )


@pytest.fixture(scope="module")
def exposures(frame) -> ibis.Table:
    table = pa.Table.from_pandas(frame.drop(columns=["age", "delay", "engaged"]), preserve_index=False)
    return exposures_of(ibis.memtable(table), {}, source="log", attribution_days=30.0).exposures


def test_the_facts_of_a_snapshot_are_counted_as_one_would_by_hand(frame, exposures) -> None:
    (found,) = scope_facts(exposures, as_of=AS_OF, end=END).to_pyarrow().to_pylist()
    before, over = frame["age"] > 0, frame["age"] >= frame["window_days"]
    recent, seen, label = before & ~over, frame["delay"] <= frame["age"], np.isfinite(frame["delay"])
    closed = frame["exposure_time"] + frame["window_days"]
    expected = {
        "exposures": before.sum(),
        "matured": (before & over).sum(),
        "immature": recent.sum(),
        "seen": (recent & seen).sum(),
        "positives": (recent & label).sum(),
        "pending": (recent & ~seen).sum(),
        "flipped": (recent & ~seen & label).sum(),
        "later": (~before).sum(),
        "engaged": np.isfinite(frame["engaged"]).sum(),
        "converted": label.sum(),
        "first_closed": closed.min(),
        "first_open": frame.loc[closed > END, "exposure_time"].min(),
        "window_max": frame["window_days"].max(),
        "matured_window": frame.loc[before & over, "window_days"].max(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_the_law_is_that_of_the_matured_exposures_by_state(frame, exposures) -> None:
    elapsed = law_points(30.0)
    counts = law_counts(exposures, elapsed, as_of=AS_OF, waiting_days=7.0).to_pyarrow().to_pandas()
    law = described_law(counts, elapsed).set_index(["state", "elapsed_days"])
    old = frame[(frame["age"] > 0) & (frame["age"] >= frame["window_days"])]
    for state, rows in (("engaged", old[old["engaged"] <= 7.0]), ("not engaged", old[old["engaged"] > 7.0])):
        row = law.loc[(state, elapsed[5])]
        assert (row["n"], row["share"]) == (len(rows), pytest.approx(len(rows) / len(old)))
        assert row["conversion"] == pytest.approx(np.isfinite(rows["delay"]).mean())
        assert row["seen"] == pytest.approx((rows["delay"] <= elapsed[5]).sum() / np.isfinite(rows["delay"]).sum())
        assert law.loc[(state, 30.0), "seen"] == 1.0


def test_a_state_that_nobody_was_in_has_no_share() -> None:
    counts = pd.DataFrame({"engaged": [False], "n": [10], "converted": [4], "by_0": [0], "by_1": [4]})
    law = described_law(counts, np.array([0.0, 30.0]))
    assert law.groupby("state")["share"].first().to_dict() == {"engaged": 0.0, "not engaged": 1.0}
    assert law["seen"].tolist() == [0.0, 1.0, 1.0, 1.0]


def test_the_funnel_counts_who_reached_every_stage(frame, exposures) -> None:
    counts = stage_counts(with_unit(exposures), start=AS_OF, end=END, waiting_days=7.0).to_pyarrow().to_pandas()
    funnel = observed_funnel(counts, CONFIG, is_unit=True).set_index(["segment", "stage"])
    mine = frame[(frame["age"] <= 0) & (frame["exposure_time"] + frame["window_days"] <= END)]
    for segment, rows in (("all", mine), *mine.groupby("segment")):
        engaged, label = rows["engaged"] <= 7.0, np.isfinite(rows["delay"])
        expected = [1.0, engaged.mean(), (engaged & label).mean(), (~engaged & label).mean(), label.mean()]
        assert funnel.loc[segment, "observed"].to_numpy() == pytest.approx(expected)
        assert set(funnel.loc[segment, "n"]) == {len(rows)}
    inside = (funnel["ci_low"] <= funnel["observed"]) & (funnel["observed"] <= funnel["ci_high"])
    assert inside.all() and funnel["predicted"].isna().all()


def test_without_exposures_there_is_no_funnel(exposures) -> None:
    counts = stage_counts(with_unit(exposures), start=AS_OF, end=AS_OF, waiting_days=7.0).to_pyarrow().to_pandas()
    assert observed_funnel(counts, CONFIG, is_unit=False).empty
