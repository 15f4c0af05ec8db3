"""Slices of a run in memory: which columns, how many values, and the same counts as from the rows."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DataError, RunError
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.run import run
from engine.uncertainty.simulate import simulate
from engine.uncertainty.slice_view import cells_of_slice, layout_of, slice_names
from engine.uncertainty.slices import OTHER

CONFIG = {"resamples": 10, "precision_targets": (0.3,)}


def frame_of(n=4000):
    rng = np.random.default_rng(1)
    found = simulate(n)[["label", "score", "uncertainty", "split"]]
    letters = rng.choice(list("abcdefghijklmnop"), n, p=np.arange(16, 0, -1) / 136)
    return found.assign(letter=letters, age=rng.integers(20, 24, n), name=[f"id {k}" for k in range(n)])


def sliced(as_dataset, *chosen):
    return run(as_dataset(frame_of()), UncertaintyConfig(**CONFIG, slices=chosen))


def test_a_given_score_is_sliced_by_its_columns_of_few_texts(as_dataset):
    found = sliced(as_dataset).curves["slices"]
    assert set(found["column"]) == {"letter"}
    names = slice_names(found)
    assert len(names) == 13
    frame = frame_of()
    assert dict((value, n) for _, value, n in names)["a"] == (frame["letter"] == "a").sum()
    assert dict((value, n) for _, value, n in names)[OTHER] == frame["letter"].isin(list("mnop")).sum()


def test_named_columns_win_and_numbers_may_be_named(as_dataset):
    found = sliced(as_dataset, "age").curves["slices"]
    assert {value for _, value, _ in slice_names(found)} == {"20", "21", "22", "23"}


def test_a_missing_column_and_too_many_values_are_refused(as_dataset):
    with pytest.raises(DataError, match="'slices' names 'colour'"):
        sliced(as_dataset, "colour")
    with pytest.raises(DataError, match=r"'slices' names 'name', which has 4,000 values"):
        sliced(as_dataset, "name")


def test_cells_of_a_slice_are_complete_and_of_an_unknown_one_refused(as_dataset):
    result = sliced(as_dataset, "age")
    layout = layout_of(result.curves["edges"], "given")
    cells = cells_of_slice(result.curves["slices"], layout, scorer="given", column="age", value="21")
    assert len(cells) == 2 * layout.shape[0] * layout.shape[1]
    assert cells["n"].sum() == (frame_of()["age"] == 21).sum()
    with pytest.raises(RunError, match="no slice '99' of 'age'"):
        cells_of_slice(result.curves["slices"], layout, scorer="given", column="age", value="99")
