"""What the snapshot day could see, and what is refused at the door."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.datasets import load as bundled
from engine.delay.config import DelayConfig
from engine.delay.data import prepare
from engine.delay.snapshot import choose_day, require_usable
from engine.errors import ConfigError, DataError, NotEnoughDataError


def made(rows: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time = np.sort(rng.uniform(0, 100, rows)).round(2)
    delay = np.where(rng.random(rows) < 0.4, rng.exponential(4.0, rows), np.nan)
    frame = pd.DataFrame(
        {
            "unit": rng.integers(0, 50, rows).astype(str),
            "exposure_time": time,
            "engagement_time": time + rng.exponential(2.0, rows),
            "conversion_time": time + delay,
            "window_days": 10.0,
            "age_group": rng.choice(["young", "old"], rows),
            "spend": rng.normal(size=rows),
        }
    )
    # The log ends on day 105: the windows of the last exposures are still open.
    events = ["engagement_time", "conversion_time"]
    return frame.assign(**{name: frame[name].where(frame[name] <= 105.0) for name in events})


def test_labels_seen_and_final_follow_from_the_day(eight, dataset_of, monkeypatch):
    monkeypatch.setattr("engine.delay.data.require_usable", lambda *_, **__: None)
    late = pd.concat([eight, eight.tail(1).assign(exposure_time=21.0, conversion_time=31.5)], ignore_index=True)
    prepared = prepare(dataset_of(late), DelayConfig(as_of_day=20.0, waiting_days=3.0, attribution_days=10.0))
    assert prepared.label.tolist() == [1, 1, 0, 1, 1, 1, 0, 1, 0]  # the last one converts after its window
    assert prepared.matured.tolist() == [True, True, True, *[False] * 6]
    assert (prepared.seen & ~prepared.test).tolist() == [True, True, False, True, True, *[False] * 4]
    assert prepared.state.tolist() == [1, 0, 0, 1, 0, 1, 0, 0, 0]
    assert prepared.age.tolist() == [20, 19, 18, 8, 8, 7, 6, 1, -1]
    assert prepared.test.tolist() == [False] * 8 + [True]


def test_a_window_or_a_conversion_that_ends_on_the_day_itself_counts(eight, dataset_of, monkeypatch):
    monkeypatch.setattr("engine.delay.data.require_usable", lambda *_, **__: None)
    frame = eight.assign(
        exposure_time=[10.0, 10.5, 14.0, 14.0, *[0.0] * 4], conversion_time=[np.nan, np.nan, 20.0, 20.5, *[np.nan] * 4]
    ).assign(engagement_time=np.nan, visit_time=50.0)
    prepared = prepare(dataset_of(frame), DelayConfig(as_of_day=20.0, waiting_days=3.0, attribution_days=10.0))
    assert prepared.age[0] == prepared.window[0] and prepared.delay[2] == prepared.age[2]
    assert prepared.matured[:2].tolist() == [True, False]
    assert prepared.seen[2:4].tolist() == [True, False]


def test_engagement_is_frozen_at_the_waiting_window(dataset_of):
    frame = made()
    prepared = prepare(dataset_of(frame), DelayConfig(as_of_day=60.0, waiting_days=2.0, attribution_days=10.0))
    later = frame["engagement_time"].where(frame["engagement_time"] - frame["exposure_time"] <= 2.0)
    other = prepare(
        dataset_of(frame.assign(engagement_time=later)),
        DelayConfig(as_of_day=60.0, waiting_days=2.0, attribution_days=10.0),
    )
    assert prepared.engage_delay.tolist() != other.engage_delay.tolist()
    assert prepared.state.tolist() == other.state.tolist()


def test_exposures_without_a_final_label_are_left_out_and_counted(dataset_of):
    frame = made()
    prepared = prepare(dataset_of(frame), DelayConfig(as_of_day=60.0, attribution_days=10.0, waiting_days=2.0))
    end = np.nanmax(frame[["exposure_time", "engagement_time", "conversion_time"]].to_numpy())
    assert prepared.dropped == int((frame["exposure_time"] + 10.0 > end).sum()) > 0
    assert prepared.time.size + prepared.dropped == len(frame)


def test_the_parts_do_not_overlap_and_held_out_units_are_whole(dataset_of):
    prepared = prepare(dataset_of(made()), DelayConfig(as_of_day=60.0, attribution_days=10.0, waiting_days=2.0))
    assert (prepared.train.astype(int) + prepared.holdout + prepared.test == 1).all()
    assert set(prepared.unit[prepared.holdout]).isdisjoint(prepared.unit[prepared.train])
    assert (prepared.time[prepared.test] >= 60.0).all() and (prepared.time[~prepared.test] < 60.0).all()


def test_features_are_scaled_on_training_rows_alone(dataset_of):
    frame = made()
    config = DelayConfig(as_of_day=60.0, attribution_days=10.0, waiting_days=2.0)
    prepared = prepare(dataset_of(frame), config)
    column = prepared.x[:, prepared.feature_names.index("spend")]
    assert abs(column[prepared.train].mean()) < 1e-6 and column[prepared.train].std() == pytest.approx(1, abs=1e-5)
    shifted = frame.assign(spend=frame["spend"].where(frame["exposure_time"] < 60.0, frame["spend"] + 50.0))
    again = prepare(dataset_of(shifted), config)
    assert np.array_equal(prepared.x[prepared.train], again.x[again.train])


def test_columns_are_sorted_into_roles_features_and_ignored_ones(dataset_of):
    frame = made().assign(
        note_time=1.0, true_p=0.5, code=[f"x{k}" for k in range(200)], campaign="c", visit_time=np.nan, empty=np.nan
    )
    dataset = dataset_of(frame)
    assert dataset.numeric == ("spend",) and dataset.categorical == ("age_group",)
    assert set(dataset.ignored) == {"note_time", "true_p", "code", "empty"}


def test_dates_and_day_numbers_mean_the_same(dataset_of):
    frame = made()
    dates = frame.assign(
        **{
            name: (pd.Timestamp("1970-01-01") + pd.to_timedelta(frame[name], unit="D")).astype("string")
            for name in ("exposure_time", "engagement_time", "conversion_time")
        }
    )
    numbers, calendar = dataset_of(frame), dataset_of(dates)
    assert calendar.has_dates and not numbers.has_dates
    assert np.allclose(numbers.frame["exposure_time"], calendar.frame["exposure_time"], atol=1e-6)


@pytest.mark.parametrize("as_text", [False, True])
def test_dates_beside_numbers_of_days_are_refused_and_not_taken_for_very_late(dataset_of, as_text):
    """A column without a time has no form; neither has a first cell that is empty."""
    frame = made().assign(engagement_time=np.nan)
    dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(frame["conversion_time"], unit="D")
    dates.iloc[0] = pd.NaT
    mixed = frame.assign(conversion_time=dates.astype("string") if as_text else dates)
    with pytest.raises(DataError, match="are dates in 'conversion_time' but numbers in 'exposure_time'; give them one"):
        dataset_of(mixed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conversion_time": -5.0}, "'conversion_time' of test data is .* days before 'exposure_time' in data row 1"),
        ({"engagement_time": -5.0}, "an event cannot precede its exposure"),
        ({"spend": np.inf}, "Column 'spend' of test data has 'inf' in data row 1; allowed is a finite number"),
        ({"exposure_time": np.nan}, "Column 'exposure_time' of test data has no value in data row 1"),
        ({"exposure_time": np.inf}, "Column 'exposure_time' of test data has 'inf' in data row 1"),
        ({"window_days": -1.0}, "Column 'window_days' of test data has '-1.0' in data row 1"),
        ({"window_days": 0.0}, "Column 'window_days' of test data has '0.0' in data row 1"),
        (
            {"window_days": 1e7},
            "Column 'window_days' of test data has '10000000.0' in data row 1; allowed is at most 1e.06, in days",
        ),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence_that_names_it(dataset_of, change, message):
    frame = made()
    for name, value in change.items():
        frame.loc[0, name] = value
    with pytest.raises(DataError, match=message):
        dataset_of(frame)


@pytest.mark.parametrize("name", ["exposure_time", "conversion_time"])
def test_a_missing_column_is_named_with_what_to_do(dataset_of, name):
    with pytest.raises(DataError, match=f"Column '{name}' is missing .* --column {name}=NAME"):
        dataset_of(made().drop(columns=name))


@pytest.mark.parametrize(
    ("frame", "config", "message"),
    [
        (made().assign(conversion_time=np.nan), {}, "hold no conversion; both outcomes are needed"),
        (
            made().assign(conversion_time=lambda f: f["exposure_time"] + 1),
            {},
            "hold conversions only; both outcomes are needed",
        ),
        (made(), {"as_of_day": 5.0}, "Only .* have a complete window on day 5"),
        (made(), {"as_of_day": 99.0}, "No exposure on or after day 99"),
        (made().assign(window_days=500.0), {"as_of_day": None}, "No exposure has a complete attribution window"),
    ],
)
def test_data_that_cannot_be_learned_from_or_judged_on_is_refused(dataset_of, frame, config, message):
    settings = DelayConfig(**({"as_of_day": 60.0, "attribution_days": 10.0, "waiting_days": 2.0} | config))
    with pytest.raises(NotEnoughDataError, match=message):
        prepare(dataset_of(frame), settings)


def test_the_chosen_day_balances_matured_immature_and_later_exposures_and_sees_no_label():
    time = np.linspace(0.0, 100.0, 1001)
    day = choose_day(time, np.full(1001, 30.0), np.full(1001, 5.0))
    assert 40 <= day <= 70
    age = day - time
    assert min((age >= 30).mean(), (age <= 0).mean()) > 0.15
    with pytest.raises(NotEnoughDataError, match="No exposure has a complete attribution window"):
        choose_day(np.array([]), np.array([]), np.array([]))


def test_too_few_matured_exposures_are_refused_with_their_number():
    train = np.ones(30, dtype=bool)
    matured = np.arange(30) < 19
    with pytest.raises(NotEnoughDataError, match="Only 19 training exposures"):
        require_usable(np.arange(30) % 2.0, train=train, matured=matured, test=train, as_of=7.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"waiting_days": 0.0}, "'waiting_days' is 0.0"),
        ({"waiting_days": 30.0}, "must be below 'attribution_days'"),
        ({"attribution_days": -1.0}, "'attribution_days' is -1.0"),
        ({"attribution_days": float("nan")}, "'attribution_days' is nan"),
        ({"training_days": 0.0}, "'training_days' is 0.0"),
        ({"step_days": 8.0}, "must not exceed 'waiting_days'"),
        ({"members": True}, "'members' is True"),
        ({"members": 0}, "'members' is 0"),
        ({"holdout_share": 1.0}, "'holdout_share' is 1.0"),
        ({"max_weight": 0.5}, "'max_weight' is 0.5"),
    ],
)
def test_settings_outside_their_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        DelayConfig(**change)


def test_the_coupon_campaigns_load_whole_and_give_a_usable_snapshot():
    dataset = bundled("delay", "journey-coupons")
    assert dataset.info.rows == {"exposures": 5657, "conversions": 746} and dataset.has_dates
    assert {"trips_60d", "prior_redemptions"} <= set(dataset.numeric) and "income" in dataset.categorical
    prepared = prepare(dataset, DelayConfig())
    assert prepared.dropped == 0 and np.isfinite(prepared.x).all()
    assert (prepared.train & prepared.matured).sum() > 1000 and prepared.test.sum() > 1000
    recent = ~prepared.test & ~prepared.matured
    assert prepared.label[recent].mean() > 2 * prepared.seen[recent].mean()
