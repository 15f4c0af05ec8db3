"""Rows come in through one door: what it reads, how it splits, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.errors import DataError, NotEnoughDataError
from engine.result import DatasetInfo
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load, prepare, split_rows

INFO = DatasetInfo(name="made up", origin="simulated", data_id="0" * 8)


def scored(n=400, **columns):
    """Rows with a score, half of them tuning rows."""
    rng = np.random.default_rng(0)
    frame = {
        "label": np.arange(n) % 3 == 0,
        "score": rng.random(n),
        "uncertainty": rng.random(n),
        "split": np.where(np.arange(n) % 2 == 0, "tune", "test"),
    }
    return pd.DataFrame(frame | columns)


def broken(column, row, value):
    frame = scored().astype({"score": object, "uncertainty": object, "split": object, "label": object})
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("score", 1.2, "1.2"),
        ("score", -0.1, "-0.1"),
        ("score", np.inf, "finite"),
        ("score", None, "missing"),
        ("score", "high", "high"),
        ("uncertainty", -np.inf, "finite"),
        ("uncertainty", np.inf, "finite"),
        ("uncertainty", None, "missing"),
        ("label", 2, "0 or 1"),
        ("label", None, "missing"),
    ],
)
def test_a_bad_value_is_refused_with_its_column_and_row(column, value, words):
    with pytest.raises(DataError, match=rf"'{column}'.*") as caught:
        load(broken(column, 6, value), info=INFO)
    assert "row 7" in str(caught.value) or words in str(caught.value)


@pytest.mark.parametrize(("kept", "absent"), [("score", "uncertainty"), ("uncertainty", "score")])
def test_score_and_uncertainty_come_together(kept, absent):
    with pytest.raises(DataError, match=f"column '{kept}' but no '{absent}'"):
        load(scored().drop(columns=absent), info=INFO)


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_is_refused(only):
    with pytest.raises(NotEnoughDataError, match=f"'label' of made up is always {only}"):
        load(scored(label=only), info=INFO)


def test_rows_without_anything_to_learn_from_are_refused():
    with pytest.raises(DataError, match="neither features nor 'score'"):
        load(pd.DataFrame({"label": [0, 1], "week": [1, 2]}), info=INFO)


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2), (np.nan, 2), (1, np.inf), (1, np.nan)])
def test_more_positives_than_rows_seen_are_refused(k, n):
    frame = scored(k_4=1.0, n_4=2.0)
    frame.loc[4, ["k_4", "n_4"]] = [k, n]
    with pytest.raises(DataError, match=r"'k_4' and 'n_4' of made up .* data row 5"):
        load(frame, info=INFO)


def test_a_history_without_its_counterpart_is_a_plain_feature():
    assert load(scored(k_4=1.0), info=INFO).windows == ()
    assert load(scored(k_4=1.0, n_4=2.0), info=INFO).windows == ("4",)


def test_truth_and_roles_are_kept_out_of_the_features():
    frame = scored(true_rate=0.5, unit=1, week=2, weight=1, shelf="milk").drop(columns=["score", "uncertainty"])
    assert load(frame, info=INFO).features.columns.tolist() == ["shelf"]


@pytest.mark.parametrize("value", ["validation", "Tuning", "1"])
def test_an_unknown_split_is_refused(value):
    with pytest.raises(DataError, match=f"'{value.lower()}' in data row 4; allowed are train, tune, test"):
        prepare(load(broken("split", 3, value), info=INFO), UncertaintyConfig())


def test_split_names_may_be_written_in_capitals():
    prepared = prepare(load(broken("split", 3, "TEST"), info=INFO), UncertaintyConfig())
    assert split_rows(prepared.split) == {"test": 200, "tune": 200}


@pytest.mark.parametrize("share", [0.05, 0.96])
def test_a_split_with_too_few_of_a_class_is_refused(share):
    frame = scored(label=(np.arange(400) % 100 < 100 * share).astype(int))
    with pytest.raises(NotEnoughDataError, match=r"Split 'tune' has .* at least 20 of each"):
        prepare(load(frame, info=INFO), UncertaintyConfig())


def test_weeks_split_in_order_and_never_inside_a_week():
    frame = scored(2000, week=np.arange(2000) % 33 + 20).drop(columns=["split", "score", "uncertainty"])
    prepared = prepare(load(frame.assign(x=1.0), info=INFO), UncertaintyConfig())
    week = frame["week"].to_numpy()
    ends = {
        name: (week[prepared.mask(name)].min(), week[prepared.mask(name)].max()) for name in ("train", "tune", "test")
    }
    assert ends == {"train": (20, 37), "tune": (38, 43), "test": (44, 52)}


def test_without_times_whole_units_are_drawn_and_the_seed_decides():
    frame = scored(2000, unit=np.arange(2000) // 10).drop(columns=["split"])
    first, again, other = (prepare(load(frame, info=INFO), UncertaintyConfig(seed=seed)).split for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()
    assert all(np.unique(first[frame["unit"] == unit]).size == 1 for unit in range(200))
    assert "train" not in first


@pytest.mark.parametrize(
    ("name", "values", "said"), [("week", 2, "2 distinct values"), ("unit", 1, "1 distinct value")]
)
def test_a_column_with_too_few_values_to_split_by_is_named(name, values, said):
    frame = scored(**{name: np.arange(400) % values}).drop(columns=["split", "score", "uncertainty"])
    with pytest.raises(DataError, match=f"Column '{name}' of .* has {said}, too few to cut .* another column for"):
        prepare(load(frame.assign(x=1.0), info=INFO), UncertaintyConfig())


def test_units_are_counted_where_there_are_any():
    assert prepare(load(scored(), info=INFO), UncertaintyConfig()).unit_name == "rows"
    assert prepare(load(scored(unit="a"), info=INFO), UncertaintyConfig()).unit_name == "units"


@pytest.mark.parametrize("weight", [0, -2, 1.5])
def test_a_weight_that_is_no_count_is_refused(weight):
    with pytest.raises(DataError, match="'weight'"):
        load(scored(weight=weight), info=INFO)


def test_an_extreme_value_in_a_later_row_leaves_the_training_inputs_as_they_were(purchases):
    changed = purchases.astype({"habit": float})
    changed.loc[changed["week"] == 30, ["habit", "shelf"]] = [1e6, "only here"]
    first, second = (prepare(load(frame, info=INFO), UncertaintyConfig()) for frame in (purchases, changed))
    train = first.mask("train")
    assert (first.encoded.numeric[train] == second.encoded.numeric[train]).all()
    assert (first.encoded.category[train] == second.encoded.category[train]).all()
    assert first.encoded.cardinality == second.encoded.cardinality == (4,)
