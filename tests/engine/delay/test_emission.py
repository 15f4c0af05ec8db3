"""Every stream emits the right rows at the right moment, and none before its label is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.delay import emission
from engine.delay.emission import STREAM_OF

TIME = np.array([0.0, 100.0, 200.0, 300.0])
CONVERSION = np.array([500.0, 7300.0, np.inf, 144_300.0])
HOUR, WINDOW = np.full(4, 3600.0), np.full(4, 30 * 86_400.0)


def rows(found: emission.Emissions) -> list[tuple[int, float, float]]:
    return list(zip(found.exposure.tolist(), found.label.tolist(), found.time.tolist(), strict=True))


def emitted(method: str) -> list[tuple[int, float, float]]:
    return rows(STREAM_OF[method](TIME, CONVERSION - TIME, HOUR, WINDOW))


def test_the_order_of_es_dfm_is_that_of_its_authors_code():
    # Recorded from the `DataDF` of the ES-DFM authors: cut of one hour, clicks and payments in seconds.
    golden = [(0, 1, 3600), (1, 0, 3700), (2, 0, 3800), (3, 0, 3900), (1, 1, 7300), (3, 1, 144_300)]
    for method in ("es_dfm", "exact_joint", "vanilla_win", "defuse", "kaplan_meier", "entire_space", "dress_style"):
        assert emitted(method) == golden


def test_the_other_streams_by_hand():
    end = 30 * 86_400.0
    assert emitted("oracle") == [(0, 1, 0), (1, 1, 100), (2, 0, 200), (3, 1, 300)]
    assert emitted("wait") == [(0, 1, end), (1, 1, end + 100), (2, 0, end + 200), (3, 1, end + 300)]
    assert emitted("vanilla") == [(0, 1, 3600), (1, 0, 3700), (2, 0, 3800), (3, 0, 3900)]
    fake = [(0, 0, 0), (1, 0, 100), (2, 0, 200), (3, 0, 300), (0, 1, 500), (1, 1, 7300), (3, 1, 144_300)]
    assert emitted("fnw") == fake and emitted("fnc") == fake
    assert emitted("defer") == [
        (0, 1, 3600), (0, 1, 3600), (1, 0, 3700), (2, 0, 3800), (3, 0, 3900), (1, 1, 7300), (3, 1, 144_300),
        (2, 0, end + 200),
    ]  # fmt: skip


EXPOSURES = st.lists(
    st.tuples(
        st.floats(0, 100),  # exposed
        st.one_of(st.just(np.inf), st.floats(0, 10)),  # delay
        st.floats(0.1, 9.9),  # waiting
    ),
    min_size=1,
    max_size=30,
)


def arrays(exposures: list[tuple[float, float, float]]) -> tuple[np.ndarray, ...]:
    time, delay, waiting = np.array(exposures).T
    return time, delay, waiting, np.full(time.size, 10.0)


@given(EXPOSURES)
def test_defer_emits_every_exposure_exactly_twice_once_everything_matured(exposures):
    time, delay, waiting, window = arrays(exposures)
    found = emission.every_label_twice(time, delay, waiting, window)
    assert np.bincount(found.exposure, minlength=time.size).tolist() == [2] * time.size
    assert sorted(found.exposure[found.first]) == list(range(time.size))
    second = found.between(-np.inf, np.inf).exposure[~found.first]
    assert found.label[~found.first].tolist() == np.isfinite(delay)[second].astype(float).tolist()
    assert found.time.max() <= (time + window).max()


@given(EXPOSURES)
@pytest.mark.parametrize("method", [name for name in STREAM_OF if name != "oracle"])
def test_no_stream_but_the_oracles_changes_before_what_it_tells_has_happened(method, exposures):
    # Hide everything after a moment: rows emitted before it must stay the same.
    time, delay, waiting, window = arrays(exposures)
    for now in np.linspace(0, 110, 12):
        hidden = np.where(time + delay >= now, np.inf, delay)
        full, blind = (STREAM_OF[method](time, seen, waiting, window).between(-np.inf, now) for seen in (delay, hidden))
        assert rows(full) == rows(blind)


def test_the_oracle_alone_and_a_label_read_at_the_exposure_fail_that_check():
    def leaky(time, delay, waiting, window):
        return emission.early_label(time - waiting, delay, waiting, window)

    for emit in (STREAM_OF["oracle"], leaky):
        full = emit(TIME, CONVERSION - TIME, HOUR, WINDOW).between(-np.inf, 400.0)
        blind = emit(TIME, np.full(4, np.inf), HOUR, WINDOW).between(-np.inf, 400.0)
        assert rows(full) != rows(blind)


@given(EXPOSURES, st.lists(st.floats(0, 120), min_size=1, max_size=6))
@pytest.mark.parametrize("method", list(STREAM_OF))
def test_steps_that_follow_each_other_hold_every_row_once(method, exposures, cuts):
    found = STREAM_OF[method](*arrays(exposures))
    edges = [-np.inf, *sorted(cuts), np.inf]
    parts = [found.between(low, high) for low, high in itertools.pairwise(edges)]
    assert [row for part in parts for row in rows(part)] == rows(found)
    assert (np.diff(found.time) >= 0).all()
    assert sorted(found.exposure[found.first]) == list(range(len(exposures)))
