"""A run without a training: the label tables of a training, and what is not known is not claimed."""

from __future__ import annotations

from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.datasets import SAMPLE_DATA
from engine.delay.config import DelayConfig
from engine.delay.described import describe
from engine.delay.relation import exposures_of
from engine.delay.scope import scope_of
from engine.delay.simulate import SimulationConfig, simulate
from engine.metrics.calibration import wilson_interval
from engine.result import RunResult
from engine.runs import read_run, write_run

FAST = DelayConfig(resamples=20, asof_days=4)
NEEDED = ["unit", "segment", "exposure_time", "engagement_time", "conversion_time", "window_days"]
SHIPPED = Path(SAMPLE_DATA) / "runs" / "journey-coupons"
BANDS_BY_UNIT = ["flip_unit_low", "flip_unit_high"]
WEIGHTS = ("ess_share", "weight", "units")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 1,500 simulated exposures over 120 days."""
    return simulate(1500, SimulationConfig(seed=1))[NEEDED]


def described(frame: pd.DataFrame, day: float | None = None, config: DelayConfig = FAST) -> RunResult:
    """Describe a table."""
    log = exposures_of(
        ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False)),
        {},
        source="log",
        attribution_days=config.attribution_days,
    )
    return describe(log, scope_of(log, config, day), config, source="log")


@pytest.fixture(scope="module")
def coupons() -> RunResult:
    """Describe the coupons with the settings of the shipped run."""
    return described(pd.read_csv(SAMPLE_DATA / "journey_coupons.csv.gz")[NEEDED], config=DelayConfig())


@pytest.mark.parametrize(
    "name", ["arrival", "cure", "cohorts", "asof", "asof_curves", "asof_cohorts", "windows", "law", "snapshot"]
)
def test_a_description_has_the_label_tables_of_a_training(coupons, name) -> None:
    trained, found = read_run(SHIPPED).curve(name), coupons.curves[name]
    if name == "arrival":
        # Units fall into other groups here than by the number that a training gives them.
        bands = [table[BANDS_BY_UNIT].to_numpy() for table in (found, trained)]
        assert bands[0] == pytest.approx(bands[1], abs=0.01, nan_ok=True)
        trained, found = (table.drop(columns=BANDS_BY_UNIT) for table in (trained, found))
    if name == "windows":
        trained = trained.drop(columns=[column for column in trained if column.startswith(WEIGHTS)])
    if name == "snapshot":
        # A training also says what its weights follow; whether signals leak shapes the network alone.
        known = [column for column in trained if not column.startswith("drift") and column != "has_leak"]
        trained, found = trained[known], found[known]
    # What an optimiser found ends in digits that follow the processor; all else is counted.
    alike = {"rtol": 1e-9} if name == "cure" else {"check_exact": True}
    pd.testing.assert_frame_equal(found, trained, check_dtype=name != "snapshot", **alike)


def test_the_claims_that_need_no_model_have_the_value_and_n_of_a_training(coupons) -> None:
    trained, found = read_run(SHIPPED).curve("claims"), coupons.curves["claims"]
    assert found["claim"].tolist() == ["C3", "C3", "C5"]
    keys = ["effect", "segment", "value", "n", "n_unit", "margin", "verdict"]
    expected = trained[trained["effect"].isin(found["effect"]) & trained["baseline"].isin(found["baseline"])]
    pd.testing.assert_frame_equal(found[keys], expected[keys].reset_index(drop=True), check_exact=True)
    ends = [table[["ci_low", "ci_high"]].to_numpy() for table in (found, expected)]
    assert ends[0] == pytest.approx(ends[1], rel=0.05)


def test_the_funnel_has_what_was_observed_and_promises_nothing(coupons) -> None:
    trained, found = read_run(SHIPPED).curve("funnel"), coupons.curves["funnel"]
    keys = ["segment", "stage", "n", "observed"]
    pd.testing.assert_frame_equal(found[keys], trained[keys], check_exact=True)
    ends = [table.query("segment == 'all'")[["ci_low", "ci_high"]].to_numpy() for table in (found, trained)]
    assert ends[0] == pytest.approx(ends[1], abs=0.005) and found["predicted"].isna().all()


def test_the_trade_off_is_that_of_a_training_but_for_the_draws(coupons) -> None:
    keys = ["segment", "waiting_days", "estimator"]
    trained = read_run(SHIPPED).curve("tradeoff").set_index(keys)
    found = coupons.curves["tradeoff"].set_index(keys)
    assert set(found.index.get_level_values("estimator")) == {"vanilla", "wait", "kaplan_meier"}
    exact = ["value", "lag_days", "rows"]
    pd.testing.assert_frame_equal(found[exact], trained.reindex(found.index)[exact], check_exact=True)
    assert found["error"].to_numpy() == pytest.approx(trained.reindex(found.index)["error"].to_numpy(), abs=0.003)


def test_the_run_has_no_methods_and_is_read_back(coupons, tmp_path) -> None:
    run = read_run(write_run(coupons, tmp_path / "own", command=["python"]))
    assert run.manifest["methods"] == [] and run.metrics.empty and run.predictions.empty and run.history.empty
    assert run.curve("snapshot")["pending"].iloc[0] == 1217
    assert run.manifest["dataset"]["rows"] == {
        "exposures": 5657, "conversions": 746, "exposures without a final label": 0
    }  # fmt: skip


def test_what_is_open_at_the_end_is_estimated_and_never_called_final(frame) -> None:
    frame = frame.assign(**{name: frame[name].where(frame[name] <= 125.0) for name in NEEDED[3:5]})
    end = frame[NEEDED[2:5]].max().max()
    past = described(frame)
    facts = past.curves["snapshot"].iloc[0]
    is_open = frame["exposure_time"] + frame["window_days"] > end
    assert facts["has_truth"] and facts["dropped"] == is_open.sum() > 0
    assert past.curves["asof"]["rate_final"].notna().all()
    now = described(frame, end)
    for table in (past.curves["present"], now.curves["present"]):
        (row,) = table[table["segment"] == "all"].to_dict("records")
        still = is_open & frame["conversion_time"].isna()
        # A conversion counts once the whole day that it falls in has been lived through.
        assert row["as_of"] == end and 0 <= row["pending"] - still.sum() < 5 and np.isnan(row["flips_final"])
        assert 0 < row["flips_expected_low"] < row["flips_expected"] < row["flips_expected_high"] < row["pending"]
    pd.testing.assert_frame_equal(past.curves["present"], now.curves["present"])
    assert now.curves["windows"][["seen_final", "flip_final", "flips_final"]].isna().all(axis=None)
    known = now.curves["asof"]["rate_final"].notna() == (
        now.curves["asof"]["as_of"] <= frame.loc[is_open, "exposure_time"].min()
    )
    assert known.all() and now.curves["asof"]["rate_final"].notna().any()
    assert now.curves["claims"]["effect"].tolist() == ["Share of open labels expected to flip"]
    assert np.isnan(now.curves["snapshot"]["flipped"].iloc[0])


def test_times_alone_are_enough(frame) -> None:
    found = described(frame[["exposure_time", "conversion_time"]])
    assert set(found.curves["arrival"]["group"]) == {"all", "cohort", "engagement"}
    assert "flip_unit_low" not in found.curves["arrival"]
    assert found.curves["snapshot"][["engaged", "units"]].iloc[0].tolist() == [0, 0]
    claims = found.curves["claims"]
    assert set(claims["claim"]) == {"C3"} and set(claims["n_unit"]) == {"exposures"}
    assert claims["n"].iloc[0] == found.curves["snapshot"]["immature"].iloc[0]
    assert set(found.curves["tradeoff"]["segment"]) == {"all"}
    funnel = found.curves["funnel"].set_index("stage")
    low, high = wilson_interval(np.array([funnel.loc["converted", "observed"]]) * funnel["n"].iloc[0], funnel["n"][:1])
    assert funnel.loc["converted", ["ci_low", "ci_high"]].tolist() == pytest.approx([low[0], high[0]])
    assert funnel.loc["engaged", "observed"] == 0


def test_without_a_conversion_nothing_flips_and_nothing_breaks(frame) -> None:
    found = described(frame.assign(conversion_time=np.nan))
    assert found.curves["windows"]["flips_final"].sum() == 0 and found.curves["asof"]["positives"].sum() == 0
    assert found.curves["snapshot"]["flipped"].iloc[0] == 0
    rows = found.curves["claims"].set_index("claim")
    assert (rows.loc[["C3"], "value"] == 0).all() and (rows["verdict"] != "supported").all()


def test_without_units_exposures_count_as_independent_however_few_their_moments() -> None:
    rng = np.random.default_rng(0)
    time = np.repeat(np.arange(10) * 9.0, 400)
    delay = np.where(rng.random(4000) < 0.4, rng.uniform(0, 30, 4000), np.nan)
    config = DelayConfig(resamples=400, asof_days=2)
    found = described(pd.DataFrame({"exposure_time": time, "conversion_time": time + delay}), 45.0, config)
    row, facts = found.curves["claims"].iloc[0], found.curves["snapshot"].iloc[0]
    low, high = wilson_interval(np.array([facts["flipped"]]), np.array([facts["pending"]]))
    assert row["value"] == facts["flipped"] / facts["pending"] and row["verdict"] == "supported"
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low[0], high[0]), abs=0.006)


def test_few_units_give_no_verdict(frame) -> None:
    found = described(frame.assign(unit=[f"u{row % 12}" for row in range(len(frame))]))
    claims = found.curves["claims"]
    assert set(claims["n"]) == {12} and set(claims["verdict"]) == {"inconclusive"}


def test_a_log_younger_than_its_window_says_that_nothing_can_be_estimated() -> None:
    time = np.arange(0.0, 20.0, 0.1)
    found = described(pd.DataFrame({"exposure_time": time, "conversion_time": np.where(time < 15, time + 3.0, np.nan)}))
    facts = found.curves["snapshot"].iloc[0]
    assert (facts["matured"], facts["has_truth"]) == (0, False) and "law" not in found.curves
    assert found.curves["funnel"].empty
    assert found.curves["asof"]["rate_estimated"].isna().all() and found.curves["claims"].empty
